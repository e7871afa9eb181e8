"""`comments serve` and `comments migrate`."""

from __future__ import annotations

import click

from comments_service import logs
from comments_service.app import create_app
from comments_service.serving import Service
from comments_service.settings import load_settings
from comments_service.storage.schema import bring_up, make_ready


@click.command()
def serve() -> None:
    """Answer requests until told to stop. An SQLite file is migrated first."""
    settings = load_settings()
    logs.configure(settings)
    make_ready(settings)
    service = Service(create_app(settings), settings)
    place = f"http://{settings.host}:{settings.port}"
    service.run(on_ready=lambda: click.echo(f"Serving {settings.public_url} on {place}", err=True))


@click.command()
def migrate() -> None:
    """Bring the tables to this release."""
    before, after = bring_up(load_settings())
    click.echo("Nothing to do." if before == after else f"Migrated from {before or 'nothing'} to {after}.")

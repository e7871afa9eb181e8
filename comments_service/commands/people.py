"""`comments person erase`."""

from __future__ import annotations

import click

from comments_service.commands.installation import Installation, on_installation
from comments_service.erase import erase_person


@click.group("person")
def person() -> None:
    """What people may ask of whoever keeps their data."""


@person.command("erase")
@click.argument("email")
@click.option("--site", "site_key", help="On one site only; on all, if left out.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_installation
def erase(installation: Installation, *, email: str, site_key: str | None, yes: bool) -> None:
    """Remove all comments of an address, for good. Replies by others stay."""
    if not yes:
        click.confirm("This cannot be taken back. Erase all comments of this address?", abort=True)
    erased = erase_person(email, keys=installation.keys().ring, now=installation.now(), site_key=site_key)
    for key, count in erased.by_site.items():
        click.echo(f"Site {key}: {count} erased.")
    if not erased.total:
        click.echo("There is no comment of this address.")
    click.echo("Backups and exports made before still hold what was there; see docs/backup.md.")

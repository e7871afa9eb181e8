"""`comments …`: reads the command line, opens the database, and calls one verb below."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask import Flask
from sqlalchemy.exc import DBAPIError

from comments_service.commands import (
    blocklists,
    clusters,
    data,
    doctor,
    keys,
    letters,
    moderators,
    people,
    seed,
    serving,
    sites,
    spam,
    threads,
)
from comments_service.errors import CommentsError
from comments_service.settings import Settings
from comments_service.storage.database import connect_app, db
from comments_service.storage.schema import make_ready


class Commands(click.Group):
    """Ends with 0 when done, 1 and one sentence when it failed, 2 when it was used wrongly."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what an operator can act on becomes a sentence, without a trace."""
        try:
            return super().invoke(ctx)
        except CommentsError as error:
            raise click.ClickException(error.detail) from error
        except DBAPIError as error:
            # The driver's words: SQLAlchemy's would add the statement
            raise click.ClickException(f"The database refused: {error.orig}") from error
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{place}{error.strerror or error}") from error


@contextmanager
def open_database(settings: Settings) -> Iterator[None]:
    """The database's session for a command, after its tables are there."""
    make_ready(settings)
    app = Flask("comments_service", static_folder=None)
    connect_app(app, settings)
    with app.app_context():
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


@click.group(cls=Commands)
@click.version_option(package_name="comments-service", prog_name="comments")
@click.pass_context
def main(context: click.Context) -> None:
    """A comment service for any web site."""
    context.obj = open_database


for command in (
    serving.serve,
    serving.migrate,
    serving.sweep,
    letters.worker,
    doctor.doctor,
    sites.site,
    moderators.moderator,
    threads.thread,
    clusters.clusters,
    spam.spam,
    blocklists.blocklist,
    data.export,
    data.backup,
    data.restore,
    people.person,
    seed.seed,
    keys.secret,
):
    main.add_command(command)

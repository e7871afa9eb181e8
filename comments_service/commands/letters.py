"""`comments worker`."""

from __future__ import annotations

import signal
from contextlib import nullcontext
from types import FrameType

import click

from comments_service.commands.installation import Installation, on_installation
from comments_service.errors import CannotStart
from comments_service.neighbours.keeping import is_any_taught
from comments_service.notify.worker import Worker
from comments_service.settings import Settings
from comments_service.storage.database import reading

NO_SERVER = "COMMENTS_SMTP_URL: set it (and COMMENTS_MAIL_FROM), or there is nowhere to take letters to."


@click.command()
@on_installation
def worker(installation: Installation) -> None:
    """Deliver letters until told to stop; one that is leaving is finished first."""
    settings, place = installation.settings, destination_of(installation.settings)
    delivering = Worker(settings, installation.keys(), clock=installation.now, context=nullcontext)

    def stop(_number: int, _frame: FrameType | None) -> None:
        delivering.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    click.echo(f"Delivering {place}", err=True)
    delivering.run()


def destination_of(settings: Settings) -> str:
    """What a worker takes where, in words.

    Raises: CannotStart where there is no mail server, and no neighbour that learns from decisions.
    """
    if settings.mail_server is not None:
        return f"letters by {settings.mail_server.host}"
    with reading() as session:
        if not is_any_taught(session):
            raise CannotStart(NO_SERVER)
    return "what Akismet is to be told; letters have no mail server"

"""`comments worker`."""

from __future__ import annotations

import signal
from contextlib import nullcontext
from types import FrameType

import click

from comments_service.commands.installation import Installation, on_installation
from comments_service.errors import CannotStart
from comments_service.notify.worker import Worker
from comments_service.settings import MailServer, Settings

NO_SERVER = "COMMENTS_SMTP_URL: set it (and COMMENTS_MAIL_FROM), or there is nowhere to take letters to."


@click.command()
@on_installation
def worker(installation: Installation) -> None:
    """Deliver letters until told to stop; one that is leaving is finished first."""
    settings, server = installation.settings, mail_server_of(installation.settings)
    delivering = Worker(settings, installation.keys(), clock=installation.now, context=nullcontext)

    def stop(_number: int, _frame: FrameType | None) -> None:
        delivering.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    click.echo(f"Delivering letters by {server.host}", err=True)
    delivering.run()


def mail_server_of(settings: Settings) -> MailServer:
    """Who takes letters.

    Raises: CannotStart where nobody does.
    """
    if settings.mail_server is None:
        raise CannotStart(NO_SERVER)
    return settings.mail_server

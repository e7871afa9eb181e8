"""`comments serve`, `comments migrate`, `comments sweep`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime

import click
import structlog
from sqlalchemy.exc import SQLAlchemyError

from comments_service import wsgi
from comments_service.commands.installation import Installation, on_installation
from comments_service.commands.letters import destination_of
from comments_service.notify.worker import Worker
from comments_service.retention import sweep as sweep_once
from comments_service.serving import Service
from comments_service.settings import load_settings
from comments_service.storage.schema import bring_up
from comments_service.web.wiring import NAME, Wiring

SWEEP_EVERY_SECONDS = 3600.0
LETTER_GRACE_SECONDS = 8.0  # with the server's own 20 within the 30 that supervisors give
log = structlog.get_logger(__name__)


@click.command()
@click.option("--with-worker", is_flag=True, help="Deliver letters as well.")
def serve(*, with_worker: bool) -> None:
    """Answer requests until told to stop. An SQLite file is migrated first."""
    settings = load_settings()
    app = wsgi.make(settings)
    if with_worker:
        with app.app_context():
            destination_of(settings)

    def sweep_now() -> None:
        with app.app_context():
            swept = sweep_once(settings=settings, now=datetime.now(UTC))
        log.info("swept", **asdict(swept))

    service = Service(app, settings)
    place = f"http://{settings.host}:{settings.port}"
    threading.Thread(target=_sweep_hourly, args=(sweep_now,), name="sweep", daemon=True).start()
    parts: Wiring = app.extensions[NAME]
    worker = Worker(settings, parts.key_source, clock=parts.now, context=app.app_context)
    with _delivering(worker) if with_worker else nullcontext():
        service.run(on_ready=lambda: click.echo(f"Serving {settings.public_url} on {place}", err=True))


@click.command()
def migrate() -> None:
    """Bring the tables to this release."""
    before, after = bring_up(load_settings())
    click.echo("Nothing to do." if before == after else f"Migrated from {before or 'nothing'} to {after}.")


@click.command()
@on_installation
def sweep(installation: Installation) -> None:
    """Forget what is older than the settings allow; `serve` does so every hour by itself."""
    swept = sweep_once(settings=installation.settings, now=installation.now())
    click.echo(
        f"Forgotten: {swept.networks} networks, {swept.comments} declined comments, "
        f"{swept.idempotency_keys} idempotency keys, what {swept.cluster_keys} comments were compared by, "
        f"{swept.journal_rows} rows of the audit, {swept.sign_ins} sign-ins, "
        f"who cast {swept.votes} votes and sent {swept.reports} reports."
    )


@contextmanager
def _delivering(worker: Worker) -> Iterator[None]:
    """Deliver letters meanwhile; a letter that is leaving at the end is waited for."""
    thread = threading.Thread(target=worker.run, name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(LETTER_GRACE_SECONDS)
        if thread.is_alive():
            log.warning("stopped_while_sending", after_seconds=LETTER_GRACE_SECONDS)


def _sweep_hourly(sweep_now: Callable[[], None]) -> None:
    pause = threading.Event()
    while True:
        try:
            sweep_now()
        except SQLAlchemyError as error:  # full, locked or away: the next hour is early enough
            log.error("sweep_failed", error=str(getattr(error, "orig", None) or type(error).__name__))
        pause.wait(SWEEP_EVERY_SECONDS)

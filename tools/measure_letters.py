"""What a mail server does to the time of a submission: works, is dead, or drips its answers.

Three services on SQLite, each with a worker inside and a moderator who wants a letter for each comment, take
comments in turn, so that whatever else the machine does weighs on all of them alike.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from comments_service import tokens
from comments_service.cli import open_database
from comments_service.notify.addresses import confirm_address, give_address
from comments_service.people.accounts import add_moderator
from comments_service.people.passwords import check_own
from comments_service.settings import load_settings
from comments_service.storage.database import db
from comments_service.storage.outbox import LetterAddress
from comments_service.unlock import open_keys
from tools.service_process import COMMENTS, Reader, ServiceProcess

PASSWORD = "seven lanterns by the quay"  # noqa: S105 -- of a service that lives for minutes
WARM_UP = 20
LIMIT_PERCENT = 10.0


def main() -> None:
    """Measure, and print the medians and their differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    with ExitStack() as stack:
        readers = {
            name: stack.enter_context(_service(name, port))
            for name, port in (
                ("works", stack.enter_context(_working())),
                ("dead", _free_port()),
                ("drips", stack.enter_context(_dripping())),
            )
        }
        took = _measure(readers, rounds)
    _show(took)


def _measure(readers: dict[str, Reader], rounds: int) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {name: [] for name in readers}
    for number in range(WARM_UP + rounds):
        for name, reader in readers.items():
            words, began = f"Comment {number}.", time.perf_counter()
            status, _ = reader.send(words, key=words)
            if status != 202:
                raise RuntimeError(f"a comment was answered with {status}")
            if number >= WARM_UP:
                took[name].append((time.perf_counter() - began) * 1000)
    return took


def _show(took: dict[str, list[float]]) -> None:
    normal = statistics.median(took["works"])
    for name, times in took.items():
        median, slow = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        change = (median / normal - 1) * 100
        verdict = "" if name == "works" else f"  {change:+.1f} % (limit {LIMIT_PERCENT:.0f} %)"
        print(f"mail server {name:6} median {median:6.2f} ms  p95 {slow:6.2f} ms{verdict}")


@contextmanager
def _service(name: str, smtp_port: int) -> Iterator[Reader]:
    with tempfile.TemporaryDirectory(prefix=f"letters-{name}-") as folder:
        letters = {
            "COMMENTS_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
            "COMMENTS_MAIL_FROM": "comments@example.org",
            "COMMENTS_SUBMISSION_INTERVAL_SECONDS": "0",
            "COMMENTS_LOG_LEVEL": "ERROR",
        }
        service = ServiceProcess(Path(folder), port=_free_port(), settings=letters)
        service.add_site()
        _add_moderator(service)
        service.start(command=(*COMMENTS, "serve", "--with-worker"))
        reader = Reader(service.port)
        try:
            yield reader
        finally:
            reader.close()
            service.stop()


def _add_moderator(service: ServiceProcess) -> None:
    """Somebody who wants letters, and whose address is confirmed."""
    settings, now = load_settings(service.environment), datetime.now(UTC)
    with open_database(settings):
        keys = open_keys(settings, db.engine)
        moderator = add_moderator("ana", PASSWORD, now=now)
        proof = check_own(moderator, PASSWORD)
        give_address("ana@example.org", proof=proof, by=moderator, keys=keys, now=now)
        mark = db.session.get_one(LetterAddress, moderator.id).mark
        token = tokens.address_token(keys.ring, moderator_id=moderator.id, mark=mark, now=now)
        confirm_address(token, keys=keys.ring, now=now)


@contextmanager
def _working() -> Iterator[int]:
    controller = Controller(Sink(), hostname="127.0.0.1", port=_free_port())
    controller.start()
    try:
        yield int(controller.port)
    finally:
        controller.stop()


@contextmanager
def _dripping() -> Iterator[int]:
    """A server that greets by a byte now and then, for as long as anybody listens."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=_drip, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.close()


def _drip(connection: socket.socket) -> None:
    with suppress(OSError), connection:
        while True:
            connection.sendall(b"2")
            time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()

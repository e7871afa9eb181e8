"""The production server in one process: waitress, with a stop that cuts no answer."""

from __future__ import annotations

import select
import signal
import socket
from collections.abc import Callable
from http import HTTPStatus
from time import monotonic, time
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

import structlog
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import Error, RequestEntityTooLarge

from comments_service.errors import CannotStart, LengthRequired
from comments_service.settings import Settings
from comments_service.web import blocklists
from comments_service.web.headers import guards
from comments_service.web.problems import PROBLEM_TYPE, as_json, in_our_words

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

GRACE_SECONDS = 20.0
BACKLOG = 1024
QUIET_SECONDS = 0.25  # a connection silent for so long has no request under way to us
BODY_BYTES = 1 << 20  # above the app's own limit, so that the app words the refusal
FILE_BYTES = blocklists.MAX_BODY_BYTES + BODY_BYTES  # the same where a moderator sends a whole file
log = structlog.get_logger(__name__)


class _LastTask(WSGITask):
    """An answer that, while the service stops, tells the client to make a new connection next time."""

    def service(self) -> None:
        if not self.channel.server.accepting:
            request: Any = self.request
            request.headers["CONNECTION"] = "close"
        super().service()


class _NoLength(Error):
    code, reason = LengthRequired.status, LengthRequired.title


class _Parser(HTTPRequestParser):
    """Refuses a body that does not say how long it is: other servers cut one that is too long in silence.

    A long one comes through at one address alone, or everybody could fill the disk with what nobody reads.
    """

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.chunked:
            self.error, self.body_rcv = _NoLength(""), None
        elif self.content_length >= BODY_BYTES and not _takes_files(self):
            self.error, self.body_rcv = RequestEntityTooLarge(""), None


def _takes_files(request: Any) -> bool:
    return bool(request.path.endswith(blocklists.FILES_GO_TO))


class _Refusal(ErrorTask):
    """What the server itself refuses, in the words and with the guards of every other refusal."""

    def execute(self) -> None:
        request: Any = self.request  # the stubs leave much out, here too
        server: Any = self.channel.server
        error = in_our_words(request.error.code)
        body = as_json(error).encode()
        self.status = f"{error.status} {HTTPStatus(error.status).phrase}"
        guarded = guards(is_page=False, is_https=server.is_https)
        told = {"Content-Type": PROBLEM_TYPE, "Cache-Control": "no-store", **guarded}
        self.response_headers = list(told.items())
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    task_class = _LastTask
    error_task_class = _Refusal
    parser_class = _Parser


class Service:
    """A server bound to its address; `run` returns after SIGTERM or SIGINT, with every answer sent."""

    def __init__(self, app: WSGIApplication, settings: Settings) -> None:
        """Take the address.

        Raises: CannotStart when the address is taken or not ours.
        """
        self._is_stopping = False
        options: Any = {
            "sockets": [_listen(settings.host, settings.port)],
            "threads": settings.threads,
            "connection_limit": 1000,
            "backlog": BACKLOG,
            "asyncore_use_poll": True,
            "channel_timeout": 30,
            "max_request_body_size": FILE_BYTES,
            "clear_untrusted_proxy_headers": False,  # the app walks them itself, trusted hops only
            "ident": None,
        }
        self._server = cast(Any, create_server(app, **options))  # the stubs leave much out
        self._server.channel_class = _Channel
        self._server.is_https = settings.is_https

    def run(self, *, on_ready: Callable[[], None]) -> None:
        """Serve until told to stop, then finish what has begun, for at most 20 seconds."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        on_ready()
        while not self._is_stopping:
            self._turn(timeout_seconds=1.0)
        self._drain()
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._server._map)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        # Only a mark: an exception here could lose a request that was read and not yet queued
        self._is_stopping = True
        self._server.pull_trigger()

    def _drain(self) -> None:
        """Take in who already knocked, close the door, and wait until nobody waits for an answer.

        waitress' own shutdown forgets queued requests and output that a slow client has not taken yet.
        """
        deadline = monotonic() + GRACE_SECONDS
        for _ in range(BACKLOG):  # each turn takes in one; who comes after them all is a newcomer
            if not self._somebody_knocks():
                break
            self._turn(timeout_seconds=0)
        self._server.accepting = False
        self._server.del_channel()
        self._server.socket.close()
        while self._is_busy() and monotonic() < deadline:
            self._turn(timeout_seconds=0.05)
        if self._is_busy():
            log.warning("stopped_while_busy", after_seconds=GRACE_SECONDS)

    def _somebody_knocks(self) -> bool:
        door = select.poll()
        door.register(self._server.socket, select.POLLIN)
        return bool(door.poll(0))

    def _is_busy(self) -> bool:
        silent_since = time() - QUIET_SECONDS
        channels = list(self._server.active_channels.values())
        return any(
            c.requests or c.request is not None or c.total_outbufs_len or c.last_activity > silent_since
            for c in channels
        )

    def _turn(self, *, timeout_seconds: float) -> None:
        wasyncore.loop(timeout=timeout_seconds, use_poll=True, map=self._server._map, count=1)


def _listen(host: str, port: int) -> socket.socket:
    is_ipv6 = ":" in host
    family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=host == "::")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotStart(f"Cannot listen on {host} port {port}: {reason}.") from error

"""The real process: how it starts, what it refuses, and a stop that cuts no answer."""

from __future__ import annotations

import http.client
import shutil
import signal
import socket
import sqlite3
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from comments_service.cli import main
from comments_service.errors import CannotStart
from comments_service.privacy import Keyring
from comments_service.serving import BODY_BYTES, Service
from comments_service.settings import Settings
from tests.conftest import SECRET_KEY
from tests.factories import PASSWORD
from tests.servers import free_port, postgres_database, wait_until
from tools.service_process import ARTICLE, BROKEN, ORIGIN, SITE, Answer, Reader, ServiceProcess

READERS = 12
IMPORT = "/settings/demo/blocklists/import"


@pytest.fixture
def service(sqlite_template: Path, tmp_path: Path) -> Iterator[ServiceProcess]:
    """A service on SQLite, not started yet, with one site."""
    shutil.copy(sqlite_template, tmp_path / "comments.sqlite3")
    found = ServiceProcess(tmp_path, port=free_port())
    assert run(found, "site", "add", SITE, "--origin", ORIGIN).exit_code == 0
    yield found
    found.stop()


def send(service: ServiceProcess, words: str, **fields: str) -> Answer:
    """Send one comment, with its words as the key."""
    with closing(Reader(service.port)) as reader:
        return reader.send(words, key=words, **fields)


def stored(service: ServiceProcess) -> set[str]:
    """The texts of all comments in the database."""
    with closing(sqlite3.connect(service.folder / "comments.sqlite3")) as connection:
        return {text for (text,) in connection.execute("SELECT text FROM comment")}


def run(service: ServiceProcess, *arguments: str) -> Result:
    """Another command on the same installation: what it says and how it ends are those of the process."""
    return CliRunner().invoke(main, arguments, env=service.environment)


def refusal(service: ServiceProcess, **settings: str) -> str:
    """What a start says that must fail."""
    service.environment |= settings
    result = run(service, "serve")
    assert (result.exit_code, result.stdout) == (1, "")
    assert isinstance(result.exception, SystemExit)  # and nothing that would leave a trace
    return result.stderr


def refusal_of_process(service: ServiceProcess) -> str:
    """The same of a process of its own, without a trace."""
    ended = service.run("serve")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_it_says_where_it_listens_and_stops_with_0(service: ServiceProcess) -> None:
    service.start()
    assert f"on http://127.0.0.1:{service.port}" in service.log.read_text()
    assert service.stop() == 0


def test_what_was_sent_is_there_after_a_restart(service: ServiceProcess) -> None:
    service.start()
    assert send(service, "Once.")[0] == 202
    service.stop()
    service.start()
    status, again = send(service, "Once.")
    assert (status, again["comment"]["id"], stored(service)) == (202, "1", {"Once."})


def write_until(stopped: threading.Event, service: ServiceProcess, number: int, taken: set[str]) -> list[str]:
    """Send comment after comment; returns those that broke off after the service had begun to read them."""
    reader = Reader(service.port)
    for count in range(100_000):
        words = f"Comment {count} of reader {number}."
        try:
            if reader.send(words, key=words)[0] == 202:
                taken.add(words)
        except ConnectionRefusedError:
            return []
        except BROKEN:
            reader.close()
            return [words]
        if number % 2:
            reader.close()  # every other reader comes by a new connection each time
        if stopped.is_set() and count > 10_000:
            break
    return []


def test_a_stop_under_load_cuts_no_answer(service: ServiceProcess) -> None:
    service.start()
    taken: list[set[str]] = [set() for _ in range(READERS)]
    cut: list[str] = []
    stopped = threading.Event()

    def one(number: int) -> None:
        cut.extend(write_until(stopped, service, number, taken[number]))

    readers = [threading.Thread(target=one, args=(number,)) for number in range(READERS)]
    for reader in readers:
        reader.start()
    wait_until(lambda: all(len(mine) > 3 for mine in taken), "answers to every reader")
    assert service.stop() == 0
    stopped.set()
    for reader in readers:
        reader.join()
    assert cut == []
    assert stored(service) == set().union(*taken)


def test_a_request_that_has_begun_to_arrive_is_still_answered(service: ServiceProcess) -> None:
    service.start()
    with socket.create_connection(("127.0.0.1", service.port)) as late:
        late.sendall(b"GET /healthz HTTP/1.1\r\n")
        wait_until(lambda: is_read(service, late), "the server to read the first line")
        service.signal(signal.SIGTERM)
        wait_until(lambda: not is_listening(service.port), "the closed door")
        late.sendall(b"Host: localhost\r\n\r\n")
        answer = http.client.HTTPResponse(late)
        answer.begin()
        assert (answer.status, answer.getheader("Connection")) == (200, "close")
    assert service.wait() == 0


def is_read(service: ServiceProcess, client: socket.socket) -> bool:
    """Whether the server has taken all that the client sent: nothing waits in its receive queue."""
    port = f"{client.getsockname()[1]:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    theirs = [
        line for line in lines if line[2].endswith(f":{port}") and line[1].endswith(f":{service.port:04X}")
    ]
    return bool(theirs) and theirs[0][4].endswith(":00000000")


def is_listening(port: int) -> bool:
    """Whether anybody answers the door."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_long_body_comes_in_at_one_address_and_from_those_who_signed_in(service: ServiceProcess) -> None:
    CliRunner().invoke(
        main, ["moderator", "add", "olga", "--password-stdin"], PASSWORD, env=service.environment
    )
    service.start()
    lines = "\n".join(f"{count:x}".ljust(99, "y") for count in range(11_000))
    form = {"csrf_token": "", "lines": lines}
    assert len(lines) > BODY_BYTES
    assert Visitor(service.port).post(IMPORT, form) == 413
    olga = Visitor(service.port)
    signing_in = {"csrf_token": olga.token("/login"), "name": "olga", "password": PASSWORD}
    assert olga.post("/login", signing_in) == 303
    form["csrf_token"] = olga.token("/account")
    assert olga.post("/settings/demo/blocklists", form) == 413
    assert olga.post(IMPORT, form) == 303


def test_what_another_process_puts_on_a_blocklist_counts_for_the_next_comment(
    service: ServiceProcess,
) -> None:
    service.start()
    for word in ("casino", "lottery"):
        send(service, f"A {word}, before.")
        listing = CliRunner().invoke(main, ["blocklist", "import", SITE], word, env=service.environment)
        assert listing.exit_code == 0
        send(service, f"A {word}, after.")
    listed = [text for text, reason in reasons(service) if reason == "listed"]
    assert listed == ["A casino, after.", "A lottery, after."]


def reasons(service: ServiceProcess) -> list[tuple[str, str]]:
    """The texts of all comments, and why each stands where it does."""
    with closing(sqlite3.connect(service.folder / "comments.sqlite3")) as connection:
        return connection.execute("SELECT text, verdict_reason FROM comment ORDER BY id").fetchall()


class Visitor:
    """A browser that keeps one cookie and sends forms with files in them."""

    def __init__(self, port: int) -> None:
        self._port, self._cookie = port, ""
        self._headers = {"Origin": f"http://localhost:{port}", "Accept": "text/html"}

    def token(self, path: str) -> str:
        """The token of the first form of a page."""
        return self._ask("GET", path)[1].partition('name="csrf_token" value="')[2].partition('"')[0]

    def post(self, path: str, fields: dict[str, str]) -> int:
        """Send a form; the status of the answer."""
        parts = [
            f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        return self._ask("POST", path, "".join([*parts, "--xyz--\r\n"]).encode())[0]

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("localhost", self._port, timeout=60)
        with closing(connection):
            told = {"Cookie": self._cookie, "Content-Type": "multipart/form-data; boundary=xyz"}
            with suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
                connection.request(method, path, body, self._headers | told)
            answer = connection.getresponse()
            self._cookie = (answer.getheader("Set-Cookie") or self._cookie).partition(";")[0]
            return answer.status, answer.read().decode()


def test_one_stuck_request_holds_up_nobody_else(service: ServiceProcess) -> None:
    service.start()
    with socket.create_connection(("127.0.0.1", service.port)) as stuck:
        stuck.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        assert service.is_ready()


def test_the_first_start_writes_a_key_for_its_owner_alone(service: ServiceProcess) -> None:
    service.start()
    assert stat.S_IMODE((service.folder / "secret.key").stat().st_mode) == 0o600
    assert "secret_key_made" in service.log.read_text()


def test_a_wrong_key_is_refused(service: ServiceProcess) -> None:
    service.start()
    service.stop()
    assert "does not open" in refusal(service, COMMENTS_SECRET_KEY=Keyring.generate())


def test_a_lost_key_is_not_replaced(service: ServiceProcess) -> None:
    service.start()
    service.stop()
    (service.folder / "secret.key").unlink()
    assert "secret.key is gone" in refusal(service)
    assert not (service.folder / "secret.key").exists()


def test_a_port_in_use_is_named(service: ServiceProcess) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", service.port))
        other.listen()
        assert f"port {service.port}" in refusal(service)


def test_wrong_settings_are_named(service: ServiceProcess) -> None:
    said = refusal(service, COMMENTS_PUBLIC_URL="nowhere")
    assert "COMMENTS_PUBLIC_URL" in said
    assert refusal_of_process(service) == said


def test_a_folder_that_cannot_be_written_is_named(service: ServiceProcess) -> None:
    (service.folder / "file").write_text("")
    url = f"sqlite:///{service.folder / 'file' / 'comments.sqlite3'}"
    assert str(service.folder / "file") in refusal(service, COMMENTS_DATABASE_URL=url)


def test_postgresql_without_tables_is_refused_and_the_command_named(service: ServiceProcess) -> None:
    with postgres_database() as url:
        said = refusal(service, COMMENTS_DATABASE_URL=url, COMMENTS_SECRET_KEY=SECRET_KEY)
    assert "comments migrate" in said


def test_postgresql_without_a_key_is_refused(service: ServiceProcess) -> None:
    with postgres_database() as url:
        service.environment["COMMENTS_DATABASE_URL"] = url
        assert run(service, "migrate").exit_code == 0
        assert "COMMENTS_SECRET_KEY" in refusal_of_process(service)


def test_no_line_of_the_log_tells_who_wrote_what(service: ServiceProcess) -> None:
    service.environment["COMMENTS_LOG_LEVEL"] = "DEBUG"
    service.start()
    send(service, "harpsichord", email="zenobia@example.org", name="Zenobia")
    service.stop()
    log = service.log.read_text()
    assert '"status": 202' in log
    assert not [word for word in ("harpsichord", "zenobia", "Zenobia", ARTICLE) if word in log]


def test_gunicorn_serves_it_as_well(service: ServiceProcess) -> None:
    bind = ["--bind", f"127.0.0.1:{service.port}", "--no-control-socket"]
    command = [sys.executable, "-m", "gunicorn", "comments_service.wsgi:make()", "-k", "gthread", *bind]
    service.start(command=command)
    assert send(service, "By another server.")[0] == 202
    assert service.stop() == 0


def test_an_address_that_is_not_ours_is_refused() -> None:
    foreign = Settings(host="192.0.2.1")
    with pytest.raises(CannotStart, match=r"Cannot listen on 192\.0\.2\.1"):
        Service(lambda _environ, _start: [], foreign)

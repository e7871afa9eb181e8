"""The door out: what it refuses to call, whatever a name resolves to, and what it bears from others."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import ssl
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from comments_service.outbound import Door, Fetched, Hop, Limits, Message, NotFetched, Reason, is_public
from tests.servers import listening_socket

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
QUICK = Limits(connect_seconds=2, read_seconds=0.4, total_seconds=1, body_bytes=10_000)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
Speak = Callable[[socket.socket, bytes], None]


@contextmanager
def a_peer(speak: Speak, tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers each connection as `speak` does; yields its port and the requests it got."""
    asked: list[bytes] = []
    with listening_socket() as listener:
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                    with connection if tls is None else tls.wrap_socket(connection, server_side=True) as line:
                        asked.append(line.recv(65_536))
                        speak(line, asked[-1])
                except OSError:
                    if listener.fileno() < 0:
                        return

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], asked
        listener.shutdown(socket.SHUT_RDWR)


def saying(answer: bytes) -> Speak:
    """A peer that says the same to everybody."""
    return lambda line, _request: line.sendall(answer)


def page(body: bytes, *headers: bytes) -> bytes:
    """A whole answer."""
    return OK + b"".join(h + b"\r\n" for h in (*headers, b"Content-Length: %d" % len(body))) + b"\r\n" + body


def a_door(*ports: int, limits: Limits = QUICK, **fields: object) -> Door:
    """A door that may call this machine, on these ports."""
    values: dict[str, object] = {"allowed": LOOPBACK, "ports": frozenset(ports)} | fields
    return Door("test", limits=limits, **values)  # type: ignore[arg-type]


def refusal(door: Door, url: str) -> Reason:
    """Why nothing was fetched."""
    with pytest.raises(NotFetched) as refused:
        door.fetch(url)
    return refused.value.reason


def resolving(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    """A resolver that gives every name these addresses."""
    return lambda _host, _port: addresses


@pytest.mark.parametrize("address", ["8.8.8.8", "192.0.0.9", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_the_public_internet_may_be_called(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.1.2.3", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *(
            "100.64.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "224.0.1.1",
            "240.0.0.1",
            "255.255.255.255",
        ),
        *("::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff0e::1", "2001:db8::1", "100::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1"),
        *("2002:7f00:1::", "2001::1", "3fff::1", "5f00::1", "4000::1"),
    ],
)
def test_what_is_not_public_is_never_called(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    assert refusal(Door("test", resolve=resolving(address)), "http://host.example.org/") is Reason.PRIVATE


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.1/",
        ),
        *("http://0/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
        *("http://[fe80::1%25lo]/", "http://[::1%25lo]/", "http://①②⑦.⓪.⓪.①/", "http://localhost/"),
        *("http://127.0.0.1./", "http:\\\\127.0.0.1\\", "HTTP://LOCALHOST:80/"),
    ],
)
def test_no_spelling_of_this_machine_gets_through(url: str) -> None:
    assert refusal(Door("test"), url) in {Reason.PRIVATE, Reason.UNREADABLE, Reason.UNKNOWN_HOST}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.org/", Reason.UNREADABLE),
        ("file:///etc/passwd", Reason.UNREADABLE),
        ("gopher://example.org/", Reason.UNREADABLE),
        ("//example.org/", Reason.UNREADABLE),
        ("http://", Reason.UNREADABLE),
        ("http://user:word@example.org/", Reason.UNREADABLE),
        ("http://example.org/\r\nHost: other", Reason.UNREADABLE),
        ("http://[::1", Reason.UNREADABLE),
        ("http://example.org:99999/", Reason.UNREADABLE),
        (f"http://example.org/{'x' * 5000}", Reason.UNREADABLE),
        ("http://example.org:22/", Reason.PORT),
        ("http://example.org:8080/", Reason.PORT),
        ("https://example.org:5432/", Reason.PORT),
    ],
)
def test_what_is_no_web_address_is_refused_before_anybody_is_asked(url: str, reason: Reason) -> None:
    def nobody(host: str, port: int) -> Sequence[str]:
        raise AssertionError(f"asked for {host}:{port}")

    assert refusal(Door("test", resolve=nobody), url) is reason


def test_one_private_address_among_public_ones_is_enough_to_call_none() -> None:
    with a_peer(saying(page(b"secret"))) as (port, asked):
        mixed = resolving("8.8.8.8", "127.0.0.1")
        door = Door("test", ports=frozenset({port}), resolve=mixed)
        assert refusal(door, f"http://host.example.org:{port}/") is Reason.PRIVATE
    assert asked == []


def test_a_name_is_resolved_once_and_that_very_address_is_called() -> None:
    answers = iter([["127.0.0.1"], ["10.255.255.1"]])
    with a_peer(saying(page(b"here"))) as (port, asked):
        door = a_door(port, resolve=lambda _host, _port: next(answers))
        assert door.fetch(f"http://host.example.org:{port}/a b?c=ä#d").body == b"here"
    assert asked[0].startswith(b"GET /a%20b?c=%C3%A4 HTTP/1.1\r\n")
    assert b"Host: host.example.org:%d\r\n" % port in asked[0]
    assert next(answers)


def test_the_next_address_is_called_when_one_does_not_answer() -> None:
    with a_peer(saying(page(b"here"))) as (port, _):
        door = a_door(port, resolve=resolving("127.0.0.2", "127.0.0.1"))
        assert door.fetch(f"http://host.example.org:{port}/").body == b"here"


def test_nothing_personal_and_no_proxy_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    answer = page(b"", b"Set-Cookie: a=b")
    with a_peer(saying(answer)) as (port, asked):
        for _ in range(2):
            a_door(port).fetch(f"http://127.0.0.1:{port}/")
    names = {line.partition(b":")[0] for line in asked[1].split(b"\r\n")[1:] if line}
    assert names == {b"Host", b"User-Agent", b"Accept", b"Accept-Encoding", b"Connection"}


def test_a_redirect_is_followed_and_told() -> None:
    def speak(line: socket.socket, request: bytes) -> None:
        is_first = request.startswith(b"GET /old ")
        line.sendall(b"HTTP/1.1 301 x\r\nLocation: /new\r\n\r\n" if is_first else page(b"new"))

    with a_peer(speak) as (port, _):
        here = f"http://127.0.0.1:{port}"
        fetched = a_door(port).fetch(f"{here}/old")
        assert (fetched.url, fetched.body) == (f"{here}/new", b"new")
        assert fetched.hops == (Hop(301, f"{here}/old", f"{here}/new"),)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        (b"http://10.0.0.1:PORT/", Reason.PRIVATE),
        (b"http://[::1]:PORT/", Reason.PRIVATE),
        (b"http://169.254.169.254/latest/meta-data/", Reason.PORT),
        (b"file:///etc/passwd", Reason.UNREADABLE),
        (b"http://u:p@127.0.0.1:PORT/", Reason.UNREADABLE),
        (b"http://[", Reason.UNREADABLE),
        (b"/again", Reason.REDIRECTS),
    ],
)
def test_a_redirect_is_no_way_around_the_checks(location: bytes, reason: Reason) -> None:
    def speak(line: socket.socket, _request: bytes) -> None:
        to = location.replace(b"PORT", b"%d" % line.getsockname()[1])
        line.sendall(b"HTTP/1.1 302 x\r\nLocation: " + to + b"\r\nContent-Length: 0\r\n\r\n")

    with a_peer(speak) as (port, asked):
        assert refusal(a_door(port), f"http://127.0.0.1:{port}/") is reason
    assert len(asked) <= QUICK.redirects + 1


def dripping(first: bytes) -> Speak:
    """A peer that begins, and then sends a byte whenever the other side is about to give up."""

    def speak(line: socket.socket, _request: bytes) -> None:
        line.sendall(first)
        pause = threading.Event()
        for _ in range(60):
            pause.wait(QUICK.read_seconds / 4)
            line.sendall(b"x")

    return speak


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nX-A: ", OK + b"\r\n"])
def test_a_drip_of_bytes_ends_with_the_time_for_the_whole(first: bytes) -> None:
    with a_peer(dripping(first)) as (port, _):
        began = monotonic()
        assert refusal(a_door(port), f"http://127.0.0.1:{port}/") is Reason.SLOW
        assert monotonic() - began < QUICK.total_seconds + 1


def silent(line: socket.socket, _request: bytes) -> None:
    """A peer that waits for the other side to end it."""
    line.recv(1)


def test_whoever_says_nothing_is_not_waited_for() -> None:
    with a_peer(silent) as (port, _):
        assert refusal(a_door(port), f"http://127.0.0.1:{port}/") is Reason.SLOW


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    forever = threading.Event()

    def hang(_host: str, _port: int) -> Sequence[str]:
        forever.wait(30)
        return []

    limits = Limits(connect_seconds=0.2, total_seconds=0.2)
    assert refusal(Door("test", resolve=hang, limits=limits), "http://example.org/") is Reason.SLOW
    forever.set()


def endless(line: socket.socket, _request: bytes) -> None:
    """A body that never ends."""
    line.sendall(OK + b"\r\n")
    while True:
        line.sendall(b"x" * 65_536)


def fetched_from(speak: Speak) -> Fetched:
    """What the door brings from such a peer."""
    with a_peer(speak) as (port, _):
        return a_door(port).fetch(f"http://127.0.0.1:{port}/")


def test_an_endless_body_is_cut() -> None:
    fetched = fetched_from(endless)
    assert (len(fetched.body), fetched.is_cut) == (QUICK.body_bytes, True)


def test_a_packed_page_is_unpacked() -> None:
    fetched = fetched_from(saying(page(gzip.compress(b"hello"), b"Content-Encoding: gzip")))
    assert (fetched.body, fetched.is_cut) == (b"hello", False)


def test_a_bomb_is_unpacked_up_to_the_limit_only() -> None:
    bomb = gzip.compress(bytes(40 << 20), 6)
    fetched = fetched_from(saying(page(bomb, b"Content-Encoding: gzip")))
    assert (len(fetched.body), fetched.is_cut) == (QUICK.body_bytes, True)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"y" * 200_000 + b"\r\n\r\n",
        page(b"not gzip", b"Content-Encoding: gzip"),
        page(zlib.compress(b"x"), b"Content-Encoding: deflate"),
        page(b"x", b"Content-Encoding: gzip, gzip"),
        b"HTTP/1.1 abc\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_said_to_be_broken(answer: bytes) -> None:
    with a_peer(saying(answer)) as (port, _):
        assert refusal(a_door(port), f"http://127.0.0.1:{port}/") is Reason.BROKEN


def test_a_port_nobody_listens_on_is_told() -> None:
    with listening_socket() as unused:
        port = unused.getsockname()[1]
        assert refusal(a_door(port), f"http://127.0.0.1:{port}/") is Reason.REFUSED


def test_a_name_that_does_not_exist_is_told() -> None:
    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror

    assert refusal(Door("test", resolve=unknown), "http://nobody.example.org/") is Reason.UNKNOWN_HOST


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for host.example.org, signed by itself."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=host.example.org", "-addext", "subjectAltName=DNS:host.example.org"]
    key = file.with_name("key.pem")
    subprocess.run([*make, *names, "-keyout", key, "-out", file], check=True, capture_output=True)
    file.write_text(file.read_text() + key.read_text())
    return file


@pytest.mark.parametrize(
    ("host", "trusted", "reason"),
    [
        ("host.example.org", True, None),
        ("host.example.org", False, Reason.CERTIFICATE),
        ("other.example.org", True, Reason.CERTIFICATE),
        ("127.0.0.1", True, Reason.CERTIFICATE),
    ],
)
def test_the_certificate_must_be_the_names(
    certificate: Path, host: str, trusted: bool, reason: Reason | None
) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    client = ssl.create_default_context(cafile=str(certificate) if trusted else None)
    with a_peer(saying(page(b"safe")), server) as (port, _):
        door = a_door(port, tls=client, resolve=resolving("127.0.0.1"))
        url = f"https://{host}:{port}/"
        if reason:
            assert refusal(door, url) is reason
        else:
            assert door.fetch(url).body == b"safe"


def test_a_peer_without_tls_is_told() -> None:
    with a_peer(saying(b"HTTP/1.1 400 x\r\n\r\n")) as (port, _):
        assert refusal(a_door(port), f"https://127.0.0.1:{port}/") is Reason.TLS


MESSAGE = Message(b'{"said": "\xc3\xa4"}', "application/json", (("webhook-id", "msg_1"),))


def test_a_message_is_posted_whole_and_the_answer_read() -> None:
    came: list[bytes] = []

    def speak(line: socket.socket, request: bytes) -> None:
        while len(request.partition(b"\r\n\r\n")[2]) < len(MESSAGE.body):
            request += line.recv(65_536)
        came.append(request)
        line.sendall(page(b"thanks"))

    with a_peer(speak) as (port, _):
        answer = a_door(port).post(f"http://127.0.0.1:{port}/check?a=b", MESSAGE)
    assert (answer.status, answer.body, answer.hops) == (200, b"thanks", ())
    head, _, body = came[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /check?a=b HTTP/1.1\r\n")
    for line in (b"Content-Type: application/json", b"Content-Length: 14", b"webhook-id: msg_1"):
        assert line in head.split(b"\r\n")
    assert body == MESSAGE.body


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_what_is_posted_is_sent_to_nobody_else(status: int) -> None:
    with a_peer(saying(page(b"here"))) as (other, asked_there):
        to = b"HTTP/1.1 %d x\r\nLocation: http://127.0.0.1:%d/\r\n\r\n" % (status, other)
        with a_peer(saying(to)) as (port, asked):
            answer = a_door(port, other).post(f"http://127.0.0.1:{port}/", MESSAGE)
    assert (answer.status, len(asked), asked_there) == (status, 1, [])


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://10.0.0.1/", Reason.PRIVATE),
        ("http://[::1]/", Reason.PRIVATE),
        ("http://8.8.8.8:25/", Reason.PORT),
        ("ftp://8.8.8.8/", Reason.UNREADABLE),
    ],
)
def test_a_post_goes_through_the_same_checks(url: str, reason: Reason) -> None:
    with pytest.raises(NotFetched) as refused:
        Door("test").post(url, MESSAGE)
    assert refused.value.reason is reason


def test_an_inner_door_leads_to_allowed_networks_alone() -> None:
    with a_peer(saying(page(b"here"))) as (port, _):
        door = a_door(port, is_inner=True)
        assert door.post(f"http://127.0.0.1:{port}/", MESSAGE).body == b"here"
        outside = a_door(port, is_inner=True, resolve=resolving("8.8.8.8"))
        assert refusal(outside, f"http://host.example.org:{port}/") is Reason.PRIVATE


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nX-A: "])
def test_whoever_answers_a_post_by_drips_is_not_waited_for(first: bytes) -> None:
    with a_peer(dripping(first)) as (port, _):
        began = monotonic()
        with pytest.raises(NotFetched) as refused:
            a_door(port).post(f"http://127.0.0.1:{port}/", MESSAGE)
        assert refused.value.reason is Reason.SLOW
        assert monotonic() - began < QUICK.total_seconds + 1

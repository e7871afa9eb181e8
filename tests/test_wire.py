"""Bytes on a real socket of the real server: what no client library would send, and bodies without end."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.servers import free_port
from tools.service_process import ORIGIN, SITE, ServiceProcess

COMMENTS = f"/api/v1/sites/{SITE}/comments"
JSON = f"Origin: {ORIGIN}\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def service(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """The service as operators start it, for all these tests; none of them stores anything."""
    folder = tmp_path_factory.mktemp("wire")
    shutil.copy(sqlite_template, folder / "comments.sqlite3")
    found = ServiceProcess(folder, port=free_port())
    found.add_site()
    found.start()
    yield found
    found.stop()


def answer(service: ServiceProcess, sent: bytes) -> http.client.HTTPResponse:
    """What comes back for these bytes, read as a browser would."""
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=20)
    connection.sendall(sent)
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.body = response.read()  # type: ignore[attr-defined]
    connection.close()
    return response


def request(head: str, body: bytes = b"", *, start: str = f"POST {COMMENTS} HTTP/1.1") -> bytes:
    """A request, byte by byte."""
    return f"{start}\r\nHost: localhost\r\n{head}\r\n".encode("latin-1") + body


def problem(response: http.client.HTTPResponse) -> dict[str, Any]:
    """A refusal with the shape and the guards of all refusals."""
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Server"] is None
    found: dict[str, Any] = json.loads(response.body)  # type: ignore[attr-defined]
    assert found["status"] == response.status
    return found


def stored(service: ServiceProcess) -> int:
    """How many comments there are."""
    with closing(sqlite3.connect(service.folder / "comments.sqlite3")) as connection:
        return int(connection.execute("SELECT count(*) FROM comment").fetchone()[0])


def test_a_body_in_chunks_is_asked_for_its_length(service: ServiceProcess) -> None:
    for size in (b"2\r\n{}\r\n0\r\n\r\n", b"80000\r\n" + b"x" * 1_000):
        response = answer(service, request(JSON + "Transfer-Encoding: chunked\r\n", size))
        assert problem(response)["type"] == "urn:comments:problem:length-required"
    assert stored(service) == 0


def test_chunks_and_a_length_together_smuggle_nothing(service: ServiceProcess) -> None:
    smuggled = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    both = JSON + f"Content-Length: {len(smuggled)}\r\nTransfer-Encoding: chunked\r\n"
    assert problem(answer(service, request(both, smuggled)))["status"] == 411


@pytest.mark.parametrize("length", [524_289, 1_048_576, 10**12])
def test_a_body_that_says_it_is_huge_is_refused(service: ServiceProcess, length: int) -> None:
    body = b"x" * length if length < 10**6 else b"x"
    response = answer(service, request(JSON + f"Content-Length: {length}\r\n", body))
    assert problem(response)["type"] == "urn:comments:problem:body-too-large"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Content-Length: -1\r\n", 400),
        ("Content-Length: 1x\r\n", 400),
        ("Content-Length: ٣\r\n".encode().decode("latin-1"), 400),
        ("Content-Length: 2, 2\r\n", 400),
        ("Content-Length: 2\r\nContent-Length: 3\r\n", 400),
        ("Transfer-Encoding: gzip\r\n", 501),
        ("Transfer-Encoding: chunked, identity\r\n", 501),
        ("X: a\rb\r\n", 400),
        ("Bad Header: x\r\n", 400),
        ("X: a\x00b\r\n", 400),
        ("X: " + "x" * 300_000 + "\r\n", 431),
        ("", 411),
    ],
)
def test_a_head_that_cannot_be_trusted_is_refused(service: ServiceProcess, head: str, status: int) -> None:
    assert problem(answer(service, request(JSON + head)))["status"] == status


@pytest.mark.parametrize(
    ("start", "statuses"),
    [
        (f"POST {COMMENTS} HTTP/1.0", {411}),
        ("GET /api/v1/sites/demo/thread?url=\xff HTTP/1.1", {400}),
        ("GET /%ff%00%0d%0aX:1 HTTP/1.1", {404}),
        ("GET http://evil.example.net/queue HTTP/1.1", {404, 303, 403}),
        ("GET //evil.example.net/%2e%2e HTTP/1.1", {404}),
        ("GET * HTTP/1.1", {404, 400}),
        ("TRACE /healthz HTTP/1.1", {405}),
        ("FOO\x01 / HTTP/1.1", {400, 405}),
        ("GET /healthz HTTP/9.9", {200, 400}),
        ("nonsense", {400}),
    ],
)
def test_an_odd_first_line_is_answered_in_order(
    service: ServiceProcess, start: str, statuses: set[int]
) -> None:
    response = answer(service, request("", start=start))
    assert response.status in statuses
    assert "evil" not in response.headers.get("Location", "")
    assert response.headers["X"] is None
    assert response.status < 400 or problem(response)


def test_a_lying_host_changes_no_answer(service: ServiceProcess) -> None:
    asked = f"GET /api/v1/sites/{SITE}/thread?url={ORIGIN}/a HTTP/1.1\r\n"
    lies = ("evil.example.net", "evil.example.net:80", "[", "a b", "\xff", "../x", "a,b", "")
    answers = {}
    for host in lies:
        response = answer(service, f"{asked}Host: {host}\r\n\r\n".encode("latin-1"))
        answers[host] = (response.status, response.body)  # type: ignore[attr-defined]
    assert {host: status for host, (status, _) in answers.items() if status != 200} == {}
    assert len(set(answers.values())) == 1


def test_headers_cannot_be_injected_by_a_key(service: ServiceProcess) -> None:
    head = JSON + "Idempotency-Key: a\r\nX-Injected: b\r\nContent-Length: 2\r\n"
    response = answer(service, request(head, b"{}"))
    assert response.headers["X-Injected"] is None
    assert problem(response)["status"] == 422


def test_after_all_this_the_service_is_well(service: ServiceProcess) -> None:
    assert answer(service, request("", start="GET /readyz HTTP/1.1")).status == 200
    assert stored(service) == 0

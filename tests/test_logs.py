"""Logs: one line a request, which programs can read, and in which nobody can write but the service."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from flask import Flask

from tests.doors import a_ticket, ask, own, page, page_ticket, post_comment, send, send_form
from tests.factories import a_body, a_site

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
EVIL = '\r\n{"event": "forged"}\n\x1b[31m\u2028'


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was logged since the last look."""
    return capsys.readouterr().err.split("\n")[:-1]


@on_sqlite
def test_every_request_is_one_line_that_programs_can_read(
    logging_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    app = logging_app()
    a_site(app)
    client = app.test_client()
    lines(capsys)
    asked = [
        ask(client, "thread"),
        ask(client, "thread", cursor="x"),
        client.get("/nowhere"),
        client.options("/healthz"),
        page(client),
        client.post("/sites/demo/thread", data="x"),
    ]
    logged = [json.loads(line) for line in lines(capsys)]
    assert [line["status"] for line in logged] == [response.status_code for response in asked]
    names = {"event", "level", "timestamp", "method", "route", "status", "milliseconds"}
    assert all(line.keys() == names for line in logged)
    assert logged[0]["route"] == "/api/v1/sites/<site_key>/thread"
    assert logged[2]["route"] is None


@pytest.mark.parametrize("log_format", ["json", "text"])
@on_sqlite
def test_no_token_query_or_address_of_a_reader_is_logged(
    logging_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    app = logging_app(log_format=log_format, log_level="DEBUG")
    a_site(app)
    client = app.test_client()
    sent = post_comment(client, name="Unmistakable", text="Unheard-of")
    own(client, sent["comment"]["id"], sent["receipt"])
    client.get(sent["status_url"].partition(":8000")[2])
    ticket = page_ticket(page(client, title="Unmistakable", lang="Unmistakable"))
    send_form(client, {"ticket": ticket, "text": "Unheard-of"})
    headers = {"User-Agent": "Unmistakable", "Referer": "https://Unmistakable"}
    client.get("/nowhere?Unmistakable", headers=headers)
    text = capsys.readouterr().err
    tokens = [sent["receipt"], sent["status_url"].rpartition("/")[2], ticket]
    private = [*tokens, "Unmistakable", "Unheard-of", "172.16.", "news.example.org"]
    assert [one for one in private if one in text] == []


@pytest.mark.parametrize("log_format", ["json", "text"])
@on_sqlite
def test_nobody_can_write_lines_of_their_own(
    logging_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    app = logging_app(log_format=log_format)
    a_site(app)
    client = app.test_client()
    lines(capsys)
    body = dict(a_body(a_ticket(client))) | dict.fromkeys(("name", "text", "email", "title", "url"), EVIL)
    send(client, body)
    client.get("/%0d%0a%7b%22event%22:%22forged%22%7d", query_string={"x": EVIL})
    client.open("/healthz", method="GET\r\nforged", data=b"x")
    logged = lines(capsys)
    assert len(logged) == 4
    assert not any(line.startswith("{") and json.loads(line)["event"] == "forged" for line in logged)


@pytest.mark.parametrize("log_format", ["json", "text"])
@on_sqlite
def test_lines_of_libraries_stay_lines(
    logging_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    logging_app(log_format=log_format)
    lines(capsys)
    logging.getLogger("waitress").warning("Exception while serving %s", EVIL)
    logged = lines(capsys)
    assert len(logged) == 1
    assert "\x1b[31m" not in logged[0]


@on_sqlite
def test_the_server_does_not_log_paths_of_readers_who_left(
    logging_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    logging_app(log_level="DEBUG")
    logging.getLogger("waitress").info("Client disconnected while serving %s", "/status/TOKEN")
    assert "TOKEN" not in capsys.readouterr().err

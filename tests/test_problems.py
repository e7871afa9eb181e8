"""Errors as callers see them: one shape, a page for people, a bare 500, and 503 when the store is away."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy.engine import make_url

from comments_service import create_app, errors
from comments_service.settings import Settings
from comments_service.vocabulary import SiteView
from comments_service.web import problems
from tests.conftest import close
from tests.doors import (
    PROBLEM,
    a_ticket,
    ask,
    break_the_store,
    everything,
    form_fields,
    is_problem,
    page,
    page_ticket,
    send,
    send_form,
)
from tests.factories import a_body, a_site
from tests.servers import administration

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
HURRIED = {"database_wait_seconds": 0.2}


def leaves(error: type[errors.CommentsError]) -> Iterator[type[errors.CommentsError]]:
    """An error and all its children."""
    yield error
    for child in error.__subclasses__():
        yield from leaves(child)


def an_error(kind: type[errors.CommentsError]) -> errors.CommentsError:
    """One of its kind, with everything an error may carry."""
    if kind is errors.ArticleRefused:
        return errors.ArticleRefused("url", "Not this one.")
    wrong = (errors.FieldError("name", "required", "Please enter your name."),)
    return kind("A sentence.", errors=wrong, retry_after_seconds=7)


# --- the shape ---


@on_sqlite
def test_every_error_has_the_shape_of_a_problem(app: Flask) -> None:
    for kind in leaves(errors.CommentsError):
        with app.test_request_context("/api/v1/x"):
            response = problems.show(an_error(kind))
        body = json.loads(response.get_data())
        assert response.mimetype == PROBLEM
        assert body.keys() == {"type", "title", "status", "detail", "errors"}
        assert body["type"] == f"urn:comments:problem:{kind.slug}"
        assert body["status"] == response.status_code == kind.status
        assert [error.keys() for error in body["errors"]] == [{"field", "code", "detail"}]
        assert response.headers.get("Retry-After") == ("7" if kind is not errors.ArticleRefused else None)


@on_sqlite
def test_every_error_has_a_page_too(app: Flask) -> None:
    for kind in leaves(errors.CommentsError):
        with app.test_request_context("/queue", headers={"Accept": "text/html"}):
            response = problems.show(an_error(kind))
        assert (response.status_code, response.mimetype) == (kind.status, "text/html")
        assert "<h1>" in response.get_data(as_text=True)


def test_every_slug_names_one_error() -> None:
    slugs = [kind.slug for kind in leaves(errors.CommentsError) if kind is not errors.ArticleRefused]
    assert len(slugs) == len(set(slugs))


@on_sqlite
@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, PROBLEM),
        ("*/*", PROBLEM),
        ("application/json", PROBLEM),
        ("application/json, text/html;q=0.9", PROBLEM),
        ("text/html;q=0, */*", PROBLEM),
        ("nonsense", PROBLEM),
        ("text/html", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
    ],
)
def test_people_get_a_page_and_programs_a_problem(
    app: Flask, client: FlaskClient, accept: str | None, kind: str
) -> None:
    headers = {"Accept": accept} if accept else {}
    assert client.get("/nowhere", headers=headers).mimetype == kind
    assert client.get("/api/v1/nowhere", headers=headers).mimetype == PROBLEM


@on_sqlite
def test_no_answer_repeats_what_was_sent(app: Flask, site: SiteView, client: FlaskClient) -> None:
    attack = "<script>Unmistakable</script>"
    for accept in ("text/html", "application/json"):
        for path in (
            f"/{attack}",
            f"/sites/{attack}/thread",
            f"/status/{attack}",
            f"/api/v1/sites/{attack}/thread",
        ):
            response = client.get(path, query_string={"url": attack}, headers={"Accept": accept})
            assert response.status_code == 404
            assert "Unmistakable" not in response.text


# --- mistakes of ours ---


@pytest.fixture
def broken(app: Flask, site: SiteView, client: FlaskClient) -> FlaskClient:
    """A client of a service whose database is about to refuse every comment."""
    return client


def test_a_mistake_of_ours_is_a_bare_500_with_a_reference(broken: FlaskClient) -> None:
    body = a_body(a_ticket(broken))
    break_the_store(broken.application)
    response = send(broken, body)
    assert is_problem(response, 500, "internal")
    assert response.get_json(force=True).keys() == {"type", "title", "status", "detail"}
    for secret in ("Traceback", "INSERT", "broken", "sqlite", "psycopg", ".py", "comment "):
        assert secret not in response.get_json(force=True)["detail"]


def test_a_mistake_is_shown_to_people_as_a_page(broken: FlaskClient) -> None:
    fields = form_fields(page_ticket(page(broken)))
    break_the_store(broken.application)
    response = send_form(broken, fields)
    assert (response.status_code, response.mimetype) == (500, "text/html")
    assert "Its number is" in response.text
    assert "INSERT" not in response.text


def test_a_mistake_is_logged_once_under_its_reference(
    logging_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]
) -> None:
    app = logging_app()
    a_site(app)
    body = a_body(a_ticket(app.test_client()))
    break_the_store(app)
    capsys.readouterr()
    detail = send(app.test_client(), body).get_json(force=True)["detail"]
    logged = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    mistakes = [line for line in logged if line["event"] == "internal_error"]
    assert [f"Its number is {line['reference']}." in detail for line in mistakes] == [True]
    assert mistakes[0]["exception"][0]["frames"]
    assert [line["status"] for line in logged if line["event"] == "request"] == [500]


def test_after_a_mistake_nothing_is_stored_and_reading_goes_on(broken: FlaskClient) -> None:
    body = a_body(a_ticket(broken))
    break_the_store(broken.application)
    before = everything(broken.application)
    assert send(broken, body).status_code == 500
    assert everything(broken.application) == before
    assert ask(broken, "thread").status_code == 200


# --- the store is away ---


@contextmanager
def held(database_url: str) -> Iterator[None]:
    """Somebody else writes, and does not end."""
    url = make_url(database_url)
    if url.drivername == "sqlite":
        other = sqlite3.connect(str(url.database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()
    else:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as writer:
            writer.execute("LOCK TABLE comment IN EXCLUSIVE MODE")
            yield
            writer.rollback()


@pytest.fixture
def hurried(settings: Settings, make_app: Callable[[Settings], Flask]) -> FlaskClient:
    """A client of a service that does not wait long for its database."""
    app = make_app(settings.model_copy(update=HURRIED))
    a_site(app)
    return app.test_client()


def test_a_locked_store_is_503_and_the_sender_may_come_again(hurried: FlaskClient, database: str) -> None:
    body = a_body(a_ticket(hurried))
    with held(database):
        response = send(hurried, body, key="k")
        assert is_problem(response, 503, "store-unavailable")
        assert response.headers["Retry-After"] == "5"
        assert ask(hurried, "thread").status_code == 200
    assert send(hurried, body, key="k").status_code == 202


def test_a_locked_store_costs_no_text(hurried: FlaskClient, database: str) -> None:
    fields = form_fields(page_ticket(page(hurried)), text="Typed & kept.")
    with held(database):
        response = send_form(hurried, fields)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "Typed & kept." in unescape(response.text)
    assert send_form(hurried, fields | {"ticket": page_ticket(response)}).status_code == 303


@on_postgresql
def test_a_store_that_may_only_be_read_is_503_and_reading_goes_on(
    hurried: FlaskClient, database: str
) -> None:
    name = str(make_url(database).database)
    body = a_body(a_ticket(hurried))
    with administration() as connection:
        alter = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on")
        connection.execute(alter.format(sql.Identifier(name)))
        cut_off = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(cut_off, [name])  # as it is where another server takes over
    assert is_problem(send(hurried, body), 503, "store-unavailable")
    assert ask(hurried, "thread").status_code == 200


def take_away(database_url: str) -> None:
    """The database is gone."""
    url = make_url(database_url)
    if url.drivername == "sqlite":
        for file in Path(str(url.database)).parent.glob(f"{Path(str(url.database)).name}*"):
            file.unlink()
        Path(str(url.database)).mkdir()
    else:
        with administration() as connection:
            name = sql.Identifier(str(url.database))
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {} ALLOW_CONNECTIONS false").format(name))


def test_without_a_store_everything_that_needs_it_is_503(settings: Settings, database: str) -> None:
    app = create_app(settings.model_copy(update=HURRIED))
    a_site(app)
    client = app.test_client()
    body, fields = a_body(a_ticket(client)), form_fields(page_ticket(page(client)))
    close(app)
    take_away(database)
    answers = [*(ask(client, route) for route in ("thread", "ticket", "counts")), send(client, body)]
    assert all(is_problem(answer, 503, "store-unavailable") for answer in answers)
    shown = [page(client), send_form(client, fields)]
    assert [(answer.status_code, answer.mimetype) for answer in shown] == [(503, "text/html")] * 2
    assert {answer.headers["Retry-After"] for answer in answers + shown} == {"5"}
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 503)
    assert client.get("/embed.js").status_code == 200
    close(app)

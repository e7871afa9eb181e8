"""What a receipt opens: the author's own comment, and a place among the known authors of one site."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.storage.database import db
from comments_service.vocabulary import SiteView, Status
from tests.conftest import NOW
from tests.doors import a_ticket, ask, change_site, is_problem, own, post_comment, send
from tests.factories import KNOWN, ORIGIN, a_body, a_site

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def approve(app: Flask, number: int | str, *, to: Status = Status.APPROVED, version: int = 1) -> None:
    """Decide as a moderator would."""
    with app.app_context():
        decide(Change(int(number), version, to), by=None, now=NOW)
        db.session.rollback()


def known_author(app: Flask, site: SiteView, client: FlaskClient, *, email: str = "ana@example.org") -> str:
    """The receipt of an approved comment on a site that publishes known authors at once."""
    change_site(app, site, rules=KNOWN)
    first = post_comment(client, email=email)
    approve(app, first["comment"]["id"])
    return str(first["receipt"])


def test_a_known_author_is_published_at_once_by_the_receipt_and_the_same_email(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    receipt = known_author(app, site, client)
    response = send(client, a_body(a_ticket(client), email="Ana@EXAMPLE.org", previous=receipt))
    assert (response.status_code, response.get_json()["comment"]["status"]) == (201, "approved")
    assert ask(client, "thread").get_json()["thread"]["count"] == 2


def test_without_the_receipt_or_with_another_email_nobody_is_known(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    receipt = known_author(app, site, client)
    a_site(app, key="second", rules=KNOWN)
    elsewhere = send(
        client,
        a_body(a_ticket(client, site="second"), email="ana@example.org", previous=receipt),
        site="second",
    )
    strangers = [
        send(client, a_body(a_ticket(client), email="ana@example.org", previous=previous))
        for previous in (None, "", "garbage", "ö", receipt[:-1], a_ticket(client))
    ]
    other = send(client, a_body(a_ticket(client), email="eve@example.org", previous=receipt))
    assert {r.status_code for r in (*strangers, other, elsewhere)} == {202}


def test_an_author_is_known_by_an_approved_comment_only(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    change_site(app, site, rules=KNOWN)
    waiting = post_comment(client, email="ana@example.org")["receipt"]
    assert (
        send(client, a_body(a_ticket(client), email="ana@example.org", previous=waiting)).status_code == 202
    )


# --- the author's own comment ---


@pytest.mark.parametrize(
    ("status", "told"),
    [("pending", "pending"), ("approved", "approved"), ("spam", "declined"), ("trash", "declined")],
)
@on_sqlite
def test_the_author_sees_the_own_comment_and_never_that_it_was_held_for_spam(
    app: Flask, site: SiteView, client: FlaskClient, status: str, told: str
) -> None:
    sent = post_comment(client)
    if status != "pending":
        approve(app, sent["comment"]["id"], to=Status(status))
    response = own(client, sent["comment"]["id"], sent["receipt"], Origin=ORIGIN)
    ends = None if told == "declined" else sent["comment"]["editable_until"]
    assert response.get_json() == {"comment": sent["comment"] | {"status": told, "editable_until": ends}}
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_a_receipt_opens_its_own_comment_and_no_other(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    first, second = post_comment(client), post_comment(client)
    token = second["status_url"].rpartition("/")[2]
    for wrong in (second["receipt"], token, a_ticket(client), "", "x", first["receipt"] + "x", "\xff"):
        assert is_problem(own(client, first["comment"]["id"], wrong), 403, "receipt-refused")


@pytest.mark.parametrize("value", ["", "Bearer", "Basic {}", "{}", "Bearer  ", "Token {}"])
@on_sqlite
def test_only_a_bearer_has_a_receipt(app: Flask, site: SiteView, client: FlaskClient, value: str) -> None:
    sent = post_comment(client)
    headers = {"Authorization": value.format(sent["receipt"])}
    address = f"/api/v1/comments/{sent['comment']['id']}"
    assert is_problem(client.get(address, headers=headers), 403, "receipt-refused")


@pytest.mark.parametrize("written", ["0{}", "+{}", "{}.0", " {}", "{}%00", "%D9%A1", "{}%20", "0x{}", "{}e0"])
@on_sqlite
def test_an_id_is_spelt_in_one_way_only(
    app: Flask, site: SiteView, client: FlaskClient, written: str
) -> None:
    sent = post_comment(client)
    response = own(client, written.format(sent["comment"]["id"]), sent["receipt"])
    assert response.status_code in (403, 404)

"""Work for a browser: when it is asked for, and that only what was done for this very form counts."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import altcha
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service import proof as proof_module
from comments_service.options import Asking
from comments_service.privacy import Keyring
from comments_service.proof import TRIES, is_solved
from comments_service.rules.surge import FLOOR
from comments_service.sending import Sending
from comments_service.settings import Settings
from comments_service.spam.history import LATE, USUAL
from comments_service.storage.database import db, transaction
from comments_service.storage.models import Comment
from comments_service.tokens import Ticket, new_ticket
from comments_service.vocabulary import ArticleRef, SiteView, Status
from tests.conftest import NOW, SECRET_KEY, Clock
from tests.doors import a_ticket, ask, change_site, form_fields, page, page_ticket, send, send_form
from tests.factories import ARTICLE, NO_DOUBT, a_body, a_comment, a_site
from tests.test_hostile_anything import ANYTHING
from tests.test_signed_names import signed

OPEN = {"hold_all": False, "hold_newcomers": False}
HERE = "127.0.0.0/24"  # the network of the test's own client
ELSEWHERE = "https://news.example.org/elsewhere"


@pytest.fixture
def site(app: Flask) -> SiteView:
    """A site that publishes at once, and asks everybody for work."""
    return a_site(app, rules=OPEN, options={"proof": "always", "signed_names": 1}, takes_letters=True)


@pytest.fixture
def quick_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let work cost next to nothing: dozens are done here."""
    monkeypatch.setattr(proof_module, "COST", 2)


def asks(app: Flask, site: SiteView, asking: Asking) -> None:
    """Let the site ask for work then."""
    change_site(app, site, options={"proof": str(asking)})


@dataclass(frozen=True)
class Form:
    """What the ticket's door answered."""

    ticket: str
    challenge: dict[str, Any]


def open_form(client: FlaskClient, **query: Any) -> Form:
    """Turn to a form, where work is asked for."""
    answer = ask(client, "ticket", **query).get_json()
    return Form(answer["ticket"], answer["challenge"])


def is_asked(client: FlaskClient, **query: Any) -> bool:
    """Whether the next form asks for work."""
    return ask(client, "ticket", **query).get_json()["challenge"] is not None


def solve(challenge: dict[str, Any], **otherwise: Any) -> str:
    """What a browser sends after its work, some of it otherwise."""
    solution = altcha.solve_challenge(altcha.Challenge.from_dict(challenge))
    assert solution, "not to be solved"
    return sent(challenge, solution.to_dict() | otherwise)


def sent(challenge: object, solution: object) -> str:
    """Challenge and solution as they travel."""
    return packed({"challenge": challenge, "solution": solution})


def packed(value: object) -> str:
    """Any JSON as it travels."""
    return base64.b64encode(json.dumps(value).encode()).decode()


def easier(challenge: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """The same challenge with some of it changed, under the signature of before."""
    return challenge | {"parameters": challenge["parameters"] | parameters}


def own_challenge(form: Form) -> dict[str, Any]:
    """A challenge for this very ticket that somebody else has signed."""
    data = form.challenge["parameters"]["data"]
    made = altcha.create_challenge("PBKDF2/SHA-256", 1, data=data, hmac_secret=b"x" * 32)
    return made.to_dict()


WRONG: dict[str, Callable[[FlaskClient, Form], str | None]] = {
    "nothing": lambda _client, _form: None,
    "an empty field": lambda _client, _form: "",
    "another number": lambda _client, form: solve(form.challenge, counter=1),
    "another key": lambda _client, form: solve(form.challenge, derivedKey="00" * 32),
    "the beginning of the key alone": lambda _client, form: solve(
        form.challenge, derivedKey=form.challenge["parameters"]["keyPrefix"]
    ),
    "an easier beginning": lambda _client, form: solve(easier(form.challenge, keyPrefix="")),
    "fewer rounds": lambda _client, form: sent(
        easier(form.challenge, cost=1, keyPrefix=""), {"counter": 0, "derivedKey": "00" * 32}
    ),
    "a challenge without a signature": lambda _client, form: solve(
        {"parameters": form.challenge["parameters"]}
    ),
    "a challenge of one's own": lambda _client, form: solve(own_challenge(form)),
    "work for another form": lambda client, _form: solve(open_form(client).challenge),
    "work for another form, under this one's name": lambda client, form: solve(
        easier(open_form(client).challenge, data=form.challenge["parameters"]["data"])
    ),
    "work for another article": lambda client, _form: solve(open_form(client, url=ELSEWHERE).challenge),
    "work for another site": lambda client, _form: solve(open_form(client, site="other").challenge),
    "what is no JSON": lambda _client, _form: "?" * 40,
    "JSON of another shape": lambda _client, _form: packed([1, {"challenge": None}]),
    "a solution without end": lambda _client, form: solve(form.challenge, counter=10**40),
    "a book": lambda _client, form: solve(form.challenge, time="x" * 100_000),
    "a deep hole": lambda _client, _form: base64.b64encode(
        b'{"challenge":' * 100 + b"1" + b"}" * 100
    ).decode(),
}


def stored(app: Flask, answer: TestResponse) -> Comment:
    """The comment that an answer tells of."""
    with app.app_context():
        row = db.session.get_one(Comment, int(answer.get_json()["comment"]["id"]))
        db.session.expunge(row)
        db.session.rollback()
        return row


def reasons(comment: Comment) -> list[str]:
    """Why it is where it is."""
    return [reason["code"] for reason in comment.verdict["reasons"]]


def test_work_that_was_done_lets_a_comment_pass(app: Flask, client: FlaskClient, site: SiteView) -> None:
    form = open_form(client)
    answer = send(client, a_body(form.ticket, proof=solve(form.challenge)))
    assert answer.status_code == 201
    assert reasons(stored(app, answer)) == ["no-rule"]


@pytest.mark.usefixtures("quick_work")
def test_whatever_else_came_with_it_lets_a_comment_wait(
    app: Flask, client: FlaskClient, site: SiteView
) -> None:
    a_site(app, key="other", options={"proof": "always"})
    told = {}
    for name, made in WRONG.items():
        form = open_form(client)
        answer = send(client, a_body(form.ticket, proof=made(client, form)))
        told[name] = (answer.status_code, reasons(stored(app, answer)), "proof" in answer.text)
    assert told == dict.fromkeys(WRONG, (202, ["no-proof"], False))


@pytest.mark.usefixtures("quick_work")
def test_who_sent_wrong_work_hears_what_everybody_hears_who_waits(
    app: Flask, client: FlaskClient, site: SiteView
) -> None:
    held = send(client, a_body(open_form(client).ticket, proof="nonsense"))
    change_site(app, site, rules={**NO_DOUBT, "hold_all": True, "hold_newcomers": False})
    form = open_form(client)
    usual = send(client, a_body(form.ticket, proof=solve(form.challenge)))
    assert reasons(stored(app, usual)) == ["every-comment-waits"]
    assert (held.status_code, usual.status_code) == (202, 202)
    assert held.get_json()["comment"].keys() == usual.get_json()["comment"].keys()


def test_where_no_work_is_asked_for_none_is_missed_nor_looked_at(
    app: Flask, client: FlaskClient, site: SiteView
) -> None:
    for asking in (Asking.OFF, Asking.SUSPICION):
        asks(app, site, asking)
        assert not is_asked(client)
        for proof in (None, "nonsense"):
            assert send(client, a_body(a_ticket(client), proof=proof)).status_code == 201


@pytest.mark.usefixtures("quick_work")
def test_work_is_good_for_one_comment_and_for_its_repetition(
    app: Flask, client: FlaskClient, site: SiteView
) -> None:
    form = open_form(client)
    body = a_body(form.ticket, proof=solve(form.challenge))
    first, again = send(client, body, key="one"), send(client, body, key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    later = send(client, {**body, "text": "And another one."}, key="two")
    assert (later.status_code, reasons(stored(app, later))) == (202, ["no-proof"])
    without = {name: value for name, value in body.items() if name != "proof"}
    assert send(client, without, key="one").get_json() == first.get_json()


@pytest.mark.usefixtures("quick_work")
def test_work_ends_with_the_form_it_was_done_for(
    app: Flask, client: FlaskClient, site: SiteView, clock: Clock, settings: Settings
) -> None:
    form = open_form(client)
    proof = solve(form.challenge)
    clock.forward(seconds=settings.ticket_lifetime_seconds)
    assert send(client, a_body(form.ticket, proof=proof)).status_code == 403
    waits = send(client, a_body(open_form(client).ticket, proof=proof))
    assert (waits.status_code, reasons(stored(app, waits))) == (202, ["no-proof"])


def test_a_form_that_was_opened_before_work_was_asked_for_needs_none(
    app: Flask, client: FlaskClient, site: SiteView
) -> None:
    asks(app, site, Asking.OFF)
    early = a_ticket(client)
    asks(app, site, Asking.ALWAYS)
    assert send(client, a_body(early)).status_code == 201
    assert send(client, a_body(a_ticket(client))).status_code == 202


@pytest.mark.usefixtures("quick_work")
def test_work_outlives_a_new_key_and_ends_with_the_old_one(
    client: FlaskClient, site: SiteView, settings: Settings, make_app: Callable[[Settings], Flask]
) -> None:
    second = "2:another-key-for-tests-0123456789abcdefghijklmnop"
    rotated = make_app(Settings(**dict(settings) | {"secret_key": f"{SECRET_KEY} {second}"})).test_client()
    begun, later = open_form(client), open_form(rotated)
    for form in (begun, later):
        assert send(rotated, a_body(form.ticket, proof=solve(form.challenge))).status_code == 201
    waits = send(rotated, a_body(open_form(rotated).ticket, proof=solve(begun.challenge)))
    assert waits.status_code == 202
    retired = Keyring.parse(second)
    mine = Ticket("demo", "", begun.challenge["parameters"]["data"]["ticket"], NOW, asks_proof=True)
    assert is_solved(Keyring.parse(SECRET_KEY), solve(begun.challenge), mine)
    assert not is_solved(retired, solve(begun.challenge), mine)


def test_nobody_whom_the_owners_site_knows_is_asked(client: FlaskClient, site: SiteView) -> None:
    known = a_body(a_ticket(client), user=signed(), email=None)
    assert send(client, known).status_code == 201
    assert send(client, a_body(a_ticket(client), user=signed(secret="x" * 43))).status_code == 403


def test_a_letter_waits_as_a_letter(app: Flask, client: FlaskClient, site: SiteView) -> None:
    answer = send(client, a_body(a_ticket(client), audience="editors"))
    assert reasons(stored(app, answer)) == ["letter"]


def test_the_page_without_scripts_brings_a_comment_to_the_queue_where_work_is_asked_for(
    app: Flask, client: FlaskClient, site: SiteView
) -> None:
    told = {}
    for asking in (Asking.OFF, Asking.SUSPICION, Asking.ALWAYS):
        asks(app, site, asking)
        answer = send_form(client, form_fields(page_ticket(page(client))))
        assert answer.status_code == 303
        with app.app_context():
            last = db.session.scalars(select(Comment).order_by(Comment.id.desc()).limit(1)).one()
            told[asking] = (last.status, reasons(last))
            db.session.rollback()
    passed = (Status.APPROVED, ["no-rule"])
    waits = (Status.PENDING, ["no-proof"])
    assert told == {Asking.OFF: passed, Asking.SUSPICION: passed, Asking.ALWAYS: waits}


# On suspicion


@pytest.fixture
def wary(app: Flask) -> SiteView:
    """A site as it is after installation, but that it publishes at once."""
    return a_site(app, rules=OPEN)


@pytest.mark.usefixtures("quick_work")
def test_the_third_comment_of_a_network_within_an_hour_costs_work(
    app: Flask, client: FlaskClient, wary: SiteView, clock: Clock
) -> None:
    a_comment(app, wary, network=HERE, now=clock.now - timedelta(minutes=30))
    assert not is_asked(client)
    a_comment(app, wary, network="198.51.100.0/24", now=clock.now)
    a_comment(app, a_site(app, key="other"), network=HERE, now=clock.now)
    assert not is_asked(client)
    a_comment(app, wary, network=HERE, now=clock.now)
    assert is_asked(client)
    form = open_form(client)
    assert send(client, a_body(form.ticket)).status_code == 202
    form = open_form(client)
    assert send(client, a_body(form.ticket, proof=solve(form.challenge))).status_code == 201
    assert send_form(client, form_fields(page_ticket(page(client)))).status_code == 303
    clock.forward(minutes=31)
    assert not is_asked(client)


def test_a_network_that_people_found_spam_from_is_asked_and_one_that_the_service_doubted_is_not(
    app: Flask, client: FlaskClient, wary: SiteView, clock: Clock
) -> None:
    change_site(app, wary, rules={**OPEN, "refuse_doubt_from": 95})
    yesterday, before = clock.now - timedelta(days=1), clock.now - timedelta(days=2)
    trapped = Sending(seconds=60, is_trapped=True)
    doubted = "Look at http://a.example now"
    a_comment(app, wary, network=HERE, now=before, status="spam", sending=trapped, text=doubted)
    assert not is_asked(client)
    a_comment(app, wary, network=HERE, now=yesterday, status="spam")
    assert is_asked(client)


def test_an_article_in_a_surge_costs_work_and_others_do_not(
    app: Flask, client: FlaskClient, wary: SiteView, clock: Clock
) -> None:
    for number in range(FLOOR):
        assert not is_asked(client), number
        a_comment(app, wary, now=clock.now)
    assert is_asked(client)
    assert not is_asked(client, url=ELSEWHERE)
    clock.forward(minutes=11)
    assert not is_asked(client)


def test_a_rush_to_the_whole_installation_costs_work_everywhere(
    app: Flask, client: FlaskClient, wary: SiteView, clock: Clock
) -> None:
    thread = a_comment(app, wary, now=clock.now - timedelta(days=9)).thread_id
    usual = [clock.now - timedelta(minutes=5 * number) for number in range(USUAL, LATE, -1)]
    store(app, wary, thread, usual)
    store(app, wary, thread, [clock.now - timedelta(minutes=5 * number) for number in range(LATE, 0, -1)])
    assert not is_asked(client)
    store(app, wary, thread, [clock.now - timedelta(seconds=number) for number in range(LATE, 0, -1)])
    assert is_asked(client)
    assert is_asked(client, url=ELSEWHERE)
    a_site(app, key="other")
    assert is_asked(client, site="other")
    asks(app, wary, Asking.OFF)
    assert not is_asked(client)


def store(app: Flask, site: SiteView, thread_id: int, moments: list[Any]) -> None:
    """Comments that came then."""
    values = {"site_id": site.id, "thread_id": thread_id, "name": "", "text": "", "page_url": ARTICLE}
    values |= {"status": "pending", "verdict_reason": "x"}
    with app.app_context(), transaction() as session:
        for at in moments:
            session.add(Comment(**values, created_at=at, status_changed_at=at))
            session.flush()


# What nobody has to be asked for


@settings(max_examples=60, deadline=None, derandomize=True)
@given(value=ANYTHING)
def test_anything_at_all_is_no_solution_and_no_error(value: object) -> None:
    keys = Keyring.parse(SECRET_KEY)
    ticket = new_ticket(site="demo", article=ArticleRef(ARTICLE, ARTICLE), now=NOW, asks_proof=True)
    parameters = {"algorithm": value, "nonce": value, "salt": value, "cost": value}
    parameters |= {"data": {"ticket": ticket.nonce}, "keyPrefix": value}
    solution = {"counter": value, "derivedKey": value}
    for one in (value, {"challenge": value, "solution": value}, {"challenge": {"parameters": value}}):
        assert not is_solved(keys, packed(one), ticket)
    challenge = {"parameters": parameters, "signature": value}
    assert not is_solved(keys, sent(challenge, solution), ticket)
    assert not is_solved(keys, str(value), ticket)


def test_a_browser_never_tries_more_often_than_it_can_in_a_second(
    client: FlaskClient, site: SiteView
) -> None:
    for _ in range(3):
        solution = altcha.solve_challenge(altcha.Challenge.from_dict(open_form(client).challenge))
        assert solution
        assert solution.counter in TRIES

"""Neighbours that look at comments: what they are told, what their word weighs, and what if they say none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service import tokens
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.neighbours import ask as asking_room
from comments_service.neighbours.circuit import FAILURES, Turns
from comments_service.settings import Settings
from comments_service.storage.database import db, reading
from comments_service.storage.models import Comment
from comments_service.storage.neighbours import NeighbourState
from comments_service.submit import submit
from comments_service.vocabulary import SiteView, Status
from tests.conftest import Clock
from tests.doors import OWN_ORIGIN, a_ticket, ask, form_fields, page, page_ticket, send, send_form, sign_in
from tests.factories import a_body, a_comment, a_site, a_submission, wiring_of
from tests.neighbours import (
    SPAMMER,
    Akismet,
    Answer,
    Service,
    ask_akismet,
    ask_service,
    asking,
    closed_port,
    let_ask,
    serving,
)
from tests.servers import wait_until

CALM = "I crossed that bridge every day for eleven years and never once looked down."
OPEN = {"hold_all": False, "hold_newcomers": False, "hold_doubt_from": 50, "refuse_doubt_from": 95}
AGENT, FROM = "Browser/1.0 (a reader's)", "203.0.113.77"
SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def nobody_rests() -> None:
    """What other tests made of neighbours is not remembered here."""
    asking_room.CIRCUIT.forget()


@pytest.fixture
def akismet() -> Iterator[Akismet]:
    """Akismet, on this machine."""
    neighbour = Akismet()
    with serving(neighbour, "/1.1"):
        yield neighbour


@pytest.fixture
def service(clock: Clock) -> Iterator[Service]:
    """The owner's own filter."""
    neighbour = Service(now=clock)
    with serving(neighbour, "/check"):
        yield neighbour


@pytest.fixture
def settings(settings: Settings, akismet: Akismet) -> Settings:
    """Settings of an installation that finds Akismet on this machine."""
    return asking(settings, akismet)


@pytest.fixture
def site(app: Flask) -> SiteView:
    """A site that publishes at once what it does not doubt."""
    return a_site(app, rules=OPEN, takes_letters=True)


@pytest.fixture
def asks(app: Flask, site: SiteView) -> SiteView:
    """The same, and it asks Akismet."""
    return ask_akismet(app, site)


def write(client: FlaskClient, clock: Clock, **fields: Any) -> TestResponse:
    """Take a minute, then send a calm comment by the widget's door."""
    headers = {"User-Agent": AGENT, "Referer": "https://news.example.org/article"}
    ticket = a_ticket(client)
    clock.forward(seconds=60)
    return send(client, a_body(ticket, **{"text": CALM} | fields), headers=headers)


def stored(app: Flask, answer: TestResponse) -> Comment:
    """The comment that an answer tells of."""
    assert answer.status_code in (201, 202), answer.text
    with app.app_context(), reading() as session:
        row = session.get_one(Comment, int(answer.get_json()["comment"]["id"]))
        session.expunge(row)
        return row


def signals(comment: Comment) -> dict[str, float]:
    """What was said of it, and what each weighs."""
    return {signal["code"]: signal["weight"] for signal in comment.verdict["spam"]["signals"]}


def state(app: Flask, site_id: int, kind: str = "akismet") -> tuple[int, str]:
    """How a neighbour fares: how many had to wait, and why."""
    with app.app_context(), reading() as session:
        row = session.get_one(NeighbourState, (site_id, kind))
        return row.failures, row.why


# Akismet


@pytest.mark.usefixtures("asks")
def test_akismet_is_told_what_its_protocol_wants_and_no_more(
    client: FlaskClient, clock: Clock, akismet: Akismet
) -> None:
    headers = {"User-Agent": AGENT, "Referer": "https://news.example.org/article"}
    ticket = a_ticket(client)
    clock.forward(seconds=60)
    body = a_body(ticket, name="Ana", email="ana@example.org", website="https://ana.example.org", text=CALM)
    address = {"REMOTE_ADDR": FROM}
    sent = {"Origin": "https://news.example.org", "Content-Type": "application/json"} | headers
    answer = client.post("/api/v1/sites/demo/comments", json=body, headers=sent, environ_overrides=address)
    assert answer.status_code == 201
    ((path, form),) = akismet.asked
    assert path == "/1.1/comment-check"
    assert form == {
        "api_key": "0a1b2c3d4e5f",
        "blog": "https://news.example.org/",
        "user_ip": "203.0.113.0",
        "user_agent": AGENT,
        "referrer": "https://news.example.org/article",
        "permalink": "https://news.example.org/article",
        "comment_type": "comment",
        "comment_author": "Ana",
        "comment_author_url": "https://ana.example.org",
        "comment_content": CALM,
        "comment_date_gmt": "2026-11-23T11:01:00+00:00",
        "blog_lang": "en",
        "blog_charset": "UTF-8",
        "is_test": "1",
    }


def test_the_email_goes_along_only_where_the_owner_says_so(
    app: Flask, client: FlaskClient, clock: Clock, site: SiteView, akismet: Akismet, service: Service
) -> None:
    ask_akismet(app, ask_service(app, site, service))
    write(client, clock, email="ana@example.org")
    let_ask(app, site, akismet_email=True, service_email=True)
    write(client, clock, email="ana@example.org", text=f"{CALM} Twice.")
    assert [form.get("comment_author_email") for _, form in akismet.asked] == [None, "ana@example.org"]
    told = [body["data"]["comment"].get("email") for _, body in service.asked]
    assert told == [None, "ana@example.org"]


@pytest.mark.usefixtures("asks")
@pytest.mark.parametrize(
    ("fields", "signal", "status"),
    [
        ({"name": "Ana"}, {"akismet-honest": -1.0}, Status.APPROVED),
        ({"name": SPAMMER}, {"akismet": 3.0}, Status.PENDING),
        ({"name": SPAMMER, "text": f"{CALM} discard"}, {"akismet-sure": 6.0}, Status.SPAM),
    ],
)
def test_what_akismet_says_is_one_signal_among_others(
    app: Flask,
    client: FlaskClient,
    clock: Clock,
    fields: dict[str, str],
    signal: dict[str, float],
    status: Status,
) -> None:
    comment = stored(app, write(client, clock, **fields))
    found = {code: weight for code, weight in signals(comment).items() if code.startswith("akismet")}
    assert (found, comment.status) == (signal, status)
    said = "ham" if "akismet-honest" in signal else "spam"
    assert comment.verdict["neighbours"] == {"akismet": said}


def test_the_author_of_what_akismet_would_discard_hears_what_everybody_hears(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView
) -> None:
    honest = write(client, clock, name="BUY A CAR NOW", text="https://a.example https://b.example")
    caught = write(client, clock, name=SPAMMER, text=f"{CALM} discard")
    assert (stored(app, honest).status, stored(app, caught).status) == (Status.PENDING, Status.SPAM)
    assert (honest.status_code, caught.status_code) == (202, 202)
    assert caught.get_json()["comment"].keys() == honest.get_json()["comment"].keys()
    assert "kismet" not in caught.text.replace(SPAMMER, "")


def test_the_queue_says_what_neighbours_said(
    app: Flask, client: FlaskClient, clock: Clock, site: SiteView, service: Service
) -> None:
    ask_akismet(app, ask_service(app, site, service))
    service.verdict = {"spam": 0.9, "reason": "<b>seen</b>\n  elsewhere\u202e " + "x" * 300}
    write(client, clock, name=SPAMMER)
    shown = sign_in(app).get("/queue?status=spam").text
    assert "Akismet takes it for spam" in shown
    assert "a service takes it for spam – Town Filter: &lt;b&gt;seen&lt;/b&gt; elsewhere" in shown
    assert "x" * 200 not in shown
    assert "\u202e" not in shown


def test_the_page_without_scripts_asks_too(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView, akismet: Akismet
) -> None:
    ticket = page_ticket(page(client))
    clock.forward(seconds=60)
    assert send_form(client, form_fields(ticket, text="By the plain page.")).status_code == 303
    assert [form["comment_content"] for _, form in akismet.asked] == ["By the plain page."]


# A service of the owner's


def test_a_service_gets_a_signed_call_and_can_tell_it_from_every_other(
    app: Flask, client: FlaskClient, clock: Clock, site: SiteView, service: Service
) -> None:
    ask_service(app, site, service)
    service.verdict = {"spam": 0.2}
    assert stored(app, write(client, clock, name="Ana")).status == Status.APPROVED
    ((path, body),) = service.asked
    assert path == "/check"
    assert body == {
        "type": "comment.check",
        "timestamp": "2026-11-23T11:01:00+00:00",
        "data": {
            "site": "demo",
            "url": "https://news.example.org/article",
            "language": "en",
            "comment": {"name": "Ana", "website": None, "text": CALM, "is_reply": False, "is_edit": False},
            "came": {
                "network": body["data"]["came"]["network"],
                "user_agent": AGENT,
                "referrer": "https://news.example.org/article",
            },
        },
    }
    assert body["data"]["came"]["network"].endswith(".0/24")


def test_a_call_that_is_sent_again_or_with_another_secret_is_seen_to_be_none(
    app: Flask, client: FlaskClient, clock: Clock, site: SiteView, service: Service
) -> None:
    ask_service(app, site, service)
    service.verdict = {"spam": 0.2}
    assert stored(app, write(client, clock)).status == Status.APPROVED
    ((headers, body),) = service.calls
    assert not service.is_ours(headers, body)  # the same number once more
    service.seen.clear()
    assert service.is_ours(headers, body)
    service.seen.clear()
    clock.forward(seconds=301)
    assert not service.is_ours(headers, body)  # too old
    clock.forward(seconds=-301)
    service.seen.clear()
    assert not service.is_ours(headers, body.replace(b"bridge", b"ferry!"))
    ask_service(app, site, service, service_secret="whsec_" + "b" * 40)
    assert stored(app, write(client, clock, text="Another one.")).verdict_reason == "neighbour-away"


@pytest.mark.parametrize(
    ("verdict", "weight", "status"),
    [
        ({"spam": 0}, -4.0, Status.APPROVED),
        ({"spam": 0.5, "reason": "who knows"}, None, Status.APPROVED),
        (None, None, Status.APPROVED),
        ({"spam": 0.9}, 2.2, Status.PENDING),
        ({"spam": 1, "reason": "seen elsewhere"}, 4.0, Status.PENDING),
    ],
)
@SQLITE
def test_how_likely_a_service_says_it_is_counts_within_bounds(
    app: Flask,
    client: FlaskClient,
    clock: Clock,
    site: SiteView,
    service: Service,
    verdict: dict[str, Any] | None,
    weight: float | None,
    status: Status,
) -> None:
    ask_service(app, site, service)
    service.verdict = verdict
    comment = stored(app, write(client, clock))
    found = [weight for code, weight in signals(comment).items() if code.startswith("neighbour")]
    assert found == ([] if weight is None else [weight])
    assert comment.status == status


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"{}", b"[]", b"null", b"true", b"spam", b'{"spam": "0.9"}', b'{"spam": true}', b"\xff\xfe{"),
        *(
            b'{"spam": NaN}',
            b'{"spam": -0.1}',
            b'{"spam": 1.1}',
            b'{"spam": 1e999}',
            b'{"spam": 0, "reason": 1}',
        ),
        *(b"[" * 100_000, b'{"spam": 0, "x": "' + b"x" * 20_000 + b'"}'),
    ],
    ids=range(16),
)
@SQLITE
def test_what_is_no_answer_of_a_service_lets_the_comment_wait(
    app: Flask, client: FlaskClient, clock: Clock, site: SiteView, service: Service, answer: bytes
) -> None:
    ask_service(app, site, service)
    service.mood = lambda: Answer(answer)
    assert stored(app, write(client, clock)).verdict_reason == "neighbour-away"
    assert state(app, site.id, "service") == (1, "garbage")


# No answer


TROUBLES: dict[str, Callable[[], Answer]] = {
    "garbage": lambda: Answer(b"<!doctype html><title>Sign in to this network</title>"),
    "key": lambda: Answer(b"invalid"),
    "status": lambda: Answer(b"true", status=500),
}
HURRY_SECONDS = 0.4


def after_seconds(seconds: float) -> Answer:
    """Take it for no spam, some time later."""
    threading.Event().wait(seconds)
    return Answer(b"false")


def late() -> Answer:
    """Longer than anybody in a hurry waits."""
    return after_seconds(2 * HURRY_SECONDS)


@pytest.fixture
def hurried(settings: Settings, make_app: Callable[[Settings], Flask]) -> Flask:
    """An installation that waits for neighbours a moment only; its one site asks Akismet."""
    app = make_app(settings.model_copy(update={"neighbour_seconds": HURRY_SECONDS}))
    ask_akismet(app, a_site(app, rules=OPEN))
    return app


@pytest.mark.parametrize("why", TROUBLES)
def test_a_comment_waits_for_a_neighbour_that_does_not_answer(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView, akismet: Akismet, why: str
) -> None:
    akismet.mood = TROUBLES[why]
    answer = write(client, clock)
    comment = stored(app, answer)
    assert (answer.status_code, comment.status) == (202, Status.PENDING)
    assert [reason["code"] for reason in comment.verdict["reasons"]] == ["neighbour-away"]
    assert comment.verdict["neighbours"] == {"akismet": why}
    assert state(app, asks.id) == (1, why)
    akismet.mood = None
    assert stored(app, write(client, clock, text="Another one.")).status == Status.APPROVED
    assert state(app, asks.id) == (0, "")


@pytest.mark.usefixtures("asks")
@SQLITE
def test_a_redirect_is_not_followed_and_what_readers_wrote_goes_nowhere_else(
    app: Flask, client: FlaskClient, clock: Clock, akismet: Akismet, service: Service
) -> None:
    akismet.mood = lambda: Answer(status=307, headers={"Location": service.url})
    assert stored(app, write(client, clock)).verdict["neighbours"] == {"akismet": "status"}
    assert (len(akismet.asked), service.asked) == (1, [])


@SQLITE
def test_a_port_where_nobody_listens_and_addresses_that_may_not_be_called_let_it_wait(
    app: Flask, client: FlaskClient, clock: Clock, site: SiteView, service: Service
) -> None:
    with closed_port() as closed:
        ask_service(app, site, service, service_url=f"{closed}/check")
        assert stored(app, write(client, clock)).verdict["neighbours"] == {"service": "refused"}
    for url, why in (
        ("https://10.0.0.1/check", "private"),
        ("https://[::1]/check", "private"),
        ("http://93.184.215.14/check", "private"),  # public, but in clear
        ("https://127.0.0.1:25/check", "port"),
    ):
        asking_room.CIRCUIT.forget()
        ask_service(app, site, service, service_url=url)
        comment = stored(app, write(client, clock, text=f"Comment number {len(url)}, because {why}."))
        assert (comment.status, comment.verdict["neighbours"]) == (Status.PENDING, {"service": why})
    assert service.asked == []


def test_without_leave_no_neighbour_in_the_own_network_is_called(
    settings: Settings, make_app: Callable[[Settings], Flask], clock: Clock, akismet: Akismet
) -> None:
    app = make_app(settings.model_copy(update={"outbound_allow": ()}))
    site = ask_akismet(app, a_site(app, rules=OPEN))
    assert stored(app, write(app.test_client(), clock)).verdict_reason == "neighbour-away"
    assert (state(app, site.id), akismet.asked) == ((1, "private"), [])


def test_both_are_asked_at_once_and_one_that_is_silent_is_enough_to_wait(
    app: Flask, client: FlaskClient, clock: Clock, site: SiteView, akismet: Akismet, service: Service
) -> None:
    ask_akismet(app, ask_service(app, site, service))
    meet = threading.Barrier(2, timeout=5)

    def together(body: bytes) -> Answer:
        meet.wait()
        return Answer(body)

    akismet.mood, service.mood = lambda: together(b"false"), lambda: together(b'{"spam": 0.01}')
    assert stored(app, write(client, clock)).status == Status.APPROVED
    service.mood, akismet.mood = lambda: Answer(status=503), None
    comment = stored(app, write(client, clock, text="Another one."))
    assert comment.verdict["neighbours"] == {"akismet": "ham", "service": "status"}
    assert (comment.status, comment.verdict_reason) == (Status.PENDING, "neighbour-away")


def test_what_would_go_to_spam_anyway_goes_there_without_a_word_of_theirs(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView, akismet: Akismet
) -> None:
    akismet.mood = TROUBLES["status"]
    assert stored(app, write(client, clock, subject="x", name="BUY A CAR NOW")).status == Status.SPAM


def test_a_dead_neighbour_slows_only_the_first_ones(hurried: Flask, clock: Clock, akismet: Akismet) -> None:
    client, akismet.mood, took = hurried.test_client(), late, []
    for number in range(FAILURES + 12):
        began = time.monotonic()
        comment = stored(hurried, write(client, clock, text=f"Number {number}."))
        took.append(time.monotonic() - began)
        assert (comment.status, comment.verdict_reason) == (Status.PENDING, "neighbour-away")
        clock.forward(seconds=-58)
    assert len(akismet.asked) == FAILURES
    assert min(took[:FAILURES]) >= HURRY_SECONDS > sum(took[FAILURES:]) / 12
    assert state(hurried, 1) == (FAILURES + 12, "slow")
    akismet.mood = None
    clock.forward(minutes=1)
    assert stored(hurried, write(client, clock, text="After its rest.")).status == Status.APPROVED
    assert (len(akismet.asked), state(hurried, 1)) == (FAILURES + 1, (0, ""))


@SQLITE
def test_after_its_rest_one_tries_and_the_others_go_on_waiting(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView, akismet: Akismet
) -> None:
    akismet.mood = TROUBLES["status"]
    for number in range(FAILURES):
        write(client, clock, text=f"Number {number}.")
        clock.forward(seconds=-60)
    clock.forward(minutes=2)
    for number in range(3):
        write(client, clock, text=f"Later, number {number}.")
        clock.forward(seconds=-60)
    assert len(akismet.asked) == FAILURES + 1


@SQLITE
def test_one_sites_wrong_key_lets_no_other_site_wait(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView, akismet: Akismet
) -> None:
    ask_akismet(app, a_site(app, key="other", rules=OPEN), akismet_key="wrongkey1234")
    for number in range(FAILURES + 1):
        ticket = a_ticket(client, site="other")
        answer = send(client, a_body(ticket, text=f"Number {number}."), site="other")
        assert stored(app, answer).verdict["neighbours"] == {"akismet": "key"}
    assert stored(app, write(client, clock)).status == Status.APPROVED


def test_a_neighbour_whose_secret_no_key_opens_lets_comments_wait(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView, akismet: Akismet
) -> None:
    with app.app_context():
        row = db.session.get_one(NeighbourState, (asks.id, "akismet"))
        assert row.secret_sealed is not None
        row.secret_sealed = row.secret_sealed[:-1] + b"x"
        db.session.commit()
    assert stored(app, write(client, clock)).verdict_reason == "neighbour-away"
    assert (state(app, asks.id), akismet.asked) == ((1, "secret"), [])


# Who is not asked about


def test_a_letter_to_the_editors_is_sent_to_nobody(
    app: Flask, client: FlaskClient, clock: Clock, site: SiteView, akismet: Akismet, service: Service
) -> None:
    ask_akismet(app, ask_service(app, site, service))
    answer = write(client, clock, audience="editors")
    change(client, answer.get_json(), "Other words, for the editors alone.")
    comment = stored(app, answer)
    assert (comment.is_letter, comment.verdict_reason) == (True, "letter")
    assert not comment.verdict["facts"]["neighbour_away"]
    with app.app_context():
        decide(Change(comment.id, comment.version, Status.SPAM), by=None, now=clock.now)
    assert (akismet.asked, service.asked) == ([], [])


def test_no_flood_is_sent_on(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView, akismet: Akismet
) -> None:
    parts, network = wiring_of(app), "198.51.100.0/24"
    first = a_submission(asks, network=network, idempotency_key="one")
    with app.app_context():
        for submission in (first, first):  # a repetition is answered as before
            submit(submission, settings=parts.settings, keys=parts.keys, now=clock.now)
    answers = [write_from(client, network) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {429}
    assert len(akismet.asked) == 1


def write_from(client: FlaskClient, network: str) -> TestResponse:
    """Send a comment from this network at once."""
    return client.post(
        "/api/v1/sites/demo/comments",
        json=a_body(a_ticket(client)),
        headers={"Origin": "https://news.example.org"},
        environ_overrides={"REMOTE_ADDR": network.replace("0/24", "9")},
    )


def test_many_at_once_from_one_network_are_looked_at_one_by_one(
    app: Flask, clock: Clock, asks: SiteView, akismet: Akismet
) -> None:
    akismet.mood = lambda: after_seconds(0.2)
    clients = [app.test_client() for _ in range(3)]
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda c=c: answers.append(write_from(c, "198.51.100.0/24").status_code))
        for c in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(answers), answers.count(429)) == (3, 2)
    assert len(akismet.asked) == 1


@SQLITE
def test_what_could_not_be_stored_is_sent_to_nobody(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView, akismet: Akismet
) -> None:
    write(client, clock, name="Ana")
    assert write(client, clock, name="Ana").status_code == 409
    assert write(client, clock, parent="999999").status_code == 422
    other = a_site(app, key="closed", rules=OPEN, is_open=False)
    ask_akismet(app, other)
    assert send(client, a_body(a_ticket(client, site="closed")), site="closed").status_code == 409
    assert len(akismet.asked) == 1


def test_readers_are_served_while_neighbours_are_slow(
    settings: Settings, make_app: Callable[[Settings], Flask], clock: Clock, akismet: Akismet
) -> None:
    app = make_app(settings.model_copy(update={"threads": 2}))
    ask_akismet(app, a_site(app, rules=OPEN))
    release = threading.Event()
    akismet.mood = lambda: after(release)
    first: list[TestResponse] = []
    waiting = threading.Thread(target=lambda: first.append(send_now(app, "Held up.")))
    waiting.start()
    wait_until(lambda: len(akismet.asked) == 1, "Akismet to be asked")
    second = stored(app, send_now(app, "Right after."))
    assert second.verdict["neighbours"] == {"akismet": "crowded"}
    release.set()
    waiting.join()
    assert stored(app, first[0]).status == Status.APPROVED
    assert len(akismet.asked) == 1


def after(release: threading.Event) -> Answer:
    """Wait for something, but not for ever; then take it for no spam."""
    release.wait(4)
    return Answer(b"false")


def send_now(app: Flask, text: str) -> TestResponse:
    """Send a comment at once, from a network of its own."""
    client = app.test_client()
    return send(client, a_body(a_ticket(client), text=text))


# Edits


def change(client: FlaskClient, sent: dict[str, Any], text: str) -> dict[str, Any]:
    """Change an own comment by its receipt; the comment as its author is told of it."""
    answer = client.patch(
        f"/api/v1/comments/{sent['comment']['id']}",
        json={"text": text},
        headers={
            "Authorization": f"Bearer {sent['receipt']}",
            "Origin": "https://news.example.org",
            "User-Agent": AGENT,
        },
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.get_json()["comment"]
    return told


def test_an_edit_is_asked_about_like_a_comment_and_never_in_vain(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView, akismet: Akismet
) -> None:
    sent = write(client, clock, name="Ana").get_json()
    assert "edited words" in change(client, sent, "The edited words.")["html"]
    (_, first), (_, second) = akismet.asked
    assert (second["comment_content"], second["recheck_reason"]) == ("The edited words.", "edit")
    assert (second["user_agent"], "recheck_reason" in first) == (AGENT, False)
    change(client, sent, "The edited words.")  # nothing new
    assert len(akismet.asked) == 2
    akismet.mood = TROUBLES["status"]
    told = change(client, sent, "Words that nobody has looked at.")
    assert "edited words" in told["html"]
    with app.app_context():
        waits = db.session.scalars(select(Comment).where(Comment.edits_id.is_not(None))).one()
        assert (waits.status, waits.verdict_reason) == (Status.PENDING, "neighbour-away")


def test_an_edit_of_what_waits_goes_on_waiting_for_a_neighbour_that_is_away(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView, akismet: Akismet
) -> None:
    akismet.mood = TROUBLES["status"]
    answer = write(client, clock)
    change(client, answer.get_json(), "Other words.")
    assert stored(app, answer).verdict_reason == "neighbour-away"
    akismet.mood = None
    change(client, answer.get_json(), "Other words again.")
    assert stored(app, answer).status == Status.APPROVED


# Readers are told


def test_readers_are_told_who_looks_and_what_was_shown_before_is_not_shown_again(
    app: Flask, client: FlaskClient, site: SiteView, service: Service
) -> None:
    before = ask(client, "thread")
    note = before.get_json()["form"]["texts"]["note.privacy"]
    ask_akismet(app, site)
    tag = {"If-None-Match": before.headers["ETag"]}
    told = ask(client, "thread", headers=tag)
    assert told.status_code == 200
    texts = told.get_json()["form"]["texts"]
    assert texts["note.privacy"] == f"{note} Comments are checked for spam by Akismet."
    ask_service(app, site, service, service_email=True)
    sentence = (
        "Comments are checked for spam by Akismet and Town Filter. Your email address is sent to Town Filter."
    )
    assert sentence in page(client).text
    german = ask(client, "thread", lang="de").get_json()["form"]["texts"]["note.privacy"]
    assert german.endswith(
        "Kommentare werden von Akismet und Town Filter auf Spam geprüft. "
        "Ihre E-Mail-Adresse wird an Town Filter gesendet."
    )
    let_ask(app, site, akismet=False, service=False)
    assert ask(client, "thread").get_json()["form"]["texts"]["note.privacy"] == note


def test_where_nobody_looks_no_byte_is_spent_on_it(
    app: Flask, client: FlaskClient, clock: Clock, site: SiteView, akismet: Akismet
) -> None:
    texts = ask(client, "thread").get_json()["form"]["texts"]
    assert {"note.checked", "note.emailed"} & texts.keys() == set()
    comment = stored(app, write(client, clock))
    assert "neighbours" not in comment.verdict
    assert akismet.asked == []
    assert "spam by" not in page(client).text + json.dumps(texts)


def judge_author(app: Flask, number: int, **fields: str) -> None:
    """Ban or trust the author of a comment, as a moderator does."""
    browser, address = sign_in(app), f"/queue/comments/{number}"
    token = browser.get(address).text.partition('name="csrf_token" value="')[2].partition('"')[0]
    sent = browser.post(
        f"{address}/author", data={"csrf_token": token} | fields, headers={"Origin": OWN_ORIGIN}
    )
    assert sent.status_code == 303


def test_banned_authors_are_asked_about_so_that_no_quicker_answer_tells_of_the_ban(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView, akismet: Akismet
) -> None:
    judge_author(app, a_comment(app, asks, email="ana@example.org").id, kind="ban", mark="email")
    asked = len(akismet.asked)
    comment = stored(app, write(client, clock, email="ana@example.org"))
    assert (comment.status, comment.verdict_reason) == (Status.SPAM, "banned")
    assert len(akismet.asked) == asked + 1


def test_trusted_authors_are_not_asked_about(
    app: Flask, client: FlaskClient, clock: Clock, asks: SiteView, akismet: Akismet
) -> None:
    known = a_comment(app, asks, email="ana@example.org")
    judge_author(app, known.id, kind="trust", mark="receipt")
    receipt = tokens.receipt(wiring_of(app).keys, site="demo", comment_id=known.id)
    asked = len(akismet.asked)
    akismet.mood = TROUBLES["status"]
    comment = stored(app, write(client, clock, email="ana@example.org", previous=receipt))
    assert (comment.status, comment.verdict_reason) == (Status.APPROVED, "trusted")
    assert len(akismet.asked) == asked


def test_one_network_takes_two_places_at_most_and_leaves_the_others_to_others() -> None:
    turns, inside, told = Turns(), threading.Event(), []

    def at_it() -> int:
        return turns._locks.get(b"one", (None, 0))[1]

    over = threading.Event()

    def first() -> None:
        with turns.of(b"one", at_most_seconds=5) as has_turn:
            assert has_turn
            inside.set()
            over.wait(5)

    def second() -> None:
        with turns.of(b"one", at_most_seconds=5) as has_turn:
            told.append(has_turn)

    running = [threading.Thread(target=first), threading.Thread(target=second)]
    running[0].start()
    assert inside.wait(5)
    running[1].start()
    wait_until(lambda: at_it() == 2, "the second")
    begun = time.monotonic()
    with turns.of(b"one", at_most_seconds=5) as third, turns.of(b"two", at_most_seconds=5) as another:
        assert (third, another) == (False, True)
        assert at_it() == 2  # who is sent away takes nobody's place
    assert time.monotonic() - begun < 1
    over.set()
    for thread in running:
        thread.join()
    assert told == [True]
    assert at_it() == 0

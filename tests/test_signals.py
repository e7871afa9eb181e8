"""Each signal is given for what it is meant for, and not for its innocent twin."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

import comments_service
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.retention import sweep
from comments_service.sending import Sending
from comments_service.spam import signals as signal_module
from comments_service.spam.evidence import Evidence, History, Said, Tally, Twins
from comments_service.spam.features import FEATURES
from comments_service.spam.signals import SIGNALS, signals, that_count
from comments_service.storage.database import db
from comments_service.storage.models import Comment, Site
from comments_service.submit import submit
from comments_service.tokens import OPENING_LASTS, receipt
from comments_service.vocabulary import Badge, SignedName, SiteView, Status
from tests.conftest import Clock
from tests.doors import a_network, a_ticket, form_fields, page, page_ticket, send, send_form, sign_in
from tests.factories import ARTICLE, ORIGIN, StoredComment, a_body, a_comment, a_site, a_submission, wiring_of

CALM = "I crossed that bridge every day for eleven years and never once looked down."


def evidence(text: str = CALM, **fields: Any) -> Evidence:
    """What a calm comment brings, with some fields otherwise, each in its part."""
    calm = Evidence(Said(text, name="Ana Berg"), Sending(seconds=60), History())
    return Evidence(*(_otherwise(part, fields) for part in (calm.said, calm.sending, calm.history)))


def _otherwise(part: Any, fields: dict[str, Any]) -> Any:
    return replace(part, **{name: value for name, value in fields.items() if hasattr(part, name)})


def codes(**fields: Any) -> set[str]:
    """The signals that are given."""
    return {signal.code for signal in that_count(signals(evidence(**fields)))}


@pytest.mark.parametrize(
    ("code", "guilty", "innocent"),
    [
        ("trap", {"is_trapped": True}, {"is_trapped": False}),
        ("quick", {"seconds": 1}, {"seconds": 4}),
        ("quick", {"seconds": 0}, {"seconds": None}),
        ("pasted", {"seconds": 5, "text": CALM * 2}, {"seconds": 5, "text": "Thanks!"}),
        ("ticket-used", {"is_ticket_used": True}, {}),
        ("no-script", {"by_page": True, "seconds": 1}, {"seconds": 1}),
        ("no-script", {"by_page": True, "links": 4}, {"by_page": True}),
        ("network-rate", {"from_network": 3}, {"from_network": 2}),
        ("rush", {"rush": 8.0}, {"rush": 5.0}),
        ("many-links", {"links": 4}, {"links": 3}),
        ("bare-link", {"text": "https://a.example/b"}, {"text": "Here it is: https://a.example/b"}),
        ("shortener", {"text": "More at bit.ly/3xYz0"}, {"text": "More at https://town.example/bit.ly"}),
        ("name-link", {"name": "cheap-pills.com"}, {"name": "J. R. R. Tolkien"}),
        ("name-link", {"name": "https://x.example"}, {"name": "Mr. Io"}),
        ("name-capitals", {"name": "BUY FOLLOWERS"}, {"name": "NASA"}),
        ("name-capitals", {"name": "BEST LOANS HERE"}, {"name": "李小龙的影迷俱乐部和朋友们"}),
        ("twins", {"twins": Twins(1)}, {"twins": Twins()}),
        ("twin-spam", {"twins": Twins(2, Tally(spam=1))}, {"twins": Twins(2)}),
        ("twin-honest", {"twins": Twins(2, Tally(honest=1))}, {"twins": Twins(2, Tally(1, 1))}),
        ("foreign-script", {"text": "Купите дешёвые часы"}, {"text": "We say «да», you say yes: no harm"}),
        (
            "foreign-script",
            {"text": "快来买便宜的手表吧朋友"},
            {"text": "時計はいいですね", "language": "ja"},
        ),
        ("foreign-script", {"text": "Быстрые займы"}, {"text": "Merci beaucoup !", "language": "ru"}),
        ("foreign-script", {"text": "Быстрые займы"}, {"text": "Быстрые займы", "language": "uk"}),
        ("foreign-script", {"text": "Быстрые займы"}, {"text": "Да"}),
        ("disposable-email", {"email_domain": "mailinator.com"}, {"email_domain": "example.org"}),
        (
            "disposable-email",
            {"email_domain": "x.Mailinator.com"},
            {"email_domain": "mailinator.example"},
        ),
        ("network-spam", {"by_network": Tally(spam=1)}, {"by_network": Tally(honest=3, spam=1)}),
        ("network-honest", {"by_network": Tally(honest=1)}, {"by_network": Tally()}),
        ("author-known", {"by_author": Tally(honest=1)}, {"by_author": Tally(honest=1, spam=1)}),
        ("author-spam", {"by_author": Tally(spam=1)}, {}),
    ],
)
def test_a_signal_is_given_for_what_it_is_meant_for_alone(
    code: str, guilty: dict[str, Any], innocent: dict[str, Any]
) -> None:
    assert code in codes(**guilty)
    assert code not in codes(**innocent)


def test_a_calm_comment_gives_no_signal_at_all() -> None:
    assert codes() == set()


def test_what_speaks_against_spam_weighs_less_than_nothing() -> None:
    found = signals(evidence(by_author=Tally(honest=1), by_network=Tally(honest=2), twins=Twins(1, Tally(1))))
    assert {signal.code for signal in found} == {"author-known", "network-honest", "twin-honest"}
    assert all(signal.weight < 0 for signal in found)


def test_more_of_the_same_weighs_more() -> None:
    def weight(**fields: Any) -> float:
        return sum(signal.weight for signal in signals(evidence(**fields)))

    assert 0 < weight(from_network=3) < weight(from_network=6) < weight(from_network=12)
    assert 0 < weight(twins=Twins(1)) < weight(twins=Twins(2)) < weight(twins=Twins(8))
    assert 0 < weight(links=4) < weight(links=6) < weight(links=9) == weight(links=90)


@pytest.fixture
def site(app: Flask) -> SiteView:
    """A site that publishes at once what it does not doubt."""
    rules = {"hold_all": False, "hold_newcomers": False, "hold_doubt_from": 50, "refuse_doubt_from": 95}
    return a_site(app, rules=rules)


def stored(app: Flask, answer: TestResponse) -> Comment:
    """The comment that an answer tells of."""
    with app.app_context():
        row = db.session.get_one(Comment, int(answer.get_json()["comment"]["id"]))
        db.session.expunge(row)
        db.session.rollback()
        return row


def newest(app: Flask) -> Comment:
    """The comment that came last."""
    with app.app_context():
        row = db.session.scalars(select(Comment).order_by(Comment.id.desc()).limit(1)).one()
        db.session.expunge(row)
        db.session.rollback()
        return row


def given(comment: Comment) -> set[str]:
    """The codes of its signals."""
    return {signal["code"] for signal in comment.verdict["spam"]["signals"]}


@pytest.mark.usefixtures("site")
def test_a_calm_comment_is_published_and_its_verdict_kept(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    ticket = a_ticket(client)
    clock.forward(seconds=60)
    answer = send(client, a_body(ticket, text=CALM))
    assert answer.status_code == 201
    comment = stored(app, answer)
    kept = comment.verdict["spam"]
    assert kept["percent"] == comment.verdict["facts"]["spam_percent"] < 50
    assert (kept["seconds"], kept["versions"]) == (60, [SIGNALS, FEATURES])
    assert {signal["code"] for signal in kept["signals"]} == {"filter"}


@pytest.mark.usefixtures("site")
def test_the_hidden_field_sends_a_comment_to_spam_and_the_answer_is_as_for_everybody_who_waits(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    answers = []
    for text, subject in (("Great post, buy pills at http://a.example/buy", None), (CALM, "Hello")):
        ticket = a_ticket(client)
        clock.forward(seconds=60)
        answers.append(send(client, a_body(ticket, text=text, subject=subject, name="BUY A CAR NOW")))
    held, caught = answers
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [stored(app, answer).status for answer in answers] == [Status.PENDING, Status.SPAM]
    assert held.get_json()["comment"].keys() == caught.get_json()["comment"].keys()
    assert caught.get_json()["comment"]["status"] == "pending"
    assert "spam" not in caught.text
    assert "signal" not in caught.text
    assert given(stored(app, caught)) >= {"trap", "name-capitals"}


@pytest.mark.usefixtures("site")
def test_a_ticket_that_brings_a_second_comment_is_noticed_and_a_repetition_is_not(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    ticket = a_ticket(client)
    clock.forward(seconds=60)
    body = a_body(ticket, text=CALM)
    first, again = send(client, body, key="one"), send(client, body, key="one")
    other = send(client, a_body(ticket, text="And the river was higher then."), key="two")
    assert first.get_json() == again.get_json()
    assert "ticket-used" not in given(stored(app, first))
    assert "ticket-used" in given(stored(app, other))


@pytest.mark.usefixtures("site")
def test_how_quickly_it_came_and_by_which_door_is_noticed(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    quick = send(client, a_body(a_ticket(client), text=CALM))
    assert "quick" in given(stored(app, quick))
    for seconds, found in ((3, {"no-script", "quick"}), (60, set())):
        ticket = page_ticket(page(client))
        clock.forward(seconds=seconds)
        assert send_form(client, form_fields(ticket, text=f"After {seconds} seconds.")).status_code == 303
        assert given(newest(app)) & {"no-script", "quick"} == found


@pytest.mark.usefixtures("site")
def test_nobody_makes_a_form_older_than_it_is(app: Flask, client: FlaskClient, clock: Clock) -> None:
    elsewhere = page_ticket(page(client, url=f"{ARTICLE}-2"))
    clock.forward(hours=1)
    begun = page_ticket(page(client))
    for number, earlier in enumerate(("", "forged", begun[:-1], elsewhere, begun)):
        shown = send_form(client, form_fields(earlier, do="preview"))
        fields = form_fields(page_ticket(shown), text=f"{CALM} {number}")
        assert send_form(client, fields).status_code == 303
        assert "quick" in given(newest(app))
        by_script = a_body(a_ticket(client, earlier=earlier), text=f"{CALM} And {number}")
        assert "quick" in given(stored(app, send(client, by_script)))


@pytest.mark.usefixtures("site")
def test_a_form_that_comes_back_many_times_brings_one_comment(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    def comment(ticket: str, text: str) -> Comment:
        return stored(app, send(client, a_body(ticket, text=text)))

    begun = a_ticket(client)
    clock.forward(hours=5)
    first, second, third = (a_ticket(client, earlier=begun) for _ in range(3))
    assert given(comment(first, CALM)) == {"filter"}
    clock.forward(hours=3)
    assert "ticket-used" in given(comment(second, "And the river was higher then."))
    assert given(comment(a_ticket(client, earlier=third), "Nobody swims in it.")) >= {"quick"}


def test_decisions_about_a_text_speak_for_and_against_the_next_like_it(
    app: Flask, site: SiteView, clock: Clock
) -> None:
    wave = "Our shop by the harbour has watches of every make at the best prices in town, come and see"
    a_comment(app, site, text=wave, status=Status.SPAM, now=clock.now)
    liked = "The ferry should run again in winter, as it did when our children went to school over there"
    a_comment(app, site, text=liked, status=Status.APPROVED, now=clock.now)
    with app.app_context():
        found = [look(app, site, f"{text} !!", clock) for text in (wave, liked)]
    assert found[0] & {"twin-spam", "twin-honest"} == {"twin-spam"}
    assert found[1] & {"twin-spam", "twin-honest"} == set()  # nobody decided: it was published by itself


def look(app: Flask, site: SiteView, text: str, clock: Clock) -> set[str]:
    """The signals of one more comment."""
    parts = wiring_of(app)
    sent = a_submission(site, text=text)
    receipt = submit(sent, settings=parts.settings, keys=parts.keys, now=clock.now)
    found = given(db.session.get_one(Comment, receipt.comment_id))
    db.session.rollback()
    return found


def test_what_people_decided_about_a_network_counts_and_what_the_service_thought_does_not(
    app: Flask, site: SiteView, clock: Clock
) -> None:
    parts, network = wiring_of(app), "203.0.113.0/24"

    def sent(**fields: Any) -> Comment:
        clock.forward(seconds=600)
        submission = a_submission(site, network=network, **fields)
        receipt = submit(submission, settings=parts.settings, keys=parts.keys, now=clock.now)
        return db.session.get_one(Comment, receipt.comment_id)

    with app.app_context():
        trapped = sent(sending=Sending(seconds=60, is_trapped=True), text="First. http://x.example buy now")
        number, version, status = trapped.id, trapped.version, trapped.status
        assert status == Status.SPAM
        assert "network-spam" not in given(sent())
        db.session.rollback()
        decide(Change(number, version, Status.SPAM), by=None, now=clock.now)
        assert "network-spam" in given(sent())
        db.session.rollback()


@pytest.mark.parametrize("is_held", [True, False])
def test_an_author_is_vouched_for_by_people_and_not_by_what_was_published_by_itself(
    app: Flask, clock: Clock, is_held: bool
) -> None:
    first_rules = {"hold_all": is_held, "hold_newcomers": False}
    site, parts = a_site(app, key="vouching", rules=first_rules), wiring_of(app)
    first = a_comment(app, site, email="ana@example.org", now=clock.now)
    a_rule_change(app, site, {"hold_all": False, "hold_newcomers": True})
    with app.app_context():
        for _ in range(2):  # the second by the receipt of what the service published by itself
            sent = a_submission(
                site,
                email="ana@example.org",
                previous=receipt(parts.keys.ring, site="vouching", comment_id=first.id),
            )
            answer = submit(sent, settings=parts.settings, keys=parts.keys, now=clock.now)
            comment = db.session.get_one(Comment, answer.comment_id)
            assert (comment.status, comment.verdict_reason) == (Status.APPROVED, "known-author")
            assert ("author-known" in given(comment)) is is_held
            first = replace(first, id=comment.id)
            db.session.rollback()


def test_an_edit_is_not_vouched_for_by_what_it_edits(app: Flask, client: FlaskClient, clock: Clock) -> None:
    site = a_site(app, key="held", rules={"hold_all": True})
    comment = a_comment(app, site, now=clock.now)
    a_rule_change(app, site, {"hold_all": False, "hold_links_from": 1})
    say_anew(client, app, site, comment, "Look at https://shop.example.net instead.")
    with app.app_context():
        edit = db.session.scalars(select(Comment).where(Comment.edits_id == comment.id)).one()
        assert "author-known" not in given(edit)


@pytest.mark.parametrize("verdict", ["spam", "approved"])
def test_an_edit_of_a_signed_name_is_judged_by_what_people_decided_about_the_rest(
    app: Flask, client: FlaskClient, clock: Clock, verdict: str
) -> None:
    site = a_site(app, key="signed", rules={"hold_all": True})
    ana = SignedName("ana-1", "Ana", Badge.VERIFIED)
    for text, status in (("First of all.", verdict), ("And second.", "pending")):
        last = a_comment(app, site, text=text, status=status, signed=ana, now=clock.now)
        clock.forward(seconds=600)
    with app.app_context():
        before = given(db.session.get_one(Comment, last.id))
    say_anew(client, app, site, last, "And secondly.")
    with app.app_context():
        row = db.session.get_one(Comment, last.id)
        assert row.text == "And secondly."
        wanted = {"spam": "author-spam", "approved": "author-known"}[verdict]
        assert wanted in before & given(row)


def test_a_comment_is_no_past_of_its_own_edit(app: Flask, client: FlaskClient, clock: Clock) -> None:
    site = a_site(app, key="held", rules={"hold_all": True})
    comment = a_comment(app, site, network="203.0.113.0/24", now=clock.now)
    a_rule_change(app, site, {"hold_all": False, "hold_links_from": 1})
    say_anew(client, app, site, comment, "Look at https://shop.example.net instead.", network="203.0.113.9")
    with app.app_context():
        edit = db.session.scalars(select(Comment).where(Comment.edits_id == comment.id)).one()
        assert "network-honest" not in given(edit)


def say_anew(
    client: FlaskClient, app: Flask, site: SiteView, comment: StoredComment, text: str, network: str = ""
) -> None:
    """Change a comment as its author."""
    proof = receipt(wiring_of(app).keys.ring, site=site.key, comment_id=comment.id)
    answer = client.patch(
        f"/api/v1/comments/{comment.id}",
        json={"text": text},
        headers={"Authorization": f"Bearer {proof}", "Origin": ORIGIN},
        environ_overrides={"REMOTE_ADDR": network} if network else a_network(),
    )
    assert answer.status_code == 200, answer.text


def a_rule_change(app: Flask, site: SiteView, rules: dict[str, int]) -> None:
    """The site's rules as they are from now on."""
    with app.app_context():
        row = db.session.get_one(Site, site.id)
        row.rules = {**row.rules, **rules}
        db.session.commit()


def edited(app: Flask, client: FlaskClient, answer: TestResponse, text: str) -> Comment:
    """A comment after its author has changed it, or else the edit that waits beside it."""
    told = answer.get_json()
    headers = {"Authorization": f"Bearer {told['receipt']}", "Origin": ORIGIN}
    changed = client.patch(f"/api/v1/comments/{told['comment']['id']}", json={"text": text}, headers=headers)
    assert changed.status_code == 200, changed.text
    return newest(app)


@pytest.mark.parametrize("is_held", [True, False])
@pytest.mark.parametrize(
    ("seconds", "first", "found"),
    [(3, "Thanks!", {"quick"}), (6, "Thanks!", set()), (6, f"{CALM} Twice.", {"pasted"})],
)
def test_an_edit_came_as_quickly_as_what_was_sent_first(
    app: Flask, client: FlaskClient, clock: Clock, seconds: int, first: str, found: set[str], is_held: bool
) -> None:
    site = a_site(app, rules={"hold_all": is_held, "hold_newcomers": False})
    ticket = a_ticket(client)
    clock.forward(seconds=seconds)
    answer = send(client, a_body(ticket, text=first))
    assert answer.status_code == (202 if is_held else 201)
    a_rule_change(app, site, {"hold_all": True})
    for text in (CALM * 3, "Thank you!", CALM * 4):
        assert given(edited(app, client, answer, text)) & {"quick", "pasted"} == found


def test_an_edit_takes_nothing_back_of_how_a_comment_came(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    rules = {"hold_all": False, "hold_newcomers": False, "hold_doubt_from": 50, "refuse_doubt_from": 95}
    a_site(app, rules=rules, options={"proof": "always"})
    for subject, status, reason in (("Hello", Status.SPAM, "spam"), (None, Status.PENDING, "no-proof")):
        ticket = a_ticket(client)
        clock.forward(seconds=60)
        answer = send(client, a_body(ticket, text=f"{CALM} {reason}", subject=subject))
        before = stored(app, answer)
        after = edited(app, client, answer, f"{CALM} {reason}!")
        assert after.text != before.text
        assert (after.status, after.verdict_reason) == (before.status, before.verdict_reason)
        assert after.status == status


def test_how_a_comment_came_is_forgotten_once_a_person_has_published_it(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    rules = {"hold_all": False, "hold_newcomers": False, "hold_doubt_from": 50, "refuse_doubt_from": 95}
    a_site(app, rules=rules, options={"proof": "always"})
    answer = send(client, a_body(a_ticket(client), text=CALM, subject="Hello"))
    caught = stored(app, answer)
    with app.app_context():
        decide(Change(caught.id, caught.version, Status.APPROVED), by=None, now=clock.now)
    assert edited(app, client, answer, f"{CALM}!").text == f"{CALM}!"
    assert (newest(app).id, newest(app).status) == (caught.id, Status.APPROVED)


def test_a_row_of_the_queue_says_why_in_words_from_the_same_verdict(
    app: Flask, site: SiteView, clock: Clock
) -> None:
    parts = wiring_of(app)
    with app.app_context():
        sent = a_submission(site, sending=Sending(seconds=60, is_trapped=True), name="<b>cheap.com</b>")
        submit(sent, settings=parts.settings, keys=parts.keys, now=clock.now)
    moderator = sign_in(app, sites=[site])
    html = moderator.get("/queue?status=spam").text
    own = moderator.get(f"/queue/comments/{newest(app).id}").text
    for shown in (html, own):
        assert "Spam: 9" in shown
        assert len(re.findall(r"9\d %", shown)) == 1
    assert "a field was filled in that no person sees" in html
    assert "the name is a link: cheap.com" in html or "the name is a link: b&gt;cheap.com" in html
    assert "<b>cheap" not in html


def test_a_verdict_of_another_release_breaks_no_page(app: Flask, site: SiteView, clock: Clock) -> None:
    comment = a_comment(app, site, status=Status.PENDING, now=clock.now)
    signal = {"code": "from-the-future", "weight": 2.0, "what": "x", "more": 1}
    sign = {"kind": "aura", "what": "violet", "weight": 0.5}
    with app.app_context():
        row = db.session.get_one(Comment, comment.id)
        kept = {"percent": 88, "signals": [signal, {"code": "filter", "weight": 1.0}], "signs": [sign]}
        row.verdict = {**row.verdict, "spam": kept}
        db.session.commit()
    html = sign_in(app, sites=[site]).get("/queue").text
    assert "from-the-future" in html
    assert "violet" in html


def test_every_signal_has_a_sentence() -> None:
    known = json.loads((Path(comments_service.__file__).parent / "locales/en.json").read_text())
    source = Path(signal_module.__file__ or "").read_text()
    written = set(re.findall(r'(?:Signal\(|code = )"([a-z-]+)"|else "(network-[a-z]+)"', source))
    assert len(written) > 20
    assert [code for pair in written for code in pair if code and f"signal.{code}" not in known] == []


def test_spent_tickets_are_forgotten_once_nobody_can_use_them(
    app: Flask, site: SiteView, clock: Clock
) -> None:
    parts = wiring_of(app)
    lasts = OPENING_LASTS.total_seconds() + parts.settings.ticket_lifetime_seconds
    with app.app_context():
        for nonce in ("one", "two"):
            sent = a_submission(site, sending=Sending(nonce=nonce))
            submit(sent, settings=parts.settings, keys=parts.keys, now=clock.now)
            clock.forward(seconds=lasts / 2 + 1)
        assert sweep(settings=parts.settings, now=clock.now).tickets == 1

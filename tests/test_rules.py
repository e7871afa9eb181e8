"""Rules: what is met by an entry and what is not, what becomes of a comment, and what stays written down."""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service import tokens
from comments_service.decisions.authors import Wish, let_stand
from comments_service.decisions.decide import decide
from comments_service.decisions.standing import Kind, Trace
from comments_service.decisions.verbs import Change
from comments_service.errors import ChangedMeanwhile, CommentNotFound, FieldsRefused, NotAllowed, ThreadClosed
from comments_service.export import export_site
from comments_service.rules.change import Place, change_rules, versions
from comments_service.rules.judge import Facts, judge
from comments_service.rules.words import MAX_STAR_LETTERS, Texts, fired, normal, says_something
from comments_service.sites import SiteChange, add_site
from comments_service.storage.database import db
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment, CommentReason, Site
from comments_service.storage.rules import RuleSet
from comments_service.submit import submit
from comments_service.texts import Catalogue
from comments_service.vocabulary import (
    Access,
    InForce,
    ModeratorView,
    Receipt,
    Role,
    Rules,
    SiteView,
    Status,
)
from tests.conftest import NOW
from tests.doors import a_ticket, ask, form_fields, own, page, page_ticket, send_form
from tests.doors import send as post
from tests.factories import (
    EARLY,
    KNOWN,
    a_body,
    a_comment,
    a_moderator,
    a_site,
    a_submission,
    wiring_of,
)

OPEN_RULES = Rules(hold_all=False, hold_newcomers=False)


def met(entry: str, text: str) -> bool:
    """Whether the entry is met in a comment's text."""
    return fired([entry], Texts("", "", "", text)) == (entry,)


@pytest.mark.parametrize(
    ("entry", "guilty", "innocent"),
    [
        ("cunt", "What a cunt.", "Scunthorpe is lovely."),
        ("ass", "you ass!", "first class"),
        ("ass", "you _ass_", "assess the mass"),
        ("foo_bar", "a foo_bar", "foobar"),
        ("viagra", "VIAGRA", "viagraph"),
        ("viagr*", "viagraaa now", "niviagra"),
        ("*press*", "WordPress", "pres s"),
        ("v*gra", "vi4gra", "via gra"),
        ("*gra", "niagra", "grade"),
        ("buy now", "Buy\n  now!", "buy it now"),
        ("casino", "ｃａｓｉｎｏ", "casinos"),
        ("casino", "ca\u200bsi\u00adno", "ca sino"),
        ("casino", "𝐂𝐀𝐒𝐈𝐍𝐎", "cassino"),
        ("casino", "c̶a̶s̶i̶n̶o̶", "occasion"),
        ("straße", "STRASSE", "strassen"),
        ("sik", "sik", "sıkıldım, sık sık"),
        ("sık", "sık", "sik"),
        ("istanbul", "İSTANBUL", "istanbullu"),
        ("كلب", "يا كَلْب", "كلبشات"),
        ("كلب", "كـلـب", "الكلبي"),
        ("加微信", "请加微信号123", "加上微信"),
        ("カジノ", "新しいｶｼﾞﾉです", "カジ"),
        ("गधा", "तू गधा है", "गधापन"),
        ("🍆", "look🍆here", "look here"),
        ("❤", "I ❤️ it", "I love it"),
        ("$$$", "earn$$$fast", "earn $$ fast"),
        ("c++", "c++ rules", "c+ rules"),
        ("example.org", "see https://example.org/x", "see example.organic"),
        ("éte", "E\u0301TE", "ete"),
    ],
)
def test_an_entry_is_met_by_the_guilty_and_not_by_its_innocent_twin(
    entry: str, guilty: str, innocent: str
) -> None:
    assert (met(entry, guilty), met(entry, innocent)) == (True, False)


@pytest.mark.parametrize(
    "part",
    [
        {"name": "Spam Casino"},
        {"email_domain": "casino.example"},
        {"website": "https://casino.example"},
        {"text": "casino"},
    ],
)
def test_every_part_of_a_comment_is_looked_at(part: dict[str, Any]) -> None:
    assert fired(
        ["casino"], Texts(**{"name": "", "email_domain": "", "website": "", "text": "", **part})
    ) == ("casino",)


def test_of_an_address_only_the_domain_is_looked_at() -> None:
    texts = Texts.of("Ana", "casino@bank.example", None, "Hello.", ())
    assert fired(["casino", "bank.example"], texts) == ("bank.example",)


@pytest.mark.parametrize("entry", ["192.0.2.77", "192.0.2.0/24", "192.0.2.128/25"])
def test_an_address_stands_for_the_network_it_is_in(entry: str) -> None:
    assert fired([entry], Texts("", "", "", "", frozenset({"192.0.2.0/24"}))) == (entry,)
    assert fired([entry], Texts("", "", "", "", frozenset({"192.0.3.0/24"}))) == ()


SLOW_ENTRIES = ["a*a*a*a*a*a*b", "*a*a*b", "*a*", "a*", "a a a*b", "*a*b" * 25, "*a" * 50, "*ab*" * 25]
SLOW_TEXTS = ["a" * 65_000 + " b", "a " * 32_000, "ab" * 32_500, "\u0301" * 30_000 + "a" * 30_000]


@pytest.mark.parametrize("entry", SLOW_ENTRIES)
@pytest.mark.parametrize("text", SLOW_TEXTS)
def test_no_entry_makes_a_long_text_slow(entry: str, text: str) -> None:
    began = time.perf_counter()
    met(entry, text)
    assert time.perf_counter() - began < 2


def test_no_list_makes_a_long_text_slow() -> None:
    """A thousand entries of which each is begun at every place; they took a minute where each place costs."""
    entries = ["*a" * 8 + f"x{number}*" for number in range(1_000)]
    rare = " ".join(entry.rpartition("*")[0].rpartition("*")[2] for entry in entries)
    texts = Texts("", "", "", f"{rare} {'a' * 55_000}")
    began = time.perf_counter()
    assert fired(entries, texts) == ()
    assert time.perf_counter() - began < 10


@given(entry=st.text("ab*- ", min_size=1, max_size=8), text=st.text("ab- ", max_size=30))
@settings_of_hypothesis(max_examples=300, deadline=None, derandomize=True)
@example(entry="a*ab", text="aaab")
@example(entry="*a*b", text="ab a" + "a" * MAX_STAR_LETTERS + "b")
@example(entry="a*b", text="a" + "x" * (MAX_STAR_LETTERS + 1) + "b")
def test_stars_are_met_as_a_regular_expression_would_meet_them(entry: str, text: str) -> None:
    if not says_something(entry):
        return
    form = normal(entry)
    letters = rf"\w{{0,{MAX_STAR_LETTERS}}}"
    pattern = letters.join(re.escape(piece) for piece in re.split(r"\*+", form.strip("*")))
    before, after = r"(?<!\w)" if form[0].isalpha() else "", r"(?!\w)" if form[-1].isalpha() else ""
    sought = re.search(f"{before}{pattern}{after}", normal(text))
    assert met(entry, text) == (sought is not None)


def codes(rules: Rules, text: str = "Hello.", **facts: Any) -> tuple[str, list[str]]:
    """What becomes of a comment, and why."""
    verdict = judge(InForce(rules, 1), Facts(**facts), Texts.of("Ana", None, None, text, ()))
    return str(verdict.status), [reason.code for reason in verdict.reasons]


@pytest.mark.parametrize(
    ("rules", "facts", "expected"),
    [
        ({}, {}, ("pending", ["every-comment-waits"])),
        ({}, {"links": 2}, ("pending", ["links", "every-comment-waits"])),
        ({"hold_all": False}, {}, ("pending", ["newcomer"])),
        ({"hold_all": False}, {"is_known": True}, ("approved", ["known-author"])),
        ({"hold_all": False, "hold_newcomers": False}, {}, ("approved", ["no-rule"])),
        ({"hold_all": False}, {"is_known": True, "links": 1}, ("approved", ["known-author"])),
        ({"hold_all": False}, {"is_known": True, "links": 2}, ("pending", ["links"])),
        (
            {"hold_all": False, "hold_links_from": 0},
            {"is_known": True, "links": 9},
            ("approved", ["known-author"]),
        ),
        (
            {"hold_all": False},
            {"is_known": True, "links": 1, "has_website": True},
            ("approved", ["known-author"]),
        ),
        (
            {"hold_all": False, "count_website": True},
            {"is_known": True, "links": 1, "has_website": True},
            ("pending", ["links"]),
        ),
        ({"hold_all": False}, {"is_known": True, "is_surge": True}, ("approved", ["known-author"])),
        (
            {"hold_all": False, "hold_surge": True},
            {"is_known": True, "is_surge": True},
            ("pending", ["surge"]),
        ),
        ({"hold_all": False, "hold_words": ("hello",)}, {"is_known": True}, ("pending", ["held-word"])),
        ({"refuse_words": ("hello",)}, {"is_known": True}, ("spam", ["refused-word"])),
        ({"hold_words": ("hello",)}, {"is_trusted": True}, ("approved", ["trusted"])),
        ({"refuse_words": ("hello",)}, {"is_trusted": True}, ("approved", ["trusted"])),
        ({"trusted_pass": False}, {"is_trusted": True}, ("pending", ["every-comment-waits"])),
        ({"hold_all": False, "hold_newcomers": False}, {"is_banned": True}, ("spam", ["banned"])),
        ({"refuse_words": ("hello",)}, {"is_letter": True}, ("pending", ["letter"])),
        ({}, {"is_letter": True, "is_trusted": True}, ("pending", ["letter"])),
    ],
)
def test_what_the_rules_make_of_a_comment(
    rules: dict[str, Any], facts: dict[str, Any], expected: tuple[str, list[str]]
) -> None:
    assert codes(Rules(**rules), **facts) == expected


def test_risk_is_the_sum_of_what_speaks_against_a_comment() -> None:
    calm = judge(InForce(OPEN_RULES, 1), Facts(is_known=True), Texts("", "", "", "Hello."))
    wild = judge(
        InForce(replace(OPEN_RULES, hold_words=("hello",)), 1),
        Facts(links=9, has_website=True),
        Texts("", "", "", "Hello."),
    )
    assert (calm.risk, wild.risk) == (0, 100)


def send(app: Flask, site: SiteView, *, now: datetime = NOW, **fields: Any) -> Receipt:
    """Submit a comment."""
    parts = wiring_of(app)
    with app.app_context():
        return submit(a_submission(site, **fields), settings=parts.settings, keys=parts.keys, now=now)


def kept(app: Flask, comment_id: int) -> Comment:
    """The comment as it is stored."""
    with app.app_context():
        row = db.session.get_one(Comment, comment_id)
        db.session.expunge(row)
        db.session.rollback()
        return row


def test_a_held_comment_keeps_rule_version_and_entry_but_not_what_was_written(app: Flask) -> None:
    site = a_site(app, rules={"hold_all": False, "hold_words": ["cas*"]}, rules_version=4)
    row = kept(app, send(app, site, text="My CASINO is the best.").comment_id)
    assert row.verdict["reasons"][0] == {
        "code": "held-word",
        "scope": "site",
        "version": 4,
        "words": ["cas*"],
    }
    judged_by_rules = {name: row.verdict[name] for name in ("status", "reasons", "facts")}
    assert "casino" not in str(judged_by_rules).lower()
    assert row.verdict["facts"] | {"spam_percent": 0} == json.loads(json.dumps(asdict(Facts())))


def test_every_reason_is_there_for_the_filters(app: Flask) -> None:
    site = a_site(app, rules={"hold_words": ["casino"]})
    comment_id = send(app, site, text="casino https://a.example https://b.example").comment_id
    with app.app_context():
        found = set(
            db.session.scalars(select(CommentReason.code).where(CommentReason.comment_id == comment_id))
        )
    assert found == {"held-word", "links", "every-comment-waits"}


def test_an_automatic_decision_stands_in_the_journal_once(app: Flask, site: SiteView) -> None:
    comment_id = send(app, site).comment_id
    with app.app_context():
        rows = db.session.scalars(select(JournalRow).where(JournalRow.comment_id == comment_id)).all()
        found = [(r.action, r.moderator_id, r.from_status, r.to_status, r.reason) for r in rows]
    assert found == [("comment-decided", None, None, "pending", "every-comment-waits")]


def test_a_refused_word_makes_spam_whose_author_hears_that_it_waits(app: Flask) -> None:
    site = a_site(app, rules={"refuse_words": ["casino"]})
    receipt = send(app, site, text="casino")
    row = kept(app, receipt.comment_id)
    assert (receipt.status, row.status, row.is_quietly_declined) == (Status.PENDING, "spam", True)


def anonymous(answer: TestResponse) -> tuple[int, list[str], bytes]:
    """An answer without what differs from comment to comment: its id, and what is signed with it."""
    body = answer.get_json()
    unlike = (body["receipt"], body["status_url"].rpartition("/")[2], "garden", "casino")
    data = re.sub(rf'(comment-|"id":"){body["comment"]["id"]}\b', r"\1", answer.text)
    for word in unlike:
        data = data.replace(word, "")
    return answer.status_code, sorted(answer.headers.keys()), data.encode()


def test_the_answer_to_a_refused_comment_is_that_of_a_waiting_one(
    app: Flask, client: FlaskClient, site: SiteView
) -> None:
    with app.app_context():
        change_rules(Place(site.id), {"refuse_words": ["casino"]}, version=1, by=None, now=NOW)
    waiting, refused = (
        post(client, a_body(a_ticket(client), name="Ana", text=f"A {word}")) for word in ("garden", "casino")
    )
    assert anonymous(waiting) == anonymous(refused)
    body = refused.get_json()
    mine = own(client, body["comment"]["id"], body["receipt"]).get_json()["comment"]
    status = client.get(body["status_url"].removeprefix("http://localhost:8000"))
    assert mine["status"] == "pending"
    assert "Your comment is awaiting moderation" in status.text
    with app.app_context():
        decide(Change(int(body["comment"]["id"]), 1, Status.TRASH), by=None, now=NOW)
    mine = own(client, body["comment"]["id"], body["receipt"]).get_json()["comment"]
    assert mine["status"] == "declined"


def test_a_person_who_decides_ends_the_quiet(app: Flask) -> None:
    site = a_site(app, rules={"refuse_words": ["casino"]})
    row = kept(app, send(app, site, text="casino").comment_id)
    with app.app_context():
        decide(Change(row.id, row.version, Status.TRASH), by=None, now=NOW)
    assert not kept(app, row.id).is_quietly_declined


def test_what_a_receipt_proves_chains_an_authors_comments(app: Flask) -> None:
    site = a_site(app, rules=KNOWN)
    first = a_comment(app, site, email="ana@example.org")
    proof = tokens.receipt(wiring_of(app).keys, site=site.key, comment_id=first.id)
    second = send(app, site, email="ana@example.org", previous=proof).comment_id
    proof = tokens.receipt(wiring_of(app).keys, site=site.key, comment_id=second)
    third = send(app, site, email="ana@example.org", previous=proof).comment_id
    stranger = send(app, site, email="eve@example.org", previous=proof).comment_id
    chain = [kept(app, number).proven_root_id for number in (first.id, second, third, stranger)]
    assert chain == [first.id, first.id, first.id, stranger]


def test_an_article_may_have_rules_of_its_own(app: Flask) -> None:
    site = a_site(app)
    thread_id = a_comment(app, site).thread_id
    with app.app_context():
        own = {"hold_all": False, "hold_newcomers": False}
        assert change_rules(Place(site.id, thread_id), own, version=0, by=None, now=NOW) == 1
    here = kept(app, send(app, site).comment_id)
    elsewhere = kept(app, send(app, site, url="https://news.example.org/elsewhere").comment_id)
    assert (here.status, elsewhere.status) == ("approved", "pending")
    assert here.verdict["reasons"][0]["scope"] == "article"


def aged(app: Flask, site: SiteView, days: int) -> datetime:
    """The time when an article with one comment closes by age."""
    a_comment(app, site, now=EARLY)
    with app.app_context():
        change_rules(Place(site.id), {"close_after_days": days}, version=1, by=None, now=NOW)
    return EARLY + timedelta(days=days)


def test_an_article_takes_comments_until_the_day_it_closes(app: Flask, site: SiteView) -> None:
    closes = aged(app, site, 14)
    assert send(app, site, now=closes - timedelta(seconds=60)).comment_id
    with pytest.raises(ThreadClosed):
        send(app, site, now=closes)


def test_an_answer_that_was_cached_does_not_outlive_the_day_an_article_closes(
    app: Flask, client: FlaskClient, site: SiteView, clock: Any
) -> None:
    closes = aged(app, site, 14)
    before = ask(client, "thread")
    clock.now = closes
    after = ask(client, "thread", headers={"If-None-Match": before.headers["ETag"]})
    assert before.get_json()["thread"]["open"]
    assert (after.status_code, after.get_json()["thread"]["open"]) == (200, False)
    assert 'name="text"' not in page(client).text


def test_the_page_refuses_a_form_that_was_open_when_the_article_closed(
    app: Flask, client: FlaskClient, site: SiteView, clock: Any
) -> None:
    clock.now = aged(app, site, 14) - timedelta(minutes=1)
    fields = form_fields(page_ticket(page(client)), text="Too late.")
    clock.forward(minutes=2)
    answer = send_form(client, fields)
    assert answer.status_code == 409
    assert "Too late." in answer.text


def test_an_articles_own_depth_is_what_readers_get(app: Flask, client: FlaskClient, site: SiteView) -> None:
    comment = a_comment(app, site)
    a_comment(app, site, parent_id=comment.id)
    with app.app_context():
        place = Place(site.id, comment.thread_id)
        change_rules(place, {"max_depth": 1}, version=0, by=None, now=NOW)
    answer = ask(client, "thread").get_json()
    assert answer["form"]["max_depth"] == 1
    assert [c["depth"] for c in answer["comments"]] == [1, 1]


def owner(app: Flask, site: SiteView, role: Role = Role.OWNER) -> ModeratorView:
    """Somebody with a role on the site alone."""
    moderator = a_moderator(app, name=f"{role}-{site.key}")
    return replace(moderator, access=Access(by_site={site.id: role}))


def test_every_change_is_a_version_that_says_who_and_when(app: Flask, site: SiteView) -> None:
    ana = owner(app, site)
    with app.app_context():
        change_rules(Place(site.id), {"max_depth": 3}, version=1, by=None, now=EARLY)
        change_rules(Place(site.id), {"hold_all": False}, version=2, by=ana, now=NOW)
        made = [(v.version, v.by, v.made_at, v.rules["max_depth"]) for v in versions(Place(site.id))]
        rows = db.session.scalars(select(JournalRow).where(JournalRow.action == "rules-changed")).all()
        assert [(r.moderator_id, r.details["rules"]) for r in rows][1] == (ana.id, ["hold_all"])
    assert made == [(3, ana.name, NOW, 3), (2, None, EARLY, 3)]


def test_the_second_of_two_owners_is_told(app: Flask, site: SiteView) -> None:
    with app.app_context():
        change_rules(Place(site.id), {"max_depth": 3}, version=1, by=None, now=NOW)
        with pytest.raises(ChangedMeanwhile):
            change_rules(Place(site.id), {"max_depth": 4}, version=1, by=None, now=NOW)
        assert db.session.get_one(Site, site.id).rules["max_depth"] == 3


@pytest.mark.parametrize(("role", "error"), [(Role.MODERATOR, NotAllowed), (Role.VIEWER, NotAllowed)])
def test_owners_alone_change_rules(app: Flask, site: SiteView, role: Role, error: type[Exception]) -> None:
    with app.app_context(), pytest.raises(error):
        change_rules(Place(site.id), {}, version=1, by=owner(app, site, role), now=NOW)


def test_an_article_of_another_site_cannot_be_reached(app: Flask, site: SiteView) -> None:
    other = a_site(app, key="other")
    thread_id = a_comment(app, site).thread_id
    with app.app_context():
        for by in (owner(app, other), None):
            with pytest.raises(CommentNotFound):
                change_rules(Place(other.id, thread_id), {}, version=0, by=by, now=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"max_depth": 0}, {"max_depth": 11}, {"hold_links_from": -1}, {"close_after_days": 10**9}),
        *({"hold_words": ["*"]}, {"hold_words": ["\u200b"]}, {"refuse_words": ["x" * 101]}),
        *({"refuse_words": ["10.0.0.0/8"]}, {"hold_words": ["2001:db8::/32"]}, {"hold_words": ["a\x00b"]}),
        {"hold_words": [f"word{n}" for n in range(1_001)]},
    ],
)
def test_rules_out_of_bounds_are_refused_and_change_nothing(
    app: Flask, site: SiteView, wrong: dict[str, Any]
) -> None:
    with app.app_context():
        with pytest.raises(FieldsRefused) as refusal:
            change_rules(Place(site.id), wrong, version=1, by=None, now=NOW)
        assert [error.field for error in refusal.value.errors] == list(wrong)
        assert db.session.scalars(select(RuleSet)).all() == []


def test_a_new_site_begins_with_a_version_of_its_own(app: Flask) -> None:
    with app.app_context():
        change = SiteChange(origins=("https://new.example.org",), max_depth=7)
        site = add_site("new", change, catalogue=Catalogue.load(), now=NOW)
        assert [(v.version, v.rules["max_depth"]) for v in versions(Place(site.id))] == [(1, 7)]
        assert site.rules == Rules(max_depth=7)


def test_an_export_takes_the_rules_along(app: Flask) -> None:
    site = a_site(app, rules={"hold_words": ["casino"]})
    a_comment(app, site)
    with app.app_context():
        lines = "\n".join(export_site(site.key, keys=None, now=NOW))
    assert '"hold_words": ["casino"]' in lines
    assert '"reasons": [{"code": "every-comment-waits"' in lines


def stand(app: Flask, comment_id: int, kind: Kind, mark: Trace) -> None:
    """Let the author of a comment be banned or trusted."""
    with app.app_context():
        wish, keys = Wish(kind, mark), wiring_of(app).keys
        let_stand(comment_id, wish, by=None, keys=keys, now=EARLY, network_days=30)


@pytest.mark.parametrize(
    ("mark", "fields"),
    [
        (Trace.EMAIL, {"email": "eve@bad.example"}),
        (Trace.NETWORK, {"network": "192.0.2.0/24"}),
        (Trace.DOMAIN, {"email": "another@bad.example"}),
    ],
)
def test_a_banned_author_is_declined_and_hears_that_it_waits(
    app: Flask, mark: Trace, fields: dict[str, Any]
) -> None:
    site = a_site(app, rules={"hold_all": False, "hold_newcomers": False})
    first = a_comment(app, site, email="eve@bad.example", network="192.0.2.0/24")
    stand(app, first.id, Kind.BAN, mark)
    receipt = send(app, site, **fields)
    row = kept(app, receipt.comment_id)
    assert (receipt.status, row.status, row.verdict_reason) == (Status.PENDING, "spam", "banned")
    assert row.is_quietly_declined
    assert kept(app, send(app, site).comment_id).status == "approved"


def test_a_trusted_author_passes_every_check_by_proof_and_not_by_an_address_alone(app: Flask) -> None:
    site = a_site(app, rules={"hold_words": ["casino"]})
    first = a_comment(app, site, email="ana@example.org")
    stand(app, first.id, Kind.TRUST, Trace.EMAIL)
    proof = tokens.receipt(wiring_of(app).keys, site=site.key, comment_id=first.id)
    proven = send(app, site, email="ana@example.org", previous=proof, text="A casino")
    claimed = send(app, site, email="ana@example.org", text="A casino again")
    assert (proven.status, claimed.status) == (Status.APPROVED, Status.PENDING)
    assert kept(app, proven.comment_id).verdict_reason == "trusted"

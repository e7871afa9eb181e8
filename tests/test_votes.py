"""Readers vote without an account: one vote each, counted once, however often it is sent."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from comments_service import votes
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change, Verb
from comments_service.erase import erase_person
from comments_service.opinions import Choice
from comments_service.retention import sweep
from comments_service.settings import Settings
from comments_service.storage.database import db, transaction
from comments_service.storage.models import Comment, ThreadRoot
from comments_service.storage.votes import Vote
from comments_service.vocabulary import SiteView
from comments_service.wsgi import make as make_app
from tests.conftest import NOW, Clock
from tests.doors import (
    OWN_ORIGIN,
    a_network,
    ask,
    change_site,
    everything,
    is_problem,
    page,
    wrong_fields,
)
from tests.factories import ARTICLE, ORIGIN, StoredComment, a_comment, a_site, wiring_of
from tests.test_own_comments import receipt_of
from tests.test_snapshot import ids, shown
from tests.test_thread_pages import set_columns, some

BOTH = {"votes": "both"}
HOME = {"REMOTE_ADDR": "198.51.100.7"}
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def voting(app: Flask) -> SiteView:
    """A site whose readers vote both ways."""
    return a_site(app, options=BOTH)


def put(
    app: Flask,
    number: object,
    vote: Any = "up",
    *,
    network: dict[str, str] | None = None,
    headers: dict[str, str | None] | None = None,
    **more: Any,
) -> TestResponse:
    """Vote by the JSON door, from a network of its own."""
    given = {"Origin": ORIGIN, "Content-Type": "application/json"} | (headers or {})
    return app.test_client().put(
        f"/api/v1/comments/{number}/vote",
        headers={name: value for name, value in given.items() if value is not None},
        environ_overrides=network or a_network(),
        **(more if "data" in more else {"data": json.dumps({"vote": vote} | more)}),
    )


def counted(app: Flask, number: int) -> tuple[int, int, int]:
    """The counts on a comment, and how many votes are known."""
    with app.app_context():
        row = db.session.execute(
            select(Comment.up_count, Comment.down_count).where(Comment.id == number)
        ).one()
        known = db.session.scalar(select(func.count()).where(Vote.comment_id == number))
        db.session.rollback()
        return row.up_count, row.down_count, known or 0


# --- one vote each ---


def test_a_vote_is_counted_once_changed_and_taken_back(app: Flask, voting: SiteView) -> None:
    comment = a_comment(app, voting)
    first = put(app, comment.id, network=HOME)
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-store")
    assert first.get_json() == {"votes": {"up": 1, "down": 0}, "vote": "up"}
    assert "Set-Cookie" not in first.headers
    assert put(app, comment.id, network={"REMOTE_ADDR": "198.51.100.99"}).get_json()["votes"]["up"] == 1
    assert put(app, comment.id).get_json()["votes"] == {"up": 2, "down": 0}
    turned = put(app, comment.id, "down", network=HOME).get_json()
    assert turned == {"votes": {"up": 1, "down": 1}, "vote": "down"}
    for _ in range(2):
        assert put(app, comment.id, "none", network=HOME).get_json()["votes"] == {"up": 1, "down": 0}
    assert counted(app, comment.id) == (1, 0, 1)


def test_readers_of_one_network_are_told_apart_by_their_receipts_up_to_a_bound(
    app: Flask, voting: SiteView
) -> None:
    comment = a_comment(app, voting)
    receipts = [receipt_of(app, a_comment(app, voting)) for _ in range(votes.VOTERS_OF_NETWORK + 1)]
    assert put(app, comment.id, network=HOME).get_json()["votes"]["up"] == 1
    for number, receipt in enumerate(receipts[:-2], 2):
        for _ in range(2):
            assert put(app, comment.id, network=HOME, receipt=receipt).get_json()["votes"]["up"] == number
    refused = put(app, comment.id, network=HOME, receipt=receipts[-1])
    assert is_problem(refused, 409, "enough-votes")
    assert put(app, comment.id, "none", network=HOME, receipt=receipts[-1]).status_code == 200
    assert put(app, comment.id, receipt=receipts[-1]).get_json()["votes"]["up"] == 4  # from elsewhere
    assert counted(app, comment.id) == (4, 0, 4)


@pytest.mark.parametrize("receipt", ["", "x", "a.b.c", "\ud800", "é" * 10_000])
def test_what_is_no_receipt_is_no_second_reader(app: Flask, voting: SiteView, receipt: str) -> None:
    comment = a_comment(app, voting)
    put(app, comment.id, network=HOME)
    assert put(app, comment.id, network=HOME, receipt=receipt).get_json()["votes"]["up"] == 1
    other = a_comment(
        app, a_site(app, key="other", origins=["https://other.example"]), url="https://other.example/"
    )
    foreign = receipt_of(app, other, site="other")
    assert put(app, comment.id, network=HOME, receipt=foreign).get_json()["votes"]["up"] == 1


def test_nobody_votes_on_an_own_comment(app: Flask, voting: SiteView) -> None:
    comment, later = a_comment(app, voting), a_comment(app, voting)
    assert is_problem(put(app, comment.id, receipt=receipt_of(app, comment)), 409, "own-vote")
    set_columns(app, later.id, proven_root_id=comment.id)  # the same author, by a receipt
    assert is_problem(put(app, comment.id, receipt=receipt_of(app, later)), 409, "own-vote")
    assert is_problem(put(app, later.id, receipt=receipt_of(app, comment)), 409, "own-vote")
    assert counted(app, comment.id) == (0, 0, 0)


def test_many_at_once_are_counted_once_each(app: Flask, voting: SiteView) -> None:
    comment = a_comment(app, voting)
    networks = [{"REMOTE_ADDR": f"203.0.{number % 6}.1"} for number in range(24)]
    start = threading.Barrier(len(networks))
    answers: list[int] = []

    def vote(number: int) -> None:
        start.wait()
        choice = "up" if number % 6 < 4 else "down"
        answers.append(put(app, comment.id, choice, network=networks[number]).status_code)

    threads = [threading.Thread(target=vote, args=(number,)) for number in range(len(networks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * len(networks)
    assert counted(app, comment.id) == (4, 2, 6)


def test_the_database_itself_takes_no_second_vote(app: Flask, voting: SiteView) -> None:
    comment = a_comment(app, voting)
    row = {"comment_id": comment.id, "voter": b"v", "network": b"n", "cast_at": NOW}
    with app.app_context(), pytest.raises(IntegrityError), transaction() as session:
        session.execute(insert(Vote), [row | {"value": 1}, row | {"value": -1}])
    assert counted(app, comment.id) == (0, 0, 0)


def test_votes_on_two_comments_show_no_common_hand(app: Flask, voting: SiteView) -> None:
    for comment in (a_comment(app, voting), a_comment(app, voting)):
        put(app, comment.id, network=HOME)
    with app.app_context():
        rows = db.session.execute(select(Vote.voter, Vote.network)).all()
        db.session.rollback()
    assert len({value for row in rows for value in row}) == 4


# --- who may vote on what ---


def test_votes_are_taken_where_the_site_wants_them(app: Flask, site: SiteView, client: FlaskClient) -> None:
    comment = a_comment(app, site)
    assert is_problem(put(app, comment.id), 409, "votes-off")
    assert "votes" not in ask(client, "thread").get_json()["comments"][0]
    assert ask(client, "thread").get_json()["form"]["votes"] == "off"
    change_site(app, site, options={"votes": "up"})
    assert is_problem(put(app, comment.id, "down"), 409, "votes-off")
    assert put(app, comment.id).status_code == 200
    body = ask(client, "thread").get_json()
    assert (body["comments"][0]["votes"], body["form"]["votes"]) == ({"up": 1, "down": 0}, "up")


@pytest.mark.parametrize("status", ["pending", "spam", "trash"])
def test_what_readers_do_not_see_is_as_if_it_were_not_there(
    app: Flask, voting: SiteView, status: str
) -> None:
    comment = a_comment(app, voting, status=status)
    before = everything(app)
    for number in (comment.id, 999_999, "0", "x", "99999999999"):
        refused = put(app, number)
        assert is_problem(refused, 404, "comment-not-found")
        assert refused.headers["Access-Control-Allow-Origin"] == ORIGIN
        foreign = put(app, number, headers={"Origin": "https://evil.example"})
        assert is_problem(foreign, 403, "origin-refused")
    assert everything(app) == before


@on_sqlite
def test_a_wrong_vote_is_refused_and_leaves_nothing(app: Flask, voting: SiteView) -> None:
    comment = a_comment(app, voting)
    before = everything(app)
    for wrong in (None, "", "UP", "up ", 1, True, ["up"], {"up": 1}):
        assert "vote" in wrong_fields(put(app, comment.id, wrong))
    assert wrong_fields(put(app, comment.id, receipt=7)) == {"receipt": "type"}
    assert put(app, comment.id, headers={"Origin": None}).status_code == 403
    assert put(app, comment.id, headers={"Origin": "https://evil.example"}).status_code == 403
    assert put(app, comment.id, headers={"Content-Type": "text/plain"}, data=b"{}").status_code == 415
    for body in (b"[]", b"\xff", b'{"vote":"up","vote":"up"}', b"{"):
        assert put(app, comment.id, data=body).status_code == 400
    assert everything(app) == before
    preflight = app.test_client().options(
        f"/api/v1/comments/{comment.id}/vote",
        headers={"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"},
    )
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]


@on_sqlite
def test_many_votes_in_a_minute_have_to_wait(settings: Settings) -> None:
    app = make_app(settings.model_copy(update={"votes_per_minute": 2}))
    comment = a_comment(app, a_site(app, options=BOTH))
    assert [put(app, comment.id, network=HOME).status_code for _ in range(2)] == [200, 200]
    refused = put(app, comment.id, "down", network=HOME)
    assert is_problem(refused, 429, "too-many-votes")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert put(app, comment.id).status_code == 200


# --- what readers see ---


def test_a_vote_makes_a_new_answer_and_a_repeated_one_does_not(
    app: Flask, client: FlaskClient, voting: SiteView
) -> None:
    comment = a_comment(app, voting)
    tag = ask(client, "thread").headers["ETag"]
    put(app, comment.id, network=HOME)
    fresh = ask(client, "thread", headers={"If-None-Match": tag})
    assert (fresh.status_code, fresh.get_json()["comments"][0]["votes"]) == (200, {"up": 1, "down": 0})
    put(app, comment.id, network=HOME)
    assert ask(client, "thread", headers={"If-None-Match": fresh.headers["ETag"]}).status_code == 304


def test_the_order_by_votes_has_the_best_first_and_pages_like_the_others(
    app: Flask, voting: SiteView
) -> None:
    made = some(app, voting, 7)
    for number, ups in ((made[5], 3), (made[2], 1), (made[3], 1)):
        for _ in range(ups):
            put(app, number)
    put(app, made[0], "down")
    order = [made[5], made[2], made[3], made[1], made[4], made[6], made[0]]
    assert ids(shown(app, voting, sort="top")) == order
    seen: list[int] = []
    place = None
    for _ in range(4):
        part = shown(app, voting, sort="top", page_size=2, cursor=place)
        seen, place = seen + ids(part), part.next_cursor
    assert (seen, place) == (order, None)
    linked = shown(app, voting, sort="top", page_size=2, comment=made[4])
    assert ids(linked) == order[4:6]
    assert ids(shown(app, voting, sort="top", page_size=2, cursor=linked.previous_cursor)) == order[2:4]


def test_the_order_by_votes_is_offered_where_there_are_any(
    app: Flask, client: FlaskClient, voting: SiteView
) -> None:
    made = some(app, voting, 3)
    put(app, made[2])
    change_site(app, voting, options=BOTH | {"sort": "top"})
    body = ask(client, "thread").get_json()
    assert (body["thread"]["sort"], body["form"]["sorts"]) == ("top", ["oldest", "newest", "top"])
    assert [int(one["id"]) for one in body["comments"]] == [made[2], made[0], made[1]]
    assert "sort=top" in page(client, sort="oldest").text
    change_site(app, voting, options={"sort": "top"})
    for asked in ("", "top"):
        body = ask(client, "thread", sort=asked).get_json()
        assert (body["thread"]["sort"], body["form"]["sorts"]) == ("oldest", ["oldest", "newest"])
        assert [int(one["id"]) for one in body["comments"]] == made
    assert "sort=top" not in page(client, sort="oldest").text


@pytest.mark.parametrize("sort", ["oldest", "newest", "top"])
def test_pinned_comments_come_first_and_picks_after_them(app: Flask, voting: SiteView, sort: str) -> None:
    made = some(app, voting, 6)
    set_columns(app, made[3], pinned_at=NOW)
    set_columns(app, made[4], picked_at=NOW)
    set_columns(app, made[1], picked_at=NOW + timedelta(minutes=1))
    set_columns(app, made[3], picked_at=NOW)
    rest = [made[0], made[2], made[5]]
    order = [made[3], made[1], made[4], *(rest[::-1] if sort == "newest" else rest)]
    assert ids(shown(app, voting, sort=sort)) == order
    first = shown(app, voting, sort=sort, page_size=2)
    assert ids(first)[:2] == order[:2]
    second = shown(app, voting, sort=sort, page_size=2, cursor=first.next_cursor)
    assert sorted(ids(first) + ids(second)) == sorted(made)


# --- what else happens to a comment ---


def test_the_place_by_votes_survives_whatever_is_decided(app: Flask, voting: SiteView) -> None:
    first, second = a_comment(app, voting), a_comment(app, voting)
    put(app, second.id)
    with app.app_context():
        for verb in (Verb.TRASH, Verb.RESTORE, Verb.APPROVE):
            version = db.session.get_one(Comment, second.id).version
            decide(Change(second.id, version, verb), by=None, now=NOW)
        root = db.session.get_one(ThreadRoot, second.id)
        assert (root.rank, counted(app, second.id)) == (-1, (1, 0, 1))
    assert ids(shown(app, voting, sort="top")) == [second.id, first.id]


def test_the_votes_go_with_their_comment(app: Flask, voting: SiteView) -> None:
    comment = a_comment(app, voting, email="ana@example.org")
    a_comment(app, voting, parent_id=comment.id)
    put(app, comment.id)
    with app.app_context():
        erase_person("ana@example.org", keys=wiring_of(app).keys, now=NOW)
    assert counted(app, comment.id) == (0, 0, 0)


def test_who_voted_is_forgotten_after_a_month_and_the_counts_stay(
    app: Flask, settings: Settings, voting: SiteView, clock: Clock
) -> None:
    comment = a_comment(app, voting)
    put(app, comment.id)
    for later, known in ((timedelta(days=29), 1), (timedelta(days=30), 0)):
        with app.app_context():
            assert sweep(settings=settings, now=clock() + later).votes == 1 - known
        assert counted(app, comment.id) == (1, 0, known)


# --- without a script ---


def vote_by_form(client: FlaskClient, comment: StoredComment | int, vote: str, **more: Any) -> TestResponse:
    """Press a button of the plain page."""
    number = comment if isinstance(comment, int) else comment.id
    return client.post(
        "/sites/demo/thread/votes",
        query_string={"url": ARTICLE, "sort": "newest"},
        data={"comment": str(number), "vote": vote},
        headers=more.get("headers", {"Origin": OWN_ORIGIN}),
        environ_overrides=HOME,
    )


def test_the_plain_page_counts_a_vote_and_lets_it_be_taken_back(
    app: Flask, client: FlaskClient, voting: SiteView
) -> None:
    comment = a_comment(app, voting, name="Ana")
    assert "Vote against Ana’s comment: 0 votes" in page(client).text
    sent = vote_by_form(client, comment, "up")
    assert sent.status_code == 303
    assert sent.headers["Location"].endswith(f"&sort=newest&voted={comment.id}#comment-{comment.id}")
    after = client.get(sent.headers["Location"].partition("#")[0]).text
    assert "Vote for Ana’s comment: 1 vote" in after
    assert "Your vote is counted." in after
    back = vote_by_form(client, comment, "none")
    assert "voted" not in back.headers["Location"]
    assert counted(app, comment.id) == (0, 0, 0)


@on_sqlite
def test_the_plain_page_refuses_what_is_not_its_own(
    app: Flask, client: FlaskClient, voting: SiteView
) -> None:
    other = a_site(app, key="other", origins=["https://other.example"], options=BOTH)
    elsewhere = a_comment(app, other, url="https://other.example/")
    comment = a_comment(app, voting)
    before = everything(app)
    for headers in ({}, {"Origin": ORIGIN}, {"Origin": "null"}):
        assert vote_by_form(client, comment, "up", headers=headers).status_code == 403
    assert vote_by_form(client, elsewhere, "up").status_code == 404
    assert vote_by_form(client, comment, "sideways").status_code == 400
    assert everything(app) == before
    change_site(app, voting, options={}, language="de")
    refused = vote_by_form(client, comment, "up", headers={"Origin": OWN_ORIGIN, "Accept": "text/html"})
    assert (refused.status_code, "Ihre Stimme wurde nicht gezählt" in refused.text) == (409, True)


def test_a_choice_has_a_value() -> None:
    assert votes.VALUES.keys() == set(Choice)


def test_a_piece_of_html_for_owners_has_the_count_and_no_form(
    app: Flask, client: FlaskClient, voting: SiteView
) -> None:
    put(app, a_comment(app, voting).id)
    fragment = client.get("/sites/demo/fragment", query_string={"url": ARTICLE}).text
    assert '<meta itemprop="upvoteCount" content="1">' in fragment
    assert "<form" not in fragment

"""Like comments find one another; unlike ones, and honest crowds, do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from comments_service.cli import main
from comments_service.clusters.evaluate import evaluate
from comments_service.clusters.fingerprint import fingerprint, is_like, likeness, plain_text
from comments_service.clusters.joining import MEMORY
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.erase import erase_person
from comments_service.labelled import LabelledComment
from comments_service.privacy import Keyring
from comments_service.retention import sweep
from comments_service.settings import Settings
from comments_service.storage.clusters import ClusterKey
from comments_service.storage.database import db
from comments_service.storage.models import Comment
from comments_service.vocabulary import SiteView, Status
from tests.factories import a_comment, a_site
from tests.test_seed import write

CHEAP = "Cheap ropes for every boat, only this week in our shop by the harbour"
ROPES = f"{CHEAP}: https://ropes.example/week"
Post = Callable[..., int]


@pytest.fixture
def post(app: Flask, site: SiteView, now: datetime) -> Post:
    """Let a comment come in, `after` the test's beginning; gives its id."""

    def one(
        text: str,
        *,
        after: timedelta = timedelta(),
        to: SiteView = site,
        status: str = "pending",
        **fields: str,
    ) -> int:
        return a_comment(app, to, text=text, status=status, now=now + after, **fields).id

    return one


def cluster_of(app: Flask, comment_id: int) -> int | None:
    """The cluster that a comment is in."""
    with app.app_context():
        return db.session.get_one(Comment, comment_id).cluster_id


def members(app: Flask, cluster_id: int, status: Status = Status.PENDING) -> list[int]:
    """Who stands so in a cluster."""
    with app.app_context():
        rows = select(Comment.id).where(Comment.cluster_id == cluster_id, Comment.status == status)
        found = list(db.session.scalars(rows.order_by(Comment.id)))
        db.session.rollback()
        return found


def together(app: Flask, *ids: int) -> bool:
    """Whether these are in one cluster, named after the first."""
    return {cluster_of(app, number) for number in ids} == {ids[0]}


@pytest.mark.parametrize(
    "text",
    [
        ROPES.upper(),
        f"  {ROPES}!!!",
        ROPES.replace("o", "о"),  # Cyrillic
        ROPES.replace("ropes for", "ro\u200bpes\u00a0for"),
        ROPES.replace("ropes.example/week", "knots.example/7?ref=12"),
        f"Hello, {ROPES}",
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_people_read_as_the_same_is_one_cluster(app: Flask, post: Post, text: str) -> None:
    assert together(app, post(ROPES), post(text))


def test_a_cluster_is_named_after_its_first_comment_and_grows(app: Flask, post: Post, site: SiteView) -> None:
    ids = [post(f"{CHEAP}, number {number}") for number in range(4)]
    alone = post("The bridge should have been built further up the river, where it is narrow.")
    assert together(app, *ids)
    assert cluster_of(app, alone) is None
    assert members(app, ids[0]) == ids


def test_whoever_was_decided_stays_in_the_cluster(app: Flask, post: Post, now: datetime) -> None:
    ids = [post(f"{CHEAP}, number {number}") for number in range(3)]
    with app.app_context():
        decide(Change(ids[1], 1, Status.SPAM), by=None, now=now)
    assert (members(app, ids[0]), members(app, ids[0], Status.SPAM)) == ([ids[0], ids[2]], [ids[1]])


def test_who_copies_a_comment_and_adds_a_link_does_not_share_its_fate(app: Flask, post: Post) -> None:
    honest = post(CHEAP)
    post(ROPES)
    assert cluster_of(app, honest) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("I hate this song!", "I love this song!"), ("Nice song", "Nice song"), ("Great!", "Great!")],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_short_phrases_of_a_crowd_are_nobodys_campaign(app: Flask, post: Post, one: str, other: str) -> None:
    post(one)
    assert cluster_of(app, post(other)) is None


def test_other_sites_and_other_months_are_other_stories(app: Flask, post: Post) -> None:
    first = post(CHEAP)
    elsewhere = post(CHEAP, to=a_site(app, key="second"))
    later = post(CHEAP, after=MEMORY)
    assert {cluster_of(app, number) for number in (first, elsewhere, later)} == {None}


def test_one_address_is_one_source_for_a_day(app: Flask, post: Post) -> None:
    ana = {"email": "ana@example.org"}
    first, second = post("I walk over the old bridge every day.", **ana), post("What does it cost?", **ana)
    third = post("And another thing, about the trees.", after=timedelta(days=1), **ana)
    assert together(app, first, second)
    assert cluster_of(app, third) is None


def test_one_linked_host_is_one_source_but_not_where_everybody_links(app: Flask, post: Post) -> None:
    spam = post("Look here, https://ropes.example/a"), post("Win!", website="https://www.ropes.example")
    crowd = post("Seen on https://www.youtube.com/1"), post("As in https://en.wikipedia.org/wiki/Bridge")
    own = post("Like in https://news.example.org/old"), post("Compare https://news.example.org/other")
    assert together(app, *spam)
    assert {cluster_of(app, number) for number in (*crowd, *own)} == {None}


def test_a_network_is_a_source_only_for_who_links_in_the_same_hour(app: Flask, post: Post) -> None:
    def from_school(text: str, minutes: int) -> int:
        return post(text, after=timedelta(minutes=minutes), network="192.0.2.0/24")

    pupils = from_school("We had the bridge in class.", 0), from_school("Our teacher drew the bridge.", 1)
    adverts = from_school("See https://one.example", 2), from_school("Or https://two.example", 3)
    tomorrow = from_school("Or https://three.example", 64)
    assert {cluster_of(app, number) for number in (*pupils, tomorrow)} == {None}
    assert together(app, *adverts)


def test_whom_a_moderator_approved_is_no_source_of_a_campaign(app: Flask, post: Post) -> None:
    ana = {"email": "ana@example.org"}
    post("I walk over the old bridge every day.", status="approved", **ana)
    assert cluster_of(app, post("What does it cost?", **ana)) is None


def test_what_a_comment_was_compared_by_goes_with_it(
    app: Flask, post: Post, settings: Settings, keys: Keyring, now: datetime
) -> None:
    erased, kept = post(ROPES, email="zenobia@example.org"), post(ROPES)

    def holders() -> set[int]:
        return set(db.session.scalars(select(ClusterKey.comment_id)))

    with app.app_context():
        assert holders() == {erased, kept}
        erase_person("zenobia@example.org", keys=keys, now=now)
        assert holders() == {kept}
        assert sweep(settings=settings, now=now + MEMORY - timedelta(seconds=1)).cluster_keys == 0
        assert sweep(settings=settings, now=now + MEMORY).cluster_keys == 1
        assert (holders(), db.session.scalar(select(func.count()).select_from(Comment))) == (set(), 1)


def test_a_text_is_folded_to_what_people_read() -> None:
    assert plain_text("Ｃhéap 123,45 ROPES!!! www.a.example/b <a href='x'>hooooo</a>") == (
        "cheap 0 0 ropes link link ho link"
    )
    assert plain_text("раураl") == plain_text("paypal")


def test_likeness_is_the_share_of_common_shingles() -> None:
    one, other = fingerprint("abcdefghijklmnopqrst"), fingerprint("abcdefghijklmnopqrsz")
    assert likeness(one, one) == 1
    assert likeness(one, other) == pytest.approx(16 / 18)
    assert likeness(one, fingerprint("short")) == 0
    assert not is_like(fingerprint("short"), fingerprint("short"))


@pytest.mark.parametrize("part", ["<a ", "http://", "www.", "a\u0301", "x", "\u200b", "😀", "1", "ａ b "])
def test_no_text_takes_long(part: str) -> None:
    assert len(fingerprint(part * (65_000 // len(part.encode()))).bands) in (0, 16)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_wave_is_found_however_large_it_is(app: Flask, post: Post) -> None:
    ids = [post(f"{ROPES} and {'so on ' * (number % 3)}") for number in range(40)]
    assert together(app, *ids)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six comments: three that advertise alike, one that does otherwise, two that talk."""
    rows = [(f"{number}", f"Shop {number}", "", f"{ROPES}/{number}", "1") for number in range(3)]
    rows += [("4", "Eve", "", "Follow my channel for more knots and splices", "1")]
    rows += [
        ("5", "Ana", "", "The bridge will need paint", "0"),
        ("6", "Dan", "", "Who pays for it all?", "0"),
    ]
    write(tmp_path / "rows.csv", rows, ("COMMENT_ID", "AUTHOR", "DATE", "CONTENT", "CLASS"))
    return tmp_path


def test_evaluate_prints_recall_and_precision_of_a_folder(folder: Path) -> None:
    for_people = CliRunner().invoke(main, ["clusters", "evaluate", str(folder)])
    for_programs = json.loads(
        CliRunner().invoke(main, ["clusters", "evaluate", str(folder), "--json"]).stdout
    )
    assert for_people.exit_code == 0
    assert "6 comments, 4 of them spam" in for_people.stdout
    expected = {"like_pairs": 3, "index_recall": 1.0, "same_class": 1.0, "spam_in_clusters": 0.75, "rows": 4}
    assert for_programs | expected == for_programs


def test_evaluate_refuses_a_folder_without_such_files(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["clusters", "evaluate", str(tmp_path)])
    assert (result.exit_code, result.stderr.startswith("Error: There is no CSV file")) == (1, True)


def test_two_labels_in_one_cluster_lower_the_precision_of_deciding_once() -> None:
    comments = [LabelledComment("a", "1", "Ana", CHEAP, False), LabelledComment("a", "2", "Dan", CHEAP, True)]
    figures = evaluate(comments)
    assert (figures.same_class, figures.spam_in_clusters, figures.clustered_others) == (0.0, 1.0, 1)

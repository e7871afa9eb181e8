"""What the queue reads: views, orders, filters, pages, and what a row knows. And nothing of other sites."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from comments_service.errors import Malformed, SiteNotFound
from comments_service.privacy import Keyring
from comments_service.queue.lines import QueuePage, QueueRow, ReasonLine
from comments_service.queue.order import cursor_after
from comments_service.queue.page import queue_page, queue_rows
from comments_service.queue.question import QueueQuestion, Sort, View
from comments_service.storage.database import db, transaction
from comments_service.storage.models import Comment, CommentReason
from comments_service.storage.removal import remove
from comments_service.vocabulary import NOT_JUDGED, Access, Role, SiteView, Status
from tests.factories import EARLY, StoredComment, a_comment, a_moderator, a_site

EVERYWHERE = Access(everywhere=Role.OWNER)
OTHER = "https://other.example.org"
KEYS = Keyring.parse("1:a-key-for-tests-only-0123456789abcdefghijklmnopqrstuv")
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def ask(
    app: Flask, *, access: Access = EVERYWHERE, moderator_id: int = 1, page_size: int = 50, **asked: Any
) -> QueuePage:
    """One page, as somebody sees it who may do everything if no other access is named."""
    with app.app_context():
        return queue_page(
            QueueQuestion(**asked),
            access=access,
            moderator_id=moderator_id,
            keys=KEYS,
            page_size=page_size,
            now=EARLY,
        )


def ids(app: Flask, **asked: Any) -> list[int]:
    """The ids of one page, in order."""
    return [row.id for row in ask(app, **asked).rows]


def walked(app: Flask, **asked: Any) -> list[int]:
    """The ids of all pages, one after the other."""
    page = ask(app, **asked)
    found = [row.id for row in page.rows]
    while page.next_cursor is not None:
        page = ask(app, cursor=page.next_cursor, **asked)
        found += [row.id for row in page.rows]
    return found


def row_of(app: Flask, comment: StoredComment, **asked: Any) -> QueueRow:
    """One row of the page that is asked for."""
    return next(row for row in ask(app, **asked).rows if row.id == comment.id)


def change(app: Flask, comments: Iterable[StoredComment], **values: Any) -> None:
    """Write columns that are other rooms' to fill."""
    with app.app_context(), transaction() as session:
        chosen = [comment.id for comment in comments]
        session.execute(update(Comment).where(Comment.id.in_(chosen)).values(values))


def some(app: Flask, site: SiteView, count: int, **fields: Any) -> list[StoredComment]:
    """So many waiting comments, a minute apart, the oldest first, none of them like another."""
    given = {"status": "pending"} | fields
    made = [a_comment(app, site, now=EARLY + timedelta(minutes=n), **given) for n in range(count)]
    change(app, made, cluster_id=None)
    return made


# --- views and counts ---


def test_each_view_holds_its_own_and_is_counted(app: Flask, site: SiteView) -> None:
    stored = {status: a_comment(app, site, status=status) for status in Status}
    made = {status: comment.id for status, comment in stored.items()}
    moderator = a_moderator(app)
    own, caught = a_comment(app, site), a_comment(app, site, status=Status.SPAM)
    change(app, [own], moderator_id=moderator.id)
    waiting, shown = made[Status.PENDING], made[Status.APPROVED]
    expected = {
        View.ALL: {waiting, shown, own.id},
        View.PENDING: {waiting},
        View.APPROVED: {shown, own.id},
        View.SPAM: {made[Status.SPAM], caught.id},
        View.TRASH: {made[Status.TRASH]},
        View.MINE: {own.id},
        View.REPORTED: {waiting, own.id},
        View.CHECK: {caught.id},
    }
    change(app, [own, stored[Status.PENDING], stored[Status.SPAM]], report_count=1)
    change(app, [caught], is_quietly_declined=True)
    pages = {view: ask(app, view=view, moderator_id=moderator.id) for view in View}
    assert {view: {row.id for row in page.rows} for view, page in pages.items()} == expected
    counts = pages[View.ALL].counts
    assert counts == {view: len(held) for view, held in expected.items()}


def test_a_removed_comment_is_neither_shown_nor_counted(app: Flask, site: SiteView) -> None:
    gone = a_comment(app, site)
    a_comment(app, site, parent_id=gone.id)
    with app.app_context(), transaction() as session:
        remove(session, [gone.id])
    for view in View:
        page = ask(app, view=view)
        assert gone.id not in [row.id for row in page.rows]
        assert page.counts[View.TRASH] == 0
    with app.app_context():
        assert queue_rows([gone.id], access=EVERYWHERE, keys=KEYS, now=EARLY) == ()


def test_counts_follow_the_site_and_what_waits_does_not(app: Flask, site: SiteView) -> None:
    other = a_site(app, key="other", origins=(OTHER,))
    some(app, site, 2)
    a_comment(app, other, url=f"{OTHER}/a", status="pending")
    a_comment(app, other, url=f"{OTHER}/a")
    page = ask(app, site_key="other")
    assert (page.counts[View.PENDING], page.counts[View.APPROVED], page.waiting) == (1, 1, 3)
    assert [line.key for line in page.sites] == ["demo", "other"]


# --- orders and pages ---


def in_orders(app: Flask, site: SiteView) -> dict[Sort, list[int]]:
    """Comments that stand differently in each order, some of them equal but for their ids."""
    names = ("Ben", "Ana", "Ben", "Cleo", "Ana", "Dan", "Ben")
    made = [
        a_comment(
            app,
            site,
            status=Status.APPROVED if n == 3 else Status.PENDING,
            name=name,
            url=f"https://news.example.org/{n % 3}",
            now=EARLY + timedelta(minutes=n // 2),
        )
        for n, name in enumerate(names)
    ]
    for n, comment in enumerate(made):
        change(app, [comment], risk=(n * 3) % 5 * 20, spam_percent=(NOT_JUDGED, 90, 3, 99)[n % 4])
    with app.app_context():
        rows = {row.id: row for row in db.session.scalars(select(Comment))}
        db.session.expunge_all()
    oldest = sorted(rows, key=lambda n: (rows[n].created_at, n))
    newest = oldest[::-1]
    return {
        Sort.NEWEST: newest,
        Sort.OLDEST: oldest,
        Sort.ARTICLE: sorted(newest, key=lambda n: -rows[n].thread_id),
        Sort.AUTHOR: sorted(oldest, key=lambda n: rows[n].name),
        Sort.RISK: sorted(newest, key=lambda n: -rows[n].risk),
        Sort.DOUBT: sorted(oldest, key=lambda n: rows[n].spam_percent),
    }


def test_every_order_is_kept_from_page_to_page(app: Flask, site: SiteView) -> None:
    for sort, expected in in_orders(app, site).items():
        for page_size in (2, 3, 50):
            found = walked(app, view=View.ALL, sort=sort, page_size=page_size)
            assert found == expected, (sort, page_size)


def test_a_list_goes_on_after_whichever_row(app: Flask, site: SiteView) -> None:
    for sort, expected in in_orders(app, site).items():
        rows = ask(app, view=View.ALL, sort=sort).rows
        for number, row in enumerate(rows):
            following = expected[number + 1 :]
            assert ids(app, view=View.ALL, sort=sort, cursor=row.cursor) == following, sort


@on_sqlite
def test_a_cursor_fits_its_own_order_only(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="pending")
    with app.app_context():
        row = db.session.get_one(Comment, comment.id)
        cursors = {sort: cursor_after(row, sort) for sort in Sort}
        db.session.rollback()
    for sort in Sort:
        for other, cursor in cursors.items():
            if sort == other:
                assert ids(app, sort=sort, cursor=cursor) == []
            else:
                with pytest.raises(Malformed):
                    ask(app, sort=sort, cursor=cursor)


HOSTILE_CURSORS = (
    *("x", "=", "é", "\0", "W10", "bnVsbA", "W1tdXQ", "A" * 10_000, "eyJhIjoxfQ", "WyJuZXdlc3QiXQ"),
    "WyJuZXdlc3QiLCIyMDI2LTExLTIzIiwxXQ",  # a day without time and zone
    "WyJuZXdlc3QiLCIyMDI2LTExLTIzVDEwOjAwOjAwKzAwOjAwIiwtMV0",  # a negative id
    "WyJuZXdlc3QiLCIyMDI2LTExLTIzVDEwOjAwOjAwKzAwOjAwIix0cnVlXQ",  # true for an id
    "WyJuZXdlc3QiLCIyMDI2LTExLTIzVDEwOjAwOjAwKzAwOjAwIiwxZTMwMF0",  # a float
)


@on_sqlite
@pytest.mark.parametrize("cursor", HOSTILE_CURSORS)
def test_a_cursor_that_nobody_gave_out_is_refused(app: Flask, cursor: str) -> None:
    with pytest.raises(Malformed):
        ask(app, cursor=cursor)


@on_sqlite
def test_a_cursor_with_an_unfit_name_is_refused(app: Flask, now: datetime) -> None:
    comment = Comment(id=1, created_at=now)
    for name in ("a\0", "\ud800", "x" * 300):
        comment.name = name
        with pytest.raises(Malformed):
            ask(app, sort=Sort.AUTHOR, cursor=cursor_after(comment, Sort.AUTHOR))


def test_more_sites_than_one_union_takes_are_read_all_the_same(
    app: Flask, site: SiteView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comments_service.queue.walk.MERGED_AT_ONCE", 2)
    made = some(app, site, 2)
    for number in range(4):
        origin = f"https://s{number}.example.org"
        other = a_site(app, key=f"s{number}", origins=(origin,))
        later = EARLY + timedelta(hours=1)
        made.append(a_comment(app, other, url=f"{origin}/a", status="pending", now=later))
    assert ids(app, view=View.ALL, page_size=4) == [c.id for c in made[:-5:-1]]


# --- filters ---


def test_each_filter_leaves_what_it_names(app: Flask, site: SiteView) -> None:
    twice: dict[str, Any] = {"status": "pending", "email": "ana@example.org", "network": "192.0.2.0/24"}
    first = a_comment(app, site, **twice)
    later = EARLY + timedelta(minutes=5)  # one network may not send two at once
    second = a_comment(app, site, url="https://news.example.org/b", now=later, **twice)
    later += timedelta(minutes=5)
    same_network = a_comment(app, site, status="pending", network="192.0.2.0/24", now=later)
    change(app, [first, second, same_network], cluster_id=None)  # one sender's are taken for alike
    flagged, letter, held = (a_comment(app, site, status="pending") for _ in range(3))
    change(app, [flagged], flag_count=2)
    change(app, [letter], is_letter=True)
    with app.app_context(), transaction() as session:
        session.add(CommentReason(comment_id=held.id, code="held-word"))
    expected = {
        ("author", first.id): {first.id, second.id},
        ("network", second.id): {first.id, second.id, same_network.id},
        ("thread_id", second.thread_id): {second.id},
        ("reason", "held-word"): {held.id},
        ("reason", "nothing-of-the-kind"): set(),
        ("flagged", True): {flagged.id},
        ("letters", True): {letter.id},
        ("author", 999): set(),
        ("thread_id", 999): set(),
    }
    for sample in (400, 0):  # in order, and by looking up what each names
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("comments_service.queue.walk.SAMPLE", sample)
            found = {(name, value): set(ids(app, **{name: value})) for name, value in expected}
        assert found == expected, sample
    both = {"author": first.id, "thread_id": second.thread_id, "sort": Sort.RISK}
    assert ids(app, **both) == [second.id]
    assert ids(app, view=View.SPAM, author=first.id) == []


def test_an_author_is_found_half_way_through_a_rotation(app: Flask, site: SiteView) -> None:
    old, new = some(app, site, 2, email="ana@example.org")
    ring = KEYS.with_key(Keyring.generate(2))
    change(app, [new], email_hash=ring.email_hash("ana@example.org", site_id=site.id))
    with app.app_context():
        for named in (old, new):
            page = queue_page(
                QueueQuestion(author=named.id),
                access=EVERYWHERE,
                moderator_id=1,
                keys=ring,
                page_size=9,
                now=EARLY,
            )
            assert [row.id for row in page.rows] == [new.id, old.id]


@on_sqlite
def test_the_reasons_to_filter_by_are_those_there_are(app: Flask, site: SiteView) -> None:
    other = a_site(app, key="other", origins=(OTHER,))
    theirs = a_comment(app, other, url=f"{OTHER}/a", status="pending")
    with app.app_context(), transaction() as session:
        session.add(CommentReason(comment_id=theirs.id, code="links"))
    a_comment(app, site, status="pending")
    assert ask(app).reasons == ("every-comment-waits", "links")
    assert ask(app, access=Access(by_site={site.id: Role.VIEWER})).reasons == ("every-comment-waits",)


# --- what others may not see ---


def test_no_view_order_filter_or_count_shows_another_site(app: Flask, site: SiteView) -> None:
    other = a_site(app, key="other", origins=(OTHER,))
    mine = a_comment(app, site, status="pending", email="ana@example.org")
    theirs = some(app, other, 3, url=f"{OTHER}/a", email="ana@example.org")
    moderator = a_moderator(app)
    change(app, [mine, *theirs], cluster_id=theirs[0].id, moderator_id=moderator.id)
    access = Access(by_site={site.id: Role.MODERATOR})
    named = {"author": theirs[0].id, "network": theirs[0].id, "thread_id": theirs[0].thread_id}
    for sort in Sort:
        page = ask(app, access=access, sort=sort, moderator_id=moderator.id)
        assert [row.id for row in page.rows] == [mine.id]
        assert (page.counts[View.PENDING], page.waiting, page.counts[View.MINE]) == (1, 1, 1)
        assert [line.key for line in page.sites] == ["demo"]
        assert (page.rows[0].history, page.rows[0].cluster, page.rows[0].role) == (None, None, "moderator")
    for name, value in named.items():
        assert ids(app, access=access, **{name: value}) == []
    assert ids(app, access=access, cluster=theirs[0].id) == [mine.id]
    with pytest.raises(SiteNotFound):
        ask(app, access=access, site_key="other")
    with app.app_context():
        assert queue_rows([c.id for c in theirs], access=access, keys=KEYS, now=EARLY) == ()
    assert ask(app, access=Access()).rows == ()


# --- what a row knows ---


def test_a_row_tells_what_else_its_author_sent(app: Flask, site: SiteView) -> None:
    other = a_site(app, key="other", origins=(OTHER,))
    for status in ("approved", "approved", "approved", "spam"):
        a_comment(app, site, status=status, email="Ana@example.org")
    a_comment(app, other, url=f"{OTHER}/a", email="ana@example.org")
    known = a_comment(app, site, status="pending", email="ana@example.org")
    new = a_comment(app, site, status="pending")
    history = row_of(app, known).history
    assert history is not None
    assert (history.approved, history.spam, history.pending, history.trash) == (3, 1, 0, 0)
    assert row_of(app, new).history is None


def test_a_row_knows_its_article_and_what_waits_there(app: Flask, site: SiteView) -> None:
    comments = some(app, site, 3)
    a_comment(app, site)
    article = row_of(app, comments[0]).article
    assert (article.approved_count, article.pending_count, article.is_open) == (1, 3, True)
    assert (article.site_key, article.thread_id) == ("demo", comments[0].thread_id)


def test_a_row_carries_its_marks(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="pending")
    moment = EARLY + timedelta(days=1)
    marks = {"pinned_at": moment, "picked_at": moment, "edited_at": moment, "flag_count": 3, "risk": 70}
    change(app, [comment], moderator_id=a_moderator(app).id, **marks)
    row = row_of(app, comment)
    assert (row.is_pinned, row.is_picked, row.is_edited) == (True, True, True)
    assert (row.flag_count, row.risk, row.badge, row.role) == (3, 70, "moderator", Role.OWNER)


def test_the_reasons_are_told_while_they_explain_where_it_stands(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site, status="pending")
    held = {"code": "held-word", "scope": "article", "version": 4, "words": ["casino"]}
    change(app, [comment], verdict={"reasons": [held, {"code": "links"}, {"code": "banned"}]})
    expected = (ReasonLine("held-word", ("casino",), 4, "article"), ReasonLine("links"))
    assert row_of(app, comment).reasons == expected
    change(app, [comment], status="spam")
    assert row_of(app, comment, view=View.SPAM).reasons == (ReasonLine("banned"),)


def test_single_rows_come_anew_in_the_order_asked(app: Flask, site: SiteView) -> None:
    one, two = a_comment(app, site, status="spam"), a_comment(app, site)
    with app.app_context():
        rows = queue_rows([two.id, 999, one.id], access=EVERYWHERE, keys=KEYS, now=EARLY)
    assert [(row.id, row.status) for row in rows] == [(two.id, "approved"), (one.id, "spam")]


# --- clusters ---


def test_a_cluster_is_one_row_by_its_newest_and_its_members_can_be_shown(app: Flask, site: SiteView) -> None:
    alone, first, second, third = some(app, site, 4)
    change(app, [first, second, third], cluster_id=first.id)
    change(app, [alone], cluster_id=alone.id)
    for sort in Sort:
        assert set(ids(app, sort=sort)) == {alone.id, third.id}
    assert ids(app, sort=Sort.OLDEST) == [alone.id, third.id]
    row = row_of(app, third)
    assert row.cluster is not None
    assert (row.cluster.id, row.cluster.size) == (first.id, 3)
    assert row_of(app, alone).cluster is None
    assert ids(app, cluster=first.id) == [third.id, second.id, first.id]
    assert ids(app, view=View.ALL) == [third.id, second.id, first.id, alone.id]


def test_a_cluster_is_shown_by_the_newest_member_that_matches(app: Flask, site: SiteView) -> None:
    first, second, third = some(app, site, 3)
    change(app, [first, second, third], cluster_id=first.id)
    change(app, [first, second], flag_count=1)
    assert ids(app, flagged=True) == [second.id]
    change(app, [third], status="spam")
    row = row_of(app, second)
    assert row.cluster is not None
    assert row.cluster.size == 2
    assert ids(app, page_size=1, sort=Sort.OLDEST) == [second.id]


def test_pages_of_clusters_show_each_of_them_once(app: Flask, site: SiteView) -> None:
    comments = some(app, site, 12)
    for number in range(4):  # 0 4 8, 1 5 9…
        change(app, comments[number::4], cluster_id=comments[number].id)
    for sort in Sort:
        found = walked(app, sort=sort, page_size=1)
        assert sorted(found) == sorted(c.id for c in comments[8:]), sort


def test_counts_stay_true_whatever_is_shown(app: Flask, site: SiteView) -> None:
    comments = some(app, site, 3)
    change(app, comments, cluster_id=comments[0].id)
    page = ask(app)
    with app.app_context():
        waiting = db.session.scalar(select(func.count()).where(Comment.status == Status.PENDING))
        db.session.rollback()
    assert (page.counts[View.PENDING], page.waiting, len(page.rows)) == (waiting, waiting, 1)

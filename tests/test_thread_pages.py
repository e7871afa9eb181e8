"""Pages of a thread: from any comment on, both ways, with the first replies and a way to the others."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import update

from comments_service.article_url import identify
from comments_service.snapshot.replies import REPLIES_SHOWN
from comments_service.storage.database import transaction
from comments_service.storage.models import Comment
from comments_service.vocabulary import SiteView, Status, ThreadSnapshot
from tests.factories import ARTICLE, EARLY, a_comment
from tests.test_snapshot import hide, ids, shown
from tools.thread_load import add


def some(
    app: Flask, site: SiteView, count: int, *, below: int | None = None, status: Status = Status.APPROVED
) -> list[int]:
    """So many comments of the usual article, by their ids."""
    article = identify(ARTICLE, None, origins=site.origins)
    with app.app_context(), transaction() as session:
        return add(session, site.id, article, count, below=below, status=status)


def set_columns(app: Flask, comment_id: int, **values: object) -> None:
    """Write columns that are other rooms' to fill."""
    with app.app_context(), transaction() as session:
        session.execute(update(Comment).where(Comment.id == comment_id).values(values))


def depths(page: ThreadSnapshot) -> list[int]:
    """The levels of the comments on a page, in its order."""
    return [comment.depth for comment in page.comments]


@pytest.mark.parametrize("sort", ["oldest", "newest"])
def test_a_page_begins_with_the_comment_asked_for_and_leads_both_ways(
    app: Flask, site: SiteView, sort: str
) -> None:
    made = some(app, site, 8)
    order = made if sort == "oldest" else made[::-1]
    middle = shown(app, site, page_size=3, sort=sort, comment=order[4])
    assert ids(middle) == order[4:7]
    assert ids(shown(app, site, page_size=3, sort=sort, cursor=middle.next_cursor)) == order[7:]
    before = shown(app, site, page_size=3, sort=sort, cursor=middle.previous_cursor)
    first = shown(app, site, page_size=3, sort=sort, cursor=before.previous_cursor)
    assert (ids(before), ids(first)) == (order[1:4], order[:1])
    assert first.previous_cursor is None
    assert ids(shown(app, site, page_size=3, sort=sort, cursor=first.next_cursor)) == order[1:4]
    assert shown(app, site, page_size=8, sort=sort, comment=order[0]).previous_cursor is None


def test_the_first_replies_stand_below_and_the_others_are_a_cursor_away(app: Flask, site: SiteView) -> None:
    root, other = some(app, site, 2)
    replies = some(app, site, 2 * REPLIES_SHOWN + 5, below=root)
    page = shown(app, site)
    assert ids(page) == [root, *replies[:REPLIES_SHOWN], other]
    assert [comment.replies for comment in page.comments if not comment.root_id] == [len(replies), 0]
    seen, left = [], []
    while page.comments[0].left is not None:
        left.append(page.comments[0].left.count)
        page = shown(app, site, cursor=page.comments[0].left.cursor)
        assert (ids(page)[0], page.next_cursor, page.previous_cursor) == (root, None, None)
        seen += ids(page)[1:]
    assert (seen, left) == (replies[REPLIES_SHOWN:], [REPLIES_SHOWN + 5, 5])


def test_as_many_replies_as_are_shown_leave_none(app: Flask, site: SiteView) -> None:
    (root,) = some(app, site, 1)
    some(app, site, REPLIES_SHOWN, below=root)
    assert shown(app, site).comments[0].left is None
    some(app, site, 1, below=root)
    left = shown(app, site).comments[0].left
    assert left is not None
    assert left.count == 1


def test_a_link_to_a_late_reply_shows_it_with_what_it_answers(app: Flask, site: SiteView) -> None:
    first, root = some(app, site, 2)
    replies = some(app, site, REPLIES_SHOWN + 10, below=root)
    late, answered = replies[-1], replies[-5]
    set_columns(app, late, parent_id=answered, depth=3)
    page = shown(app, site, comment=late)
    assert ids(page) == [root, *replies[:REPLIES_SHOWN], answered, late]
    assert depths(page)[-2:] == [2, 3]
    assert page.comments[0].left is not None
    assert page.comments[0].left.count == 8
    assert first in ids(shown(app, site, cursor=page.previous_cursor))


@pytest.mark.parametrize("hidden", [Status.PENDING, Status.SPAM, Status.TRASH])
def test_a_link_to_what_nobody_sees_leads_to_the_first_page(
    app: Flask, site: SiteView, hidden: Status
) -> None:
    made = some(app, site, 4)
    (root,) = some(app, site, 1, status=hidden)
    (reply,) = some(app, site, 1, below=made[2], status=hidden)
    elsewhere = a_comment(app, site, url=f"{ARTICLE}-2").id
    for comment in (root, reply, elsewhere, 999_999):
        assert ids(shown(app, site, page_size=2, comment=comment)) == made[:2]


def test_a_link_to_a_removed_reply_shows_its_place_where_it_is_needed(app: Flask, site: SiteView) -> None:
    root = a_comment(app, site)
    removed = a_comment(app, site, parent_id=root.id)
    below = a_comment(app, site, parent_id=removed.id)
    hide(app, removed)
    page = shown(app, site, comment=removed.id)
    assert ids(page) == [root.id, removed.id, below.id]
    assert page.comments[1].is_removed
    assert page.comments[0].replies == 1


def test_pinned_comments_stand_above_the_first_page_and_nowhere_else(app: Flask, site: SiteView) -> None:
    made = some(app, site, 6)
    for moment, number in ((1, made[4]), (2, made[1])):
        set_columns(app, number, pinned_at=EARLY + timedelta(minutes=moment))
    first = shown(app, site, page_size=2)
    assert ids(first) == [made[1], made[4], made[0], made[2]]
    assert ids(shown(app, site, page_size=2, comment=made[4])) == ids(first)
    second = shown(app, site, page_size=2, cursor=first.next_cursor)
    assert ids(second) == [made[3], made[5]]
    assert ids(shown(app, site, page_size=2, cursor=second.previous_cursor)) == ids(first)


def test_more_pinned_comments_than_a_page_has_are_lost_to_nobody(app: Flask, site: SiteView) -> None:
    made = some(app, site, 5)
    for number in made[:4]:
        set_columns(app, number, pinned_at=EARLY + timedelta(minutes=number))
    first = shown(app, site, page_size=2)
    assert ids(first)[:2] == [made[3], made[2]]
    second = shown(app, site, page_size=2, cursor=first.next_cursor)
    assert sorted(ids(first) + ids(second)) == made


def test_a_chain_of_answers_is_indented_to_the_last_level_and_then_follows_time(
    app: Flask, site: SiteView
) -> None:
    (root,) = some(app, site, 1)
    chain = some(app, site, 12, below=root)
    for depth, (above, number) in enumerate(pairwise(chain), 3):
        set_columns(app, number, parent_id=above, depth=depth)
    set_columns(app, chain[-1], parent_id=chain[3], depth=6)  # two answers to the first on the last level
    page = shown(app, site)
    assert ids(page) == [root, *chain]
    assert depths(page) == [1, 2, 3, 4, *[5] * 9]


def test_a_page_of_replies_is_empty_once_their_comment_is_gone(app: Flask, site: SiteView) -> None:
    root = a_comment(app, site)
    replies = some(app, site, REPLIES_SHOWN + 1, below=root.id)
    left = shown(app, site).comments[0].left
    assert left is not None
    with app.app_context(), transaction() as session:
        session.execute(update(Comment).where(Comment.id.in_(replies)).values(status=Status.TRASH))
    hide(app, root)
    assert shown(app, site, cursor=left.cursor).comments == ()

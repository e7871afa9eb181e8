"""The read walk: order, nesting, pages, headings, validators."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask

from comments_service.article_url import identify
from comments_service.decisions.articles import open_or_close
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.errors import Malformed
from comments_service.snapshot.counts import counts
from comments_service.snapshot.question import Position, Question, Way, cursor, read_cursor
from comments_service.snapshot.thread import thread
from comments_service.texts import Catalogue
from comments_service.vocabulary import SiteView, Status, ThreadSnapshot
from tests.conftest import NOW
from tests.factories import ARTICLE, EARLY, StoredComment, a_comment, a_site


def shown(app: Flask, site: SiteView, *, page_size: int = 50, **asked: Any) -> ThreadSnapshot:
    """What a reader of the article gets."""
    question = Question(site, identify(ARTICLE, None, origins=site.origins), **asked)
    with app.app_context():
        return thread(question, catalogue=Catalogue.load(), page_size=page_size, build="test", now=NOW)


def ids(page: ThreadSnapshot) -> list[int]:
    """The comments on a page, in its order."""
    return [comment.id for comment in page.comments]


def hide(app: Flask, comment: StoredComment) -> None:
    """Let a moderator trash a comment."""
    with app.app_context():
        decide(Change(comment.id, comment.version, Status.TRASH), by=None, now=NOW)


def test_an_article_never_commented_is_empty_and_open(app: Flask, site: SiteView) -> None:
    page = shown(app, site)
    assert (page.id, page.count, page.heading, page.comments, page.is_open) == (None, 0, "", (), True)


@pytest.mark.parametrize("status", ["pending", "spam", "trash"])
def test_only_approved_comments_are_shown(app: Flask, site: SiteView, status: str) -> None:
    a_comment(app, site, status=status)
    page = shown(app, site)
    assert (page.count, page.comments, page.heading) == (0, (), "")


def test_replies_follow_their_comment_oldest_first_in_either_order(app: Flask, site: SiteView) -> None:
    first = a_comment(app, site, now=EARLY)
    second = a_comment(app, site, now=EARLY + timedelta(minutes=1))
    late = a_comment(app, site, parent_id=first.id, now=EARLY + timedelta(minutes=3))
    later = a_comment(app, site, parent_id=first.id, now=EARLY + timedelta(minutes=4))
    assert ids(shown(app, site)) == [first.id, late.id, later.id, second.id]
    assert ids(shown(app, site, sort="newest")) == [second.id, first.id, late.id, later.id]


def test_replies_deeper_than_the_site_wants_are_shown_flat(app: Flask) -> None:
    site = a_site(app, rules={"max_depth": 2})
    comment = a_comment(app, site)
    for _ in range(3):
        comment = a_comment(app, site, parent_id=comment.id)
    assert [view.depth for view in shown(app, site).comments] == [1, 2, 2, 2]


def test_a_removed_comment_keeps_its_place_while_it_has_replies(app: Flask, site: SiteView) -> None:
    parent = a_comment(app, site, text="Gone.", name="Ana")
    reply = a_comment(app, site, parent_id=parent.id)
    hide(app, parent)
    page = shown(app, site)
    assert ids(page) == [parent.id, reply.id]
    assert (page.comments[0].is_removed, page.comments[0].author, page.comments[0].html) == (True, None, "")
    assert page.count == 1


def test_a_removed_comment_without_replies_is_gone(app: Flask, site: SiteView) -> None:
    parent = a_comment(app, site)
    reply = a_comment(app, site, parent_id=parent.id)
    hide(app, reply)
    hide(app, parent)
    assert shown(app, site).comments == ()


def test_a_reply_two_removed_comments_deep_is_still_reached(app: Flask, site: SiteView) -> None:
    chain = [a_comment(app, site)]
    for _ in range(3):
        chain.append(a_comment(app, site, parent_id=chain[-1].id))
    for comment in chain[:3]:
        hide(app, comment)
    assert ids(shown(app, site)) == [comment.id for comment in chain]


@pytest.mark.parametrize("sort", ["oldest", "newest"])
def test_pages_follow_each_other_without_gap_or_repetition(app: Flask, site: SiteView, sort: str) -> None:
    # Three share one moment: the id must tell them apart
    made = [a_comment(app, site, now=EARLY + timedelta(minutes=min(n, 4))).id for n in range(7)]
    seen: list[int] = []
    place: str | None = None
    for _ in range(4):
        page = shown(app, site, page_size=2, sort=sort, cursor=place)
        seen += ids(page)
        place = page.next_cursor
    assert seen == (made if sort == "oldest" else made[::-1])
    assert place is None


def packed(*values: object) -> str:
    """Values as a cursor carries them."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


WHEN = "2026-11-23T10:00:00+00:00"
FORGED = [
    packed(WHEN, 1, "sideways"),
    packed(WHEN, 1, "below"),
    packed(WHEN, 1, "below", 2, 2**40),
    packed(WHEN, 1, "after", 2, 3),
    packed(WHEN, 1, "after", "2"),
    packed(WHEN, 1, "after", -(2**40)),
    packed(WHEN, True, "after"),
    packed("2026-11-23T10:00:00", 1, "after"),
    packed({}, 1, []),
]


@pytest.mark.parametrize(
    "text", ["", "x", "!!!!", "W10", "WzEsMl0", "bnVsbA", "\ud800", "é", "A" * 5000, *FORGED]
)
def test_a_cursor_nobody_gave_out_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        read_cursor(text)


def test_a_cursor_comes_back_as_it_was() -> None:
    plain, ranked = Position(NOW, 7), Position(NOW, 7, Way.FROM, rank=-3)
    for position in (plain, ranked, Position(NOW, 7, Way.BEFORE), Position(NOW, 7, Way.BELOW, 3, 20)):
        assert read_cursor(cursor(position)) == position


@pytest.mark.parametrize(
    ("count", "heading"), [(1, "One thought on “A bridge”"), (2, "2 thoughts on “A bridge”")]
)
def test_the_heading_has_the_right_plural(app: Flask, site: SiteView, count: int, heading: str) -> None:
    for _ in range(count):
        a_comment(app, site)
    assert shown(app, site, title="A bridge").heading == heading


def test_a_sites_own_heading_wins(app: Flask) -> None:
    site = a_site(
        app, texts={"count.heading": {"one": "{count} thought on “{title}”", "other": "{count} thought"}}
    )
    a_comment(app, site)
    a_comment(app, site)
    assert shown(app, site, title="A bridge").heading == "2 thought"


def test_the_stored_title_stands_in_where_the_page_gives_none(app: Flask, site: SiteView) -> None:
    a_comment(app, site, title="A bridge for the harbour")
    assert shown(app, site).heading == "One thought on “A bridge for the harbour”"


def tag(app: Flask, site: SiteView, **asked: Any) -> str:
    """The validator of an answer."""
    return shown(app, site, **asked).etag


def test_the_validator_changes_with_whatever_readers_see(app: Flask, site: SiteView) -> None:
    tags = [tag(app, site)]
    comment = a_comment(app, site)
    tags.append(tag(app, site))
    with app.app_context():
        open_or_close(comment.thread_id, is_open=False, by=None, now=NOW)
    tags.append(tag(app, site))
    hide(app, comment)
    tags.append(tag(app, site))
    assert all(before != after for before, after in pairwise(tags))


def test_the_validator_differs_for_every_part_of_the_question(app: Flask, site: SiteView) -> None:
    a_comment(app, site)
    asked: list[dict[str, str]] = [{}, {"sort": "newest"}, {"title": "Other"}, {"lang": "de"}]
    assert len({tag(app, site, **one) for one in asked}) == len(asked)


def test_a_waiting_comment_changes_no_validator(app: Flask, site: SiteView) -> None:
    a_comment(app, site)
    before = tag(app, site)
    a_comment(app, site, status="pending")
    assert tag(app, site) == before


def test_counts_come_in_the_order_asked_and_forgive_what_is_no_article(app: Flask, site: SiteView) -> None:
    a_comment(app, site)
    urls = ["https://evil.example.net/", ARTICLE, "null", f"{ARTICLE}-2"]
    with app.app_context():
        found = counts(site, urls, lang=None, catalogue=Catalogue.load())
    assert [(view.url, view.count) for view in found] == list(zip(urls, [0, 1, 0, 0], strict=True))
    assert [view.label for view in found][:2] == ["No comments", "1 comment"]

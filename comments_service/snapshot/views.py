"""Rows as people may see them: one comment, and many in the order in which they are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from comments_service import markup
from comments_service.snapshot.replies import Replies
from comments_service.snapshot.roots import Root
from comments_service.storage.models import Comment
from comments_service.vocabulary import Author, Badge, CommentView, Status, Votes

CACHED_TEXT_CHARACTERS = 2_000  # longer ones are rare, and 2,048 of them would be 128 MiB


def comment_view(
    comment: Comment, page_url: str, depth: int, *, is_own: bool = False, has_votes: bool = False
) -> CommentView:
    """A row as people may see it: its text only if it is approved, or if it is the asker's own."""
    is_shown = is_own or comment.status == Status.APPROVED
    return CommentView(
        id=comment.id,
        parent_id=comment.parent_id,
        depth=depth,
        author=_author(comment) if is_shown else None,
        html=_html(comment.text) if is_shown else "",
        created_at=comment.created_at,
        permalink=permalink(comment, page_url),
        is_removed=not is_shown,
        status=comment.state,
        is_letter=comment.is_letter,
        edited_at=comment.edited_at if is_shown else None,
        is_pinned=is_shown and comment.pinned_at is not None,
        is_picked=is_shown and comment.picked_at is not None,
        root_id=comment.root_id,
        votes=_votes(comment) if has_votes else None,
    )


def permalink(comment: Comment, page_url: str) -> str:
    """The address of a comment on a page of its article."""
    return f"{page_url.partition('#')[0]}#comment-{comment.id}"


@dataclass(frozen=True)
class Frame:
    """What all comments of one page have in common."""

    page_url: str
    max_depth: int
    has_votes: bool = False

    def view(self, comment: Comment, level: int) -> CommentView:
        """A comment on this level, which is shown no deeper than the site wants."""
        depth = min(level, self.max_depth)
        return comment_view(comment, self.page_url, depth, has_votes=self.has_votes)


def in_reading_order(
    roots: Sequence[tuple[Root, Comment]], replies: Replies, frame: Frame
) -> tuple[CommentView, ...]:
    """Depth first: each comment, then what answers it from the oldest on; the roots stay as they are given.

    Deeper than the last level nothing is indented: there all that answers and answers' answers stand in the
    order of time. On one level alone, that is so below each top-level comment.
    """
    below = _homes([root.id for root, _ in roots], replies.comments, max(2, frame.max_depth))
    views = []
    for root, row in roots:
        view = frame.view(row, 1)
        views.append(replace(view, replies=root.replies, left=replies.left.get(root.id)))
        waiting = [(comment, 2) for comment in below[root.id][::-1]]
        while waiting:
            comment, level = waiting.pop()
            views.append(frame.view(comment, level))
            waiting += [(reply, level + 1) for reply in below[comment.id][::-1]]
    return tuple(views)


def _homes(
    root_ids: Iterable[int], replies: Iterable[Comment], last_level: int
) -> defaultdict[int, list[Comment]]:
    """What stands below each comment. One whose parent is not on the page stands below its root."""
    levels = dict.fromkeys(root_ids, 1)
    homes: dict[int, int] = {}
    below: defaultdict[int, list[Comment]] = defaultdict(list)
    for comment in sorted(replies, key=lambda c: c.id):  # parents come before what answers them
        above = comment.parent_id if comment.parent_id in levels else comment.root_id
        if above is None or above not in levels:
            continue
        is_last = levels[above] == last_level
        homes[comment.id] = home = homes[above] if is_last else above
        levels[comment.id] = last_level if is_last else levels[above] + 1
        below[home].append(comment)
    for comments in below.values():
        comments.sort(key=lambda c: (c.created_at, c.id))
    return below


def _author(comment: Comment) -> Author:
    badge = comment.badge if comment.moderator_id is None else Badge.MODERATOR
    return Author(comment.name, comment.website, badge)


def _votes(comment: Comment) -> Votes | None:
    """What readers think of it; of what they do not see they think nothing."""
    return Votes(comment.up_count, comment.down_count) if comment.status == Status.APPROVED else None


def _html(text: str) -> str:
    return _kept_html(text) if len(text) <= CACHED_TEXT_CHARACTERS else markup.render(text)


@lru_cache(maxsize=2_048)
def _kept_html(text: str) -> str:
    return markup.render(text)

"""Sites' filters learn from decisions, in their transaction, and unlearn what is undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.spam.features import look_at
from comments_service.spam.model import Filter, Slots
from comments_service.spam.start import new_site
from comments_service.storage.models import Comment
from comments_service.storage.spam import add_weights, read_weights

MOST_AT_ONCE = 100  # comments of one bulk teach: a wave of the same text is one opinion, not a thousand


@dataclass(frozen=True)
class Lessons:
    """What one verb teaches, until its transaction ends: written last, so that others wait for no more."""

    moves: dict[int, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, site_id: int, slots: Slots, step: float) -> None:
        """Move a site's filter by one step."""
        moves = self.moves[site_id]
        for slot, value in slots.items():
            moves[slot] = moves.get(slot, 0.0) + step * value

    def write(self, session: Session) -> None:
        """Carry all of it into the tables; to be called as the last thing before the commit."""
        for site_id, moves in sorted(self.moves.items()):
            add_weights(session, site_id, moves)
        self.moves.clear()


def learn(
    session: Session, comment_ids: Sequence[int], lessons: Lessons, *, is_spam: bool
) -> dict[int, float]:
    """Learn from comments of which somebody said that they are spam, or are not. The steps, by comment.

    A step is what `unlearn` needs. Of many comments the first teach.
    """
    seen = _seen(session, comment_ids[:MOST_AT_ONCE])
    sites: dict[int, set[int]] = defaultdict(set)
    for site_id, slots in seen.values():
        sites[site_id] |= slots.keys()
    filters = {site_id: site_filter(session, site_id, slots) for site_id, slots in sites.items()}
    steps: dict[int, float] = {}
    for comment_id, (site_id, slots) in seen.items():
        steps[comment_id] = filters[site_id].learn(slots, is_spam=is_spam)
        lessons.add(site_id, slots, steps[comment_id])
    return steps


def unlearn(session: Session, comment_id: int, step: float, lessons: Lessons) -> None:
    """Take one comment's step back: the same the other way."""
    for site_id, slots in _seen(session, [comment_id]).values():
        lessons.add(site_id, slots, -step)


def site_filter(session: Session, site_id: int, slots: Collection[int]) -> Filter:
    """A site's filter, as far as these slots go."""
    return Filter(new_site(), read_weights(session, site_id, slots))


def _seen(session: Session, comment_ids: Sequence[int]) -> dict[int, tuple[int, Slots]]:
    """The sites of comments, and what the model sees of them; without letters and edits, in their order."""
    columns = select(Comment.id, Comment.site_id, Comment.name, Comment.website, Comment.text)
    taught = columns.where(
        Comment.id.in_(comment_ids), Comment.is_letter.is_(False), Comment.edits_id.is_(None)
    )
    return {
        row.id: (row.site_id, look_at(row.text, row.name, row.website).slots())
        for row in session.execute(taught.order_by(Comment.id))
    }

"""Sites' filters learn from decisions, in their transaction, and unlearn what is undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.spam.features import FEATURES, SLOTS, Seen, look_at
from comments_service.spam.model import Filter, Slots
from comments_service.spam.start import new_site
from comments_service.storage.journal import JournalRow, standing
from comments_service.storage.models import Comment
from comments_service.storage.spam import add_weights, read_weights

LESSONS = SLOTS + 1  # a slot of its own: how many decisions have taught the site
MOST_AT_ONCE = 100  # comments of one bulk teach: a wave of the same text is one opinion, not a thousand


@dataclass(frozen=True)
class Lessons:
    """What one verb teaches, until its transaction ends: written last, so that others wait for no more."""

    moves: dict[int, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, site_id: int, slots: Slots, step: float, *, is_new: bool) -> None:
        """Move a site's filter by one step, of a new lesson or of one that is taken back."""
        moves = self.moves[site_id]
        for slot, value in slots.items():
            moves[slot] = moves.get(slot, 0.0) + step * value
        moves[LESSONS] = moves.get(LESSONS, 0.0) + (1 if is_new else -1)

    def write(self, session: Session) -> None:
        """Carry all of it into the tables; to be called as the last thing before the commit."""
        for site_id, moves in sorted(self.moves.items()):
            add_weights(session, site_id, moves, features=FEATURES)
        self.moves.clear()


def learn(
    session: Session, comment_ids: Sequence[int], lessons: Lessons, *, is_spam: bool
) -> dict[int, float]:
    """Learn from comments of which somebody said that they are spam, or are not. The steps, by comment.

    A step is what `unlearn` needs. Of many comments the first teach, and none what it has taught already.
    """
    first = comment_ids[:MOST_AT_ONCE]
    taught = _taught(session, first)
    seen = _seen(session, [number for number in first if taught.get(number) is not is_spam])
    sites: dict[int, set[int]] = defaultdict(set)
    for site_id, slots in seen.values():
        sites[site_id] |= slots.keys()
    filters = {site_id: site_filter(session, site_id, slots) for site_id, slots in sites.items()}
    steps: dict[int, float] = {}
    for comment_id, (site_id, slots) in seen.items():
        steps[comment_id] = filters[site_id].learn(slots, is_spam=is_spam)
        lessons.add(site_id, slots, steps[comment_id], is_new=True)
    return steps


def unlearn(
    session: Session, comment_id: int, step: float, lessons: Lessons, *, is_new: bool = False
) -> None:
    """Take one comment's step back: the same the other way. `is_new`: it was taken back before."""
    for site_id, slots in _seen(session, [comment_id]).values():
        lessons.add(site_id, slots, -step, is_new=is_new)


def lesson(step: float) -> dict[str, Any]:
    """A step as the journal keeps it: it means something for the features it was made with."""
    return {"lesson": step, "features": FEATURES}


def is_of_these_features(details: Mapping[str, Any]) -> bool:
    """Whether a step in the journal can still be taken back."""
    return details.get("features") == FEATURES


@dataclass(frozen=True)
class Learner:
    """A site's filter as far as some slots go, and how many decisions taught it."""

    filter: Filter
    lessons: int


def learner(session: Session, site_id: int, slots: Collection[int]) -> Learner:
    """What the site has learned of these slots."""
    learned = read_weights(session, site_id, {*slots, LESSONS}, features=FEATURES)
    count = learned.pop(LESSONS, 0.0)
    return Learner(Filter(new_site(), learned), max(0, round(count)))


def site_filter(session: Session, site_id: int, slots: Collection[int]) -> Filter:
    """A site's filter, as far as these slots go."""
    return learner(session, site_id, slots).filter


def _seen(session: Session, comment_ids: Sequence[int]) -> dict[int, tuple[int, Slots]]:
    """The sites of comments, and what the model sees of them; without letters and edits, in their order."""
    columns = select(
        *(Comment.id, Comment.site_id, Comment.name, Comment.website, Comment.text, Comment.verdict)
    )
    taught = columns.where(
        Comment.id.in_(comment_ids), Comment.is_letter.is_(False), Comment.edits_id.is_(None)
    )
    return {
        row.id: (row.site_id, _look_at(row).slots) for row in session.execute(taught.order_by(Comment.id))
    }


def _taught(session: Session, comment_ids: Sequence[int]) -> dict[int, bool]:
    """What these comments have taught last, that they are spam or are not, as far as that stands.

    What was taken back does not, nor what was learned of other words, or by other features.
    """
    done = select(JournalRow.id, JournalRow.comment_id, JournalRow.undoes_id, JournalRow.details)
    rows = session.execute(done.where(JournalRow.comment_id.in_(comment_ids)).order_by(JournalRow.id))
    taught: dict[int, bool] = {}
    for row in standing(rows):
        if "to_revision" in row.details:
            taught.pop(row.comment_id, None)
        elif "lesson" in row.details and is_of_these_features(row.details):
            taught[row.comment_id] = row.details["lesson"] > 0
    return taught


def _look_at(row: Any) -> Seen:
    """The same that was looked at when the comment was judged."""
    seconds = row.verdict.get("spam", {}).get("seconds")
    return look_at(row.text, row.name, row.website, seconds)

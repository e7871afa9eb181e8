"""What stands on a site's blocklists: how much of each kind, a page of it, and all of it for a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true

from comments_service.blocklists.entries import (
    Action,
    Kind,
    Typed,
    Whose,
    WrongEntry,
    day_of,
    hashes_of,
    sealed,
)
from comments_service.blocklists.folding import fold
from comments_service.rights import require
from comments_service.storage.blocklists import BlockedEntry, holds
from comments_service.storage.database import reading
from comments_service.storage.people import Moderator
from comments_service.vocabulary import ModeratorView, Role

ON_A_PAGE = 50
AT_ONCE = 2_000  # entries of a file in memory


@dataclass(frozen=True)
class ListQuestion:
    """Which entries: those with these words, of this kind; `after` is the id at which the last page ended.

    Networks and addresses are found by the whole of them alone, since no more than a hash is kept.
    """

    q: str = ""
    kind: Kind | None = None
    after: int | None = None


@dataclass(frozen=True)
class ListLine:
    """One entry as it is shown, with who put it there."""

    id: int
    kind: Kind
    shown: str
    action: Action
    note: str
    expires: str
    made_at: datetime
    by: str | None

    @property
    def is_hash(self) -> bool:
        """Whether nothing but a hash can be shown of it, not even a mask."""
        return self.kind == Kind.NETWORK or (self.kind == Kind.ADDRESS and "@" not in self.shown)


@dataclass(frozen=True)
class ListPage:
    """A page of the entries that were asked for, the newest first. `counts` are of the whole list."""

    lines: tuple[ListLine, ...]
    found: int
    counts: tuple[tuple[Kind, Action, int], ...]
    next_after: int | None

    @property
    def total(self) -> int:
        """How many entries there are."""
        return sum(count for *_, count in self.counts)


def list_page(question: ListQuestion, whose: Whose, *, by: ModeratorView | None, now: datetime) -> ListPage:
    """A page of a site's blocklists.

    Raises: NotAllowed for whoever may not moderate the site.
    """
    require(by, Role.MODERATOR, whose.site_id)
    which = and_(holds(whose.site_id, now), asked_for(question, whose))
    rows = select(BlockedEntry, Moderator.name).outerjoin(
        Moderator, Moderator.id == BlockedEntry.moderator_id
    )
    rows = rows.where(which).order_by(BlockedEntry.id.desc()).limit(ON_A_PAGE + 1)
    if question.after is not None:
        rows = rows.where(BlockedEntry.id < question.after)
    counted = select(BlockedEntry.kind, BlockedEntry.action, func.count()).where(holds(whose.site_id, now))
    with reading() as session:
        found = session.execute(rows).all()
        by_both = session.execute(counted.group_by(BlockedEntry.kind, BlockedEntry.action)).all()
        total = session.scalar(select(func.count()).where(which)) or 0
        lines = tuple(_line(row, name) for row, name in found[:ON_A_PAGE])
    more = lines[-1].id if len(found) > ON_A_PAGE else None
    counts = {(kind, action): count for kind, action, count in by_both}
    each = ((kind, action, counts.get((kind, action), 0)) for kind in Kind for action in Action)
    return ListPage(lines, total, tuple(one for one in each if one[2]), more)


def asked_for(question: ListQuestion, whose: Whose) -> ColumnElement[bool]:
    """Which of a site's entries a question is about."""
    of_kind = true() if question.kind is None else BlockedEntry.kind == question.kind
    typed = " ".join(question.q.split())
    if not typed:
        return of_kind
    folded = fold(typed)
    said = BlockedEntry.folded.contains(folded, autoescape=True) if folded else false()
    noted = BlockedEntry.note.icontains(typed, autoescape=True)
    hashes = [hashed for kind in (Kind.NETWORK, Kind.ADDRESS) for hashed in _hashes(kind, typed, whose)]
    return and_(of_kind, or_(said, noted, BlockedEntry.hash.in_(hashes)))


def all_entries(whose: Whose, *, by: ModeratorView | None, now: datetime) -> Iterator[Typed]:
    """Everything that holds, in the order in which it was put there.

    Raises: NotAllowed for whoever may not moderate the site.
    """
    last = 0
    while batch := entries_after(last, whose, by=by, now=now):
        yield from (typed for _, typed in batch)
        last = batch[-1][0]


def entries_after(
    last: int, whose: Whose, *, by: ModeratorView | None, now: datetime
) -> list[tuple[int, Typed]]:
    """The next `AT_ONCE` of them by their ids; networks and addresses as sealed hashes.

    Raises: NotAllowed.
    """
    require(by, Role.MODERATOR, whose.site_id)
    rows = select(BlockedEntry).where(holds(whose.site_id, now), BlockedEntry.id > last)
    with reading() as session:
        found = session.scalars(rows.order_by(BlockedEntry.id).limit(AT_ONCE)).all()
        return [(row.id, _typed(row, whose)) for row in found]


def _hashes(kind: Kind, typed: str, whose: Whose) -> tuple[bytes, ...]:
    try:
        return hashes_of(kind, typed, whose)
    except WrongEntry:
        return ()


def _line(row: BlockedEntry, name: str | None) -> ListLine:
    return ListLine(
        id=row.id,
        kind=Kind(row.kind),
        shown=row.shown,
        action=Action(row.action),
        note=row.note,
        expires=day_of(row.expires_at),
        made_at=row.made_at,
        by=name,
    )


def _typed(row: BlockedEntry, whose: Whose) -> Typed:
    entry = row.shown if row.hash is None else sealed(Kind(row.kind), row.hash, whose)
    return Typed(row.kind, entry, row.action, day_of(row.expires_at), row.note)

"""The owners' verbs for blocklists: put entries on them, one or a whole file, and take them off again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, delete, false, func, insert, or_, select, update
from sqlalchemy.orm import Session

from comments_service.blocklists.entries import MAX_ENTRIES, Entry, Kind
from comments_service.decisions.act import Act
from comments_service.errors import FieldError, FieldsRefused
from comments_service.rights import require
from comments_service.storage.blocklists import BlockedEntry, folded_among, holds
from comments_service.storage.database import lock_for, reading, transaction
from comments_service.storage.models import Site
from comments_service.vocabulary import ModeratorView, Role

ADDED = "blocklist-added"
IMPORTED = "blocklist-imported"
REMOVED = "blocklist-removed"
STEP = 1_000  # entries in one transaction: SQLite has one writer, and readers want to post meanwhile
Progress = Callable[[int], None]
Mark = tuple[Kind, str | bytes | None]


@dataclass(frozen=True)
class Changed:
    """How many entries were put on the lists or taken off; `known` stood there already.

    `batch` is what it is taken back by, None where nothing was done.
    """

    count: int
    batch: str | None
    known: int = 0


def add_entry(site_id: int, entry: Entry, *, by: ModeratorView | None, now: datetime) -> Changed:
    """Put one entry on a site's blocklists.

    Raises: NotAllowed; FieldsRefused when it stands there, is over already, or there is no room.
    """
    if entry.expires_at is not None and entry.expires_at <= now:
        raise _refusal("expires", "past")
    changed = _store(site_id, [entry], Act(by, now), ADDED)
    if not changed.count:
        raise _refusal("entry", "known")
    return changed


def import_entries(
    site_id: int,
    entries: Sequence[Entry],
    *,
    by: ModeratorView | None,
    now: datetime,
    on_progress: Progress = lambda _count: None,
) -> Changed:
    """Put many entries on a site's blocklists; what stands there already stays as it is.

    Raises: NotAllowed; FieldsRefused when there is no room for all. None of them stands there then.
    """
    return _store(site_id, entries, Act(by, now), IMPORTED, on_progress)


def remove_entries(
    site_id: int, which: ColumnElement[bool], *, by: ModeratorView | None, now: datetime
) -> Changed:
    """Take those entries of a site off that this is true for. They can be brought back for some days.

    Raises: NotAllowed.
    """
    act = Act(by, now)
    with transaction() as session:
        require(by, Role.OWNER, site_id)
        count = take_off(session, site_id, which, act)
        return Changed(count, act.batch if count else None)


def take_off(
    session: Session, site_id: int, which: ColumnElement[bool], act: Act, *, undoes: int | None = None
) -> int:
    """The same within a transaction; returns how many there were."""
    _one_at_a_time(session, site_id)
    these = (holds(site_id, act.now), which)
    kinds = _kinds(session, *these)
    if kinds:
        gone = update(BlockedEntry).where(*these).values(removed_at=act.now, removed_batch=act.batch)
        session.execute(gone.execution_options(synchronize_session=False))
        _tell(session, site_id, REMOVED, kinds, act, undoes)
    return kinds.total()


def bring_back(
    session: Session, site_id: int, which: ColumnElement[bool], act: Act, *, undoes: int | None = None
) -> int:
    """Put entries on again that were taken off, as far as they are still kept; returns how many.

    Raises: FieldsRefused when there is no room for them.
    """
    _one_at_a_time(session, site_id)
    these = (BlockedEntry.site_id == site_id, BlockedEntry.removed_at.is_not(None), which)
    kinds = _kinds(session, *these)
    if kinds:
        _refuse_too_many(session, site_id, kinds.total(), act.now)
        back = update(BlockedEntry).where(*these)
        session.execute(back.values(removed_at=None).execution_options(synchronize_session=False))
        _count_up(session, site_id)
        _tell(session, site_id, ADDED, kinds, act, undoes)
    return kinds.total()


def _store(
    site_id: int,
    entries: Sequence[Entry],
    act: Act,
    action: str,
    on_progress: Progress = lambda _count: None,
) -> Changed:
    """Store what is new, step by step. Each is whole by itself, and the line in the journal comes first.

    Where others take the room meanwhile, what was stored of it is taken off again.
    """
    require(act.by, Role.OWNER, site_id)
    with reading() as session:
        version, new = _version(session, site_id), _new(session, site_id, entries, act.now)
    first = count = 0
    while first < len(new):
        try:
            with transaction() as session:
                _one_at_a_time(session, site_id)
                is_otherwise = _version(session, site_id) != version  # somebody has put something on since
                if first == 0 and is_otherwise:
                    new = _new(session, site_id, new, act.now)
                if first == 0 or is_otherwise:
                    _refuse_too_many(session, site_id, len(new) - first, act.now)
                if first == 0 and new:
                    _tell(session, site_id, action, Counter(entry.kind for entry in new), act, None)
                stored = _put(session, site_id, new[first : first + STEP], act)
                version = _version(session, site_id)
        except FieldsRefused:
            remove_entries(site_id, BlockedEntry.batch == act.batch, by=act.by, now=act.now)
            raise
        first, count = first + STEP, count + stored
        on_progress(stored)
    return Changed(count, act.batch if count else None, known=len(entries) - count)


def _new(session: Session, site_id: int, entries: Sequence[Entry], now: datetime) -> list[Entry]:
    """Those that do not stand on the site's lists."""
    known = {
        mark
        for first in range(0, len(entries), STEP)
        for _, mark, has_ended in _like(session, site_id, entries[first : first + STEP], now)
        if not has_ended
    }
    return [entry for entry in entries if entry.mark not in known]


def _refuse_too_many(session: Session, site_id: int, more: int, now: datetime) -> None:
    """Let pass what there is room for, while nobody else changes the lists.

    Raises: FieldsRefused.
    """
    count = session.scalar(select(func.count()).where(holds(site_id, now))) or 0
    if count + more > MAX_ENTRIES:
        raise _refusal("entry", "full")


def _put(session: Session, site_id: int, entries: Sequence[Entry], act: Act) -> int:
    """Store some that do not stand there; returns how many these were."""
    step = _make_room(session, site_id, entries, act.now)
    if step:
        session.execute(insert(BlockedEntry), [_row(site_id, entry, act) for entry in step])
        _count_up(session, site_id)
    return len(step)


def _make_room(session: Session, site_id: int, entries: Sequence[Entry], now: datetime) -> list[Entry]:
    """Drop what was taken off or is over, where the same is put on; returns what does not stand there yet."""
    found = _like(session, site_id, entries, now)
    ended = [number for number, _, has_ended in found if has_ended]
    session.execute(delete(BlockedEntry).where(BlockedEntry.id.in_(ended)))
    known = {mark for _, mark, has_ended in found if not has_ended}
    return [entry for entry in entries if entry.mark not in known]


def _like(
    session: Session, site_id: int, entries: Sequence[Entry], now: datetime
) -> list[tuple[int, Mark, bool]]:
    """The rows that have the marks of these entries, and whether each was taken off or is over."""
    found: list[tuple[int, Mark, bool]] = []
    ended = or_(BlockedEntry.removed_at.is_not(None), BlockedEntry.expires_at <= now)
    for kind in {entry.kind for entry in entries}:
        of_kind = [entry for entry in entries if entry.kind == kind]
        folded = [entry.folded for entry in of_kind if entry.folded is not None]
        hashed = [entry.hash for entry in of_kind if entry.hash is not None]
        column = BlockedEntry.folded if folded else BlockedEntry.hash
        these = folded_among(session, folded) if folded else column.in_(hashed)
        rows = select(BlockedEntry.id, column, func.coalesce(ended, false()))
        rows = rows.where(BlockedEntry.site_id == site_id, BlockedEntry.kind == kind, these)
        found += [(number, (kind, mark), is_over) for number, mark, is_over in session.execute(rows)]
    return found


def _one_at_a_time(session: Session, site_id: int) -> None:
    """Let nobody else change the lists of this site until the transaction ends."""
    lock_for(session, sha256(f"blocklists {site_id}".encode()).digest())


def _row(site_id: int, entry: Entry, act: Act) -> dict[str, Any]:
    made = {"made_at": act.now, "moderator_id": act.by.id if act.by else None, "batch": act.batch}
    return {"site_id": site_id, **vars(entry), **made}


def _kinds(session: Session, *which: ColumnElement[bool]) -> Counter[str]:
    counted = select(BlockedEntry.kind, func.count()).where(*which).group_by(BlockedEntry.kind)
    return Counter(dict(session.execute(counted).all()))


def _version(session: Session, site_id: int) -> int | None:
    """What `_count_up` counts: it is another one where something was put on the lists since."""
    return session.scalar(select(Site.blocklist_version).where(Site.id == site_id))


def _count_up(session: Session, site_id: int) -> None:
    """Let every process know that there are other words now. It locks the site's row, so it comes last."""
    site = update(Site).where(Site.id == site_id)
    session.execute(
        site.values(blocklist_version=Site.blocklist_version + 1).execution_options(synchronize_session=False)
    )


def _tell(
    session: Session, site_id: int, action: str, kinds: Counter[Any], act: Act, undoes: int | None
) -> None:
    """A line of the journal: how many of which kind. What they are is not kept longer than they are."""
    told = ", ".join(f"{kind}: {count}" for kind, count in sorted(kinds.items()))
    about = {"site_id": site_id, "subject": told, "details": {"count": kinds.total()}, "undoes_id": undoes}
    session.add(act.line(action, **about))


def _refusal(field: str, code: str) -> FieldsRefused:
    return FieldsRefused(errors=(FieldError(field, code, f"blocklists.error.{field}.{code}"),))

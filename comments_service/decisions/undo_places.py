"""Takes back what was done to articles: opened, closed, and comments that were moved between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.decisions.act import Act, Found, Late, Undone, Why, locked
from comments_service.decisions.articles import CLOSED, OPENED
from comments_service.decisions.move import lock_trees, locked_places, relocate, tree_of
from comments_service.decisions.undo_comments import Undoer
from comments_service.decisions.verbs import MOVED
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Thread
from comments_service.vocabulary import Decision


def open_or_close_again(session: Session, rows: Sequence[JournalRow], act: Act) -> Undone:
    """Open what was closed, close what was opened, unless somebody has done so since."""
    ids = {row.thread_id for row in rows if row.thread_id is not None}
    found = session.scalars(select(Thread).where(Thread.id.in_(ids)).order_by(Thread.id).with_for_update())
    threads = {thread.id: thread for thread in found}
    count, late = 0, []
    for row in rows:
        thread = threads.get(row.thread_id or 0)
        was_opened = row.action == OPENED
        if thread is None or thread.is_open != was_opened:
            late.append(Late(0, Why.ELSEWHERE))
            continue
        thread.is_open = not was_opened
        thread.version += 1
        about = {"site_id": thread.site_id, "thread_id": thread.id, "subject": row.subject}
        session.add(act.line(CLOSED if was_opened else OPENED, undoes_id=row.id, **about))
        count += 1
    return Undone(None, count, (), tuple(late))


def move_back(session: Session, rows: Sequence[JournalRow], act: Act) -> Undone:
    """Put trees of comments back where they were, with the replies that came since: each whole, or not."""
    trees = _trees(rows)
    tops = locked(session, {top.comment_id for top, _ in trees if top.comment_id is not None}, act.by)
    places = {top.details["before"]["thread_id"] for top, _ in trees if top.comment_id in tops}
    there = lock_trees(session, tops.values(), places)
    done: list[Decision] = []
    late = _topless(rows, trees)
    for top, moved in trees:
        if top.comment_id not in tops:
            late += [Late(number, Why.GONE) for number in moved]
            continue
        tree = tree_of(there, top.comment_id)
        why_not = _changed(tree, moved)
        back = [] if why_not else _carry_back(session, tree, top, moved, act)
        done += back
        late += why_not or ([] if back else [Late(top.comment_id, Why.ELSEWHERE)])
    return Undone(None, len(done), tuple(done), tuple(late))


def same_move(row: JournalRow, rows: Sequence[JournalRow]) -> list[JournalRow]:
    """Those of the rows of one batch that moved the same tree: it is taken back whole."""
    return [other for other in rows if other.details.get("tree") == row.details.get("tree")]


def _trees(rows: Sequence[JournalRow]) -> list[tuple[JournalRow, dict[int, JournalRow]]]:
    """What was moved, by the row about the top of each tree."""
    tops = [row for row in rows if row.details.get("top")]
    return [
        (top, {row.comment_id: row for row in same_move(top, rows) if row.comment_id is not None})
        for top in tops
    ]


def _topless(rows: Sequence[JournalRow], trees: Sequence[tuple[JournalRow, object]]) -> list[Late]:
    """What cannot go back, as its top was deleted. Of a deleted reply the journal knows no tree."""
    whole = {top.details.get("tree") for top, _ in trees}
    lost = [row for row in rows if row.details.get("tree") not in whole and (row.details or not trees)]
    return [Late(row.comment_id or 0, Why.GONE) for row in lost]


def _changed(tree: Mapping[int, Found], moved: Mapping[int, JournalRow]) -> list[Late]:
    return [
        Late(number, Why.CHANGED)
        for number, row in moved.items()
        if number in tree and not tree[number].is_purged and tree[number].version != (row.version or 0) + 1
    ]


def _carry_back(
    session: Session,
    tree: Mapping[int, Found],
    top: JournalRow,
    moved: Mapping[int, JournalRow],
    act: Act,
) -> list[Decision]:
    """Put one tree back; nothing where the comment that it answered has left since."""
    place = top.details["before"]
    thread = session.get_one(Thread, place["thread_id"])
    parent_id = place["parent_id"]
    parent = locked_places(session, [parent_id]).get(parent_id) if parent_id else None
    if parent_id and (parent is None or parent.thread_id != thread.id):
        return []
    return relocate(
        session,
        tree,
        tree[top.comment_id or 0],
        thread,
        parent,
        act,
        page_urls={  # rows of replies deleted since then hold nothing any more
            number: row.details["before"]["page_url"]
            for number, row in moved.items()
            if "before" in row.details
        },
        undoes={number: row.id for number, row in moved.items()},
    )


UNDOERS: dict[str, Undoer] = {
    OPENED: open_or_close_again,
    CLOSED: open_or_close_again,
    MOVED: move_back,
}

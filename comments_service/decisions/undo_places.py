"""Takes back what was done to articles: opened, closed, and comments that were moved between them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.decisions.act import Act, Late, Undone, Why, locked
from comments_service.decisions.articles import CLOSED, OPENED
from comments_service.decisions.move import lock_tree, locked_places, relocate
from comments_service.decisions.undo_comments import Undoer
from comments_service.decisions.verbs import MOVED
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Thread


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
    """Put a tree of comments back where it was, with the replies that came since; all of it, or nothing."""
    moved = {row.comment_id: row for row in rows if row.comment_id is not None}
    top_row = next((row for row in rows if row.details.get("top")), None)
    top = locked(session, moved, act.by).get(top_row.comment_id or 0) if top_row else None
    if top_row is None or top is None:
        return Undone(late=tuple(Late(number, Why.GONE) for number in moved))
    place = top_row.details["before"]
    thread = session.get_one(Thread, place["thread_id"])
    tree = lock_tree(session, top, [thread.id])
    late = [
        Late(number, Why.CHANGED)
        for number, row in moved.items()
        if number in tree and not tree[number].is_purged and tree[number].version != (row.version or 0) + 1
    ]
    parent_id = place["parent_id"]
    parent = locked_places(session, [parent_id]).get(parent_id) if parent_id else None
    if late or (parent_id and (parent is None or parent.thread_id != thread.id)):
        return Undone(late=tuple(late) or (Late(top.id, Why.ELSEWHERE),))
    done = relocate(
        session,
        tree,
        tree[top.id],
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
    return Undone(None, len(done), tuple(done))


UNDOERS: dict[str, Undoer] = {
    OPENED: open_or_close_again,
    CLOSED: open_or_close_again,
    MOVED: move_back,
}

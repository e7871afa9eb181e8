"""Moves comments with all their replies below another article of the same site, and back again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from comments_service.article_url import identify
from comments_service.decisions.act import COLUMNS, Act, Found, Late, Outcome, Why, decision, locked
from comments_service.decisions.showing import shows_otherwise
from comments_service.decisions.verbs import MOVED
from comments_service.errors import ArticleRefused
from comments_service.storage.database import transaction
from comments_service.storage.models import Comment, Site, Thread
from comments_service.storage.roots import show_roots
from comments_service.storage.search import index
from comments_service.storage.threads import found_or_made
from comments_service.vocabulary import Decision, ModeratorView, Status


@dataclass(frozen=True)
class Target:
    """Where to: the article's address, or the id of its thread."""

    address: str = ""
    thread_id: int | None = None


def move(comment_id: int, version: int, to: Target, *, by: ModeratorView | None, now: datetime) -> Outcome:
    """Put a comment, as it was shown in this version, on the first level below another article.

    Raises: as `move_all`.
    """
    return move_all({comment_id: version}, to, by=by, now=now)


def move_all(shown: Mapping[int, int], to: Target, *, by: ModeratorView | None, now: datetime) -> Outcome:
    """The same for many comments, by their versions; a reply of one that moves stays below it.

    An article without comments begins to have some: its thread is made, and stays after an undo.
    `count` is of the comments that were asked for, not of the replies that came along.

    Raises: NotAllowed; ArticleRefused when this is no article of their one site, or all are there already.
    """
    act = Act(by, now)
    with transaction() as session:
        found = locked(session, shown, by)
        late = [Late(number, Why.GONE) for number in shown if number not in found]
        late += [Late(row.id, Why.CHANGED) for row in found.values() if row.version != shown[row.id]]
        late += [Late(row.id, Why.EDIT) for row in found.values() if row.edits_id is not None]
        movable = found.keys() - {one.comment_id for one in late}
        if not movable:
            return Outcome(late=tuple(late))
        target = _thread(session, [found[number] for number in movable], to, now)
        rows = lock_trees(session, [found[number] for number in movable], [target.id])
        done: list[Decision] = []
        for top_id, tree in _trees(rows, movable).items():
            if rows[top_id].thread_id != target.id:
                done += relocate(session, tree, rows[top_id], target, None, act)
        count = len(movable & {one.comment_id for one in done})
        return Outcome(act.batch if done else None, done=tuple(done), late=tuple(late), count=count)


def lock_trees(session: Session, tops: Iterable[Found], thread_ids: Collection[int]) -> dict[int, Found]:
    """Comments and all below them. Comments first, then all threads, then the replies that came meanwhile."""
    tops = list(tops)
    known = {top.id for top in tops}
    locked_places(session, _with_replies(session, known))
    ids = sorted({*thread_ids, *(top.thread_id for top in tops)})
    session.execute(select(Thread.id).where(Thread.id.in_(ids)).order_by(Thread.id).with_for_update()).all()
    return locked_places(session, _with_replies(session, known))


def tree_of(rows: Mapping[int, Found], top_id: int) -> dict[int, Found]:
    """One comment and all below it, out of the rows of several trees."""
    tree = {top_id: rows[top_id]}
    replies: dict[int | None, list[Found]] = {}
    for row in rows.values():
        replies.setdefault(row.parent_id, []).append(row)
    level = [top_id]
    while level:
        below = [row for number in level for row in replies.get(number, [])]
        tree |= {row.id: row for row in below}
        level = [row.id for row in below]
    return {number: tree[number] for number in sorted(tree)}


def relocate(
    session: Session,
    rows: Mapping[int, Found],
    top: Found,
    thread: Thread,
    parent: Found | None,
    act: Act,
    *,
    page_urls: Mapping[int, str] | None = None,
    undoes: Mapping[int, int] | None = None,
) -> list[Decision]:
    """Carry a tree over; `undoes` names the rows of the journal that this takes back, by comment."""
    depth = parent.depth + 1 if parent else 1
    root_id = (parent.root_id or parent.id) if parent else None
    done = []
    for row in rows.values():
        is_top = row.id == top.id
        details = {"before": _place(row), "top": is_top, "tree": top.id}
        url = (page_urls or {}).get(row.id, thread.url)
        place: dict[str, Any] = {
            "thread_id": thread.id,
            "root_id": root_id if is_top else root_id or top.id,
            "depth": row.depth - top.depth + depth,
            "page_url": "" if row.is_purged else url,
            "version": Comment.version + 1,
        }
        if is_top:
            place["parent_id"] = parent.id if parent else None
        changed = update(Comment).where(Comment.id == row.id).values(place)
        session.execute(changed.execution_options(synchronize_session=False))
        session.add(act.row(row, MOVED, details=details, undoes_id=(undoes or {}).get(row.id)))
        if not row.is_purged:
            done.append(decision(row, row.status))
    _take_edits_along(session, rows)
    _follow(session, rows, top.thread_id, thread.id)
    show_roots(session, {top.root_id or top.id, root_id or top.id})
    return done


def _take_edits_along(session: Session, rows: Mapping[int, Found]) -> None:
    """Edits that lie beside what moved belong below the same article."""
    session.flush()
    session.expire_all()
    for edit in session.scalars(select(Comment).where(Comment.edits_id.in_(list(rows)))):
        comment = session.get_one(Comment, edit.edits_id)
        edit.thread_id, edit.page_url = comment.thread_id, comment.page_url
        index(session, edit)


def _place(row: Found) -> dict[str, Any]:
    return {"thread_id": row.thread_id, "parent_id": row.parent_id, "page_url": row.page_url}


def _follow(session: Session, rows: Mapping[int, Found], from_id: int, to_id: int) -> None:
    """Counts and the words for the search follow."""
    shown = Counter(row.status for row in rows.values())[Status.APPROVED]
    shows_otherwise(session, {from_id: -shown, to_id: shown})
    session.flush()
    session.expire_all()
    for row in rows.values():
        if not row.is_purged:
            index(session, session.get_one(Comment, row.id))


def _thread(session: Session, rows: Collection[Found], to: Target, now: datetime) -> Thread:
    if len({row.site_id for row in rows}) > 1:
        raise ArticleRefused("address", "sites")
    site = session.get_one(Site, next(iter(rows)).site_id)
    if to.thread_id is not None:
        thread = session.get(Thread, to.thread_id)
    else:
        article = identify(to.address, None, origins=site.origins)
        thread = found_or_made(session, site.id, article, title="", now=now)
    if thread is None or thread.site_id != site.id:
        raise ArticleRefused("address", "unknown")
    if all(row.thread_id == thread.id for row in rows):
        raise ArticleRefused("address", "same")
    return thread


def _trees(rows: Mapping[int, Found], wanted: Collection[int]) -> dict[int, dict[int, Found]]:
    """The trees that were asked for, by their tops; what stands below another one goes with that."""
    tops = [number for number in sorted(wanted) if not _is_below(rows, number, wanted)]
    return {number: tree_of(rows, number) for number in tops}


def _is_below(rows: Mapping[int, Found], number: int, others: Collection[int]) -> bool:
    parent_id = rows[number].parent_id
    while parent_id in rows:
        if parent_id in others:
            return True
        parent_id = rows[parent_id].parent_id
    return False


def _with_replies(session: Session, ids: Collection[int]) -> set[int]:
    found = level = set(ids)
    while level:
        replies = select(Comment.id).where(Comment.parent_id.in_(level))
        level = set(session.scalars(replies)) - found
        found = found | level
    return found


def locked_places(session: Session, ids: Collection[int]) -> dict[int, Found]:
    """These comments, and what stays of those that were removed."""
    wanted = select(*COLUMNS).where(Comment.id.in_(ids)).order_by(Comment.id)
    return {row.id: row for row in session.execute(wanted.with_for_update(key_share=True))}

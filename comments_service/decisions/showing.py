"""What readers see follows each decision, in its transaction: counts, versions, and known addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from comments_service.article_url import normalise_url
from comments_service.decisions.act import Found
from comments_service.storage.models import Comment, Thread, ThreadAlias
from comments_service.storage.roots import show_roots
from comments_service.storage.threads import learn_alias
from comments_service.vocabulary import Status


def shows_otherwise(session: Session, differences: Mapping[int, int]) -> None:
    """Say of each thread that readers see it otherwise now, with so many more comments or fewer."""
    for thread_id, difference in sorted(differences.items()):  # one order for all: no deadlocks
        shown = {
            "approved_count": Thread.approved_count + difference,
            "version": Thread.version + 1,
        }
        session.execute(update(Thread).where(Thread.id == thread_id).values(shown))


def recount(session: Session, moved: Iterable[tuple[Found, str]]) -> None:
    """Carry into the threads what became visible or hidden: comments as they were, and their new status."""
    differences: Counter[int] = Counter()
    roots: set[int] = set()
    for row, to_status in moved:
        difference = (to_status == Status.APPROVED) - (row.status == Status.APPROVED)
        if difference:
            differences[row.thread_id] += difference
            roots.add(row.root_id or row.id)
    shows_otherwise(session, differences)
    show_roots(session, roots)


def teach(session: Session, approved: Iterable[Found]) -> set[int]:
    """Let the addresses of approved comments lead to their threads; returns who taught a new one."""
    teachers: set[int] = set()
    addresses = {row.id: (row.site_id, normalise_url(row.page_url), row.thread_id) for row in approved}
    known = _known(session, {address for _, address, _ in addresses.values()})
    for comment_id, (site_id, address, thread_id) in addresses.items():
        if (site_id, address) not in known:
            known.add((site_id, address))
            learn_alias(session, session.get_one(Thread, thread_id), address)
            teachers.add(comment_id)
    return teachers


def unteach(session: Session, row: Found) -> None:
    """Forget the address that one approval taught, unless another approved comment came from there."""
    witness = select(Comment.id).where(
        Comment.thread_id == row.thread_id,
        Comment.page_url == row.page_url,
        Comment.status == Status.APPROVED,
        Comment.id != row.id,
    )
    if session.scalars(witness.limit(1)).first() is None:
        taught = (ThreadAlias.site_id == row.site_id, ThreadAlias.thread_id == row.thread_id)
        address = normalise_url(row.page_url)
        session.execute(delete(ThreadAlias).where(*taught, ThreadAlias.normalised_url == address))


def _known(session: Session, addresses: set[str]) -> set[tuple[int, str]]:
    there = select(ThreadAlias.site_id, ThreadAlias.normalised_url).where(
        ThreadAlias.normalised_url.in_(addresses)
    )
    return {(row.site_id, row.normalised_url) for row in session.execute(there)}

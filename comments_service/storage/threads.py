"""Which thread an article has: the owner's id first, else the address under which it is known."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from comments_service.storage.base import Base
from comments_service.storage.models import Thread, ThreadAlias
from comments_service.vocabulary import ArticleRef


def find_thread(session: Session, site_id: int, article: ArticleRef) -> Thread | None:
    """The article's thread, or None before its first comment.

    An id nobody knows falls back to the address, unless the thread found there has an id of its own:
    then these are two articles on one page.
    """
    if article.explicit_id is not None:
        by_id = select(Thread).where(Thread.site_id == site_id, Thread.explicit_id == article.explicit_id)
        if (thread := session.scalars(by_id).one_or_none()) is not None:
            return thread
    thread = _by_address(session, site_id, article.normalised_url)
    if thread is not None and article.explicit_id is not None and thread.explicit_id is not None:
        return None
    return thread


def open_thread(session: Session, site_id: int, article: ArticleRef, *, title: str, now: datetime) -> Thread:
    """The article's thread, made now if this is its first comment; locked until the transaction ends."""
    thread = found_or_made(session, site_id, article, title=title, now=now)
    session.refresh(thread, with_for_update=True)
    return thread


def found_or_made(
    session: Session, site_id: int, article: ArticleRef, *, title: str, now: datetime
) -> Thread:
    """The same without a lock, for whoever must lock something else first."""
    return find_thread(session, site_id, article) or _make(session, site_id, article, title, now)


def learn_alias(session: Session, thread: Thread, normalised_url: str) -> None:
    """Let the address lead to the thread, unless it already leads somewhere."""
    values = {"site_id": thread.site_id, "normalised_url": normalised_url, "thread_id": thread.id}
    session.execute(insert_if_absent(session, ThreadAlias, values))


def insert_if_absent(session: Session, model: type[Base], values: dict[str, object]) -> Insert:
    """An INSERT that leaves an existing row alone, in the words of the database at hand."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(model).values(values).on_conflict_do_nothing()
    return sqlite.insert(model).values(values).on_conflict_do_nothing()


def _by_address(session: Session, site_id: int, normalised_url: str) -> Thread | None:
    known = select(Thread).join(ThreadAlias, ThreadAlias.thread_id == Thread.id)
    known = known.where(ThreadAlias.site_id == site_id, ThreadAlias.normalised_url == normalised_url)
    return session.scalars(known).one_or_none()


def _make(session: Session, site_id: int, article: ArticleRef, title: str, now: datetime) -> Thread:
    thread = Thread(
        site_id=site_id, explicit_id=article.explicit_id, url=article.url, title=title, created_at=now
    )
    session.add(thread)
    session.flush()
    # With an id the address is a stranger's claim until a comment that came from it is approved
    if article.explicit_id is None:
        learn_alias(session, thread, article.normalised_url)
    return thread

"""The tables of rules as they were at each time, and of the surges during which comments wait."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from comments_service.storage.base import Base
from comments_service.storage.models import Site, Thread
from comments_service.vocabulary import InForce, Rules, SiteView


class RuleSet(Base):
    """The rules of a site, or an article's own (`thread_id`), in one version; never changed afterwards.

    A site's hold every rule, an article's those it has instead. What is in force stands on site and thread.
    """

    __tablename__ = "rule_set"
    __table_args__ = (UniqueConstraint("site_id", "thread_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("thread.id"))
    version: Mapped[int]
    rules: Mapped[dict[str, Any]]
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("moderator.id"))
    made_at: Mapped[datetime]


class Surge(Base):
    """A time in which an article got far more comments than it usually does.

    It ends by itself: while it lasts, each comment that comes too quickly moves its end onward.
    """

    __tablename__ = "surge"
    __table_args__ = (Index("ix_surge_thread", "thread_id", "ends_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"))
    began_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]


def in_force(site: SiteView | Site, thread: Thread | None) -> InForce:
    """The rules for one article: its site's, but for those it has itself."""
    rules = site.rules if isinstance(site, SiteView) else Rules.of(site.rules)
    if thread is None or not thread.rules:
        return InForce(rules, site.rules_version)
    own = thread.rules
    return InForce(rules.with_own(own), site.rules_version, frozenset(own), thread.rules_version)

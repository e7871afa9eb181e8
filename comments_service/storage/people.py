"""The tables of the people behind the queue: who they are, where they may do what, their sign-ins."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from comments_service.storage.base import Base


class Moderator(Base):
    """Somebody who may decide."""

    __tablename__ = "moderator"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class Grant(Base):
    """A role of one moderator on one site; on every site, later ones too, where `site_id` is missing."""

    __tablename__ = "grant"

    id: Mapped[int] = mapped_column(primary_key=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderator.id"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"), index=True)
    role: Mapped[str] = mapped_column(String(10))


class SignIn(Base):
    """A moderator's session; the cookie's secret is stored as a hash only."""

    __tablename__ = "sign_in"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderator.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]

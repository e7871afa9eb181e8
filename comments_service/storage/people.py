"""The tables of the people behind the queue: who they are, where they may do what, how they come in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from comments_service.storage.base import Base


class Moderator(Base):
    """Somebody who may decide. The row of a removed person stays: the journal goes on to name them."""

    __tablename__ = "moderator"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


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
    browser: Mapped[str] = mapped_column(String(20), default="")
    system: Mapped[str] = mapped_column(String(20), default="")


class HalfSignIn(Base):
    """The right password came, the code is missing: opens nothing but the page that asks for the code."""

    __tablename__ = "half_sign_in"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderator.id"), index=True)
    created_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)


class SecondFactor(Base):
    """The secret that somebody's codes are made of, sealed; good for nothing until a right code came."""

    __tablename__ = "second_factor"

    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderator.id"), primary_key=True)
    secret_sealed: Mapped[bytes]
    begun_at: Mapped[datetime]
    begun_in: Mapped[bytes]  # the hash of the sign-in that alone may look at the secret
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(default=0)  # RFC 6238 §5.2: a code is taken once


class RecoveryCode(Base):
    """One way in without the second factor, stored as a hash only; the row goes with its use."""

    __tablename__ = "recovery_code"

    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderator.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class Invitation(Base):
    """A link by which somebody becomes a moderator; the row goes when it is used or withdrawn."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    role: Mapped[str] = mapped_column(String(10))
    is_everywhere: Mapped[bool] = mapped_column(default=False)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("moderator.id"))
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)


class InvitationSite(Base):
    """One of the sites that an invitation is for."""

    __tablename__ = "invitation_site"

    invitation_id: Mapped[int] = mapped_column(
        ForeignKey("invitation.id", ondelete="CASCADE"), primary_key=True
    )
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)

"""Letters to moderators: the outbox, addresses, wishes, and the worker's sign of life."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; nobody has an address yet, so nobody gets a letter."""
    make_outbox()
    op.create_table(
        "letter_address",
        sa.Column("moderator_id", sa.Integer(), nullable=False),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("email_hash", sa.LargeBinary(), nullable=False),
        sa.Column("mark", sa.String(length=22), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        moderator("letter_address"),
        sa.PrimaryKeyConstraint("moderator_id", name=op.f("pk_letter_address")),
    )
    op.create_table(
        "letter_wish",
        sa.Column("moderator_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("wish", sa.String(length=10), nullable=False),
        sa.Column("next_digest_at", sa.DateTime(timezone=True), nullable=True),
        moderator("letter_wish"),
        site("letter_wish"),
        sa.PrimaryKeyConstraint("moderator_id", "site_id", name=op.f("pk_letter_wish")),
    )
    op.create_index(op.f("ix_letter_wish_next_digest_at"), "letter_wish", ["next_digest_at"])
    op.create_table(
        "worker_sign",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_sign")),
    )


def make_outbox() -> None:
    """One row for one letter to one person."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("moderator_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("comment_id", sa.Integer(), nullable=True),
        sa.Column("address_hash", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        moderator("outbox"),
        site("outbox"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_due", "outbox", ["state", "due_at", "id"])
    op.create_index("ix_outbox_moderator", "outbox", ["moderator_id", "state", "settled_at"])
    op.create_index("ix_outbox_settled", "outbox", ["state", "settled_at"])
    op.create_index(op.f("ix_outbox_address_hash"), "outbox", ["address_hash"])


def moderator(table: str) -> sa.ForeignKeyConstraint:
    """Whose row it is: it goes with them."""
    name = op.f(f"fk_{table}_moderator_id_moderator")
    return sa.ForeignKeyConstraint(["moderator_id"], ["moderator.id"], name=name, ondelete="CASCADE")


def site(table: str) -> sa.ForeignKeyConstraint:
    """The site it is about: it goes with it."""
    return sa.ForeignKeyConstraint(
        ["site_id"], ["site.id"], name=op.f(f"fk_{table}_site_id_site"), ondelete="CASCADE"
    )

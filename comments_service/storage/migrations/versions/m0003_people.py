"""People: who was removed, from where somebody signed in, second factors and invitations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what earlier sign-ins did not say of themselves, and the new tables."""
    op.add_column("moderator", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("browser", "system"):
        op.add_column("sign_in", sa.Column(name, sa.String(length=20), nullable=False, server_default=""))
    make_second_factors()
    make_invitations()


def make_second_factors() -> None:
    """The sealed secrets, the codes for when they are lost, and the sign-ins that wait for a code."""
    op.create_table(
        "half_sign_in",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("moderator_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderator.id"], name=op.f("fk_half_sign_in_moderator_id_moderator")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_half_sign_in")),
    )
    op.create_index(op.f("ix_half_sign_in_moderator_id"), "half_sign_in", ["moderator_id"])
    op.create_table(
        "second_factor",
        sa.Column("moderator_id", sa.Integer(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_in", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderator.id"], name=op.f("fk_second_factor_moderator_id_moderator")
        ),
        sa.PrimaryKeyConstraint("moderator_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("moderator_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderator.id"], name=op.f("fk_recovery_code_moderator_id_moderator")
        ),
        sa.PrimaryKeyConstraint("moderator_id", "code_hash", name=op.f("pk_recovery_code")),
    )


def make_invitations() -> None:
    """The open invitations, with the sites each is for."""
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("is_everywhere", sa.Boolean(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["moderator.id"], name=op.f("fk_invitation_made_by_id_moderator")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    op.create_index(op.f("ix_invitation_ends_at"), "invitation", ["ends_at"])
    op.create_table(
        "invitation_site",
        sa.Column("invitation_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invitation_id"],
            ["invitation.id"],
            name=op.f("fk_invitation_site_invitation_id_invitation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_invitation_site_site_id_site")),
        sa.PrimaryKeyConstraint("invitation_id", "site_id", name=op.f("pk_invitation_site")),
    )

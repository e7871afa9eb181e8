"""From which networks comments came that are gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table. Of what went before nothing is known."""
    op.create_table(
        "network_trail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("network_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("verdict_reason", sa.String(100), nullable=False),
        sa.Column("is_quietly_declined", sa.Boolean(), nullable=False),
        sa.Column("is_brief", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name="fk_network_trail_site_id_site", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_network_trail"),
    )
    op.create_index("ix_network_trail_network", "network_trail", ["network_hash", "created_at"])
    op.create_index("ix_network_trail_brief", "network_trail", ["is_brief", "created_at"])

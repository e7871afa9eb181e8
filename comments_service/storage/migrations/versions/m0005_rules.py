"""Rules in versions, an article's own ones, surges, and letters to the editors."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and let every site go on as it did."""
    with op.batch_alter_table("site") as batch:
        batch.add_column(sa.Column("takes_letters", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("rules", sa.JSON(), nullable=False, server_default="{}"))
        batch.add_column(sa.Column("rules_version", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("thread") as batch:
        batch.add_column(sa.Column("rules", sa.JSON(), nullable=False, server_default="{}"))
        batch.add_column(sa.Column("rules_version", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "rule_set",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("thread_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("moderator_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_rule_set_site_id_site")),
        sa.ForeignKeyConstraint(["thread_id"], ["thread.id"], name=op.f("fk_rule_set_thread_id_thread")),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderator.id"], name=op.f("fk_rule_set_moderator_id_moderator")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_set")),
        sa.UniqueConstraint(
            "site_id", "thread_id", "version", name=op.f("uq_rule_set_site_id_thread_id_version")
        ),
    )
    op.create_table(
        "surge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("thread_id", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["thread_id"], ["thread.id"], name=op.f("fk_surge_thread_id_thread")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surge")),
    )
    op.create_index("ix_surge_thread", "surge", ["thread_id", "ends_at"])
    op.create_index(op.f("ix_surge_began_at"), "surge", ["began_at"])
    op.create_index("ix_comment_thread_time", "comment", ["thread_id", "created_at"])
    convert_rules()
    with op.batch_alter_table("site") as batch:
        batch.drop_column("publishes_known_authors")
        batch.drop_column("max_depth")


def convert_rules() -> None:
    """What two columns said becomes version 1 of the rules; what did not exist stays switched off."""
    connection = op.get_bind()
    query = "SELECT id, publishes_known_authors, max_depth, created_at FROM site"
    for row in connection.execute(sa.text(query)).all():
        rules = {
            "hold_all": not row.publishes_known_authors,
            "hold_newcomers": True,
            "hold_links_from": 0,
            "count_website": False,
            "hold_words": [],
            "refuse_words": [],
            "trusted_pass": True,
            "hold_surge": False,
            "close_after_days": 0,
            "max_depth": row.max_depth,
        }
        values = {"site": row.id, "rules": json.dumps(rules), "at": row.created_at}
        connection.execute(sa.text("UPDATE site SET rules = :rules WHERE id = :site"), values)
        connection.execute(
            sa.text("INSERT INTO rule_set (site_id, version, rules, made_at) VALUES (:site, 1, :rules, :at)"),
            values,
        )

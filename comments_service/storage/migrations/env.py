"""Runs migrations on the connection that `storage.database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from comments_service.storage.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=False,  # the caller holds the one transaction around everything
)
context.run_migrations()

"""The counts of the views by themselves: told after each decision, so that no page is loaded for them."""

from __future__ import annotations

from comments_service.errors import SiteNotFound
from comments_service.queue.counts import counts_of
from comments_service.queue.scope import scope_of
from comments_service.storage.database import reading
from comments_service.vocabulary import ModeratorView


def tally(by: ModeratorView, *, site_key: str) -> dict[str, int]:
    """The counts by view on one site, or on all that the person may see."""
    with reading() as session:
        try:
            scope = scope_of(session, by.access, site_key)
        except SiteNotFound:  # what was done is done: the answer tells it, wherever the form came from
            scope = scope_of(session, by.access, None)
        counts, _ = counts_of(session, scope, by.id)
        return {str(view): count for view, count in counts.items()}

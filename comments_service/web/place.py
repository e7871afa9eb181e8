"""Which part of the queue a moderator looks at: it comes with every form, and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import url_for
from werkzeug.datastructures import MultiDict

from comments_service.errors import PageNotFound

STATUSES = ("pending", "approved", "spam", "trash", "all", "mine")
NARROWING = ("site", "article", "author", "network", "reason", "flagged", "letters", "cluster")
FIELDS = ("status", *NARROWING, "q", "sort", "cursor")


@dataclass(frozen=True)
class Place:
    """A part of the queue, by the fields of its address as they came: what is not asked for is empty."""

    fields: Mapping[str, str]

    @property
    def status(self) -> str:
        """The view."""
        return self.fields["status"]

    @property
    def site(self) -> str:
        """The key of the only site that is shown; empty for all."""
        return self.fields["site"]

    @property
    def q(self) -> str:
        """What is searched for."""
        return self.fields["q"]

    @property
    def cursor(self) -> str:
        """From where on; empty for the first page."""
        return self.fields["cursor"]

    @property
    def narrowed(self) -> bool:
        """Whether something but the view limits what is shown."""
        return any(self.fields[name] for name in (*NARROWING, "q"))

    @property
    def everything(self) -> str:
        """The whole view."""
        return f"{url_for('queue.show')}?{urlencode({'status': self.status})}"

    def address(self, **changed: str | int) -> str:
        """Where this part is shown, or one beside it."""
        asked = {**self.fields, **changed}
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{url_for('queue.show')}?{query}"


def place_of(given: MultiDict[str, str]) -> Place:
    """The place that a query or a form names.

    Raises: PageNotFound for a view that is none.
    """
    fields = {name: given.get(name, "") for name in FIELDS}
    fields["status"] = given.get("status", "pending")
    if fields["status"] not in STATUSES:
        raise PageNotFound
    return Place(fields)

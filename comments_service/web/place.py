"""Which part of the queue a moderator looks at: it comes with every form, and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from flask import url_for
from werkzeug.datastructures import MultiDict

from comments_service.errors import Malformed, PageNotFound
from comments_service.queue.question import QueueQuestion, Sort, View
from comments_service.web.forms import comment_id

FOLDED = ("site", "reason", "flagged", "letters", "edits")  # what the filter bar has fields for
NUMBERS = ("article", "author", "network", "cluster")
NARROWING = (*FOLDED, *NUMBERS, "q")
FIELDS = ("status", *NARROWING, "sort", "cursor")


@dataclass(frozen=True)
class Place:
    """A part of the queue, by the fields of its address as they came: what is not asked for is empty."""

    fields: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """One of the fields."""
        return self.fields[name]

    @property
    def status(self) -> str:
        """The view."""
        return self.fields["status"]

    @property
    def site(self) -> str:
        """The key of the only site that is shown; empty for all."""
        return self.fields["site"]

    @property
    def question(self) -> QueueQuestion:
        """The same, for the room below.

        Raises: Malformed for what is no number, or no order.
        """
        numbers = {name: comment_id(self.fields[name]) for name in NUMBERS}
        is_strange = any(self.fields[name] and number is None for name, number in numbers.items())
        if is_strange or self.fields["sort"] not in ("", *Sort):
            raise Malformed
        return QueueQuestion(
            view=View(self.status),
            site_key=self.site or None,
            thread_id=numbers["article"],
            author=numbers["author"],
            network=numbers["network"],
            cluster=numbers["cluster"],
            reason=self.fields["reason"] or None,
            flagged=bool(self.fields["flagged"]),
            letters=bool(self.fields["letters"]),
            edits=bool(self.fields["edits"]),
            q=self.fields["q"],
            sort=Sort(self.fields["sort"] or self.usual_sort),
            cursor=self.fields["cursor"] or None,
        )

    @property
    def usual_sort(self) -> Sort:
        """The order where none is asked for."""
        return Sort.DOUBT if self.status == View.CHECK else Sort.NEWEST

    @property
    def narrowing(self) -> tuple[str, ...]:
        """The names of the fields that limit what is shown."""
        return tuple(name for name in NARROWING if self.fields[name])

    @property
    def folded(self) -> int:
        """How many of them stand in the part of the filter bar that phones fold away."""
        return sum(bool(self.fields[name]) for name in FOLDED)

    @property
    def everything(self) -> str:
        """The address of the whole view."""
        return self.address(**dict.fromkeys((*NARROWING, "cursor"), ""))

    def query(self, **changed: str | int) -> str:
        """The place as a query, with some fields changed."""
        asked = {**self.fields, **changed}
        return urlencode({name: value for name, value in asked.items() if value})

    def address(self, **changed: str | int) -> str:
        """Where this part is shown, or one beside it."""
        return f"{self._queue}?{self.query(**changed)}"

    @cached_property
    def _queue(self) -> str:
        return url_for("queue.show")  # a page has hundreds of addresses in it


def place_of(given: MultiDict[str, str]) -> Place:
    """The place that a query or a form names.

    Raises: PageNotFound for a view that is none.
    """
    fields = {name: given.get(name, "") for name in FIELDS}
    fields["status"] = given.get("status", View.PENDING)
    if fields["status"] not in list(View):
        raise PageNotFound
    return Place(fields)


def checked(place: Place) -> Place:
    """The same, once it is sure that it can be shown: asked before anything is done that leaves a trace.

    Raises: Malformed.
    """
    _ = place.question
    return place

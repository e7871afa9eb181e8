"""The orders of the queue, and the cursors that say where a page ends."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, tuple_

from comments_service.errors import Malformed
from comments_service.queue.question import Sort
from comments_service.storage.models import Comment
from comments_service.vocabulary import MAX_NAME_CHARACTERS, NOT_JUDGED

MAX_INTEGER = 2**31 - 1  # PostgreSQL's integer


@dataclass(frozen=True)
class Order:
    """The columns that rows are ordered by, all in one direction, so that an index can be walked either way.

    Every order ends with time and id: no two rows are equal, and each place has one row after it.
    """

    columns: tuple[str, ...]
    is_falling: bool

    def of(self, comment: type[Comment]) -> list[Any]:
        """The columns of a comment, or of an alias of it."""
        return [getattr(comment, name) for name in self.columns]

    def sorting(self, columns: list[Any]) -> list[ColumnElement[Any]]:
        """What to write behind ORDER BY."""
        return [column.desc() if self.is_falling else column.asc() for column in columns]

    def beyond(self, columns: list[Any], values: tuple[Any, ...]) -> ColumnElement[bool]:
        """Whether a row comes after the place with these values."""
        here, there = tuple_(*columns), tuple_(*values, types=[column.type for column in columns])
        return here < there if self.is_falling else here > there


ORDERS: Mapping[Sort, Order] = {
    Sort.NEWEST: Order(("created_at", "id"), is_falling=True),
    Sort.OLDEST: Order(("created_at", "id"), is_falling=False),
    Sort.ARTICLE: Order(("thread_id", "created_at", "id"), is_falling=True),
    Sort.AUTHOR: Order(("name", "created_at", "id"), is_falling=False),
    Sort.RISK: Order(("risk", "created_at", "id"), is_falling=True),
    Sort.DOUBT: Order(("spam_percent", "created_at", "id"), is_falling=False),
}


def cursor_after(comment: Comment, sort: Sort) -> str:
    """Where the page goes on after this comment. Not signed: it names a place, and opens nothing."""
    values = [getattr(comment, name) for name in ORDERS[sort].columns]
    written = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    packed = json.dumps([sort, *written])
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def read_cursor(text: str, sort: Sort) -> tuple[Any, ...]:
    """The values of the place that a cursor of this order names.

    Raises: Malformed, for a cursor of another order too.
    """
    names = ORDERS[sort].columns
    try:
        word, *written = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if word != sort or len(written) != len(names):
            raise ValueError
        return tuple(_READERS[name](value) for name, value in zip(names, written, strict=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed("The cursor is not one of ours.") from error


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    if moment is None or moment.tzinfo is None or not 1000 < moment.year < 9000:
        raise ValueError
    return moment


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_INTEGER:
        raise ValueError
    return value


def _percent(value: object) -> int:
    return NOT_JUDGED if value == NOT_JUDGED else _number(value)


def _name(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARACTERS or "\0" in value:
        raise ValueError
    value.encode()  # a lone surrogate is a ValueError too
    return value


_READERS: Mapping[str, Callable[[object], Any]] = {
    "created_at": _moment,
    "id": _number,
    "thread_id": _number,
    "name": _name,
    "risk": _number,
    "spam_percent": _percent,
}

"""What a reader asks for, and the cursors that name places in a thread."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from comments_service.errors import Malformed
from comments_service.options import SORTS
from comments_service.vocabulary import ArticleRef, SiteView

_MAX_ID = 2**31


@dataclass(frozen=True)
class Question:
    """What a reader asks for. `lang` and `title` as they came; unknown ones fall back.

    `comment` asks for the page that begins with that comment's place, `cursor` for one that an answer named.
    """

    site: SiteView
    article: ArticleRef
    title: str = ""
    lang: str | None = None
    sort: str = SORTS[0]
    cursor: str | None = None
    comment: int | None = None


class Way(StrEnum):
    """Where a page lies, seen from its cursor's place."""

    AFTER = "after"
    BEFORE = "before"
    FROM = "from"  # begins with the place itself
    BELOW = "below"  # replies of one top-level comment, after the place


@dataclass(frozen=True)
class Position:
    """A comment's place in the order of time, and which way to read from there.

    Of replies it says below which comment they stand, and how many come before: nobody has to count again.
    `rank` is its place by votes, where that is what the comments are ordered by.
    """

    created_at: datetime
    id: int
    way: Way = Way.AFTER
    root_id: int = 0
    seen: int = 0
    rank: int = 0


def cursor(position: Position) -> str:
    """A position as text for the next request. It is not signed: it only names a place in public order."""
    packed: list[object] = [position.created_at.isoformat(), position.id, str(position.way)]
    if position.way is Way.BELOW:
        packed += [position.root_id, position.seen]
    elif position.rank:
        packed.append(position.rank)
    return base64.urlsafe_b64encode(json.dumps(packed).encode()).decode().rstrip("=")


def read_cursor(text: str) -> Position:
    """A position from text.

    Raises: Malformed.
    """
    try:
        moment, number, way, *more = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        position, counts = Position(datetime.fromisoformat(moment), number, Way(way)), [number]
        if position.way is Way.BELOW:
            root_id, seen = more
            position, counts = replace(position, root_id=root_id, seen=seen), [number, root_id, seen]
        elif more:
            (rank,) = more
            position = replace(position, rank=rank)
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed("The cursor is not one of ours.") from error
    is_good = all(type(one) is int and 0 < one < _MAX_ID for one in counts)
    is_good = is_good and type(position.rank) is int and abs(position.rank) < _MAX_ID
    if not is_good or position.created_at.tzinfo is None or not 2000 < position.created_at.year < 3000:
        raise Malformed("The cursor is not one of ours.")
    return position


def iso(moment: datetime) -> str:
    """A time as every answer writes it: RFC 3339, in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

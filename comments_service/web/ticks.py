"""The comments that a form of the queue means, as the page had shown them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import request

from comments_service.errors import Malformed
from comments_service.vocabulary import Seen
from comments_service.web.forms import MAX_COMMENT_ID, comment_id

MAX_TICKS = 500  # more than the longest page; the transaction of a decision stays short
_TICK = re.compile(r"([0-9]{1,10}):([0-9]{1,10})(?:\+([0-9]{1,10})\.([0-9]{1,10}))?")


@dataclass(frozen=True)
class Tick:
    """One comment in the version that was shown; where its row stood for all like it, `seen` says how far."""

    comment_id: int
    version: int
    seen: Seen | None = None


def ticks() -> list[Tick]:
    """What is ticked in the form that was sent.

    Raises: Malformed, also for more than one page can have.
    """
    found = request.form.getlist("tick")
    if len(found) > MAX_TICKS:
        raise Malformed
    return [read_tick(text) for text in found]


def read_tick(text: str) -> Tick:
    """One comment as rows name it.

    Raises: Malformed.
    """
    match = _TICK.fullmatch(text)
    number = comment_id(match[1]) if match else None
    version = comment_id(match[2]) if match else None
    if match is None or number is None or version is None:
        raise Malformed
    if match[3]:
        seen = Seen(*(min(int(digits), MAX_COMMENT_ID) for digits in match.groups()[2:]))
        return Tick(number, version, seen)
    return Tick(number, version)

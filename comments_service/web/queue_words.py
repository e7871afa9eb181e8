"""The words of the queue that are put together: what somebody did before, and what the scripts say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import url_for

from comments_service.queue.lines import HistoryLine
from comments_service.web.doubts import sentences
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

MAX_NUMBER = 2147483647  # PostgreSQL's integer: no prefix of an address will hold it
SPOKEN = (
    *("queue.bulk.ticked", "queue.heading.pending", "queue.title", "queue.title.waiting"),
    *("queue.live.again", "queue.live.as_it_is", "queue.live.claim", "queue.live.not_here"),
    *("queue.live.nothing_to_undo", "queue.live.sign_in", "queue.ask", "queue.done.nothing"),
    "queue.undo",
)
SPOKEN_FAMILIES = ("queue.done.", "queue.trouble.")


def queue_words() -> dict[str, Any]:
    """What the queue's templates may use beside the words of every page."""
    words = moderators_words()
    say, say_count = words["say"], words["say_count"]
    known = wiring().catalogue.languages[words["lang"]]
    return words | {
        "url_for": numbered_addresses(),
        "said_of": lambda opinion: sentences(opinion, say),
        "history": lambda line: _history(line, say, say_count),
        "because": lambda code: _named(code, ("queue.reason", "queue.why"), known),
        "reason_name": lambda code: _named(code, ("queue.why",), known),
        "scripts_texts": lambda: {
            key: text for key, text in known.items() if key in SPOKEN or key.startswith(SPOKEN_FAMILIES)
        },
    }


def numbered_addresses() -> Callable[..., str]:
    """`url_for` for one answer: of addresses that differ by a number alone, the router builds the first."""
    made: dict[str, tuple[str, str]] = {}

    def address(endpoint: str, /, **values: Any) -> str:
        if values.keys() != {"number"}:
            return url_for(endpoint, **values)
        if endpoint not in made:
            before, _, after = url_for(endpoint, number=MAX_NUMBER).rpartition(str(MAX_NUMBER))
            made[endpoint] = before, after
        return f"{made[endpoint][0]}{values['number']:d}{made[endpoint][1]}"

    return address


def _named(code: str, families: Sequence[str], known: Mapping[str, Any]) -> str:
    """The catalogue's words for a reason; the code itself where an older or newer service had another one."""
    keys = (f"{family}.{code}" for family in families)
    return next((str(known[key]) for key in keys if key in known), code)


def _history(line: HistoryLine, say: Callable[..., str], say_count: Callable[..., str]) -> str:
    """What became of the same person's other comments: “3 approved, 1 spam before”."""
    counts = {"approved": line.approved, "spam": line.spam, "trash": line.trash, "pending": line.pending}
    parts = [say_count(f"queue.history.{name}", count) for name, count in counts.items() if count]
    return say("queue.history", parts=say("queue.history.comma").join(parts))

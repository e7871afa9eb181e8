"""The moderators' queue: what waits, with all it takes to decide. Everything works by plain forms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session, url_for

from comments_service.errors import CommentNotFound, Malformed
from comments_service.queue.lines import QueuePage, QueueRow
from comments_service.queue.page import queue_page, queue_rows
from comments_service.queue.question import Sort, View
from comments_service.reveal import reveal_email
from comments_service.vocabulary import Status
from comments_service.web.forms import comment_id
from comments_service.web.place import Place, checked, place_of
from comments_service.web.queue_words import queue_words
from comments_service.web.sessions import NOTICE, require_moderator
from comments_service.web.wiring import wiring

VIEWS = (View.PENDING, View.REPORTED, View.APPROVED, View.SPAM, View.CHECK, View.TRASH, View.ALL, View.MINE)
MAX_ID = "<int(max=2147483647):"  # PostgreSQL's integer
MAX_ROWS = 200  # the longest page there is


@dataclass(frozen=True)
class Offer:
    """What a row offers: its buttons, whether its words can be edited and answered, and its marks."""

    buttons: tuple[str, ...]
    writes: bool = True
    marks: tuple[str, ...] = ("flag",)


# What moderators know from WordPress
OFFERS = {
    Status.PENDING: Offer(("approve", "spam", "trash")),
    Status.APPROVED: Offer(("unapprove", "spam", "trash"), marks=("pin", "pick", "flag")),
    Status.SPAM: Offer(("not_spam", "delete"), writes=False, marks=()),
    Status.TRASH: Offer(("restore", "spam", "delete"), writes=False, marks=()),
}
BULK_OFFERS: dict[View, tuple[str, ...]] = {
    **{View(status): offer.buttons for status, offer in OFFERS.items()},
    View.ALL: ("approve", "unapprove", "spam", "trash"),
    View.MINE: ("unapprove", "approve", "trash"),
    View.REPORTED: ("dismiss", "spam", "trash"),
    View.CHECK: ("not_spam", "spam", "delete"),
}
BULK_MARKS = {  # a menu has place for both ways; a key takes the one that fits
    View.PENDING: ("flag", "unflag"),
    **dict.fromkeys(
        (View.APPROVED, View.ALL, View.MINE, View.REPORTED),
        ("pin", "unpin", "pick", "unpick", "flag", "unflag"),
    ),
}
KEYS = {
    "approve": "a",
    "unapprove": "u",
    "spam": "s",
    "trash": "d",
    "delete": "d",
    "not_spam": "u",
    "restore": "u",
    "reply": "r",
    "quick_edit": "q",
    "edit": "e",
    "pin": "p",
    "unpin": "p",
    "pick": "c",
    "unpick": "c",
    "flag": "f",
    "unflag": "f",
    "dismiss": "i",
    "move": "m",
    "author": "b",
    "article": "o",
}
SHORTCUTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("j", "k"), "move"),
    (("a",), "approve"),
    (("u",), "unapprove"),
    (("s",), "spam"),
    (("d",), "trash"),
    (("z",), "undo"),
    (("i",), "dismiss"),
    (("f",), "flag"),
    (("p",), "pin"),
    (("c",), "pick"),
    (("m",), "carry"),
    (("b",), "author"),
    (("o",), "article"),
    (("r",), "reply"),
    (("q",), "quick_edit"),
    (("e",), "edit"),
    (("x",), "tick"),
    (("Shift", "x"), "tick_all"),
    (("Shift", "a"), "ticked"),
    (("/",), "search"),
    (("?",), "sheet"),
    (("Esc",), "escape"),
)

blueprint = Blueprint("queue", __name__)
blueprint.before_request(require_moderator)


@blueprint.get("/")
def home() -> Response:
    """The queue is what moderators come for."""
    return make_response(redirect(url_for("queue.show"), 303))


@blueprint.get("/queue")
def show() -> Response:
    """One page of the queue."""
    place = place_of(request.args)
    return _page(place, ticked=request.args.get("tick") == "all")


@blueprint.get("/queue/rows")
def rows() -> Response:
    """Rows alone: so many as go on after a cursor, or single ones as they are now."""
    place, ids = place_of(request.args), request.args.getlist("id")
    page = _read(place, page_size=_count()) if not ids else _read(place, page_size=1)
    if ids:
        page = replace(page, rows=_single(place, ids))
    return make_response(render_template("queue/_rows.html", **_words(place, page)))


@blueprint.post(f"/queue/{MAX_ID}number>/reveal")
def reveal(number: int) -> Response:
    """Show one email, this once; the audit keeps who looked."""
    parts, place = wiring(), checked(place_of(request.form))
    email = reveal_email(number, by=g.moderator, keys=parts.keys, now=parts.now())
    revealed = {number: email}
    if request.form.get("part") != "row":
        return _page(place, revealed=revealed)
    page = replace(_read(place, page_size=1), rows=_single(place, [str(number)]))
    return make_response(render_template("queue/_rows.html", **_words(place, page) | {"revealed": revealed}))


def _page(place: Place, **more: Any) -> Response:
    page = _read(place, page_size=wiring().settings.page_size)
    html = render_template(
        "queue/queue.html",
        **_words(place, page) | more,
        moderator=g.moderator,
        page_size=wiring().settings.page_size,
        views=VIEWS,
        sorts=tuple(sorted(Sort, key=lambda sort: sort != place.usual_sort)),
        shortcuts=SHORTCUTS,
        bulk=BULK_OFFERS[View(place.status)],
        bulk_marks=BULK_MARKS.get(View(place.status), ()),
        notice=session.pop(NOTICE, None),
    )
    return make_response(html)


def _read(place: Place, *, page_size: int) -> QueuePage:
    parts = wiring()
    return queue_page(
        place.question,
        access=g.moderator.access,
        moderator_id=g.moderator.id,
        keys=parts.keys,
        page_size=page_size,
        now=parts.now(),
    )


def _single(place: Place, ids: list[str]) -> tuple[QueueRow, ...]:
    numbers = [number for text in ids if (number := comment_id(text)) is not None]
    if len(numbers) < len(ids) or len(numbers) > MAX_ROWS:
        raise Malformed
    found = queue_rows(
        numbers,
        access=g.moderator.access,
        keys=wiring().keys,
        now=wiring().now(),
        sort=place.question.sort,
        collapses=place.question.collapses,
    )
    if not found:
        raise CommentNotFound
    return found


def _count() -> int:
    count = comment_id(request.args.get("count", "1"))
    if count is None or count > MAX_ROWS:
        raise Malformed
    return count


def _words(place: Place, page: QueuePage) -> dict[str, Any]:
    about = {"place": place, "page": page, "offers": OFFERS, "keys": KEYS}
    return queue_words() | about | {"revealed": {}, "ticked": False}

"""The moderators' queue: what waits, and the buttons that decide. Everything works by plain forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session, url_for

from comments_service import moderate
from comments_service.errors import CommentNotFound, DecidedMeanwhile, Malformed, PageNotFound
from comments_service.moderate import Change
from comments_service.queue.happened import Happened, happened_to
from comments_service.queue.page import queue_page
from comments_service.queue.question import QueueQuestion, View
from comments_service.reveal import reveal_email
from comments_service.vocabulary import Status
from comments_service.web.forms import comment_id
from comments_service.web.sessions import NOTICE, require_moderator
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

VIEWS = {"pending": Status.PENDING, "approved": Status.APPROVED, "spam": Status.SPAM, "trash": Status.TRASH}
ALL = "all"
NOTHING = "nothing"  # what Enter in a tick box sends
ACTIONS = {
    "approve": Status.APPROVED,
    "unapprove": Status.PENDING,
    "spam": Status.SPAM,
    "not_spam": Status.PENDING,
    "trash": Status.TRASH,
    "restore": Status.PENDING,
}
# What moderators know from WordPress, less what deletes for ever
OFFERS = {
    Status.PENDING: ("approve", "spam", "trash"),
    Status.APPROVED: ("unapprove", "spam", "trash"),
    Status.SPAM: ("not_spam", "trash"),
    Status.TRASH: ("restore", "spam"),
}
BULK_OFFERS: dict[str, tuple[str, ...]] = {
    **{view: OFFERS[status] for view, status in VIEWS.items()},
    ALL: ("approve", "unapprove", "spam", "trash"),
}
MAX_TICKS = 200  # the longest page there is; the transaction of a decision stays short
MAX_ID = "<int(max=2147483647):"  # PostgreSQL's integer
_TICK = re.compile(r"([0-9]{1,10}):([0-9]{1,10})")

blueprint = Blueprint("queue", __name__)
blueprint.before_request(require_moderator)


@dataclass(frozen=True)
class Place:
    """Which part of the queue a moderator looks at: it comes with every form, and decides nothing."""

    status: str
    site: str
    cursor: str

    @property
    def question(self) -> QueueQuestion:
        """The same, for the room below."""
        return QueueQuestion(View(self.status), site_key=self.site or None, cursor=self.cursor or None)

    def address(self, **changed: str) -> str:
        """Where this part is shown."""
        asked = {"status": self.status, "site": self.site, "cursor": self.cursor} | changed
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{url_for('queue.show')}?{query}"


@blueprint.get("/")
def home() -> Response:
    """The queue is what moderators come for."""
    return make_response(redirect(url_for("queue.show"), 303))


@blueprint.get("/queue")
def show() -> Response:
    """One page of the queue."""
    place = _place(request.args)
    return _page(place, ticked=request.args.get("tick") == "all")


@blueprint.post("/queue/decisions")
def decide() -> Response:
    """Decide about one comment or about all that are ticked, as they were shown."""
    place = _place(request.form)
    if request.form.get("decide") == NOTHING:
        return make_response(redirect(place.address(), 303))
    action, ticks = _decision()
    changes = [_change(tick, ACTIONS[action]) for tick in ticks]
    done, late = moderate.decide_all(changes, by=g.moderator, now=wiring().now())
    repeated, late = _told_apart(late)
    count = len(done) + repeated
    if changes and not count:
        return _too_late(place, late)
    key = f"queue.done.{action}" if changes else "queue.done.nothing"
    session[NOTICE] = {"key": key, "count": count, "late": len(late)}
    return make_response(redirect(place.address(), 303))


@blueprint.post(f"/queue/{MAX_ID}number>/reveal")
def reveal(number: int) -> Response:
    """Show one email, this once; the audit keeps who looked."""
    parts = wiring()
    email = reveal_email(number, by=g.moderator, keys=parts.keys, now=parts.now())
    return _page(_place(request.form), revealed={number: email})


@blueprint.post(f"/queue/articles/{MAX_ID}number>")
def open_or_close(number: int) -> Response:
    """Let an article take comments, or no more."""
    wanted = request.form.get("article")
    if wanted not in ("open", "close"):
        raise Malformed
    moderate.open_or_close(number, is_open=wanted == "open", by=g.moderator, now=wiring().now())
    session[NOTICE] = {"key": f"queue.article.{wanted}_done"}
    return make_response(redirect(_place(request.form).address(), 303))


def _page(place: Place, *, ticked: bool = False, revealed: dict[int, str] | None = None) -> Response:
    parts = wiring()
    page = queue_page(
        place.question,
        access=g.moderator.access,
        moderator_id=g.moderator.id,
        keys=parts.keys,
        page_size=parts.settings.page_size,
        now=parts.now(),
    )
    html = render_template(
        "queue/queue.html",
        **moderators_words(),
        moderator=g.moderator,
        page=page,
        place=place,
        views=(*VIEWS, ALL),
        offers=OFFERS,
        bulk=BULK_OFFERS[place.status],
        ticked=ticked,
        revealed=revealed or {},
        notice=session.pop(NOTICE, None),
    )
    return make_response(html)


def _too_late(place: Place, late: list[Change]) -> Response:
    happened = _happened_to(late)
    if len(late) == 1 and happened[0].status is None:
        raise CommentNotFound
    html = render_template(
        "queue/too_late.html",
        **moderators_words(),
        moderator=g.moderator,
        place=place,
        happened=happened,
    )
    return make_response(html, DecidedMeanwhile.status)


def _told_apart(late: list[Change]) -> tuple[int, list[Change]]:
    """A click that came twice is no conflict: how many this moderator has just decided so, and the rest."""
    if not late:
        return 0, []
    known = {h.comment_id: h for h in _happened_to(late)}
    rest = [change for change in late if not _is_own(change, known[change.comment_id])]
    return len(late) - len(rest), rest


def _happened_to(changes: list[Change]) -> list[Happened]:
    return happened_to((change.comment_id for change in changes), access=g.moderator.access)


def _is_own(change: Change, happened: Happened) -> bool:
    return (happened.status, happened.version, happened.by_id) == (
        change.to_status,
        change.version,
        g.moderator.id,
    )


def _place(given: Any) -> Place:
    status = given.get("status", "pending")
    if status not in (*VIEWS, ALL):
        raise PageNotFound
    return Place(status, given.get("site", ""), given.get("cursor", ""))


def _decision() -> tuple[str, list[str]]:
    """The action and its comments: a row's own button names its comment, the bar's buttons mean the ticks."""
    action, _, tick = request.form.get("decide", "").partition(" ")
    if action not in ACTIONS:
        raise Malformed
    ticks = [tick] if tick else request.form.getlist("tick")
    if len(ticks) > MAX_TICKS:
        raise Malformed
    return action, ticks


def _change(tick: str, to_status: Status) -> Change:
    match = _TICK.fullmatch(tick)
    number = comment_id(match[1]) if match else None
    version = comment_id(match[2]) if match else None
    if number is None or version is None:
        raise Malformed
    return Change(number, version, to_status)

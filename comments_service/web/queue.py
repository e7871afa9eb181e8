"""The moderators' queue: what waits, and the buttons that decide. Everything works by plain forms."""

from __future__ import annotations

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session, url_for

from comments_service.errors import PageNotFound
from comments_service.queue.page import queue_page
from comments_service.queue.question import QueueQuestion, View
from comments_service.reveal import reveal_email
from comments_service.vocabulary import Status
from comments_service.web.place import Place, place_of
from comments_service.web.sessions import NOTICE, require_moderator
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

VIEWS = {"pending": Status.PENDING, "approved": Status.APPROVED, "spam": Status.SPAM, "trash": Status.TRASH}
ALL = "all"
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
MAX_ID = "<int(max=2147483647):"  # PostgreSQL's integer

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
    if place.status not in (*VIEWS, ALL):
        raise PageNotFound
    return _page(place, ticked=request.args.get("tick") == "all")


@blueprint.post(f"/queue/{MAX_ID}number>/reveal")
def reveal(number: int) -> Response:
    """Show one email, this once; the audit keeps who looked."""
    parts = wiring()
    email = reveal_email(number, by=g.moderator, keys=parts.keys, now=parts.now())
    return _page(place_of(request.form), revealed={number: email})


def _page(place: Place, *, ticked: bool = False, revealed: dict[int, str] | None = None) -> Response:
    parts = wiring()
    page = queue_page(
        _question(place),
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
        bulk=BULK_OFFERS.get(place.status, BULK_OFFERS[ALL]),
        ticked=ticked,
        revealed=revealed or {},
        notice=session.pop(NOTICE, None),
    )
    return make_response(html)


def _question(place: Place) -> QueueQuestion:
    return QueueQuestion(View(place.status), site_key=place.site or None, cursor=place.cursor or None)

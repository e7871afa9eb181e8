"""Where a letter's link leads: one comment, and the buttons that decide about it, without a sign-in.

Opening the page changes nothing, so that programs which follow links in mail cannot decide. The signed
address stands for the moderator it was sent to, with the rights that moderator has now, for as long as
letters go to that mailbox and no change of the password has ended it.
"""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, request, url_for

from comments_service import tokens
from comments_service.decisions.decide import decide
from comments_service.decisions.happened import Happened, decision_by, happened_to
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change
from comments_service.errors import CommentNotFound, DecidedMeanwhile, LinkEnded, Malformed
from comments_service.notify.recipients import holder_of
from comments_service.queue.lines import QueueRow
from comments_service.queue.page import queue_rows
from comments_service.storage.database import reading
from comments_service.tokens import ConfirmLink
from comments_service.vocabulary import ModeratorView, Role, Status
from comments_service.web.letter_links import private_page
from comments_service.web.own_forms import refuse_foreign_form
from comments_service.web.wiring import wiring

VERBS = {
    "approve": Status.APPROVED,
    "reply": Status.APPROVED,
    "spam": Status.SPAM,
    "trash": Status.TRASH,
}
UNDO = "undo"
FOR_LETTERS = ("spam", "trash")  # what only the editors may read is never published
FOR_EDITS = ("approve", "spam", "trash")

blueprint = Blueprint("confirm", __name__)


@blueprint.get("/confirm/<token>")
def show(token: str) -> Response:
    """The comment as readers would see it, where it stands, and the buttons while it waits."""
    link, moderator = _link(token)
    return _page(token, link, moderator)


@blueprint.post("/confirm/<token>")
def act(token: str) -> Response:
    """Do what a button says, as the moderator the letter was sent to."""
    refuse_foreign_form()
    link, moderator = _link(token)
    verb = request.form.get("do", "")
    if verb == UNDO:
        return _undo(token, link, moderator)
    if verb not in VERBS:
        raise Malformed
    try:
        decide(Change(link.comment_id, link.version, VERBS[verb]), by=moderator, now=wiring().now())
    except DecidedMeanwhile as error:
        happened = _happened(link, moderator)
        if not _is_own(happened, link, moderator) or happened.status != VERBS[verb]:
            return _page(token, link, moderator, status=error.status)
    if verb == "reply":
        here = url_for("comment_page.show", number=link.comment_id, _anchor="reply")
        return make_response(redirect(here, 303))
    return make_response(redirect(url_for("confirm.show", token=token), 303))


def _undo(token: str, link: ConfirmLink, moderator: ModeratorView) -> Response:
    row_id = decision_by(moderator.id, link.comment_id, version=link.version)
    if row_id is None or not undo(by=moderator, now=wiring().now(), journal_id=row_id).count:
        return _page(token, link, moderator, status=DecidedMeanwhile.status)
    return make_response(redirect(url_for("confirm.show", token=token), 303))


def _link(token: str) -> tuple[ConfirmLink, ModeratorView]:
    parts = wiring()
    link = tokens.read_confirm_token(parts.keys, token, now=parts.now())
    with reading() as session:
        moderator = holder_of(session, link)
    if moderator is None:
        raise LinkEnded
    return link, moderator


def _page(token: str, link: ConfirmLink, moderator: ModeratorView, *, status: int = 200) -> Response:
    happened, row = _happened(link, moderator), _row(link, moderator)
    if happened.status is None or row is None:
        raise CommentNotFound
    return private_page(
        "letters/confirm.html",
        status=status,
        token=token,
        moderator=moderator,
        row=row,
        happened=happened,
        is_own=_is_own(happened, link, moderator),
        verbs=_offers(link, moderator, row),
        wanted=request.args.get("do", ""),
    )


def _offers(link: ConfirmLink, moderator: ModeratorView, row: QueueRow) -> tuple[str, ...]:
    """The buttons: none once it was decided, or has changed since the letter was written."""
    if row.status != Status.PENDING or row.version != link.version:
        return ()
    if not row.role.includes(Role.MODERATOR):
        return ()
    return FOR_LETTERS if row.is_letter else FOR_EDITS if row.edit else tuple(VERBS)


def _row(link: ConfirmLink, moderator: ModeratorView) -> QueueRow | None:
    parts = wiring()
    rows = queue_rows([link.comment_id], access=moderator.access, keys=parts.keys, now=parts.now())
    return rows[0] if rows else None


def _happened(link: ConfirmLink, moderator: ModeratorView) -> Happened:
    return happened_to([link.comment_id], access=moderator.access)[0]


def _is_own(happened: Happened, link: ConfirmLink, moderator: ModeratorView) -> bool:
    return (happened.by_id, happened.version) == (moderator.id, link.version + 1)

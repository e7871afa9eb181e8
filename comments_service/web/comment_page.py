"""One comment's own page: everything about it, and the forms that change it. Works without scripts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request, session
from wtforms import Field, StringField

from comments_service.decisions.act import Outcome
from comments_service.decisions.authors import let_stand, lift
from comments_service.decisions.edit import edit
from comments_service.decisions.move import move
from comments_service.decisions.reply import reply
from comments_service.decisions.revisions import Words
from comments_service.decisions.standing import Trace
from comments_service.decisions.undo import UNDOABLE
from comments_service.decisions.verbs import DELETED
from comments_service.dossier import Dossier, dossier
from comments_service.errors import FieldError, FieldsRefused, Malformed
from comments_service.vocabulary import Role, SiteView, Status
from comments_service.web.forms import CommentWords, comment_id, in_words, sentence
from comments_service.web.outcomes import told, wants_json
from comments_service.web.place import place_of
from comments_service.web.queue_words import queue_words
from comments_service.web.sessions import NOTICE, require_moderator
from comments_service.web.wiring import wiring
from comments_service.web.wishes import mistakes, target, wish
from comments_service.web.words import moderators_words

MAX_ID = "<int(max=2147483647):"  # PostgreSQL's integer
PARTS = ("edit", "reply", "move", "author", "file")
TOLD_OF = UNDOABLE | {DELETED, "email-revealed"}  # what the history has words for
VERBS = {
    Status.PENDING: ("approve", "spam", "trash"),
    Status.APPROVED: ("unapprove", "spam", "trash"),
    Status.SPAM: ("not_spam", "trash", "delete"),
    Status.TRASH: ("restore", "spam", "delete"),
}
CAUGHT_VERBS = ("not_spam", "spam", "trash", "delete")

blueprint = Blueprint("comment_page", __name__)
blueprint.before_request(require_moderator)


class EditForm(CommentWords):
    """Name, website and text, under the same limits as when a reader sends them."""

    version = StringField()


class ReplyForm(CommentWords):
    """The text of an answer."""

    version = StringField()

    def validate_name(self, field: Field) -> None:
        """The name is the moderator's own."""


@blueprint.before_request
def know_place() -> None:
    """Where forms lead back to: looked at before anything is done, for no form half works."""
    g.place = place_of(request.form)


@blueprint.get(f"/queue/comments/{MAX_ID}number>")
def show(number: int) -> Response:
    """Everything about one comment; `part` asks for one of its forms alone, or all of it without a frame."""
    found = _dossier(number)
    part = request.args.get("part")
    if part is not None and part not in PARTS:
        raise Malformed
    return _page(found, part=part)


@blueprint.post(f"/queue/comments/{MAX_ID}number>/edit")
def change_words(number: int) -> Response:
    """Put other words in the place of the comment's."""
    found = _dossier(number)
    form = EditForm(found.site)
    if not form.validate():
        return _refused(found, "edit", _errors(form, found.site))
    words = Words(form.name.data or "", form.website.data or None, form.text.data or "")
    outcome = edit(number, _version(), words, by=g.moderator, now=wiring().now())
    key = "comment.done.edit" if outcome.done else "comment.done.same"
    return _told("edit", outcome, key)


@blueprint.post(f"/queue/comments/{MAX_ID}number>/reply")
def answer(number: int) -> Response:
    """Answer in public; a comment that waits is approved by it."""
    found = _dossier(number)
    form = ReplyForm(found.site)
    if not form.validate():
        return _refused(found, "reply", _errors(form, found.site))
    outcome = reply(number, _version(), form.text.data or "", by=g.moderator, now=wiring().now())
    return _told("reply", outcome, "comment.done.reply")


@blueprint.post(f"/queue/comments/{MAX_ID}number>/move")
def carry_over(number: int) -> Response:
    """Move the comment with its replies below another article."""
    found = _dossier(number)
    try:
        outcome = move(number, _version(), target(), by=g.moderator, now=wiring().now())
    except FieldsRefused as error:
        return _refused(found, "move", mistakes(error))
    return _told("move", outcome, "comment.done.move")


@blueprint.post(f"/queue/comments/{MAX_ID}number>/author")
def judge_author(number: int) -> Response:
    """Ban or trust the author, or lift what holds."""
    found = _dossier(number)
    if lifted := comment_id(request.form.get("lift", "")):
        batch = lift(lifted, by=g.moderator, now=wiring().now())
        return _told("lift", Outcome(batch), "comment.done.lift")
    try:
        outcome = let_stand(
            number,
            wish(),
            by=g.moderator,
            keys=wiring().keys,
            now=wiring().now(),
            network_days=wiring().settings.network_retention_days,
        )
    except FieldsRefused as error:
        return _refused(found, "author", mistakes(error))
    return _told("author", outcome, f"comment.done.{request.form.get('kind')}")


def _dossier(number: int) -> Dossier:
    parts = wiring()
    return dossier(number, access=g.moderator.access, keys=parts.keys, now=parts.now())


def _told(verb: str, outcome: Outcome, key: str) -> Response:
    done = (*outcome.done, *outcome.repeated)
    count = len(done) if done else int(not outcome.late)
    notice = {"key": key}
    return told(verb, g.place, done=done, late=outcome.late, batch=outcome.batch, notice=notice, count=count)


def _version() -> int:
    version = comment_id(request.form.get("version", ""))
    if version is None:
        raise Malformed
    return version


def _errors(form: CommentWords, site: SiteView) -> tuple[FieldError, ...]:
    codes = [(field.name, str(field.errors[0])) for field in form if field.errors]
    found = tuple(FieldError(name, code, f"error.{name}.{code}") for name, code in codes)
    lang = moderators_words()["lang"]
    return in_words(found, lambda key: sentence(wiring().catalogue, lang, site, key))


def _refused(found: Dossier, part: str, errors: tuple[FieldError, ...]) -> Response:
    """The form again, with what was typed and what is wrong with it; programs get the problem.

    Raises: FieldsRefused for those.
    """
    if wants_json():
        raise FieldsRefused(errors[0].detail, errors=errors)
    return _page(found, wrong={part: {e.field: e.detail for e in errors}}, status=FieldsRefused.status)


def _page(
    found: Dossier,
    *,
    part: str | None = None,
    wrong: dict[str, dict[str, str]] | None = None,
    status: int = 200,
) -> Response:
    row = found.row
    words: dict[str, Any] = {
        **queue_words(),
        "moderator": g.moderator,
        "it": found,
        "row": row,
        "comment": row.view,
        "typed": request.form if wrong else {},
        "wrong": wrong or {},
        "may_decide": row.role.includes(Role.MODERATOR),
        "verbs": CAUGHT_VERBS if row.is_caught else VERBS[row.status],
        "traces": tuple(Trace),
        "told_of": TOLD_OF,
        "here": request.path if request.method == "GET" else f"/queue/comments/{row.id}",
    }
    if part is not None:
        return make_response(render_template(f"queue/comment/_{part}.html", **words))
    page = render_template("queue/comment/page.html", **words, notice=session.pop(NOTICE, None))
    return make_response(page, status)

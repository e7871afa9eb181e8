"""What is done to all selected comments by a form of its own: moves, bans and trust, closed articles."""

from __future__ import annotations

from flask import Blueprint, Response, g, make_response, render_template, request

from comments_service.decisions.act import Outcome
from comments_service.decisions.articles import open_or_close_all
from comments_service.decisions.authors import let_all_stand
from comments_service.decisions.happened import happened_to
from comments_service.decisions.move import move_all
from comments_service.decisions.standing import Trace
from comments_service.errors import CommentNotFound, FieldsRefused, Malformed
from comments_service.web.outcomes import back, told, wants_json
from comments_service.web.place import Place, place_of
from comments_service.web.sessions import require_moderator
from comments_service.web.ticks import ticks
from comments_service.web.wiring import wiring
from comments_service.web.wishes import mistakes, target, wish
from comments_service.web.words import moderators_words

NAMED = 8  # so many authors are named before a form about them all
OWN_FIELDS = ("csrf_token", "address", "thread", "kind", "mark", "ends", "note")

blueprint = Blueprint("bulk", __name__)
blueprint.before_request(require_moderator)


@blueprint.post("/queue/move")
def carry_over() -> Response:
    """Move all selected comments below one other article; asks which one first."""
    place, shown = place_of(request.form), {tick.comment_id: tick.version for tick in ticks()}
    if not shown:
        return _nothing("move", place)
    if "address" not in request.form and "thread" not in request.form:
        return _form("move", list(shown))
    try:
        outcome = move_all(shown, target(), by=g.moderator, now=wiring().now())
    except FieldsRefused as error:
        return _refused("move", list(shown), error)
    return _told("move", place, "queue.done.move", outcome)


@blueprint.post("/queue/authors")
def judge_authors() -> Response:
    """Ban or trust the authors of all selected comments; asks how first."""
    place, ids = place_of(request.form), list({tick.comment_id: None for tick in ticks()})
    if not ids:
        return _nothing("author", place)
    if "kind" not in request.form:
        return _form("author", ids)
    parts = wiring()
    try:
        outcome = let_all_stand(
            ids,
            wish(),
            by=g.moderator,
            keys=parts.keys,
            now=parts.now(),
            network_days=parts.settings.network_retention_days,
        )
    except FieldsRefused as error:
        return _refused("author", ids, error)
    return _told("author", place, f"queue.done.{request.form['kind']}", outcome)


@blueprint.post("/queue/articles")
def open_or_close() -> Response:
    """Let the articles of all selected comments take comments, or no more."""
    wanted = request.form.get("switch")
    if wanted not in ("open", "close"):
        raise Malformed
    place, ids = place_of(request.form), {tick.comment_id for tick in ticks()}
    if not ids:
        return _nothing(wanted, place)
    outcome = open_or_close_all(ids, is_open=wanted == "open", by=g.moderator, now=wiring().now())
    return _told(wanted, place, f"queue.done.{wanted}", outcome)


def _nothing(verb: str, place: Place) -> Response:
    return told(verb, place, notice={"key": "queue.done.nothing"})


def _told(verb: str, place: Place, key: str, outcome: Outcome) -> Response:
    notice = {"key": key, "count": outcome.count}
    return told(
        verb,
        place,
        done=outcome.done,
        late=outcome.late,
        batch=outcome.batch,
        notice=notice,
        count=outcome.count,
    )


def _refused(part: str, ids: list[int], error: FieldsRefused) -> Response:
    """The form again, with what was typed and what is wrong with it; programs get the problem.

    Raises: FieldsRefused for those.
    """
    errors = mistakes(error)
    if wants_json():
        raise FieldsRefused(errors[0].detail, errors=errors)
    wrong = {part: {one.field: one.detail for one in errors}}
    return _form(part, ids, wrong=wrong, status=FieldsRefused.status)


def _form(
    part: str, ids: list[int], *, wrong: dict[str, dict[str, str]] | None = None, status: int = 200
) -> Response:
    there = [one for one in happened_to(ids, access=g.moderator.access) if one.status is not None]
    if not there:
        raise CommentNotFound
    html = render_template(
        "queue/bulk.html",
        **moderators_words(),
        moderator=g.moderator,
        part=part,
        count=len(there),
        names=list(dict.fromkeys(one.author for one in there)),
        named=NAMED,
        kept=[item for item in request.form.items(multi=True) if item[0] not in OWN_FIELDS],
        action=request.path,
        back=back(place_of(request.form)),
        traces=tuple(Trace),
        typed=request.form if wrong else {},
        wrong=wrong or {},
    )
    return make_response(html, status)

"""The doors of the moderators' verbs: decide, take back, empty, claim; by plain forms and by JSON."""

from __future__ import annotations

import re
from datetime import datetime

from flask import Blueprint, Response, g, jsonify, make_response, redirect, render_template, request

from comments_service.decisions import articles
from comments_service.decisions.act import Why
from comments_service.decisions.claims import look_at
from comments_service.decisions.decide import decide_all
from comments_service.decisions.happened import happened_to
from comments_service.decisions.likes import rest_of, those_like
from comments_service.decisions.purge import Shown, count_shown, empty
from comments_service.decisions.undo import undo as take_back
from comments_service.decisions.verbs import TO_STATUS, Change, Verb
from comments_service.errors import Malformed
from comments_service.vocabulary import MAX_NOTE_CHARACTERS, Status
from comments_service.web.forms import comment_id
from comments_service.web.outcomes import back, sentence, told, wants_json
from comments_service.web.place import NARROWING, Place, place_of
from comments_service.web.sessions import require_moderator
from comments_service.web.ticks import MAX_TICKS, read_tick, ticks
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

NOTHING = "nothing"  # what Enter in a tick box sends
MAX_ID = "<int(max=2147483647):"  # PostgreSQL's integer
BEYOND_SITE = tuple(name for name in NARROWING if name != "site")
_BATCH = re.compile(r"[A-Za-z0-9_-]{22}")

blueprint = Blueprint("decisions", __name__)
blueprint.before_request(require_moderator)


@blueprint.post("/queue/decisions")
def decide() -> Response:
    """Decide about one comment or about all that are ticked, as they were shown."""
    place = place_of(request.form)
    if request.form.get("decide") == NOTHING:
        return make_response(redirect(place.address(), 303))
    verb, changes, collapsed = _wanted()
    if not changes:
        return told(verb, place, notice={"key": "queue.done.nothing"})
    if verb == Verb.DELETE and not (request.form.get("sure") or wants_json()):
        return _ask(len(changes))
    outcome = decide_all(changes, by=g.moderator, now=wiring().now(), reason=_reason(), note=_note())
    done = (*outcome.done, *outcome.repeated)
    rest = rest_of(collapsed & {one.comment_id for one in done}, by=g.moderator)
    return told(verb, place, done=done, late=outcome.late, batch=outcome.batch, rest=rest)


@blueprint.post("/queue/undo")
def undo() -> Response:
    """Take back a whole batch, or the one thing that a row of the audit page tells of."""
    place = place_of(request.form)
    batch, row = request.form.get("batch", ""), comment_id(request.form.get("journal", ""))
    if not (_BATCH.fullmatch(batch) if batch else row):
        raise Malformed
    by, now = g.moderator, wiring().now()
    undone = take_back(by=by, now=now, batch=batch) if batch else take_back(by=by, now=now, journal_id=row)
    notice = {"key": f"queue.done.{'redo' if undone.is_redo else 'undo'}", "count": undone.count}
    return told(
        "undo",
        place,
        done=undone.done,
        late=undone.late,
        batch=undone.batch,
        notice=notice,
        count=undone.count,
    )


@blueprint.post("/queue/empty")
def empty_out() -> Response:
    """Delete for ever what the page had shown of the spam or the trash; asks first."""
    place = place_of(request.form)
    shown = _shown_page(place)
    if not request.form.get("sure"):
        return _ask(count_shown(shown, by=g.moderator))
    count = empty(shown, by=g.moderator, now=wiring().now())
    return told("empty", place, notice={"key": "queue.done.delete", "count": count}, count=count)


@blueprint.post("/queue/claims")
def claims() -> Response:
    """Say that this person looks at the first of these comments, and who looks at the others."""
    shown = dict(_shown(text) for text in request.form.getlist("id")[:MAX_TICKS])
    looking = look_at(shown, by=g.moderator, now=wiring().now())
    age = moderators_words()["age"]
    body = {
        "claims": {str(number): {"name": name} for number, name in looking.names.items()},
        "changed": {
            str(one.comment_id): {
                "status": one.status,
                "by": one.by,
                "age": age(one.at) if one.at else None,
                "sentence": sentence(Why.CHANGED, one),
            }
            for one in happened_to(looking.changed, access=g.moderator.access)
            if one.by_id != g.moderator.id  # the own page knows, or will when its answer comes
        },
    }
    return make_response(jsonify(body))


@blueprint.post(f"/queue/articles/{MAX_ID}number>")
def open_or_close(number: int) -> Response:
    """Let an article take comments, or no more."""
    wanted = request.form.get("switch")
    if wanted not in ("open", "close"):
        raise Malformed
    place, by, now = place_of(request.form), g.moderator, wiring().now()
    batch = articles.open_or_close(number, is_open=wanted == "open", by=by, now=now)
    notice = {"key": f"queue.article.{wanted}_done"}
    return told(wanted, place, batch=batch, notice=notice)


def _ask(count: int) -> Response:
    """Before something is deleted for ever: what that means, and whether it is meant."""
    kept = [
        (name, value) for name, value in request.form.items(multi=True) if name not in ("csrf_token", "sure")
    ]
    html = render_template(
        "queue/ask.html",
        **moderators_words(),
        moderator=g.moderator,
        count=count,
        kept=kept,
        action=request.path,
        back=back(place_of(request.form)),
    )
    return make_response(html)


def _wanted() -> tuple[Verb, list[Change], set[int]]:
    """The verb and its comments: a row's own button names its comment, the bar's buttons mean the ticks.

    Last come those whose rows stood for a cluster; a mark is put on nothing but the row itself.
    """
    word, _, tick = request.form.get("decide", "").partition(" ")
    if word not in set(Verb):
        raise Malformed
    verb = Verb(word)
    ticked = [read_tick(tick)] if tick else ticks()
    changes = [Change(one.comment_id, one.version, verb) for one in ticked]
    if verb not in TO_STATUS:
        return verb, changes, set()
    collapsed = {one: tick.seen for one, tick in zip(changes, ticked, strict=True) if tick.seen}
    like = those_like(collapsed, besides=changes, by=g.moderator, limit=MAX_TICKS)
    return verb, [*changes, *like], {change.comment_id for change in collapsed}


def _shown_page(place: Place) -> Shown:
    """Which comments a page showed. A page that was narrowed further showed less than would go.

    Raises: Malformed.
    """
    if place.status not in ("spam", "trash") or any(place.fields[name] for name in BEYOND_SITE):
        raise Malformed
    try:
        read_at = datetime.fromisoformat(request.form.get("read_at", ""))
    except ValueError:
        raise Malformed from None
    if read_at.tzinfo is None or not 2000 < read_at.year < 3000:
        raise Malformed
    return Shown(Status(place.status), min(read_at, wiring().now()), place.site)


def _shown(text: str) -> tuple[int, int | None]:
    if ":" in text:
        tick = read_tick(text)
        return tick.comment_id, tick.version
    number = comment_id(text)
    if number is None:
        raise Malformed
    return number, None


def _note() -> str:
    """Words to the author of what is declined: one line, or they could not have come from our form.

    Raises: Malformed.
    """
    note = request.form.get("note", "").strip()
    if not note.isprintable() or len(note) > MAX_NOTE_CHARACTERS:
        raise Malformed
    return note


def _reason() -> str:
    reason = request.form.get("reason", "").strip()
    if not reason.isprintable():
        raise Malformed
    return reason

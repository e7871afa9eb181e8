"""What a moderator's click did, told in both ways: as JSON for scripts, as a page or its notice without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import Response, g, jsonify, make_response, redirect, render_template, request, session

from comments_service.decisions.act import Late, Why
from comments_service.decisions.happened import Happened, happened_to
from comments_service.decisions.likes import Rest
from comments_service.errors import CommentNotFound, DecidedMeanwhile
from comments_service.queue.tally import tally
from comments_service.storage.journal import DECIDED
from comments_service.vocabulary import Decision, Status
from comments_service.web.place import Place
from comments_service.web.sessions import LANDINGS, NOTICE
from comments_service.web.words import moderators_words

DEEPER = ("/queue/comments/", "/settings/")  # below these, too, are pages that a form may lead back to
ALWAYS_THE_SAME = (
    *(Why.LETTER, Why.EDIT, Why.OVERTAKEN, Why.UNDONE, Why.ELSEWHERE, Why.TRACELESS),
    Why.FULL,
)
UNFIT = (
    Why.LETTER,
    Why.EDIT,
    Why.UNFIT,
    Why.TRACELESS,
)  # nobody was faster: it does not go with this comment


def wants_json() -> bool:
    """Whether a script asks."""
    best = request.accept_mimetypes.best_match(("text/html", "application/json"))
    return best == "application/json"


def told(
    verb: str,
    place: Place,
    *,
    done: Sequence[Decision] = (),
    late: Sequence[Late] = (),
    batch: str | None = None,
    notice: dict[str, Any] | None = None,
    count: int | None = None,
    rest: Sequence[Rest] = (),
) -> Response:
    """The answer to a click. `notice` is what the next page tells: by default, how many were done so.

    `count` is for what was done to something else than comments; `rest` is what waits of clusters all the
    same.

    Raises: CommentNotFound when all it was about is one comment that is gone.
    """
    is_edits = bool(done) and all(one.is_edit for one in done)
    notice = notice or {"key": f"queue.done.{'edit_published' if is_edits else verb}", "count": len(done)}
    unfit = sum(one.why in UNFIT for one in late)
    left = sum(one.count for one in rest)
    notice |= {"late": len(late) - unfit, "unfit": unfit, "rest": left, "batch": batch}
    happened = {one.comment_id: one for one in _happened(late)}
    is_futile = bool(late) and not (len(done) if count is None else count)
    if is_futile and [one.why for one in late] == [Why.GONE]:
        raise CommentNotFound
    if wants_json():
        body = {
            "verb": verb,
            "done": [_done_as_json(one) for one in done],
            "late": [_late_as_json(one, happened[one.comment_id]) for one in late],
            "rest": [{"of": one.shown_id, "id": one.stands_id, "count": one.count} for one in rest],
            "notice": moderators_words()["notice_text"](notice),
            "batch": batch,
            "counts": tally(g.moderator, site_key=place.site),
        }
        return make_response(jsonify(body), DecidedMeanwhile.status if is_futile else 200)
    if is_futile:
        return _too_late(place, late, happened)
    session[NOTICE] = notice
    return make_response(redirect(back(place), 303))


def back(place: Place) -> str:
    """Where a form leads: the page it stood on, if that is one of ours, else its place in the queue."""
    wanted = request.form.get("back", "")
    parts = urlsplit(wanted) if wanted.isprintable() else urlsplit("")
    is_ours = parts.path in LANDINGS or parts.path.startswith(DEEPER)
    if wanted and is_ours and not parts.scheme and not parts.netloc and "\\" not in wanted:
        return f"{request.script_root}{wanted}"
    return place.address()


def sentence(why: Why, happened: Happened) -> str:
    """Why a click changed nothing, for people."""
    words = moderators_words()
    say, age = words["say"], words["age"]
    if why in ALWAYS_THE_SAME:
        return str(say(f"queue.too_late.{why}"))
    if happened.status is None:
        return str(say("queue.too_late.gone"))
    status = say(f"queue.status.{happened.status}")
    if why == Why.UNFIT:
        return str(say("queue.too_late.unfit", status=status))
    if happened.by is None or happened.at is None:
        return str(say("queue.too_late.changed", status=status))
    who = say("queue.too_late.you") if happened.by_id == g.moderator.id else happened.by
    key = "queue.too_late.by" if happened.action == DECIDED else f"queue.too_late.{happened.action}"
    return str(say(key, who=who, status=status, age=age(happened.at)))


def _happened(late: Sequence[Late]) -> list[Happened]:
    return happened_to((one.comment_id for one in late), access=g.moderator.access)


def _done_as_json(one: Decision) -> dict[str, Any]:
    is_edit = {"edit": True} if one.is_edit else {}
    return {"id": one.comment_id, "version": one.version, "status": one.to_status, **is_edit}


def _late_as_json(late: Late, happened: Happened) -> dict[str, Any]:
    status: Status | None = happened.status
    return {"id": late.comment_id, "sentence": sentence(late.why, happened), "status": status}


def _too_late(place: Place, late: Sequence[Late], happened: dict[int, Happened]) -> Response:
    html = render_template(
        "queue/too_late.html",
        **moderators_words(),
        moderator=g.moderator,
        place=place,
        late=[(happened[one.comment_id], sentence(one.why, happened[one.comment_id])) for one in late],
        back=back(place),
    )
    return make_response(html, DecidedMeanwhile.status)

"""The audit: everything that was done, in plain words, and as a table to take along."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import cast
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.local import LocalProxy

from comments_service.cells import BOM, line
from comments_service.decisions.act import Undone
from comments_service.decisions.reports import BY_READERS
from comments_service.decisions.undo import undo as take_back
from comments_service.errors import Malformed
from comments_service.journal_page import (
    EXPORT_BATCH,
    PEOPLE,
    SERVICE,
    AuditQuestion,
    AuditRow,
    audit_batch,
    audit_page,
)
from comments_service.snapshot.question import iso
from comments_service.storage.journal import DECIDED
from comments_service.web.forms import comment_id
from comments_service.web.outcomes import ALWAYS_THE_SAME
from comments_service.web.sessions import NOTICE, require_moderator
from comments_service.web.wiring import wiring
from comments_service.web.words import browser_language, moderators_words

FILTERS = ("person", "site", "action", "since", "until", "comment", "batch")
COLUMNS = (
    *("id", "happened_at", "who", "what", "action", "site", "article", "comment", "from", "to"),
    *("reason", "subject", "batch", "undoes", "undone_by"),
)
MAX_LENGTH = 64
_BATCH = re.compile(r"[\w-]{1,22}")
LAST_YEAR = 9998  # the day after must be one, too

blueprint = Blueprint("audit", __name__)
blueprint.before_request(require_moderator)


@blueprint.get("/audit")
def show() -> str:
    """One page of the journal."""
    question = _question()
    page = audit_page(question, access=g.moderator.access, page_size=wiring().settings.page_size)
    speaker = _Speaker()
    return render_template(
        "audit.html",
        **moderators_words(),
        moderator=g.moderator,
        page=page,
        question=question,
        asked=_asked(),
        address=address,
        sentence=speaker.sentence,
        reason=speaker.reason,
        changed=speaker.changed,
        action_name=speaker.action,
        service=SERVICE,
        people=PEOPLE,
        notice=session.pop(NOTICE, None),
        back=request.full_path.rstrip("?"),
    )


@blueprint.get("/audit/export.csv")
def export() -> Response:
    """The same as CSV, all of it, one line a row of the journal."""
    question, access = _question(), g.moderator.access
    first = audit_batch(question, access=access)
    app = cast(LocalProxy[Flask], current_app)._get_current_object()

    def more(cursor: int) -> tuple[AuditRow, ...]:
        with app.app_context():  # of its own: whoever leaves in the middle leaves nothing open
            return audit_batch(replace(question, cursor=cursor), access=access)

    response = Response(_lines(first, _Speaker(), more), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


@blueprint.post("/audit/undo")
def undo() -> Response:
    """Take back what a row tells of, alone or with all that was done at once, and come back here."""
    batch, row = request.form.get("batch", ""), comment_id(request.form.get("journal", ""))
    if not (_BATCH.fullmatch(batch) if batch else row):
        raise Malformed
    by, now = g.moderator, wiring().now()
    undone = take_back(by=by, now=now, batch=batch) if batch else take_back(by=by, now=now, journal_id=row)
    session[NOTICE] = _notice(undone)
    return make_response(redirect(address(), 303))


def _notice(undone: Undone) -> dict[str, object]:
    """What was taken back, with the way to do it again; or in a sentence why nothing was."""
    key = f"queue.done.{'redo' if undone.is_redo else 'undo'}"
    told = {"key": key, "count": undone.count, "late": len(undone.late), "batch": undone.batch}
    why = {late.why for late in undone.late}
    if undone.count or len(why) != 1 or not why <= set(ALWAYS_THE_SAME):
        return told
    return {"key": f"queue.too_late.{why.pop()}", "is_bad": True}


def address(**changed: str) -> str:
    """Where the part of the journal is that is shown now, or another one."""
    query = urlencode({name: value for name, value in (_asked() | changed).items() if value})
    return f"{url_for('audit.show')}{'?' if query else ''}{query}"


class _Speaker:
    """Says in plain words what rows tell of; goes on to do so when the request is over."""

    def __init__(self) -> None:
        self._words = moderators_words()
        self._known = wiring().catalogue.languages[browser_language()]

    def sentence(self, row: AuditRow) -> str:
        """What was done; for an action without words of its own, its name."""
        key = f"audit.action.{row.action}"
        if row.action == DECIDED:
            key = f"audit.{'came' if row.from_status is None else 'decided'}.{row.outcome}"
        one = str(self._words["say"](key)) if key in self._known else row.action
        many = f"{key}.many" if f"{key}.many" in self._known else "audit.many"
        if row.size == 1:
            return one if row.count is None else str(self._words["say_count"](many, row.count, what=one))
        return str(self._words["say_count"](many, row.size, what=one))

    def reason(self, row: AuditRow) -> str:
        """Why: the sentences of the rules that the service went by, or what somebody wrote."""
        is_by_readers = row.who is None and row.reason == BY_READERS
        if row.action == DECIDED and (row.from_status is None or is_by_readers):
            keys = [f"queue.reason.{code}" for code in row.reason.split(", ")]
            return " ".join(str(self._words["say"](key)) for key in keys if key in self._known)
        return str(self._words["say"]("audit.reason", reason=row.reason))

    def changed(self, row: AuditRow) -> str:
        """Which settings or rules are otherwise since then."""
        return ", ".join(str(self._words["say"](key)) for key in row.changed if key in self._known)

    def action(self, action: str) -> str:
        """An action as a choice of the filter."""
        key = f"audit.action.{action}"
        return str(self._words["say"](key)) if key in self._known else action

    def who(self, row: AuditRow) -> str:
        """Who did it."""
        return row.who or str(self._words["say"]("audit.service"))


def _lines(
    rows: tuple[AuditRow, ...], speaker: _Speaker, more: Callable[[int], tuple[AuditRow, ...]]
) -> Iterator[str]:
    yield BOM + line(COLUMNS)
    while rows:
        yield "".join(line(_cells(row, speaker)) for row in rows)
        rows = more(rows[-1].id) if len(rows) == EXPORT_BATCH else ()


def _cells(row: AuditRow, speaker: _Speaker) -> tuple[object, ...]:
    did = (iso(row.happened_at), speaker.who(row), speaker.sentence(row), row.action)
    place = (row.site[0] if row.site else None, row.thread_id, row.comment_id)
    change = (row.from_status, row.to_status, row.reason, row.subject)
    return (row.id, *did, *place, *change, row.batch, row.undoes, row.undone_by)


def _asked() -> dict[str, str]:
    return {name: request.args[name] for name in FILTERS if request.args.get(name)}


def _question() -> AuditQuestion:
    """What the address asks for.

    Raises: Malformed for a day, number or cursor that is none.
    """
    asked = _asked()
    if any(len(value) > MAX_LENGTH or not value.isprintable() for value in asked.values()):
        raise Malformed
    person = asked.get("person")
    return AuditQuestion(
        person=person if person in (None, SERVICE, PEOPLE) else _number(person),
        site_key=asked.get("site"),
        action=asked.get("action"),
        since=_day(asked.get("since")),
        until=_day(asked.get("until")),
        comment_id=_number(asked.get("comment")),
        batch=asked.get("batch"),
        cursor=_number(request.args.get("cursor") or None),
    )


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    number = comment_id(text)
    if number is None:
        raise Malformed
    return number


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Malformed from None
    if not 1970 <= day.year <= LAST_YEAR:
        raise Malformed
    return day

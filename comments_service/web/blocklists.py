"""The blocklists of a site: looked through, an entry put on or taken off, whole files in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    request,
    session,
    url_for,
)
from werkzeug.local import LocalProxy

from comments_service.blocklists.change import Changed, add_entry, import_entries, remove_entries
from comments_service.blocklists.entries import (
    MAX_ENTRIES,
    MAX_NOTE_CHARACTERS,
    MAX_WORD_CHARACTERS,
    Action,
    Kind,
    Typed,
    Whose,
    WrongEntry,
    read_entry,
)
from comments_service.blocklists.lines import (
    HEAD,
    MAX_BYTES,
    MOST_TOLD,
    WrongLine,
    decoded,
    read_lines,
    written,
)
from comments_service.blocklists.page import ListQuestion, asked_for, entries_after, list_page
from comments_service.errors import CommentsError, FieldError, FieldsRefused, Malformed
from comments_service.storage.blocklists import BlockedEntry
from comments_service.vocabulary import Role, SiteView
from comments_service.web.forms import comment_id
from comments_service.web.sessions import NOTICE, TOKEN, answer, require_moderator
from comments_service.web.site_pages import site_here, site_page
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

MAX_BODY_BYTES = MAX_BYTES + 512 * 1024  # with all that a form has around a file
MAX_QUERY_CHARACTERS = 200
KEPT_CHARACTERS = 50_000  # of a text that was refused, in the form: nobody mends a longer one there
LIMITS = {
    "characters": MAX_WORD_CHARACTERS,
    "note": MAX_NOTE_CHARACTERS,
    "entries": f"{MAX_ENTRIES:,}",
    "mb": 5,
}
FILES_GO_TO = "/blocklists/import"
TAKE_IN = f"/settings/<key>{FILES_GO_TO}"

LAST_ADDED = "last_added"  # in the session: kind and action, which the next entry often shares

blueprint = Blueprint("blocklists", __name__)
blueprint.before_request(require_moderator)


@dataclass(frozen=True)
class Shown:
    """What stands on the page besides the lists: what was typed, if anything, and what is wrong with it."""

    typed: Typed | None = None
    lines: str = ""
    wrong_lines: tuple[WrongLine, ...] = ()
    error: CommentsError | None = None


@blueprint.url_value_preprocessor
def let_files_in(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Take more than other forms may bring, from whoever has signed in: before the form's token is read."""
    if request.url_rule is not None and request.url_rule.rule == TAKE_IN and TOKEN in session:
        request.max_content_length = request.max_form_memory_size = MAX_BODY_BYTES


@blueprint.get("/settings/<key>/blocklists")
def show(key: str) -> Response:
    """What stands on the lists, or that part of it which is asked for."""
    return _page(site_here(key, Role.MODERATOR), Shown())


@blueprint.post("/settings/<key>/blocklists")
def change(key: str) -> Response:
    """Put one entry on, take one off, or all that are found."""
    site = site_here(key, Role.OWNER)
    if request.form.get("do") == "add":
        return _add(site)
    number = comment_id(request.form.get("remove", ""))
    if request.form.get("do") == "remove_found":
        which = asked_for(_question(request.form), _whose(site))
    elif number is not None:
        which = BlockedEntry.id == number
    else:
        raise Malformed
    gone = remove_entries(site.id, which, by=g.moderator, now=wiring().now())
    return _done(site, "blocklists.done.remove", gone, count=gone.count)


@blueprint.post(TAKE_IN)
def take_in(key: str) -> Response:
    """Put a whole file on the lists, or none of it where a line is wrong."""
    site = site_here(key, Role.OWNER)
    text = ""
    try:
        text = _sent_text()
        read = read_lines(text, _whose(site), now=wiring().now())
        if read.wrong:
            return _page(site, Shown(lines=text, wrong_lines=read.wrong, error=FieldsRefused()))
        changed = import_entries(site.id, read.entries, by=g.moderator, now=wiring().now())
    except FieldsRefused as error:  # it is about all of it together
        return _page(site, Shown(lines=text, error=_of_lines(error.errors[0].code)))
    also = {"known": changed.known + read.repeated, "ended": read.ended}
    return _done(site, "blocklists.done.import", changed, count=changed.count, also=also)


@blueprint.get("/settings/<key>/blocklists/export.csv")
def export(key: str) -> Response:
    """All of it as a table that `take_in` reads."""
    site = site_here(key, Role.MODERATOR)
    whose, by, now = _whose(site), g.moderator, wiring().now()
    app = cast(LocalProxy[Flask], current_app)._get_current_object()

    def after(last: int) -> list[tuple[int, Typed]]:
        with app.app_context():  # of its own: whoever leaves in the middle leaves nothing open
            return entries_after(last, whose, by=by, now=now)

    response = Response(_lines(after), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="blocklists-{site.key}.csv"'
    return response


def _add(site: SiteView) -> Response:
    form = request.form
    typed = Typed(*(form.get(name, "") for name in ("kind", "entry", "action", "expires", "note")))
    try:
        entry = read_entry(typed, _whose(site))
        changed = add_entry(site.id, entry, by=g.moderator, now=wiring().now())
    except WrongEntry as wrong:
        error = FieldsRefused(errors=(FieldError(wrong.field, wrong.code, ""),))
        return _page(site, Shown(typed=typed, error=error))
    except FieldsRefused as error:
        return _page(site, Shown(typed=typed, error=error))
    session[LAST_ADDED] = (entry.kind, entry.action)
    return _done(site, "blocklists.done.add", changed)


def _like_the_last() -> Typed:
    """An empty form, but for what was chosen when an entry was added last."""
    kind, action = session.get(LAST_ADDED, (Kind.WORD, Action.HOLD))
    return Typed(kind, "", action)


def _sent_text() -> str:
    """What was pasted, else the file.

    Raises: FieldsRefused for nothing, for too much, and for what is no text.
    """
    sent, pasted = request.files.get("file"), request.form.get("lines", "")
    data = pasted.encode("utf-8", "surrogatepass") if pasted.strip() or sent is None else sent.read()
    if len(data) > MAX_BYTES:
        raise _of_lines("too_large")
    text = decoded(data)
    if text is None:
        raise _of_lines("encoding")
    if not text.strip():
        raise _of_lines("empty")
    return text


def _of_lines(code: str) -> FieldsRefused:
    return FieldsRefused(errors=(FieldError("lines", code, ""),))


def _done(site: SiteView, key: str, changed: Changed, **told: object) -> Response:
    session[NOTICE] = {"key": key, "batch": changed.batch, **told}
    return make_response(redirect(_address(site, _question(request.form)), 303))


def _lines(after: Callable[[int], list[tuple[int, Typed]]]) -> Iterator[str]:
    last = 0
    yield HEAD
    while batch := after(last):
        yield "".join(written(typed) for _, typed in batch)
        last = batch[-1][0]


def _question(asked: Mapping[str, str]) -> ListQuestion:
    """Which entries are asked for, by an address or by the form that stands below them.

    Raises: Malformed.
    """
    kind, after = asked.get("of", ""), asked.get("after", "")
    number = comment_id(after) if after else None
    if (kind and kind not in set(Kind)) or (after and number is None):
        raise Malformed
    return ListQuestion(asked.get("q", "")[:MAX_QUERY_CHARACTERS], Kind(kind) if kind else None, number)


def _address(site: SiteView, question: ListQuestion, **more: int | None) -> str:
    asked: dict[str, object] = {"q": question.q, "of": question.kind, **more}
    query = urlencode({name: value for name, value in asked.items() if value}, errors="replace")
    return f"{url_for('blocklists.show', key=site.key)}{'?' if query else ''}{query}"


def _page(site: SiteView, shown: Shown) -> Response:
    question = _question(request.args if request.method == "GET" else {})
    page = list_page(question, _whose(site), by=g.moderator, now=wiring().now())
    html = site_page(
        "settings/blocklists.html",
        site,
        tab="blocklists",
        page=page,
        question=question,
        typed=shown.typed or _like_the_last(),
        lines=shown.lines if len(shown.lines) <= KEPT_CHARACTERS else "",
        error=shown.error,
        wrong=_wrong(shown.error),
        wrong_lines=[_told(one) for one in shown.wrong_lines[:MOST_TOLD]],
        more_wrong=max(0, len(shown.wrong_lines) - MOST_TOLD),
        kinds=list(Kind),
        actions=list(Action),
        limits=LIMITS,
        address=lambda **more: _address(site, question, **more),
    )
    return answer(html, shown.error)


def _told(wrong: WrongLine) -> str:
    say = moderators_words()["say"]
    sentence = say(f"blocklists.error.{wrong.field}.{wrong.code}", **LIMITS)
    return str(say("blocklists.import.line", number=wrong.number, sentence=sentence))


def _wrong(error: CommentsError | None) -> dict[str, str]:
    """The sentences for the wrong fields, by their names."""
    say = moderators_words()["say"]
    errors = error.errors if error else ()
    return {one.field: say(f"blocklists.error.{one.field}.{one.code}", **LIMITS) for one in errors}


def _whose(site: SiteView) -> Whose:
    return Whose(site.id, wiring().keys)

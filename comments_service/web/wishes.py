"""What moderators type into the forms about authors and other articles, and what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import request

from comments_service.decisions.authors import MAX_NOTE_CHARACTERS, Wish
from comments_service.decisions.move import Target
from comments_service.decisions.standing import Kind, Trace
from comments_service.errors import ArticleRefused, FieldError, FieldsRefused, Malformed
from comments_service.web.forms import comment_id
from comments_service.web.words import moderators_words

MISTAKES = ("unknown", "same", "sites")  # about another article; everything else is no address of the site


def target() -> Target:
    """Where comments are to be moved."""
    return Target(request.form.get("address", "").strip(), comment_id(request.form.get("thread", "")))


def wish() -> Wish:
    """How an author is to stand.

    Raises: Malformed; FieldsRefused.
    """
    kind, mark = request.form.get("kind", ""), request.form.get("mark", "")
    note, ends = request.form.get("note", "").strip(), request.form.get("ends", "").strip()
    if kind not in set(Kind) or mark not in set(Trace):
        raise Malformed
    if not note.isprintable() or len(note) > MAX_NOTE_CHARACTERS:
        raise FieldsRefused(errors=(_error("note", "too_long"),))
    return Wish(Kind(kind), Trace(mark), _day(ends), note)


def mistakes(error: FieldsRefused) -> tuple[FieldError, ...]:
    """What is wrong with such a form, in words."""
    errors = error.errors
    if isinstance(error, ArticleRefused):
        errors = (_error("address", error.detail if error.detail in MISTAKES else "refused"),)
    say = moderators_words()["say"]
    return tuple(FieldError(one.field, one.code, say(one.detail)) for one in errors)


def _day(text: str) -> datetime | None:
    """The end of a day as date fields send it; nothing means for good."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise FieldsRefused(errors=(_error("ends", "unreadable"),)) from None


def _error(field: str, code: str) -> FieldError:
    return FieldError(field, code, f"comment.error.{field}.{code}")

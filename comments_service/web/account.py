"""A moderator's own account: the password."""

from __future__ import annotations

from collections import defaultdict

from flask import Blueprint, Response, g, make_response, redirect, render_template, session, url_for
from flask_wtf import FlaskForm
from wtforms import PasswordField

from comments_service.errors import FieldsRefused, TooManyGuesses
from comments_service.people.accounts import NewPassword, change_password
from comments_service.people.passwords import MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS
from comments_service.web.sessions import NOTICE, TOKEN, answer, guess, minutes_to_wait, require_moderator
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

LIMITS = defaultdict[str, dict[str, int]](
    dict, too_short={"limit": MIN_PASSWORD_CHARACTERS}, too_long={"limit": MAX_PASSWORD_CHARACTERS}
)

blueprint = Blueprint("account", __name__)
blueprint.before_request(require_moderator)


class PasswordForm(FlaskForm):
    """The old password, and the new one twice."""

    current = PasswordField()
    new = PasswordField()
    again = PasswordField()


@blueprint.get("/account")
def show() -> Response:
    """The form for another password."""
    return _page()


@blueprint.post("/account")
def change() -> Response:
    """Change the password: all other sign-ins of this moderator end."""
    form = PasswordForm()  # type: ignore[no-untyped-call]
    wanted = NewPassword(form.current.data or "", form.new.data or "", form.again.data or "", session[TOKEN])
    try:
        with guess(g.moderator.name):
            change_password(g.moderator, wanted, now=wiring().now())
    except (FieldsRefused, TooManyGuesses) as error:
        return _page(error)
    session[NOTICE] = {"key": "account.changed"}
    return make_response(redirect(url_for("account.show"), 303))


def _page(error: FieldsRefused | TooManyGuesses | None = None) -> Response:
    words = moderators_words()
    fields = error.errors if error else ()
    html = render_template(
        "account.html",
        **words,
        moderator=g.moderator,
        wrong={e.field: words["say"](f"account.error.{e.field}.{e.code}", **LIMITS[e.code]) for e in fields},
        error=error,
        minutes=minutes_to_wait(error),
        shortest=MIN_PASSWORD_CHARACTERS,
        notice=session.pop(NOTICE, None),
    )
    return answer(html, error)

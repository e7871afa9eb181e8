"""A moderator's own account: roles, the password, and the sign-ins that are open."""

from __future__ import annotations

from collections import defaultdict

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session, url_for
from flask_wtf import FlaskForm
from wtforms import PasswordField

from comments_service.errors import FieldError, FieldsRefused, TooManyGuesses
from comments_service.notify.addresses import letters_go_to
from comments_service.people import sign_ins
from comments_service.people.accounts import NewPassword, change_password
from comments_service.people.passwords import MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS
from comments_service.people.roster import grants_of
from comments_service.people.rows import MAX_MODERATOR_NAME_CHARACTERS
from comments_service.people.second_factor import standing
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
    """Everything about the own account."""
    return _page()


@blueprint.post("/account")
def change() -> Response:
    """Change the password: all other sign-ins of this moderator end."""
    form = PasswordForm()  # type: ignore[no-untyped-call]
    wanted = NewPassword(form.current.data or "", form.new.data or "", form.again.data or "", session[TOKEN])
    try:
        with guess(g.moderator.name, person=g.moderator, what="password"):
            change_password(g.moderator, wanted, now=wiring().now())
    except (FieldsRefused, TooManyGuesses) as error:
        return _page(error)
    session[NOTICE] = {"key": "account.changed"}
    return make_response(redirect(url_for("account.show"), 303))


@blueprint.post("/account/sign-ins")
def end_sign_in() -> Response:
    """End one of the own sign-ins."""
    sign_ins.end_sign_in(request.form.get("sign_in", ""), by=g.moderator, now=wiring().now())
    session[NOTICE] = {"key": "account.sign_ins.ended"}
    return make_response(redirect(url_for("account.show"), 303))


@blueprint.post("/account/sign-ins/all")
def sign_out_everywhere() -> Response:
    """End all of them, this one included."""
    sign_ins.sign_out_everywhere(g.moderator, now=wiring().now())
    session.clear()
    return make_response(redirect(url_for("sessions.login", left_all=1), 303))


def wrong_words(error: FieldsRefused | TooManyGuesses | None) -> dict[str, str]:
    """The sentences for the wrong fields of a form about people, by their names."""
    say, fields = moderators_words()["say"], error.errors if error else ()
    return {e.field: say(f"account.error.{e.field}.{e.code}", **_limit(e)) for e in fields}


def _limit(error: FieldError) -> dict[str, int]:
    return {"limit": MAX_MODERATOR_NAME_CHARACTERS} if error.field == "name" else LIMITS[error.code]


def _page(error: FieldsRefused | TooManyGuesses | None = None) -> Response:
    parts = wiring()
    html = render_template(
        "account/account.html",
        **moderators_words(),
        moderator=g.moderator,
        grants=grants_of(g.moderator.access),
        factor=standing(g.moderator),
        sign_ins=sign_ins.own_sign_ins(
            g.moderator, token=session[TOKEN], settings=parts.settings, now=parts.now()
        ),
        letters_go_to=letters_go_to(g.moderator, keys=parts.keys),
        wrong=wrong_words(error),
        error=error,
        minutes=minutes_to_wait(error),
        shortest=MIN_PASSWORD_CHARACTERS,
        notice=session.pop(NOTICE, None),
    )
    return answer(html, error)

"""Where an invitation leads: a name and a password, or the role for an account that is there already."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, session, url_for

from comments_service.errors import FieldsRefused
from comments_service.people.invitations import Guest, InvitationView, accept, accept_as, invitation
from comments_service.people.passwords import MIN_PASSWORD_CHARACTERS
from comments_service.people.rows import MAX_MODERATOR_NAME_CHARACTERS
from comments_service.web.account import wrong_words
from comments_service.web.sessions import NOTICE, answer, guess, signed_in
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

GUESSES = "/invite"  # what tries are counted under: the address itself is the secret

blueprint = Blueprint("invite", __name__)


@blueprint.get("/invite/<token>")
def show(token: str) -> Response:
    """What the invitation offers, and the form to accept it."""
    return _page(token, _look(token))


@blueprint.post("/invite/<token>")
def accept_it(token: str) -> Response:
    """Become a moderator; or, signed in, take the role for the account that is there."""
    moderator, offered, now = signed_in(), _look(token), wiring().now()
    if moderator is not None:
        accept_as(token, by=moderator, now=now)
        session[NOTICE] = {"key": "people.joined"}
        return make_response(redirect(url_for("account.show"), 303))
    form = request.form
    guest = Guest(form.get("name", ""), form.get("new", ""), form.get("again", ""))
    try:
        accept(token, guest, now=now)
    except FieldsRefused as error:
        return _page(token, offered, name=guest.name, error=error)
    return make_response(redirect(url_for("sessions.login", joined=1), 303))


def _look(token: str) -> InvitationView:
    with guess(GUESSES):
        return invitation(token, now=wiring().now())


def _page(
    token: str, offered: InvitationView, *, name: str = "", error: FieldsRefused | None = None
) -> Response:
    html = render_template(
        "people/invite.html",
        **moderators_words(),
        token=token,
        offered=offered,
        known=signed_in(),
        name=name,
        wrong=wrong_words(error),
        error=error,
        shortest=MIN_PASSWORD_CHARACTERS,
        longest_name=MAX_MODERATOR_NAME_CHARACTERS,
    )
    return answer(html, error)

"""A moderator's letters: where they go, which ones about which site, and what became of the last."""

from __future__ import annotations

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session, url_for

from comments_service.errors import FieldsRefused, Malformed, TooManyGuesses
from comments_service.notify.addresses import drop_address, give_address, letters_of, set_wishes
from comments_service.people.passwords import check_own
from comments_service.storage.outbox import Wish
from comments_service.web.forms import comment_id
from comments_service.web.sessions import NOTICE, answer, guess, minutes_to_wait, require_moderator
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

PREFIX = "site-"
MAX_SITES = 1_000
SENTENCES = {"email": "letters.error.email.{}", "password": "account.error.password.{}"}

blueprint = Blueprint("letters", __name__)
blueprint.before_request(require_moderator)


@blueprint.get("/account/letters")
def show() -> Response:
    """The own address, the own wishes, the last letters."""
    return _page()


@blueprint.post("/account/letters/address")
def change_address() -> Response:
    """Take an address and write to it once, for the password; or forget the one that is there."""
    parts = wiring()
    if request.form.get("do") == "drop":
        drop_address(by=g.moderator, now=parts.now())
        return _done("letters.dropped")
    if parts.settings.mail_server is None:
        raise Malformed
    email, password = request.form.get("email", "").strip(), request.form.get("password", "")
    try:
        with guess(g.moderator.name, person=g.moderator, what="password"):
            proof = check_own(g.moderator, password)
        give_address(email, proof=proof, by=g.moderator, keys=parts.key_source, now=parts.now())
    except (FieldsRefused, TooManyGuesses) as error:
        return _page(error, typed=email)
    return _done("letters.given")


@blueprint.post("/account/letters/wishes")
def change_wishes() -> Response:
    """Keep which letters about which site."""
    set_wishes(_wishes(), by=g.moderator, now=wiring().now())
    return _done("letters.kept")


def _wishes() -> dict[int, Wish]:
    found: dict[int, Wish] = {}
    for name, value in request.form.items():
        if not name.startswith(PREFIX):
            continue
        number = comment_id(name.removeprefix(PREFIX))
        if number is None or value not in list(Wish) or len(found) >= MAX_SITES:
            raise Malformed
        found[number] = Wish(value)
    return found


def _done(key: str) -> Response:
    session[NOTICE] = {"key": key}
    return make_response(redirect(url_for("letters.show"), 303))


def _page(error: FieldsRefused | TooManyGuesses | None = None, *, typed: str = "") -> Response:
    parts, words = wiring(), moderators_words()
    letters = letters_of(g.moderator, keys=parts.keys)
    html = render_template(
        "letters/letters.html",
        **words,
        moderator=g.moderator,
        letters=letters,
        wishes=list(Wish),
        prefix=PREFIX,
        sends=parts.settings.mail_server is not None,
        wrong={e.field: words["say"](SENTENCES[e.field].format(e.code)) for e in error.errors}
        if error
        else {},
        error=error,
        minutes=minutes_to_wait(error),
        typed=typed,
        notice=session.pop(NOTICE, None),
    )
    return answer(html, error)

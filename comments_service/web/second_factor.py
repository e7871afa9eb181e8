"""The page of the own second factor: set up by a QR code, given new recovery codes, turned off."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import segno
from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session, url_for

from comments_service.errors import DecidedMeanwhile, FieldsRefused, Malformed, TooManyGuesses
from comments_service.people import second_factor
from comments_service.people.second_factor import SetUp
from comments_service.web.account import wrong_words
from comments_service.web.sessions import NOTICE, TOKEN, answer, guess, minutes_to_wait, require_moderator
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

blueprint = Blueprint("second_factor", __name__)
blueprint.before_request(require_moderator)


@dataclass(frozen=True)
class Picture:
    """A QR code within the page: our own markup, safe as it is."""

    html: str


@blueprint.get("/account/second-factor")
def show() -> Response:
    """What can be done next: begin, scan and type the first code, or turn it off."""
    return _page()


@blueprint.post("/account/second-factor")
def change() -> Response:
    """Do one of these. Recovery codes stand in the answer itself, and nowhere later."""
    steps = {"begin": _begin, "confirm": _confirm, "remake": _remake, "off": _turn_off}
    step = steps.get(request.form.get("do", ""))
    if step is None:
        raise Malformed
    try:
        with guess(g.moderator.name, person=g.moderator):
            codes = step()
    except (FieldsRefused, TooManyGuesses) as error:
        return _page(error)
    except DecidedMeanwhile:
        codes = ()
    return _codes_page(codes) if codes else make_response(redirect(url_for("second_factor.show"), 303))


def _begin() -> tuple[str, ...]:
    parts = wiring()
    second_factor.begin(
        g.moderator, _typed("password"), token=session[TOKEN], keys=parts.keys, now=parts.now()
    )
    return ()


def _confirm() -> tuple[str, ...]:
    parts = wiring()
    codes = second_factor.confirm(
        g.moderator, _typed("code"), token=session[TOKEN], keys=parts.keys, now=parts.now()
    )
    session[NOTICE] = {"key": "account.factor.done" if codes else "account.factor.ended"}
    if codes is None:
        raise DecidedMeanwhile  # nothing was proven, so that no wrong guess before is forgiven
    return codes


def _remake() -> tuple[str, ...]:
    parts = wiring()
    codes = second_factor.remake_codes(
        g.moderator, _typed("password"), _typed("code"), keys=parts.keys, now=parts.now()
    )
    session[NOTICE] = {"key": "account.factor.remade"}
    return codes


def _turn_off() -> tuple[str, ...]:
    parts, token = wiring(), session[TOKEN]
    second_factor.turn_off(
        g.moderator, _typed("password"), _typed("code"), token=token, keys=parts.keys, now=parts.now()
    )
    session[NOTICE] = {"key": "account.factor.dropped"}
    return ()


def _typed(name: str) -> str:
    return request.form.get(name, "")


def _page(error: FieldsRefused | TooManyGuesses | None = None) -> Response:
    parts = wiring()
    issuer = f"Comments ({urlsplit(parts.settings.public_url).hostname})"
    set_up = second_factor.pending(
        g.moderator, token=session[TOKEN], issuer=issuer, keys=parts.keys, now=parts.now()
    )
    html = render_template(
        "account/second_factor.html",
        **moderators_words(),
        moderator=g.moderator,
        factor=second_factor.standing(g.moderator),
        set_up=set_up,
        picture=_picture(set_up) if set_up else None,
        wrong=wrong_words(error),
        error=error,
        minutes=minutes_to_wait(error),
        notice=session.pop(NOTICE, None),
    )
    return answer(html, error)


def _codes_page(codes: tuple[str, ...]) -> Response:
    html = render_template(
        "account/recovery_codes.html",
        **moderators_words(),
        moderator=g.moderator,
        codes=codes,
        notice=session.pop(NOTICE, None),
    )
    return make_response(html)


def _picture(set_up: SetUp) -> Picture:
    # Dark on light whatever the scheme: many scanners cannot read it the other way round
    drawn = segno.make(set_up.link, error="m", micro=False)
    return Picture(drawn.svg_inline(border=4, light="#fff", omitsize=True, svgclass="qr", lineclass=None))

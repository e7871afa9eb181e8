"""Two more links out of letters: whose address this is, and no more letters. Both act by a button only."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, url_for

from comments_service.notify import addresses
from comments_service.web.own_forms import refuse_foreign_form
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

blueprint = Blueprint("letter_links", __name__)


@blueprint.get("/letters/address/<token>")
def address(token: str) -> Response:
    """Ask whoever reads the mailbox whether letters may come."""
    parts = wiring()
    asked = addresses.who_asks(token, keys=parts.keys, now=parts.now())
    return private_page(
        "letters/address.html",
        token=token,
        name=asked.moderator,
        email=asked.masked_email,
        is_confirmed=asked.is_confirmed,
    )


@blueprint.post("/letters/address/<token>")
def confirm_address(token: str) -> Response:
    """Yes, they may."""
    refuse_foreign_form()
    parts = wiring()
    addresses.confirm_address(token, keys=parts.keys, now=parts.now())
    return make_response(redirect(url_for("letter_links.address", token=token), 303))


@blueprint.get("/letters/stop/<token>")
def stop(token: str) -> Response:
    """Ask whether letters about a site shall end."""
    site_name = addresses.stopped_site(token, keys=wiring().keys)
    return private_page("letters/stop.html", token=token, site_name=site_name, is_done=False)


@blueprint.post("/letters/stop/<token>")
def end_letters(token: str) -> Response:
    """End them. Mail programs send this too, at one click and from nowhere (RFC 8058 §3.2)."""
    parts = wiring()
    site_name = addresses.stop_letters(token, keys=parts.keys, now=parts.now())
    return private_page("letters/stop.html", token=token, site_name=site_name, is_done=True)


def private_page(template: str, *, status: int = 200, **values: object) -> Response:
    """A page whose address is a secret: kept by nobody, and told to nobody."""
    response = make_response(render_template(template, **moderators_words(), **values), status)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response

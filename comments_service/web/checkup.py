"""How a site is put on its pages: the lines to copy, and the check-up of one page."""

from __future__ import annotations

from flask import Blueprint, Response, request
from limits import parse

from comments_service.checkup.report import Report, check_up, ports_of
from comments_service.errors import CommentsError, FieldError, FieldsRefused, TooManyCheckups
from comments_service.outbound import WEB_PORTS, Door
from comments_service.sites import counts_lines, owner_lines
from comments_service.vocabulary import SiteView
from comments_service.web.sessions import answer, minutes_to_wait, require_moderator
from comments_service.web.site_pages import site_here, site_page, wrong_fields
from comments_service.web.turns import take_turn
from comments_service.web.wiring import wiring

PER_PERSON = parse("30 per 10 minutes")  # enough to mend a template, too few to use us against another server

blueprint = Blueprint("checkup", __name__)
blueprint.before_request(require_moderator)


@blueprint.get("/settings/<key>/embed")
def show(key: str) -> Response:
    """The lines for a site's pages, and the form of the check-up."""
    return _page(site_here(key))


@blueprint.post("/settings/<key>/embed")
def check(key: str) -> Response:
    """Look at one page, and say what to change there."""
    site, url = site_here(key), request.form.get("url", "").strip()
    try:
        take_turn("check-up", PER_PERSON, TooManyCheckups)
        return _page(site, url=url, report=_look(url, site))
    except (FieldsRefused, TooManyCheckups) as error:
        return _page(site, url=url, error=error)


def _look(url: str, site: SiteView) -> Report:
    settings = wiring().settings
    agent = f"comments-service (+{settings.public_url})"
    door = Door(agent, allowed=settings.outbound_allow, ports=WEB_PORTS | ports_of(site))
    try:
        return check_up(url, site, door=door, service=settings.public_url)
    except ValueError as error:
        raise FieldsRefused(errors=(FieldError("url", "refused", str(error)),)) from None


def _page(
    site: SiteView, *, url: str = "", report: Report | None = None, error: CommentsError | None = None
) -> Response:
    public_url = wiring().settings.public_url
    html = site_page(
        "settings/embed.html",
        site,
        tab="embed",
        lines=owner_lines(site.key, public_url=public_url),
        count_lines=counts_lines(site.key, public_url=public_url, origin=site.origins[0]),
        url=url,
        report=report,
        error=error,
        wrong=wrong_fields(error),
        minutes=minutes_to_wait(error),
    )
    return answer(html, error)

"""How a site is put on its pages: the lines to copy, and the check-up of one page."""

from __future__ import annotations

import math
import time
from typing import cast

from flask import Blueprint, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from comments_service.checkup.report import Report, check_up, ports_of
from comments_service.errors import CommentsError, FieldError, FieldsRefused, TooManyCheckups
from comments_service.outbound import WEB_PORTS, Door
from comments_service.sites import counts_lines, owner_lines
from comments_service.vocabulary import SiteView
from comments_service.web.sessions import answer, require_moderator
from comments_service.web.site_pages import site_here, site_page, wrong_fields
from comments_service.web.wiring import wiring

LIMITER = "comments.checkups"
PER_PERSON = parse("30 per 10 minutes")  # enough to mend a template, too few to use us against another server

blueprint = Blueprint("checkup", __name__)
blueprint.before_request(require_moderator)


@blueprint.record
def make_limiter(state: BlueprintSetupState) -> None:
    """Each app counts for itself."""
    state.app.extensions[LIMITER] = MovingWindowRateLimiter(MemoryStorage())


@blueprint.get("/settings/<key>/embed")
def show(key: str) -> Response:
    """The lines for a site's pages, and the form of the check-up."""
    return _page(site_here(key))


@blueprint.post("/settings/<key>/embed")
def check(key: str) -> Response:
    """Look at one page, and say what to change there."""
    site, url = site_here(key), request.form.get("url", "").strip()
    try:
        _count_one()
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


def _count_one() -> None:
    limiter = cast(MovingWindowRateLimiter, current_app.extensions[LIMITER])
    person = str(g.moderator.id)
    if not limiter.hit(PER_PERSON, person):
        wait = limiter.get_window_stats(PER_PERSON, person).reset_time - time.time()
        raise TooManyCheckups(retry_after_seconds=max(1, math.ceil(wait)))


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
        minutes=-(-error.retry_after_seconds // 60) if error and error.retry_after_seconds else 0,
    )
    return answer(html, error)

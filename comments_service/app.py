"""Wires everything, decides nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import structlog
from flask import Flask, Response, g, request, request_started

from comments_service import logs
from comments_service.settings import Settings, load_settings
from comments_service.storage.database import connect_app, db
from comments_service.texts import Catalogue
from comments_service.unlock import open_keys
from comments_service.web import (
    account,
    api,
    assets,
    audit,
    blocklists,
    bulk,
    checkup,
    comment_page,
    confirm,
    dashboard,
    decisions,
    embed,
    fragment,
    headers,
    health,
    hurry,
    invite,
    letter_links,
    letters,
    neighbours,
    own_comments,
    own_words,
    people,
    problems,
    public,
    queue,
    reports,
    rules,
    second_factor,
    sessions,
    status,
    thresholds,
    turns,
    votes,
)
from comments_service.web import (
    settings as settings_pages,
)
from comments_service.web.proxies import TrustedProxies
from comments_service.web.wiring import NAME, Wiring, build_of, system_clock

MAX_BODY_BYTES = 512 * 1024
log = structlog.get_logger(__name__)


def create_app(settings: Settings | None = None, *, clock: Callable[[], datetime] = system_clock) -> Flask:
    """The service as a WSGI app, on a database that is migrated.

    Raises: CannotStart for wrong settings, a missing schema or a key that does not fit.
    """
    if settings is None:  # started by a WSGI server, which leaves settings and logs to us
        settings = load_settings()
        logs.configure(settings)
    app = Flask(__name__, template_folder=str(settings.template_dir), static_folder=None)
    app.url_map.merge_slashes = False  # its redirects would lead to whatever host a request names
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    connect_app(app, settings)
    with app.app_context():
        keys = open_keys(settings, db.engine)
    app.extensions[NAME] = Wiring(settings, keys, Catalogue.load(), build_of(settings), clock)
    sessions.init_app(app, settings, keys)
    hurry.init_app(app, settings)
    turns.init_app(app)
    problems.init_app(app)
    headers.init_app(app, settings)
    for blueprint in (
        api.blueprint,
        own_comments.blueprint,
        votes.blueprint,
        reports.doors,
        public.blueprint,
        fragment.blueprint,
        embed.blueprint,
        health.blueprint,
        assets.blueprint,
    ):
        app.register_blueprint(blueprint)
        sessions.csrf.exempt(blueprint)  # no session, no cookie: their forms carry a signed ticket
    for blueprint in (confirm.blueprint, letter_links.blueprint, status.blueprint, reports.pages):
        app.register_blueprint(blueprint)
        sessions.csrf.exempt(blueprint)  # the same: their address is signed, or theirs are readers' forms
    for blueprint in (
        sessions.blueprint,
        account.blueprint,
        second_factor.blueprint,
        people.blueprint,
        invite.blueprint,
        queue.blueprint,
        letters.blueprint,
        decisions.blueprint,
        comment_page.blueprint,
        bulk.blueprint,
        settings_pages.blueprint,
        checkup.blueprint,
        own_words.blueprint,
        rules.blueprint,
        blocklists.blueprint,
        thresholds.blueprint,
        neighbours.blueprint,
        audit.blueprint,
        dashboard.blueprint,
    ):
        app.register_blueprint(blueprint)
    _log_requests(app)
    app.wsgi_app = TrustedProxies(app.wsgi_app, settings)  # type: ignore[method-assign]
    return app


def _log_requests(app: Flask) -> None:
    def start(_app: Flask, **_more: object) -> None:
        g.started = time.perf_counter()

    request_started.connect(start, app, weak=False)  # before any handler, so that refusals are timed too

    @app.after_request
    def finish(response: Response) -> Response:
        took_seconds = time.perf_counter() - g.started
        # The rule, not the path: status pages carry their token in it, and queries carry addresses
        rule = request.url_rule.rule if request.url_rule else None
        log.info(
            "request",
            method=request.method,
            route=rule,
            status=response.status_code,
            milliseconds=round(took_seconds * 1000, 1),
        )
        return response

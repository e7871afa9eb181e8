"""Alive, and able to serve: for supervisors and proxies."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from comments_service.errors import KeyRefused
from comments_service.storage.database import current_revision, db, head_revision
from comments_service.storage.models import Canary
from comments_service.unlock import CANARY_COLUMN
from comments_service.web.problems import RETRY_STORE_SECONDS
from comments_service.web.wiring import wiring

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return make_response(jsonify({"status": "ok"}))


@blueprint.get("/readyz")
def readyz() -> Response:
    """The database answers, has the schema of this release, and the keys open it."""
    wrong = _what_is_wrong()
    response = make_response(
        jsonify({"status": "unready", "reason": wrong} if wrong else {"status": "ready"})
    )
    response.headers["Cache-Control"] = "no-store"
    if wrong:
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_STORE_SECONDS)
    return response


def _what_is_wrong() -> str | None:
    try:
        with db.engine.connect() as connection:
            if current_revision(connection) != head_revision():
                return "schema"
            for sealed in connection.scalars(select(Canary.sealed)):
                wiring().keys.open(sealed, column=CANARY_COLUMN)
    except KeyRefused:
        return "key"
    except SQLAlchemyError:
        return "database"
    return None

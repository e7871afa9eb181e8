"""The JSON door for votes of readers: no cookie, no account."""

from __future__ import annotations

from flask import Blueprint, Response, request

from comments_service import votes
from comments_service.errors import FieldError, FieldsRefused
from comments_service.opinions import Choice
from comments_service.privacy import network_of
from comments_service.web import cors
from comments_service.web.asked import published_here
from comments_service.web.forms import text_fields
from comments_service.web.hurry import count_vote
from comments_service.web.json_door import json_answer, private, read_json, votes_as_json
from comments_service.web.wiring import wiring
from comments_service.web.worded import worded

FIELDS = ("vote", "receipt")

blueprint = Blueprint("votes", __name__, url_prefix="/api/v1/comments")
cors.init_comments(blueprint)


@blueprint.put("/<text_id>/vote")
def vote(text_id: str) -> Response:
    """Say what this reader thinks of a comment; the counts after it."""
    cors.require_page()
    found = published_here(text_id)
    count_vote()
    with worded(found.site, found.site.language):
        choice, receipt = _wanted()
    ballot = votes.Ballot(found.view.id, choice, network_of(request.remote_addr or ""), receipt)
    counted = votes.cast(ballot, keys=wiring().keys, now=wiring().now())
    return private(json_answer({"votes": votes_as_json(counted), "vote": choice}))


def _wanted() -> tuple[Choice, str | None]:
    fields, errors = text_fields(read_json(), FIELDS)
    given = fields.get("vote", "")
    if given not in list(Choice) and not any(error.field == "vote" for error in errors):
        errors.append(FieldError("vote", "unknown", f"A vote is one of {', '.join(Choice)}."))
    if errors:
        raise FieldsRefused(errors=tuple(errors))
    return Choice(given), fields.get("receipt")

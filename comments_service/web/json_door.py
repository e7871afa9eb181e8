"""What the JSON doors have in common: bodies strictly read, comments as the widget gets them, answers."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, jsonify, make_response, request

from comments_service.errors import LengthRequired, Malformed, TypeRefused
from comments_service.snapshot.own import OwnComment
from comments_service.snapshot.question import iso
from comments_service.vocabulary import CommentView, Status, Votes
from comments_service.web.forms import EDITORS, EVERYONE


def as_json(comment: CommentView) -> dict[str, Any]:
    """A comment as the widget gets it."""
    author = comment.author and {
        "name": comment.author.name,
        "website": comment.author.website,
        "avatar": None,
        "badge": comment.author.badge,
    }
    marks = {"pinned": comment.is_pinned, "picked": comment.is_picked}
    left = comment.left and {"count": comment.left.count, "cursor": comment.left.cursor}
    votes = {"votes": votes_as_json(comment.votes)} if comment.votes else {}
    below = {} if comment.root_id else {"replies": comment.replies, "left": left}
    return {
        "id": str(comment.id),
        "parent": str(comment.parent_id) if comment.parent_id else None,
        "root": str(comment.root_id) if comment.root_id else None,
        "depth": comment.depth,
        "removed": comment.is_removed,
        "author": author,
        "html": comment.html,
        "created_at": iso(comment.created_at),
        "edited_at": iso(comment.edited_at) if comment.edited_at else None,
        "permalink": comment.permalink,
        **below,
        **{mark: True for mark, is_set in marks.items() if is_set},
        **votes,
    }


def votes_as_json(votes: Votes) -> dict[str, int]:
    """The votes on a comment as the widget gets them."""
    return {"up": votes.up, "down": votes.down}


def own_as_json(own: OwnComment, *, at_first: Status | None = None) -> dict[str, Any]:
    """A comment as its author gets it; `at_first` is where it stood when it was sent."""
    edit = own.edit and {"status": own.edit.status.told, "text": own.edit.text, "note": own.edit.note}
    return {
        **as_json(own.view),
        "status": (at_first or own.status).told,
        "audience": EDITORS if own.view.is_letter else EVERYONE,
        "text": own.text,
        "editable_until": iso(own.editable_until) if own.editable_until else None,
        "withdrawable": own.is_withdrawable,
        "edit": edit,
        "note": own.note,
    }


def read_json() -> dict[str, object]:
    """The request's JSON object, strictly read.

    Raises: TypeRefused, LengthRequired, Malformed (not UTF-8, not JSON, a key twice, not an object).
    """
    if request.content_length is None:
        raise LengthRequired
    if request.mimetype != "application/json":
        raise TypeRefused("Send application/json.")
    try:
        body = json.loads(
            request.get_data(cache=False).decode("utf-8"),
            object_pairs_hook=_without_twins,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not JSON as RFC 8259 has it.") from error
    if not isinstance(body, dict):
        raise Malformed("The body is not a JSON object.")
    return body


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def json_answer(body: dict[str, Any], status: int = 200) -> Response:
    """An answer in JSON."""
    return make_response(jsonify(body), status)


def private(response: Response) -> Response:
    """An answer that nobody keeps."""
    response.headers["Cache-Control"] = "no-store"
    return response


def validated(response: Response, tag: str) -> Response:
    """An answer that is asked for again by its tag."""
    response.set_etag(tag)
    response.headers["Cache-Control"] = "no-cache"
    return response

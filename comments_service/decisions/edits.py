"""Edits that wait beside the comments they change: what keeps one from being published, and how it is.

An edit lies in a row of its own, which names the comment by `edits_id`, and keeps a mark of the words that
stood there when it was written: what was changed since is not overwritten unseen.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.clusters import joining as clusters
from comments_service.decisions.act import Act, Found, before, decision
from comments_service.decisions.revisions import Words, keep_both, write
from comments_service.decisions.showing import shows_otherwise
from comments_service.decisions.verbs import AUTHOR_EDITED, EDIT_PUBLISHED
from comments_service.storage.models import Comment
from comments_service.storage.search import index
from comments_service.vocabulary import Decision, Status

OVER = "over"  # beside the verdict: the mark of the words that the edit was written over
STATUS_COLUMNS = ("status", "status_changed_at", "is_quietly_declined")


def mark_of(words: Words) -> str:
    """What tells these words from all others."""
    said = json.dumps([words.name, words.website, words.text])
    return sha256(said.encode(errors="surrogatepass")).hexdigest()[:32]


def originals_of(session: Session, ids: Collection[int]) -> dict[int, int]:
    """Which of these are edits, and of which comments."""
    edits = select(Comment.id, Comment.edits_id).where(Comment.id.in_(ids), Comment.edits_id.is_not(None))
    return {row.id: row.edits_id for row in session.execute(edits)}


def is_overtaken(session: Session, edit: Found, found: Mapping[int, Found]) -> bool:
    """Whether the comment of a locked edit is gone, hidden, or says something else than it did."""
    original = found.get(edit.edits_id)
    if original is None or original.status != Status.APPROVED:
        return True
    comment = session.get_one(Comment, original.id, populate_existing=True)
    row = session.get_one(Comment, edit.id, populate_existing=True)
    return bool(row.verdict.get(OVER) != mark_of(Words.of(comment)))


def publish(session: Session, edits: Sequence[Found], found: Mapping[int, Found], act: Act) -> list[Decision]:
    """Give the comments of these edits their new words, and take the edits out of the queue.

    Both are locked, and none is overtaken. The two rows that this leaves in the journal name the edit, so
    that they are taken back together.
    """
    done = []
    for edit in edits:
        original = found[edit.edits_id]
        comment = session.get_one(Comment, original.id, populate_existing=True)
        row = session.get_one(Comment, edit.id, populate_existing=True)
        put_in(session, comment, Words.of(row), act, of=original, edit_id=edit.id)
        about = {"before": before(edit, STATUS_COLUMNS), "edit": edit.id}
        told = {"from_status": edit.status, "to_status": Status.TRASH}
        session.add(act.row(edit, EDIT_PUBLISHED, details=about, **told))
        row.status, row.status_changed_at, row.is_quietly_declined = Status.TRASH, act.now, False
        row.version += 1
        session.flush()
        done.append(decision(edit, Status.TRASH, is_edit=True))
    return done


def put_in(
    session: Session,
    comment: Comment,
    words: Words,
    act: Act,
    *,
    of: Found | Comment,
    edit_id: int | None = None,
) -> None:
    """Give a comment the words that its author wants, keeping those it had; `of` is it as it was before."""
    was, is_now = keep_both(session, comment, words, act)
    details = {"before": before(of, ["edited_at"]), "revision": was, "to_revision": is_now}
    if edit_id is not None:
        details["edit"] = edit_id
    session.add(act.row(of, AUTHOR_EDITED, details=details))
    write(comment, words, act.now)
    session.flush()
    index(session, comment)
    clusters.assign_anew(session, comment, now=act.now)
    if comment.status == Status.APPROVED:
        shows_otherwise(session, {comment.thread_id: 0})

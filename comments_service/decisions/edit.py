"""A moderator mends a comment's name, website or text. What the author sent stays, as the first revision."""

from __future__ import annotations

from datetime import datetime

from comments_service.decisions.act import Act, Late, Outcome, Why, before, decision, locked
from comments_service.decisions.revisions import Words, keep_both, write
from comments_service.decisions.showing import shows_otherwise
from comments_service.decisions.verbs import EDITED
from comments_service.storage.database import transaction
from comments_service.storage.models import Comment
from comments_service.storage.search import index
from comments_service.vocabulary import ModeratorView, Status


def edit(
    comment_id: int, version: int, words: Words, *, by: ModeratorView | None, now: datetime, reason: str = ""
) -> Outcome:
    """Put other words in the place of a comment's, as it was shown in this version.

    Nothing is done, and nothing is late, when they are the same. Raises: NotAllowed.
    """
    act = Act(by, now, reason)
    with transaction() as session:
        found = locked(session, [comment_id], by).get(comment_id)
        if found is None:
            return Outcome(late=(Late(comment_id, Why.GONE),))
        comment = session.get_one(Comment, comment_id, populate_existing=True)
        if Words.of(comment) == words:
            return Outcome()
        if comment.version != version:
            return Outcome(late=(Late(comment_id, Why.CHANGED),))
        was, now_is = keep_both(session, comment, words, act)
        details = {"before": before(found, ["edited_at"]), "revision": was, "to_revision": now_is}
        session.add(act.row(found, EDITED, details=details))
        write(comment, words, now)
        index(session, comment)
        if comment.status == Status.APPROVED:
            shows_otherwise(session, {comment.thread_id: 0})
        return Outcome(act.batch, done=(decision(found, found.status),))

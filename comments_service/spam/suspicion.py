"""Whether a form that is opened is asked for work: never, always, or while something looks like a flood."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from comments_service.options import Asking
from comments_service.rules.surge import is_in_surge
from comments_service.spam.history import BEGAN, CALLED_SPAM, LATEST, SENT_LATELY, rush
from comments_service.spam.signals import RUSH
from comments_service.storage.database import reading
from comments_service.storage.models import Thread, ThreadAlias
from comments_service.storage.rules import Surge
from comments_service.storage.threads import find_thread
from comments_service.storage.trails import EVER
from comments_service.vocabulary import ArticleRef, SiteView

FROM_NETWORK = 2  # comments in the last hour: with the third the signals begin to count them
RUSH_FROM = min(times for times, _ in RUSH)

# All in one question, made once, since every form asks it. A surge may be that of another article on the page
_by_address = select(ThreadAlias.thread_id).where(
    ThreadAlias.site_id == bindparam("site"), ThreadAlias.normalised_url == bindparam("address")
)
_by_id = select(Thread.id).where(Thread.site_id == bindparam("site"), Thread.explicit_id == bindparam("id"))
_QUESTION = select(
    SENT_LATELY,
    CALLED_SPAM,
    *BEGAN,
    exists(Surge.id).where(Surge.thread_id.in_(_by_address.union(_by_id)), Surge.ends_at > bindparam("now")),
).select_from(LATEST)


def asks_proof(
    site: SiteView, article: ArticleRef, network_hashes: tuple[bytes, ...], *, now: datetime
) -> bool:
    """Whether this form is asked for work. Nothing that its reader typed is known yet."""
    if site.options.proof != Asking.SUSPICION:
        return site.options.proof == Asking.ALWAYS
    with reading() as session:
        about = {**EVER, "site": site.id, "address": article.normalised_url, "id": article.explicit_id}
        about |= {"hashes": network_hashes, "now": now, "lately": now - timedelta(hours=1)}
        sent, spam, late, usual, surges = session.execute(_QUESTION, about).one()
        return (
            sent >= FROM_NETWORK
            or spam > 0
            or rush(late, usual, now=now) >= RUSH_FROM
            or (surges and _is_in_surge(session, site, article, now))
        )


def _is_in_surge(session: Session, site: SiteView, article: ArticleRef, now: datetime) -> bool:
    thread = find_thread(session, site.id, article)
    return thread is not None and is_in_surge(session, thread, now=now)

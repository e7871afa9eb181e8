"""Which comments belong together: those that say the same, and those that come from one source.

A comment joins one cluster, when it is stored; clusters never merge, and nobody leaves one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, Select, TextClause, delete, insert, select, text, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from comments_service.clusters.fingerprint import (
    Fingerprint,
    bare_host,
    fingerprint,
    host_numbers,
    is_like,
    likeness,
)
from comments_service.storage.clusters import ClusterKey
from comments_service.storage.models import Comment, Site
from comments_service.vocabulary import Status

MEMORY = timedelta(days=30)  # like texts further apart are two stories
# How far apart the comments of one source may be. A person's own day; a campaign's week; the hour of a crowd
# behind one network, where only comments with links count: a school or an office seldom advertises.
SAME_EMAIL = timedelta(days=1)
SAME_HOST = timedelta(days=7)
SAME_NETWORK = timedelta(hours=1)
NEWEST = 32  # holders of one number that are looked at: a wave of thousands costs no more than a few
COMPARED = 8  # texts that are compared in full: those that share the most numbers
SITE_STEP = 0x1E37_79B9_7F4A_7C15  # any large odd number: apart from one another, sites have other numbers
MASK = (1 << 63) - 1
Fellow = Row[*tuple[Any, ...]]
FellowRows = Select[*tuple[Any, ...]]
FELLOW: FellowRows = select(
    *(Comment.id, Comment.site_id, Comment.cluster_id, Comment.status, Comment.created_at),
    *(Comment.text, Comment.website, Comment.is_purged, Comment.is_letter, Comment.edits_id),
    *(Comment.verdict_reason, Comment.is_quietly_declined),
)


@dataclass(frozen=True)
class Likes:
    """What a text is compared by, and the comments of the last 30 days that say nearly the same.

    Each is `found` with how like it is; the most like are at the end, the newest of equals last.
    """

    own: Fingerprint
    bands: list[int]
    found: list[tuple[float, Fellow]]


def likes_of(
    session: Session,
    site_id: int,
    text: str,
    website: str | None,
    *,
    now: datetime,
    own_id: int | None = None,
) -> Likes:
    """Look for the comments of a site that are like a text which is not stored yet, or as `own_id`."""
    own = fingerprint(text, website)
    bands = stored_numbers(site_id, own.bands)
    return Likes(own, bands, _saying_the_same(session, own_id, site_id, own, bands, now))


def assign(session: Session, comment: Comment, *, now: datetime, likes: Likes | None = None) -> None:
    """Let a comment that was just stored join the cluster of those like it, within the caller's transaction.

    `likes` were found before it was stored, in this transaction.

    Two that are stored in the same instant may not see each other. A letter to the editors stays alone,
    and so does an author's edit: it would always be like the comment it changes.
    """
    if comment.is_letter or comment.edits_id is not None:
        return
    if likes is None:
        own = fingerprint(comment.text, comment.website)
        bands = stored_numbers(comment.site_id, own.bands)
        likes = Likes(own, bands, _saying_the_same(session, comment.id, comment.site_id, own, bands, now))
    own, bands = likes.own, likes.bands
    hosts = stored_numbers(comment.site_id, host_numbers(own.telling_hosts - _hosts_of(session, comment)))
    fellows = [  # all are asked, and rows are written either way: no time tells that an email was here
        likes.found[-1][1] if likes.found else None,
        _by_email(session, comment, now),
        _by_host(session, comment, hosts, now),
        _by_network(session, comment, own, now),
    ]
    _join(session, comment, next((fellow for fellow in fellows if fellow is not None), None))
    if keys := [{"number": number, "comment_id": comment.id} for number in {*bands, *hosts}]:
        session.execute(insert(ClusterKey), keys)


def assign_anew(session: Session, comment: Comment, *, now: datetime) -> None:
    """The same for a comment that says something else now: it leaves the cluster that it had joined.

    The one that a cluster is named after stays in it, since its name must not come to mean two.
    """
    if comment.cluster_id == comment.id:
        return
    session.execute(delete(ClusterKey).where(ClusterKey.comment_id == comment.id))
    comment.cluster_id = None
    session.flush()
    assign(session, comment, now=now)


def stored_numbers(site_id: int, numbers: Iterable[int]) -> list[int]:
    """Numbers as they are stored: each site has its own."""
    return [number ^ (site_id * SITE_STEP & MASK) for number in numbers]


def _saying_the_same(
    session: Session, own_id: int | None, site_id: int, own: Fingerprint, bands: Sequence[int], now: datetime
) -> list[tuple[float, Fellow]]:
    shared = Counter(_newest_holders(session, bands))
    shared.pop(own_id or 0, None)
    ids = [number for number, _count in shared.most_common(COMPARED)]
    like = [
        (likeness(own, other), row)
        for row in _fellows(session, own_id, site_id, FELLOW.where(Comment.id.in_(ids)), now - MEMORY)
        if is_like(own, other := fingerprint(row.text, row.website))
    ]
    return sorted(like, key=lambda found: (found[0], found[1].id))


def _by_email(session: Session, comment: Comment, now: datetime) -> Fellow | None:
    theirs = FELLOW.where(Comment.site_id == comment.site_id, Comment.email_hash == comment.email_hash)
    newest = theirs.order_by(Comment.id.desc()).limit(2)  # this comment is one of them
    fellows = (
        _fellows(session, comment.id, comment.site_id, newest, now - SAME_EMAIL) if comment.email_hash else []
    )
    return next(filter(_is_undecided, fellows), None)


def _by_host(session: Session, comment: Comment, hosts: Sequence[int], now: datetime) -> Fellow | None:
    ids = sorted(set(_newest_holders(session, hosts)))[-1:]
    few = FELLOW.where(Comment.id.in_(ids))
    fellows = _fellows(session, comment.id, comment.site_id, few, now - SAME_HOST) if ids else []
    return next(filter(_is_undecided, fellows), None)


def _by_network(session: Session, comment: Comment, own: Fingerprint, now: datetime) -> Fellow | None:
    if comment.network_hash is None or not own.telling_hosts:
        return None
    near = FELLOW.where(Comment.network_hash == comment.network_hash)
    newest = near.order_by(Comment.created_at.desc()).limit(COMPARED)
    for row in _fellows(session, comment.id, comment.site_id, newest, now - SAME_NETWORK):
        if _is_undecided(row) and fingerprint(row.text, row.website).telling_hosts:
            return row
    return None


def _fellows(
    session: Session, own_id: int | None, site_id: int, few: FellowRows, since: datetime
) -> list[Fellow]:
    """Which of some few rows may be joined. Asked here: SQLite would else take the index of times."""
    return [
        row
        for row in session.execute(few)
        if row.id != own_id
        and row.site_id == site_id
        and row.created_at > since
        and not (row.is_purged or row.is_letter or row.edits_id is not None)
    ]


def _is_undecided(fellow: Fellow) -> bool:
    """One that was approved speaks for its source: what follows is somebody's next word, no campaign."""
    return bool(fellow.status != Status.APPROVED)


def _newest_holders(session: Session, numbers: Sequence[int]) -> list[int]:
    """The comments that hold these numbers, the newest of each: as often as they hold one."""
    if not numbers:
        return []
    values = {f"n{place}": number for place, number in enumerate(numbers)}
    return list(session.execute(_holders_of(len(numbers)), values | {"newest": NEWEST}).scalars())


@cache
def _holders_of(count: int) -> TextClause:
    """One look-up for all numbers. Written out: to build it by parts takes longer than to run it."""
    one = (
        "SELECT comment_id FROM (SELECT comment_id FROM cluster_key WHERE number = :n{place}"
        " ORDER BY comment_id DESC LIMIT :newest) AS p{place}"
    )
    return text(" UNION ALL ".join(one.format(place=place) for place in range(count)))


def _hosts_of(session: Session, comment: Comment) -> frozenset[str]:
    """The site's own hosts: readers link to its articles."""
    origins = session.get_one(Site, comment.site_id).origins
    return frozenset(bare_host(urlsplit(origin).hostname) for origin in origins)


def _join(session: Session, comment: Comment, fellow: Fellow | None) -> None:
    """Name the cluster after its first comment; a published comment begins none, as nothing is to decide."""
    cluster_id = fellow.cluster_id if fellow is not None else None
    begun = None
    if fellow is not None and cluster_id is None and comment.status != Status.APPROVED:
        cluster_id = begun = fellow.id
    first = update(Comment).where(Comment.id == (begun or comment.id), Comment.cluster_id.is_(None))
    own = update(Comment).where(Comment.id == comment.id)
    for change, value in ((first, begun), (own, cluster_id)):
        session.execute(change.values(cluster_id=value).execution_options(synchronize_session=False))
    set_committed_value(comment, "cluster_id", cluster_id)

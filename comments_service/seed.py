"""Fills a site with comments of labelled files, by the same way that readers' comments take."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import select

from comments_service.article_url import identify
from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.errors import DuplicateComment, FieldsRefused, KeyReused
from comments_service.labelled import LabelledComment
from comments_service.privacy import KeyHolder
from comments_service.settings import Settings
from comments_service.storage.database import reading
from comments_service.storage.models import Comment, Site
from comments_service.storage.sites import find_site
from comments_service.submit import submit
from comments_service.vocabulary import SiteView, Status, Submission

ARTICLES_PER_FILE = 4
SPREAD = timedelta(days=6)  # well within the days after which networks are forgotten
SPAM_NETWORKS = 12  # a spammer holds few networks, a crowd many
CROWD_NETWORKS = 4_000
REPLY_EVERY = 5
WEBSITE_EVERY = 3
UNHURRIED = {
    "submission_interval_seconds": 0,
    "submissions_per_hour": 1_000_000,
    "site_submissions_per_minute": 1_000_000,
}
_LINK = re.compile(r"https?://[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True)
class Seeded:
    """What was made: how many by status, on how many articles, and how many of them are replies.

    `answered` were published, so that there is something to reply to. `repeated` were there already: from
    an earlier run, or because the files say the same twice.
    """

    site_key: str
    by_status: Mapping[str, int]
    articles: int
    replies: int
    answered: int
    repeated: int

    @property
    def total(self) -> int:
        """All that were made, but for those published to be answered."""
        return sum(self.by_status.values())


def seed(
    comments: Sequence[LabelledComment],
    *,
    count: int,
    site_key: str | None,
    settings: Settings,
    keys: KeyHolder,
    now: datetime,
    on_progress: Callable[[int], None],
) -> Seeded:
    """Submit `count` of these comments, without the limits on haste; the same files make the same comments.

    Articles, networks, authors and times mix. A run after the first goes on where that one ended.

    Raises: SiteNotFound; FieldsRefused where the site must be named; ThreadClosed.
    """
    site = _site(site_key)
    bed = _Bed(site, settings.model_copy(update=UNHURRIED), keys)
    order = sorted(comments, key=_number)
    firsts = _first_of_each_article(order)
    answered = {
        article: bed.publish(first, now - SPREAD - timedelta(minutes=1)) for article, first in firsts.items()
    }
    rest = [comment for comment in order if comment not in firsts.values()]
    by_status: Counter[str] = Counter()
    articles, replies, repeated = set(), 0, 0
    for comment in rest:
        if by_status.total() == count:
            break
        parent = answered[_article(comment)] if _number(comment) % REPLY_EVERY == 0 else None
        status = bed.submit(comment, parent, _moment(by_status.total(), count, now))
        if status is None:
            repeated += 1
            continue
        by_status[status] += 1
        articles.add(_article(comment))
        replies += parent is not None
        on_progress(1)
    return Seeded(site.key, by_status, len(articles), replies, len(answered), repeated)


def _site(key: str | None) -> SiteView:
    with reading() as session:
        if key is not None:
            return find_site(session, key).view()
        sites = session.scalars(select(Site).order_by(Site.key).limit(2)).all()
        if len(sites) != 1:
            raise FieldsRefused(
                "Say which site with --site: there are several."
                if sites
                else "There is no site yet. `comments site add KEY --origin https://…` adds one."
            )
        return sites[0].view()


class _Bed:
    """Where the comments go, and what it takes to submit them."""

    def __init__(self, site: SiteView, settings: Settings, keys: KeyHolder) -> None:
        self._site, self._settings, self._keys = site, settings, keys

    def publish(self, comment: LabelledComment, now: datetime) -> int | None:
        """The id of a comment that is shown, so that others can answer it; None where it is not to be had."""
        try:
            receipt = submit(
                self._submission(comment, None), settings=self._settings, keys=self._keys, now=now
            )
        except (DuplicateComment, KeyReused):
            return None
        if receipt.created_at != now:
            return receipt.comment_id if _is_shown(receipt.comment_id) else None
        if receipt.status != Status.APPROVED:
            decide(Change(receipt.comment_id, 1, Status.APPROVED), by=None, now=now)
        return receipt.comment_id

    def submit(self, comment: LabelledComment, parent_id: int | None, now: datetime) -> Status | None:
        """The status that a comment got; None for one that is there already."""
        submission = self._submission(comment, parent_id)
        try:
            receipt = submit(submission, settings=self._settings, keys=self._keys, now=now)
        except (DuplicateComment, KeyReused):
            return None
        return receipt.status if receipt.created_at == now else None

    def _submission(self, comment: LabelledComment, parent_id: int | None) -> Submission:
        source, part = _article(comment)
        url = f"{self._site.origins[0]}/seeded/{sha256(source.encode()).hexdigest()[:8]}/{part}"
        return Submission(
            site=self._site,
            article=identify(url, None, origins=self._site.origins),
            title=f"{source}, part {part}",
            parent_id=parent_id,
            name=comment.author,
            email=_email(comment.author),
            website=_website(comment),
            text=comment.text,
            network=_network(comment),
            idempotency_key=f"seed-{_number(comment):x}",
        )


def _is_shown(comment_id: int) -> bool:
    with reading() as session:
        return session.scalar(select(Comment.status).where(Comment.id == comment_id)) == Status.APPROVED


def _number(comment: LabelledComment) -> int:
    """A number of the comment's own, the same on every machine: what mixes them all."""
    said = f"{comment.source}\0{comment.key}\0{comment.author}\0{comment.text}"
    return int.from_bytes(sha256(said.encode()).digest()[:8], "big")


def _article(comment: LabelledComment) -> tuple[str, int]:
    return comment.source, _number(comment) // REPLY_EVERY % ARTICLES_PER_FILE + 1


def _first_of_each_article(order: Sequence[LabelledComment]) -> dict[tuple[str, int], LabelledComment]:
    firsts: dict[tuple[str, int], LabelledComment] = {}
    for comment in order:
        if not comment.is_spam:
            firsts.setdefault(_article(comment), comment)
    return firsts


def _moment(done: int, count: int, now: datetime) -> datetime:
    """Later and later, the more the nearer to now: the oldest waits for days."""
    return now - SPREAD * ((count - done) / count) ** 2


def _email(author: str) -> str:
    return f"{sha256(author.encode()).hexdigest()[:12]}@example.org"


def _website(comment: LabelledComment) -> str | None:
    link = _LINK.search(comment.text) if comment.is_spam else None
    return link[0] if link and len(link[0]) <= 200 and _number(comment) % WEBSITE_EVERY == 0 else None


def _network(comment: LabelledComment) -> str:
    if comment.is_spam:
        return f"10.0.{_number(comment) // 7 % SPAM_NETWORKS}.0/24"
    author = int.from_bytes(sha256(comment.author.encode()).digest()[:4], "big") % CROWD_NETWORKS
    return f"10.{1 + author // 256}.{author % 256}.0/24"

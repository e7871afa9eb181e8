"""The words of each site's blocklist, made ready once a process and list: by the first who needs them.

That is done before the transaction of whoever posts, so that nobody waits for it with the database in hand.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select

from comments_service.blocklists.entries import Kind
from comments_service.blocklists.matching import WordList
from comments_service.storage.blocklists import BlockedEntry
from comments_service.storage.database import db, reading
from comments_service.storage.models import Site
from comments_service.vocabulary import SiteView

NO_WORDS = WordList()


@dataclass
class _Shelf:
    """The words of one site in one version, and who is making them ready just now."""

    lock: Lock = field(default_factory=Lock)
    version: int = 0
    words: WordList = NO_WORDS


_SHELVES: MutableMapping[Engine, dict[int, _Shelf]] = WeakKeyDictionary()


def words_of(site: SiteView) -> WordList:
    """The words on a site's blocklists, as they were when the site was looked up, or later.

    Entries that ended or were taken off since may be among them: who asks looks at the entries themselves.
    """
    if site.blocklist_version == 0:
        return NO_WORDS
    shelf = _SHELVES.setdefault(db.engine, {}).setdefault(site.id, _Shelf())
    if shelf.version < site.blocklist_version:
        with shelf.lock:  # others of this site wait, those of other sites do not
            if shelf.version < site.blocklist_version:
                shelf.words, shelf.version = _read(site.id)
    return shelf.words


def _read(site_id: int) -> tuple[WordList, int]:
    with reading() as session:
        version = session.scalar(select(Site.blocklist_version).where(Site.id == site_id)) or 0
        words = select(BlockedEntry.folded).where(
            BlockedEntry.site_id == site_id,
            BlockedEntry.kind == Kind.WORD,
            BlockedEntry.removed_at.is_(None),
        )
        folded = session.scalars(words).all()
    return WordList(word for word in folded if word is not None), version

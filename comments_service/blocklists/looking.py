"""What of a submission stands on its site's blocklists, asked in the transaction that stores it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from comments_service.blocklists.domains import domains_met
from comments_service.blocklists.entries import UNSHOWN, Action
from comments_service.blocklists.matching import WordList
from comments_service.markup import render
from comments_service.privacy import Keyring
from comments_service.storage.blocklists import Marks, entries_met
from comments_service.vocabulary import Submission

MOST_TOLD = 20  # of the entries that are met


@dataclass(frozen=True)
class Listed:
    """The entries that are met, by what they ask for; of networks and addresses no more than that."""

    held: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def listed(
    session: Session, submission: Submission, words: WordList, *, keys: Keyring, now: datetime
) -> Listed:
    """What is met. `words` are those of the site, made ready before the transaction."""
    site = submission.site
    if site.blocklist_version == 0:
        return Listed()
    found = entries_met(session, site.id, _marks(submission, words, keys), now=now)
    return Listed(*(_told(sorted(found), action) for action in (Action.HOLD, Action.REFUSE)))


def _marks(submission: Submission, words: WordList, keys: Keyring) -> Marks:
    site_id, name, said = submission.site.id, submission.name, submission.text
    website, email = submission.website or "", submission.email
    email_domain = (email or "").rpartition("@")[2]
    return Marks(
        words=words.met_in((name, email_domain, website, said)),
        domains=domains_met(email_domain, website, f"{name}\n{said}", render(said)),
        addresses=keys.email_hashes(email, site_id=site_id) if email else (),
        networks=keys.network_hashes(submission.network, site_id=site_id),
    )


def _told(rows: Sequence[Any], action: Action) -> tuple[str, ...]:
    met = (UNSHOWN.get(row.kind, row.shown) for row in rows if row.action == action)
    return tuple(dict.fromkeys(met))[:MOST_TOLD]

"""What one line of an export says, for each type of line (docs/backup.md)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.decisions.standing import Trace
from comments_service.privacy import Keyring
from comments_service.storage.blocklists import BlockedEntry
from comments_service.storage.decisions import Revision, Standing
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment, Site, Thread, ThreadAlias
from comments_service.storage.rules import RuleSet
from comments_service.submit import EMAIL_COLUMN

FORMAT = 1  # grows when a type or a key that there is means something else; new ones may come any time
Names = Mapping[int | None, str]


def site(row: Site, now: datetime) -> dict[str, Any]:
    """The site itself: the first line."""
    return {
        "type": "site",
        "format": FORMAT,
        "exported_at": _time(now),
        "key": row.key,
        "name": row.name,
        "origins": row.origins,
        "language": row.language,
        "texts": row.texts,
        "required": list(row.view().required),
        "open": row.is_open,
        "letters": row.takes_letters,
        "sort": row.view().options.sort,
        "edit_minutes": row.view().options.edit_minutes,
        "proof": row.view().options.proof,
        "rules": row.view().rules.stored(),
        "rules_version": row.rules_version,
        "created_at": _time(row.created_at),
    }


def thread(session: Session, row: Thread) -> dict[str, Any]:
    """An article, with every address it is known by."""
    aliases = select(ThreadAlias.normalised_url).where(ThreadAlias.thread_id == row.id)
    return {
        "type": "thread",
        "id": row.id,
        "article_id": row.explicit_id,
        "url": row.url,
        "aliases": sorted(session.scalars(aliases)),
        "title": row.title,
        "open": row.is_open,
        "rules": row.rules,
        "rules_version": row.rules_version,
        "created_at": _time(row.created_at),
    }


def rules(row: RuleSet, names: Names) -> dict[str, Any]:
    """One version of the rules of the site, or of an article."""
    return {
        "type": "rules",
        "thread": row.thread_id,
        "version": row.version,
        "rules": row.rules,
        "moderator": names.get(row.moderator_id),
        "made_at": _time(row.made_at),
    }


def comment(row: Comment, keys: Keyring | None) -> dict[str, Any]:
    """A comment as it is now. With `keys`, its email is opened."""
    line: dict[str, Any] = {
        "type": "comment",
        "id": row.id,
        "thread": row.thread_id,
        "parent": row.parent_id,
        "status": row.status,
        "removed": row.is_purged,
        "letter": row.is_letter,
        "edits": row.edits_id,
        "name": row.name,
        "website": row.website,
        "text": row.text,
        "page_url": row.page_url,
        "reason": row.verdict_reason,
        "verdict": row.verdict,
        "risk": row.risk,
        "flags": row.flag_count,
        "reports": row.report_count,
        "votes": {"up": row.up_count, "down": row.down_count},
        "quiet": row.is_quietly_declined,
        "same_author_as": row.proven_root_id,
        "created_at": _time(row.created_at),
        "status_changed_at": _time(row.status_changed_at),
        "edited_at": _time(row.edited_at),
        "pinned": row.pinned_at is not None,
        "picked": row.picked_at is not None,
        "by_moderator": row.moderator_id is not None,
        "badge": row.badge,
        "author_note": row.author_note,
    }
    if keys is not None:
        sealed = row.email_sealed
        line["email"] = keys.open(sealed, column=EMAIL_COLUMN) if sealed else None
    return line


def revision(row: Revision, names: Names) -> dict[str, Any]:
    """One version of a comment's words; number 1 is what its author sent."""
    return {
        "type": "revision",
        "comment": row.comment_id,
        "number": row.number,
        "name": row.name,
        "website": row.website,
        "text": row.text,
        "moderator": names.get(row.moderator_id),
        "written_at": _time(row.written_at),
    }


def standing(row: Standing, comment_id: int | None, names: Names, *, is_full: bool) -> dict[str, Any]:
    """Somebody who is banned or trusted, by a domain or as the author of a comment; masks only in full."""
    return {
        "type": "standing",
        "id": row.id,
        "kind": row.kind,
        "by": row.mark,
        "domain": row.domain,
        "comment": comment_id,
        "label": row.label if is_full or row.mark == Trace.DOMAIN else None,
        "note": row.note,
        "moderator": names.get(row.moderator_id),
        "made_at": _time(row.made_at),
        "ends_at": _time(row.ends_at),
        "lifted_at": _time(row.lifted_at),
    }


def blocked_entry(row: BlockedEntry, names: Names, *, is_full: bool) -> dict[str, Any]:
    """An entry of the blocklists; of networks and addresses masks alone, and only in full."""
    return {
        "type": "blocked_entry",
        "id": row.id,
        "kind": row.kind,
        "entry": row.shown if is_full or row.hash is None else None,
        "action": row.action,
        "note": row.note,
        "moderator": names.get(row.moderator_id),
        "made_at": _time(row.made_at),
        "expires_at": _time(row.expires_at),
        "removed_at": _time(row.removed_at),
    }


def person(name: str, role: str | None, wish: str | None) -> dict[str, Any]:
    """Somebody with a role on this site, or with a wish about its letters."""
    return {"type": "person", "name": name, "role": role, "letters": wish}


def decision(row: JournalRow, names: Names) -> dict[str, Any]:
    """A change of a comment's status, or what the service made of it when it came."""
    return {
        "type": "decision",
        "id": row.id,
        "comment": row.comment_id,
        "moderator": names.get(row.moderator_id),
        "from": row.from_status,
        "to": row.to_status,
        "reason": row.reason,
        "details": row.details,
        "batch": row.batch,
        "undoes": row.undoes_id,
        "decided_at": _time(row.happened_at),
    }


def event(row: JournalRow, names: Names) -> dict[str, Any]:
    """Anything else that the audit tells of this site."""
    return {
        "type": "event",
        "id": row.id,
        "action": row.action,
        "thread": row.thread_id,
        "comment": row.comment_id,
        "moderator": names.get(row.moderator_id),
        "reason": row.reason,
        "subject": row.subject,
        "details": row.details,
        "batch": row.batch,
        "undoes": row.undoes_id,
        "happened_at": _time(row.happened_at),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")

"""The owners' verb for rules: each change is a new version, with who made it and a line in the journal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.errors import ChangedMeanwhile, CommentNotFound, FieldError, FieldsRefused
from comments_service.rights import require
from comments_service.rules.words import is_too_wide, says_something
from comments_service.storage.database import reading, transaction
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Site, Thread
from comments_service.storage.people import Moderator
from comments_service.storage.rules import RuleSet
from comments_service.vocabulary import ModeratorView, Role, Rules

MAX_ENTRIES = 1_000
MAX_ENTRY_CHARACTERS = 100
MAX_DEPTH = 20
MAX_LINKS = 100
MAX_DAYS = 36_500
RANGES = {"hold_links_from": (0, MAX_LINKS), "close_after_days": (0, MAX_DAYS), "max_depth": (1, MAX_DEPTH)}
WORDS = ("hold_words", "refuse_words")
VERSIONS_SHOWN = 50


@dataclass(frozen=True)
class Place:
    """Whose rules are meant: a site's, or with `thread_id` those that an article has itself."""

    site_id: int
    thread_id: int | None = None


@dataclass(frozen=True)
class Version:
    """Rules as they were: a site's whole, or an article's own ones; `by` None is the operator."""

    version: int
    rules: Mapping[str, Any]
    by: str | None
    made_at: datetime


def change_rules(
    place: Place, rules: Mapping[str, Any], *, version: int, by: ModeratorView | None, now: datetime
) -> int:
    """Put other rules in force and return their version; `version` is the one that was changed.

    `rules` are in stored form: a site's may leave out what stays as it is, an article's are all it has.

    Raises: NotAllowed; CommentNotFound where there is no such place; FieldsRefused; ChangedMeanwhile when
    somebody else was faster.
    """
    refuse_wrong(rules)
    with transaction() as session:
        return put_in_force(session, place, rules, version=version, by=by, now=now)


def put_in_force(
    session: Session,
    place: Place,
    rules: Mapping[str, Any],
    *,
    version: int | None,
    by: ModeratorView | None,
    now: datetime,
) -> int:
    """The same within a transaction; without `version` nobody looks whether another change came between."""
    require(by, Role.OWNER, place.site_id)
    site = session.get_one(Site, place.site_id, with_for_update=True, populate_existing=True)
    target = site if place.thread_id is None else _thread(session, place)
    if version is not None and target.rules_version != version:
        raise ChangedMeanwhile
    new = dict(rules) if isinstance(target, Thread) else Rules.of(site.rules).with_own(rules).stored()
    changed = sorted(rule for rule in {*new, *target.rules} if new.get(rule) != target.rules.get(rule))
    target.rules, target.rules_version = new, target.rules_version + 1
    target.version += 1  # depth and closing show on pages: no cached answer outlives the change
    record(session, place, target, by=by, now=now)
    session.add(
        JournalRow(
            happened_at=now,
            moderator_id=by.id if by else None,
            action="rules-changed",
            site_id=site.id,
            thread_id=place.thread_id,
            subject=f"site {site.key}, version {target.rules_version}",
            details={"version": target.rules_version, "rules": changed},
        )
    )
    return target.rules_version


def record(
    session: Session, place: Place, target: Site | Thread, *, by: ModeratorView | None, now: datetime
) -> None:
    """Keep the rules now in force among the versions."""
    session.add(
        RuleSet(
            site_id=place.site_id,
            thread_id=place.thread_id,
            version=target.rules_version,
            rules=target.rules,
            moderator_id=by.id if by else None,
            made_at=now,
        )
    )


def versions(place: Place) -> tuple[Version, ...]:
    """The latest versions of a place's rules, the newest first."""
    rows = (
        select(RuleSet, Moderator.name)
        .outerjoin(Moderator, Moderator.id == RuleSet.moderator_id)
        .where(RuleSet.site_id == place.site_id, RuleSet.thread_id == place.thread_id)
        .order_by(RuleSet.version.desc())
        .limit(VERSIONS_SHOWN)
    )
    with reading() as session:
        return tuple(
            Version(row.RuleSet.version, row.RuleSet.rules, row.name, row.RuleSet.made_at)
            for row in session.execute(rows)
        )


def refuse_wrong(rules: Mapping[str, Any]) -> None:
    """Hold rules against their bounds.

    Raises: FieldsRefused with every wrong rule at once; the `detail` of a wrong entry is the entry.
    """
    wrong = [
        FieldError(rule, "range", f"Take a number from {low} to {high}.")
        for rule, (low, high) in RANGES.items()
        if rule in rules and not low <= rules[rule] <= high
    ]
    wrong += [error for rule in WORDS if (error := _wrong_words(rule, rules.get(rule, ()))) is not None]
    if wrong:
        raise FieldsRefused(wrong[0].detail, errors=tuple(wrong))


def entries(text: str) -> list[str]:
    """The entries of a list that was typed one a line, each once, in their order."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if line))


def _wrong_words(rule: str, words: list[str]) -> FieldError | None:
    if len(words) > MAX_ENTRIES:
        return FieldError(rule, "too_many", f"A list has at most {MAX_ENTRIES} entries.")
    for word in words:
        if code := _wrong_word(word):
            return FieldError(rule, code, _shown(word[:MAX_ENTRY_CHARACTERS]))
    return None


def _wrong_word(word: str) -> str | None:
    if len(word) > MAX_ENTRY_CHARACTERS:
        return "too_long"
    if re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", word) or not says_something(word):
        return "empty"
    return "too_wide" if is_too_wide(word) else None


def _shown(word: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in word)


def _thread(session: Session, place: Place) -> Thread:
    thread = session.get(Thread, place.thread_id, with_for_update=True, populate_existing=True)
    if thread is None or thread.site_id != place.site_id:
        raise CommentNotFound("There is no such article.")
    return thread

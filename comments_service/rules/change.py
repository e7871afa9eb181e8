"""The owners' verb for rules: each change is a new version, with who made it and a line in the journal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
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
MAX_DEPTH = 10
MAX_LINKS = 100
MAX_DAYS = 36_500
MAX_PERCENT = 100
RANGES = {
    "hold_links_from": (0, MAX_LINKS),
    "hold_doubt_from": (0, MAX_PERCENT),
    "refuse_doubt_from": (0, MAX_PERCENT),
    "close_after_days": (0, MAX_DAYS),
    "max_depth": (1, MAX_DEPTH),
}
WORDS = ("hold_words", "refuse_words")
VERSIONS_SHOWN = 50
CHANGED, BROUGHT_BACK = "rules-changed", "rules-brought-back"


@dataclass(frozen=True)
class Place:
    """Whose rules are meant: a site's, or with `thread_id` those that an article has itself."""

    site_id: int
    thread_id: int | None = None


@dataclass(frozen=True)
class RuleChange:
    """Who changes rules, when, what it is called in the journal, and what it takes back, if anything."""

    by: ModeratorView | None
    now: datetime
    batch: str | None = None
    action: str = CHANGED
    undoes_id: int | None = None


@dataclass(frozen=True)
class Version:
    """Rules as they were: a site's whole, or an article's own ones; `by` None is the operator.

    `changed` names the rules that were otherwise in the version before; none where there was none.
    """

    version: int
    rules: Mapping[str, Any]
    by: str | None
    made_at: datetime
    changed: frozenset[str] = frozenset()
    is_first: bool = False


def change_rules(
    place: Place,
    rules: Mapping[str, Any],
    *,
    version: int,
    by: ModeratorView | None,
    now: datetime,
    batch: str | None = None,
) -> int:
    """Put other rules in force and return their version; `version` is the one that was changed.

    `rules` are in stored form: a site's may leave out what stays as it is, an article's are all it has.
    `batch` names the change, to take it back by.

    Raises: NotAllowed; CommentNotFound where there is no such place; FieldsRefused; ChangedMeanwhile when
    somebody else was faster.
    """
    refuse_wrong(rules)
    change = RuleChange(by, now, batch)
    with transaction() as session:
        return put_in_force(session, place, rules, change, version=version)


def bring_back(
    place: Place,
    wanted: int,
    *,
    version: int,
    by: ModeratorView | None,
    now: datetime,
    batch: str | None = None,
) -> int:
    """Put the rules of an earlier version in force again, as a new version, which is returned.

    Raises: as `change_rules`; CommentNotFound where there was no such version.
    """
    with transaction() as session:
        require(by, Role.OWNER, place.site_id)
        target = locked(session, place)
        if target.rules_version != version:
            raise ChangedMeanwhile
        rules = rules_of(session, place, wanted)
        if rules is None:
            raise CommentNotFound("There is no such version of these rules.")
        change = RuleChange(by, now, batch, action=BROUGHT_BACK)
        return replace_rules(session, place, target, rules, change, brought_back=wanted)


def put_in_force(
    session: Session, place: Place, rules: Mapping[str, Any], change: RuleChange, *, version: int | None
) -> int:
    """The same within a transaction; without `version` nobody looks whether another change came between."""
    require(change.by, Role.OWNER, place.site_id)
    target = locked(session, place)
    if version is not None and target.rules_version != version:
        raise ChangedMeanwhile
    new = dict(rules) if isinstance(target, Thread) else Rules.of(target.rules).with_own(rules).stored()
    return replace_rules(session, place, target, new, change)


def replace_rules(
    session: Session,
    place: Place,
    target: Site | Thread,
    new: dict[str, Any],
    change: RuleChange,
    **more: int,
) -> int:
    """Let other rules stand there, as a new version with its line in the journal; `more` is told there."""
    changed = sorted(rule for rule in {*new, *target.rules} if new.get(rule) != target.rules.get(rule))
    target.rules, target.rules_version = new, target.rules_version + 1
    target.version += 1  # depth and closing show on pages: no cached answer outlives the change
    record(session, place, target, by=change.by, now=change.now)
    site = session.get_one(Site, place.site_id)
    session.add(
        JournalRow(
            happened_at=change.now,
            moderator_id=change.by.id if change.by else None,
            action=change.action,
            site_id=place.site_id,
            thread_id=place.thread_id,
            subject=f"site {site.key}, version {target.rules_version}",
            details={"version": target.rules_version, "rules": changed} | more,
            batch=change.batch,
            undoes_id=change.undoes_id,
        )
    )
    return target.rules_version


def rules_of(session: Session, place: Place, version: int) -> dict[str, Any] | None:
    """The rules as they were in one version, in stored form; an article had none in version 0."""
    if place.thread_id is not None and version == 0:
        return {}
    rows = select(RuleSet.rules).where(*_versions_of(place), RuleSet.version == version)
    rules = session.scalars(rows).one_or_none()
    return rules if rules is None or place.thread_id else Rules.of(rules).stored()


def locked(session: Session, place: Place) -> Site | Thread:
    """The site or article whose rules these are; it changes no more until the transaction ends.

    Raises: CommentNotFound where there is no such place.
    """
    site = session.get_one(Site, place.site_id, with_for_update=True, populate_existing=True)
    return site if place.thread_id is None else _thread(session, place)


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


def versions(place: Place, *, upto: int | None = None) -> tuple[Version, ...]:
    """The latest versions of a place's rules, the newest first; or those that end with `upto`."""
    rows = (
        select(RuleSet, Moderator.name)
        .outerjoin(Moderator, Moderator.id == RuleSet.moderator_id)
        .where(*_versions_of(place))
        .order_by(RuleSet.version.desc())
        .limit(VERSIONS_SHOWN + 1)
    )
    if upto is not None:
        rows = rows.where(RuleSet.version <= upto)
    with reading() as session:
        found = [(row.RuleSet, row.name) for row in session.execute(rows)]
        earlier = [row.rules for row, _ in found[1:]] + [None]
        return tuple(
            Version(row.version, row.rules, name, row.made_at, _changed(row.rules, before), before is None)
            for (row, name), before in list(zip(found, earlier, strict=False))[:VERSIONS_SHOWN]
        )


def _versions_of(place: Place) -> tuple[ColumnElement[bool], ...]:
    return RuleSet.site_id == place.site_id, RuleSet.thread_id == place.thread_id


def _changed(rules: Mapping[str, Any], before: Mapping[str, Any] | None) -> frozenset[str]:
    if before is None:
        return frozenset()
    return frozenset(rule for rule in {*rules, *before} if rules.get(rule) != before.get(rule))


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

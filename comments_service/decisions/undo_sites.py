"""Takes back what owners changed: the settings of a site, its rules, and those of its articles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy.orm import Session

from comments_service.decisions.act import Act, Late, Undone, Why
from comments_service.decisions.undo_comments import Undoer
from comments_service.errors import CommentNotFound
from comments_service.neighbours.change import lacking
from comments_service.options import Options
from comments_service.rights import require
from comments_service.rules.change import (
    BROUGHT_BACK,
    CHANGED,
    Place,
    RuleChange,
    locked,
    replace_rules,
    rules_of,
)
from comments_service.sites import CHANGED as SITE_CHANGED
from comments_service.sites import changes_between
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Site
from comments_service.vocabulary import Role, SiteView

OPTIONS = frozenset(option.name for option in fields(Options))
# What a row of the journal may bring back; rules have versions of their own
SETTINGS = OPTIONS | {
    *("name", "origins", "language", "texts", "name_required", "email_required", "is_open", "takes_letters")
}


def bring_settings_back(session: Session, rows: Sequence[JournalRow], act: Act) -> Undone:
    """Give a site the settings it had before these rows, unless the same ones were changed since."""
    count, late = 0, []
    for row in reversed(rows):
        site = _site_of(session, row, act)
        changes, now = row.details.get("changes", {}), site.view()
        if not changes.keys() <= SETTINGS or not _still_holds(now, changes):
            late.append(Late(0, Why.ELSEWHERE))
            continue
        options = site.options | {name: old for name, (old, _) in changes.items() if name in OPTIONS}
        if lacking(session, site.id, options):  # a neighbour whose secret is forgotten is asked no more
            late.append(Late(0, Why.ELSEWHERE))
            continue
        site.options = options
        for name, (old, new) in changes.items():
            if name not in OPTIONS:
                setattr(site, name, _with_texts(site.texts, old, new) if name == "texts" else old)
        site.version += 1
        session.flush()
        details = {"changes": changes_between(now, site.view())}
        about = {"site_id": site.id, "subject": site.key, "details": details}
        session.add(act.line(SITE_CHANGED, undoes_id=row.id, **about))
        count += 1
    return Undone(None, count, (), tuple(late))


def bring_rules_back(session: Session, rows: Sequence[JournalRow], act: Act) -> Undone:
    """Put the rules in force that held before these rows, unless they were changed since."""
    count, late = 0, []
    for row in reversed(rows):
        _site_of(session, row, act)
        place, version = Place(row.site_id or 0, row.thread_id), row.details.get("version", 0)
        try:
            target = locked(session, place)
        except CommentNotFound:  # the article is gone
            late.append(Late(0, Why.ELSEWHERE))
            continue
        earlier = rules_of(session, place, version - 1)
        if earlier is None or target.rules_version != version:
            late.append(Late(0, Why.ELSEWHERE))
            continue
        change = RuleChange(act.by, act.now, act.batch, undoes_id=row.id)
        replace_rules(session, place, target, earlier, change)
        count += 1
    return Undone(None, count, (), tuple(late))


def _site_of(session: Session, row: JournalRow, act: Act) -> Site:
    """The site of a row, for its owners alone.

    Raises: NotAllowed.
    """
    require(act.by, Role.OWNER, row.site_id or 0)
    return session.get_one(Site, row.site_id, with_for_update=True, populate_existing=True)


def _still_holds(site: SiteView, changes: Mapping[str, Sequence[Any]]) -> bool:
    """Whether what a row changed is now as that row left it."""
    for name, (old, new) in changes.items():
        value = getattr(site.options if name in OPTIONS else site, name)
        if name == "texts":
            if any(value.get(key) != new.get(key) for key in {*old, *new}):
                return False
        elif (list(value) if isinstance(value, tuple) else value) != new:
            return False
    return True


def _with_texts(texts: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """A site's own texts with those that a row changed as they were before."""
    return {key: text for key, text in texts.items() if key not in new} | dict(old)


UNDOERS: dict[str, Undoer] = {
    SITE_CHANGED: bring_settings_back,
    CHANGED: bring_rules_back,
    BROUGHT_BACK: bring_rules_back,
}

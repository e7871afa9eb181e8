"""What was done, as the audit shows it: the journal in pages, a bulk as one row, for those who may know."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from comments_service.decisions.undo import can_take_back
from comments_service.errors import SiteNotFound
from comments_service.rules.change import BROUGHT_BACK, CHANGED
from comments_service.sites import CHANGED as SITE_CHANGED
from comments_service.storage.database import reading
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Site
from comments_service.storage.people import Moderator
from comments_service.vocabulary import Access, Role

EXPORT_BATCH = 500
# In the place of a person: what the service or its operator did, and what people did
SERVICE, PEOPLE = "service", "people"
Seen = Callable[[Any], ColumnElement[bool]]


@dataclass(frozen=True)
class AuditQuestion:
    """Which part of the journal. `person` is an id, `SERVICE` or `PEOPLE`; days are in UTC, both included.

    Rows of one bulk are one row, unless the question is about one comment or about one batch.
    """

    person: int | str | None = None
    site_key: str | None = None
    action: str | None = None
    since: date | None = None
    until: date | None = None
    comment_id: int | None = None
    batch: str | None = None
    cursor: int | None = None

    @property
    def is_folded(self) -> bool:
        """Whether a bulk is one row."""
        return self.comment_id is None and self.batch is None


@dataclass(frozen=True)
class RulesMark:
    """The rules of a site or of an article, in one version."""

    scope: str
    version: int


@dataclass(frozen=True)
class AuditRow:
    """One thing that was done, or `size` of them at once. `who` is None for the service and its operator.

    `site` is its key and its name. `rules` were made by this, or decided about the comment. `changed` names
    settings and rules, by their texts. `count` is how many comments a row tells of that stands for them all.
    `undone_by` took this back, `undoes` was taken back by this. `outcome` is the status that it led to, or
    how the comment stays spam.
    """

    id: int
    happened_at: datetime
    who: str | None
    action: str
    site: tuple[str, str] | None
    thread_id: int | None
    comment_id: int | None
    from_status: str | None
    to_status: str | None
    outcome: str | None
    reason: str
    subject: str
    batch: str | None
    size: int
    rules: tuple[RulesMark, ...]
    changed: tuple[str, ...]
    count: int | None
    undoes: int | None
    undone_by: int | None
    can_be_undone: bool


@dataclass(frozen=True)
class Choice:
    """One thing to filter by: what is sent, and what is read."""

    value: str
    name: str


@dataclass(frozen=True)
class AuditPage:
    """One page of the journal, the newest first, and what there is to filter by."""

    rows: tuple[AuditRow, ...]
    next_cursor: int | None
    people: tuple[Choice, ...]
    sites: tuple[Choice, ...]
    actions: tuple[str, ...]


def audit_page(question: AuditQuestion, *, access: Access, page_size: int) -> AuditPage:
    """One page of what this person may know.

    Raises: SiteNotFound for a site that is not there, or not for them.
    """
    with reading() as session:
        sites = _sites(session, access)
        matches = _matches(question, access, sites)
        rows = _rows(session, question, matches, page_size + 1, is_folded=question.is_folded)
        shown = rows[:page_size]
        return AuditPage(
            rows=_told(session, shown, access, matches if question.is_folded else None),
            next_cursor=shown[-1].id if len(rows) > page_size else None,
            people=_people(session, access),
            sites=tuple(Choice(site.key, site.name) for site in sites),
            actions=_actions(session, access),
        )


def audit_batch(question: AuditQuestion, *, access: Access) -> tuple[AuditRow, ...]:
    """The next `EXPORT_BATCH` rows after the cursor, none folded; fewer are the last.

    Raises: SiteNotFound for a site that is not there, or not for them.
    """
    with reading() as session:
        matches = _matches(question, access, _sites(session, access))
        rows = _rows(session, question, matches, EXPORT_BATCH, is_folded=False)
        return _told(session, rows, access, None)


def _sites(session: Session, access: Access) -> list[Site]:
    sites = select(Site).order_by(Site.name, Site.id)
    if (ids := access.sites()) is not None:
        sites = sites.where(Site.id.in_(ids))
    return list(session.scalars(sites))


def _seen(question: AuditQuestion, access: Access, sites: Sequence[Site]) -> Seen:
    """Which rows are for this person: what is of no site is for those who own everything."""
    if question.site_key is not None:
        asked = [site.id for site in sites if site.key == question.site_key]
        if not asked:
            raise SiteNotFound
        return lambda row: row.site_id.in_(asked)
    if access.everywhere == Role.OWNER:
        return lambda row: true()
    ids = [site.id for site in sites]
    return lambda row: row.site_id.in_(ids)


def _matches(question: AuditQuestion, access: Access, sites: Sequence[Site]) -> Seen:
    """Which rows are asked for, of those that are for this person."""
    seen = _seen(question, access, sites)
    return lambda row: and_(seen(row), *_asked(question, row))


def _rows(
    session: Session, question: AuditQuestion, matches: Seen, limit: int, *, is_folded: bool
) -> Sequence[JournalRow]:
    rows = select(JournalRow).where(matches(JournalRow)).order_by(JournalRow.id.desc())
    if is_folded:  # the last of each bulk stands for all of it that is asked for
        other = aliased(JournalRow)
        last = select(func.max(other.id)).where(other.batch == JournalRow.batch, matches(other))
        rows = rows.where(or_(JournalRow.batch.is_(None), JournalRow.id == last.scalar_subquery()))
    if question.cursor is not None:
        rows = rows.where(JournalRow.id < question.cursor)
    return session.scalars(rows.limit(limit)).all()


def _asked(question: AuditQuestion, row: Any) -> Iterator[ColumnElement[bool]]:
    if question.person == SERVICE:
        yield row.moderator_id.is_(None)
    elif question.person == PEOPLE:
        yield row.moderator_id.is_not(None)
    elif question.person is not None:
        yield row.moderator_id == question.person
    if question.action is not None:
        yield row.action == question.action
    if question.since is not None:
        yield row.happened_at >= datetime.combine(question.since, time(), UTC)
    if question.until is not None:
        yield row.happened_at < datetime.combine(question.until, time(), UTC) + timedelta(days=1)
    if question.comment_id is not None:
        yield row.comment_id == question.comment_id
    if question.batch is not None:
        yield row.batch == question.batch


def _told(
    session: Session, rows: Sequence[JournalRow], access: Access, folded: Seen | None
) -> tuple[AuditRow, ...]:
    ids = [row.id for row in rows]
    undone = select(JournalRow.undoes_id, JournalRow.id).where(JournalRow.undoes_id.in_(ids))
    undone_by: dict[int | None, int] = dict(session.execute(undone).all())
    wanted = {row.moderator_id for row in rows} - {None}
    names = dict(session.execute(select(Moderator.id, Moderator.name).where(Moderator.id.in_(wanted))).all())
    site_ids = {row.site_id for row in rows} - {None}
    sites = {site.id: site for site in session.scalars(select(Site).where(Site.id.in_(site_ids)))}
    sizes = _sizes(session, rows, folded) if folded is not None else {}
    return tuple(
        AuditRow(
            id=row.id,
            happened_at=row.happened_at,
            who=names.get(row.moderator_id or 0),
            action=row.action,
            site=(sites[row.site_id].key, sites[row.site_id].name) if row.site_id is not None else None,
            thread_id=row.thread_id,
            comment_id=row.comment_id,
            from_status=row.from_status,
            to_status=row.to_status,
            outcome=row.outcome,
            reason=row.reason,
            subject=row.subject,
            batch=row.batch,
            size=sizes.get(row.batch, 1),
            rules=_rules(row),
            changed=tuple(_changed(row)),
            count=row.details.get("count"),
            undoes=row.undoes_id,
            undone_by=undone_by.get(row.id),
            can_be_undone=row.id not in undone_by and can_take_back(row, access),
        )
        for row in rows
    )


def _rules(row: JournalRow) -> tuple[RulesMark, ...]:
    """The rules that a row tells of, each version once."""
    if row.action in (CHANGED, BROUGHT_BACK):
        scope = "site" if row.thread_id is None else "article"
        return (RulesMark(scope, row.details.get("version", 1)),)
    asked = row.details.get("rules", ()) if row.action == DECIDED else ()
    marks = (RulesMark(rule["scope"], rule["version"]) for rule in asked if rule["version"])
    return tuple(dict.fromkeys(marks))


def _changed(row: JournalRow) -> Iterator[str]:
    if row.action == SITE_CHANGED:
        yield from (f"audit.setting.{name}" for name in row.details.get("changes", ()))
    elif row.action in (CHANGED, BROUGHT_BACK):
        yield from (f"rules.name.{name}" for name in row.details.get("rules", ()))


def _sizes(session: Session, rows: Sequence[JournalRow], seen: Seen) -> dict[str | None, int]:
    batches = {row.batch for row in rows} - {None}
    counted = select(JournalRow.batch, func.count()).where(JournalRow.batch.in_(batches), seen(JournalRow))
    return dict(session.execute(counted.group_by(JournalRow.batch)).all())


def _actions(session: Session, access: Access) -> tuple[str, ...]:
    """What was ever done, as far as this person may know: each from one look into the index."""
    first = select(func.min(JournalRow.action).label("action")).cte("actions", recursive=True)
    after = select(func.min(JournalRow.action)).where(JournalRow.action > first.c.action).scalar_subquery()
    found = first.union_all(select(after).where(first.c.action.is_not(None)))
    actions = select(found.c.action).where(found.c.action.is_not(None)).order_by(found.c.action)
    if access.everywhere != Role.OWNER:
        ids = [site.id for site in _sites(session, access)]
        seen = exists().where(JournalRow.action == found.c.action, JournalRow.site_id.in_(ids))
        actions = actions.where(seen)
    return tuple(session.scalars(actions))


def _people(session: Session, access: Access) -> tuple[Choice, ...]:
    """Who can be filtered by: names are for owners of everything; others know those of their sites' rows."""
    people = select(Moderator).order_by(func.lower(Moderator.name))
    if access.everywhere != Role.OWNER:
        ids = [site.id for site in _sites(session, access)]
        people = people.where(
            exists().where(JournalRow.moderator_id == Moderator.id, JournalRow.site_id.in_(ids))
        )
    return tuple(Choice(str(person.id), person.name) for person in session.scalars(people))

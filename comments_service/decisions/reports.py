"""What moderators do with reports: settle them, by the way or on purpose, and open them again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from comments_service.storage.models import Comment
from comments_service.storage.reports import Report

RISK_OF_REPORT = 20  # five reports put a comment on top of the riskiest
MAX_RISK = 100
BY_READERS = "reported"  # in the place of a rule's reason, where reports took a comment off the page


def settle(session: Session, comment_ids: Collection[int]) -> dict[int, list[int]]:
    """Settle what is open about these comments: the ids of those reports, by comment."""
    still_open = select(Report.id, Report.comment_id).where(
        Report.comment_id.in_(comment_ids), Report.is_settled.is_(False)
    )
    found: dict[int, list[int]] = {}
    for row in session.execute(still_open.order_by(Report.id)):
        found.setdefault(row.comment_id, []).append(row.id)
    _turn(session, [number for ids in found.values() for number in ids], is_settled=True)
    recount(session, found)
    return found


def told(reports: Sequence[int] | None, *, is_open: bool = False) -> dict[str, Any]:
    """What the journal keeps of reports that were settled, or opened again."""
    return {"reports": {"ids": list(reports), "open": is_open}} if reports else {}


def take_back(session: Session, comment_id: int, details: Mapping[str, Any]) -> dict[str, Any]:
    """Open what a row of the journal settled, or the other way; what is told of that."""
    if not (done := details.get("reports")):
        return {}
    _turn(session, done["ids"], is_settled=done["open"])
    recount(session, [comment_id])
    return told(done["ids"], is_open=not done["open"])


def recount(session: Session, comment_ids: Collection[int]) -> None:
    """Carry the open reports of these comments into their counts, and into how risky they look."""
    session.flush()
    counted = select(Report.comment_id, func.count()).where(
        Report.comment_id.in_(comment_ids), Report.is_settled.is_(False)
    )
    counts: dict[int, int] = dict(session.execute(counted.group_by(Report.comment_id)).all())
    risks = select(Comment.id, Comment.risk, Comment.raised_risk).where(Comment.id.in_(comment_ids))
    for row in session.execute(risks).all():
        count, own = counts.get(row.id, 0), row.risk - row.raised_risk
        raised = min(MAX_RISK - own, RISK_OF_REPORT * count)
        values = {"report_count": count, "risk": own + raised, "raised_risk": raised}
        session.execute(update(Comment).where(Comment.id == row.id).values(values))


def _turn(session: Session, ids: Collection[int], *, is_settled: bool) -> None:
    turned = update(Report).where(Report.id.in_(ids)).values(is_settled=is_settled)
    session.execute(turned.execution_options(synchronize_session=False))

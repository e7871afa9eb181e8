"""What the rows of a page need to know of their surroundings, each kind in one query for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from comments_service.decisions.likes import how_far
from comments_service.opinions import Complaint
from comments_service.queue.lines import ClusterLine, HistoryLine, ReportLines, ReportNote
from comments_service.storage.models import Comment
from comments_service.storage.reports import Report
from comments_service.vocabulary import Seen, Status

NOTES_SHOWN = 5


@dataclass(frozen=True)
class Around:
    """The surroundings of some comments, by site and email hash, by article, by site and cluster."""

    by_author: Mapping[tuple[int, bytes], Mapping[str, int]]
    waiting_by_thread: Mapping[int, int]
    waiting_by_cluster: Mapping[tuple[int, int], int]
    seen: Seen
    reports_of: Mapping[int, Sequence[Report]]

    def history(self, comment: Comment) -> HistoryLine | None:
        """The other comments with this one's email, on its site; None where there is no other."""
        if comment.email_hash is None:
            return None
        others = Counter(self.by_author.get((comment.site_id, comment.email_hash), {}))
        if comment.edits_id is None:
            others[comment.status] -= 1
        if not others.total():
            return None
        return HistoryLine(**{status.value: others[status] for status in Status})

    def cluster(self, comment: Comment) -> ClusterLine | None:
        """The waiting comments nearly the same as this one; None where it stands for itself alone."""
        if comment.cluster_id is None or comment.status != Status.PENDING:
            return None
        size = self.waiting_by_cluster.get((comment.site_id, comment.cluster_id), 0)
        return ClusterLine(comment.cluster_id, size, self.seen) if size > 1 else None

    def reports(self, comment: Comment) -> ReportLines | None:
        """What readers report of this one; None where nothing is open."""
        found = self.reports_of.get(comment.id, ())
        if not found:
            return None
        reasons = Counter(Complaint(report.reason) for report in found)
        with_note = [report for report in found if report.note][:NOTES_SHOWN]
        notes = tuple(ReportNote(Complaint(one.reason), one.note, one.reported_at) for one in with_note)
        return ReportLines(len(found), tuple(reasons.most_common()), notes)


def around(session: Session, comments: Collection[Comment], *, with_clusters: bool) -> Around:
    """Look all of it up."""
    clusters = {c.cluster_id for c in comments if c.cluster_id is not None} if with_clusters else set()
    return Around(
        by_author=_by_author(session, comments),
        waiting_by_thread=_waiting_by_thread(session, comments),
        waiting_by_cluster=_waiting_by_cluster(session, clusters),
        seen=how_far(session) if clusters else Seen(0, 0),
        reports_of=_reports(session, [c.id for c in comments if c.report_count]),
    )


def _reports(session: Session, ids: Sequence[int]) -> dict[int, list[Report]]:
    """The open reports of these comments, the latest first."""
    found: dict[int, list[Report]] = {}
    if not ids:
        return found
    still_open = select(Report).where(Report.comment_id.in_(ids), Report.is_settled.is_(False))
    for report in session.scalars(still_open.order_by(Report.id.desc())):
        found.setdefault(report.comment_id, []).append(report)
    return found


def _by_author(session: Session, comments: Iterable[Comment]) -> dict[tuple[int, bytes], dict[str, int]]:
    authors = {(c.site_id, c.email_hash) for c in comments if c.email_hash is not None}
    counted = select(Comment.site_id, Comment.email_hash, Comment.status, func.count()).where(
        Comment.site_id.in_({site_id for site_id, _ in authors}),
        Comment.email_hash.in_({email_hash for _, email_hash in authors}),
        Comment.edits_id.is_(None),
    )
    found: dict[tuple[int, bytes], dict[str, int]] = {}
    grouped = counted.group_by(Comment.site_id, Comment.email_hash, Comment.status)
    for site_id, email_hash, status, count in session.execute(grouped):
        found.setdefault((site_id, email_hash or b""), {})[status] = count
    return found


def _waiting_by_thread(session: Session, comments: Iterable[Comment]) -> dict[int, int]:
    threads = {(c.site_id, c.thread_id) for c in comments}
    counted = select(Comment.thread_id, func.count()).where(
        Comment.status == Status.PENDING,
        Comment.site_id.in_({site_id for site_id, _ in threads}),
        Comment.thread_id.in_({thread_id for _, thread_id in threads}),
    )
    return dict(session.execute(counted.group_by(Comment.thread_id)).all())


def _waiting_by_cluster(session: Session, cluster_ids: Collection[int]) -> dict[tuple[int, int], int]:
    if not cluster_ids:
        return {}
    # Those that wait are told apart below: asked for by status, SQLite would look at all that wait
    counted = select(Comment.site_id, Comment.cluster_id, Comment.status, func.count()).where(
        Comment.cluster_id.in_(cluster_ids)
    )
    grouped = counted.group_by(Comment.cluster_id, Comment.site_id, Comment.status)
    return {
        (site_id, cluster_id or 0): count
        for site_id, cluster_id, status, count in session.execute(grouped)
        if status == Status.PENDING
    }

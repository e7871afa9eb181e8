"""Whatever happens in whatever order, a thread's counts equal its approved rows."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from comments_service import create_app
from comments_service.decisions.articles import open_or_close
from comments_service.decisions.decide import decide, decide_all
from comments_service.decisions.verbs import Change
from comments_service.erase import erase_person
from comments_service.errors import (
    CommentNotFound,
    DecidedMeanwhile,
    DuplicateComment,
    FieldsRefused,
    ThreadClosed,
)
from comments_service.opinions import Choice
from comments_service.settings import Settings
from comments_service.storage.database import db
from comments_service.storage.models import Comment, Thread
from comments_service.storage.votes import Vote
from comments_service.submit import submit
from comments_service.vocabulary import SiteView, Status
from comments_service.votes import Ballot, cast
from tests.conftest import NOW, SECRET_KEY, close
from tests.factories import KNOWN, ORIGIN, a_site, a_submission, misplaced_roots, wiring_of

EMAILS = ["ana@example.org", "ben@example.org", "cleo@example.org"]
ARTICLES = [f"{ORIGIN}/a", f"{ORIGIN}/b"]


class Comments(RuleBasedStateMachine):
    """Submit, decide (one, many, too late), close, open and erase in any order."""

    database_url = ""

    def __init__(self) -> None:
        super().__init__()
        self.app = create_app(Settings(database_url=self.database_url, secret_key=SECRET_KEY))
        self.time = NOW

    @initialize()
    def begin(self) -> None:
        number = id(self)
        self.site: SiteView = a_site(self.app, key=f"s{number}", rules=KNOWN, options={"votes": "both"})

    def tick(self) -> Any:
        """Let some time pass, so that no throttle decides the game."""
        self.time += timedelta(minutes=5)
        return self.time

    def rows(self) -> list[Any]:
        """The site's comments as they stand."""
        columns = (Comment.id, Comment.version, Comment.status, Comment.thread_id)
        return list(db.session.execute(select(*columns).where(Comment.site_id == self.site.id)).all())

    @rule(email=st.sampled_from(EMAILS), url=st.sampled_from(ARTICLES), pick=st.integers(0, 50))
    def submit_one(self, email: str, url: str, pick: int) -> None:
        with self.app.app_context():
            rows = self.rows()
            parent = rows[pick % len(rows)].id if rows and pick % 2 else None
            parts = wiring_of(self.app)
            sent = a_submission(self.site, url=url, email=email, parent_id=parent)
            with suppress(DuplicateComment, FieldsRefused, ThreadClosed):
                submit(sent, settings=parts.settings, keys=parts.keys, now=self.tick())

    @rule(pick=st.integers(0, 50), status=st.sampled_from(list(Status)), is_late=st.booleans())
    def decide_one(self, pick: int, status: Status, is_late: bool) -> None:
        with self.app.app_context():
            if rows := self.rows():
                row = rows[pick % len(rows)]
                with suppress(CommentNotFound, DecidedMeanwhile):
                    decide(Change(row.id, row.version - is_late, status), by=None, now=self.tick())

    @rule(status=st.sampled_from(list(Status)), share=st.integers(1, 3))
    def decide_many(self, status: Status, share: int) -> None:
        with self.app.app_context():
            changes = [Change(row.id, row.version, status) for row in self.rows()[::share]]
            decide_all(changes, by=None, now=self.tick())

    @rule(pick=st.integers(0, 50), choice=st.sampled_from(list(Choice)), network=st.integers(1, 3))
    def vote_on_one(self, pick: int, choice: Choice, network: int) -> None:
        with self.app.app_context():
            if rows := self.rows():
                ballot = Ballot(rows[pick % len(rows)].id, choice, f"10.0.{network}.0/24")
                with suppress(CommentNotFound):
                    cast(ballot, keys=wiring_of(self.app).keys, now=self.tick())

    @precondition(lambda self: self.time > NOW)
    @rule(is_open=st.booleans())
    def close_or_open(self, is_open: bool) -> None:
        with self.app.app_context():
            for row in self.rows()[:1]:
                open_or_close(row.thread_id, is_open=is_open, by=None, now=self.tick())

    @rule(email=st.sampled_from(EMAILS))
    def erase(self, email: str) -> None:
        with self.app.app_context():
            erase_person(email, keys=wiring_of(self.app).keys, site_key=self.site.key, now=self.tick())

    @invariant()
    def counts_equal_rows(self) -> None:
        with self.app.app_context():
            counted = select(func.count()).where(
                Comment.thread_id == Thread.id, Comment.status == Status.APPROVED
            )
            for kept, rows in db.session.execute(select(Thread.approved_count, counted.scalar_subquery())):
                assert kept == rows

    @invariant()
    def counts_of_votes_equal_votes(self) -> None:
        with self.app.app_context():
            known: Counter[tuple[int, int]] = Counter()
            for vote in db.session.execute(select(Vote.comment_id, Vote.value)):
                known[vote.comment_id, vote.value] += 1
            columns = (Comment.id, Comment.up_count, Comment.down_count)
            for row in db.session.execute(select(*columns)):
                assert (row.up_count, row.down_count) == (known[row.id, 1], known[row.id, -1])

    @invariant()
    def top_level_comments_are_known_with_their_replies(self) -> None:
        with self.app.app_context():
            assert not misplaced_roots()

    def teardown(self) -> None:
        close(self.app)


def play(database_url: str) -> None:
    """Let hypothesis look for an order that breaks the promise."""
    machine = type("Machine", (Comments,), {"database_url": database_url})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=checks
        ),
    )


def test_counts_equal_rows_after_any_order_of_events(database: str) -> None:
    play(database)

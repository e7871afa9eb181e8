"""Tables come and change by migrations; nobody's comments get lost on the way."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import Connection, func, inspect, select, text

from comments_service.errors import CannotStart
from comments_service.settings import Settings
from comments_service.storage.base import Base
from comments_service.storage.database import db, head_revision, migrate, open_engine
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment, CommentReason, Site
from comments_service.storage.people import Grant
from comments_service.storage.rules import RuleSet
from comments_service.storage.schema import bring_up, make_ready, stored_revision
from comments_service.vocabulary import Rules, SiteView
from tests.factories import a_comment
from tests.servers import postgres_database


def test_the_migrations_make_just_the_tables_that_the_models_describe(settings: Settings) -> None:
    engine = open_engine(settings)
    with engine.connect() as connection:
        options = {"compare_type": True, "include_name": is_described}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def is_described(name: str | None, kind: str, _parents: object) -> bool:
    """Whether models speak of it: FTS5's tables and PostgreSQL's index of words are the migrations' alone."""
    return not (str(name).startswith("comment_search") or name == "ix_comment_words_search")


def test_migrating_again_changes_nothing(app: Flask, site: SiteView, settings: Settings) -> None:
    a_comment(app, site)
    assert migrate(settings) == (head_revision(), head_revision())
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Comment)) == 1


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a database without any table."""
    if request.param == "sqlite":
        yield Settings(database_url=f"sqlite:///{tmp_path / 'a' / 'new' / 'comments.sqlite3'}")
    else:
        with postgres_database() as url:
            yield Settings(database_url=url)


def test_an_empty_database_gets_all_tables(empty: Settings) -> None:
    assert bring_up(empty) == (None, head_revision())
    engine = open_engine(empty)
    assert set(Base.metadata.tables) < set(inspect(engine).get_table_names())
    engine.dispose()


def test_two_who_migrate_at_once_wait_for_each_other(empty: Settings) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(2)

    def one() -> None:
        barrier.wait()
        try:
            migrate(empty)
        except BaseException as error:
            failures.append(error)

    both = [threading.Thread(target=one) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert failures == []
    assert stored_revision(empty) == head_revision()


def test_many_who_open_a_new_file_at_once_wait_for_each_other(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(4)

    def one(number: int) -> None:
        barrier.wait()
        try:
            open_engine(Settings(database_url=f"sqlite:///{tmp_path / str(number)}")).connect().close()
        except BaseException as error:
            failures.append(error)

    for number in range(20):
        four = [threading.Thread(target=one, args=(number,)) for _ in range(4)]
        for thread in four:
            thread.start()
        for thread in four:
            thread.join()
    assert failures == []


def test_sqlite_is_made_ready_without_asking(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'comments.sqlite3'}")
    make_ready(settings)
    assert stored_revision(settings) == head_revision()


def test_postgresql_is_left_alone_and_the_command_is_named() -> None:
    with postgres_database() as url, pytest.raises(CannotStart, match="comments migrate"):
        make_ready(Settings(database_url=url))


def test_a_database_of_a_later_release_is_refused(settings: Settings) -> None:
    engine = open_engine(settings)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for verb in (make_ready, bring_up):
        with pytest.raises(CannotStart, match="later release"):
            verb(settings)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'file' / 'comments.sqlite3'}")
    with pytest.raises(CannotStart, match=re.escape(str(tmp_path / "file"))):
        make_ready(settings)


def test_a_database_that_is_away_is_told_without_its_password() -> None:
    settings = Settings(database_url="postgresql://me:hunter2@127.0.0.1:1/comments", database_wait_seconds=1)
    with pytest.raises(CannotStart, match="Cannot use the PostgreSQL database") as refused:
        make_ready(settings)
    assert "hunter2" not in refused.value.detail


def test_times_keep_their_instant_on_both_databases(app: Flask, site: SiteView) -> None:
    moment = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    comment = a_comment(app, site, now=moment)
    with app.app_context():
        assert db.session.get_one(Comment, comment.id).created_at == moment


@pytest.fixture
def first_release(empty: Settings) -> Settings:
    """A database of the first release with a moderator, a comment, a decision and a sign-in."""
    migrate(empty, target="0001")
    moment = "2026-03-01 10:00:00+00:00"
    site = "'demo', 'Demo', '[]', 'en', '{}', true, true, true, false, 5, 1"
    comment = f"1, 1, 1, 'Ana', 'Text', 'https://x.example', 'spam', 'every-comment-waits', 2, '{moment}'"
    statements = (
        f"INSERT INTO moderator VALUES (1, 'mo', 'hash', '{moment}')",
        (
            "INSERT INTO site (key, name, origins, language, texts, name_required, email_required, is_open,"
            f" publishes_known_authors, max_depth, version, created_at) VALUES ({site}, '{moment}')"
        ),
        (
            "INSERT INTO thread (id, site_id, url, title, is_open, approved_count, version, created_at)"
            f" VALUES (1, 1, 'https://x.example', '', true, 0, 1, '{moment}')"
        ),
        (
            "INSERT INTO comment (site_id, thread_id, depth, name, text, page_url, status, verdict_reason,"
            f" version, created_at, status_changed_at, is_purged) VALUES ({comment}, '{moment}', false)"
        ),
        (
            "INSERT INTO decision VALUES"
            " (1, 1, 1, 1, 1, '2026-03-02 10:00:00+00:00', 'pending', 'spam', 'An advert.')"
        ),
        f"INSERT INTO audit VALUES (1, '{moment}', 1, 'signed-in', '')",
    )
    engine = open_engine(empty)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
    return empty


def test_decisions_and_audit_become_one_journal_in_the_order_of_time(first_release: Settings) -> None:
    bring_up(first_release)
    engine = open_engine(first_release)
    with engine.connect() as connection:
        rows = connection.execute(select(JournalRow.__table__).order_by(JournalRow.id)).all()
        reasons = connection.execute(select(CommentReason.comment_id, CommentReason.code)).all()
    engine.dispose()
    assert [(row.action, row.moderator_id, row.to_status, row.reason) for row in rows] == [
        ("signed-in", 1, None, ""),
        ("comment-decided", 1, "spam", "An advert."),
    ]
    assert reasons == [(1, "every-comment-waits")]


@pytest.mark.parametrize(("known", "depth"), [("true", 3), ("false", 20)])
def test_what_two_columns_said_is_the_first_version_of_a_sites_rules(
    first_release: Settings, known: str, depth: int
) -> None:
    engine = open_engine(first_release)
    with engine.begin() as connection:
        before = f"UPDATE site SET publishes_known_authors = {known}, max_depth = {depth}"
        connection.execute(text(before))
    bring_up(first_release)
    with engine.connect() as connection:
        sites = connection.execute(select(Site.rules, Site.rules_version)).all()
        sets = connection.execute(select(RuleSet.rules, RuleSet.version)).all()
    engine.dispose()
    assert sites == sets
    as_before = Rules(hold_all=known == "false", hold_links_from=0, max_depth=depth)
    assert [(Rules.of(rules), version) for rules, version in sites] == [(as_before, 1)]


def test_whoever_could_decide_owns_every_site(first_release: Settings) -> None:
    bring_up(first_release)
    engine = open_engine(first_release)
    with engine.connect() as connection:
        grants = connection.execute(select(Grant.moderator_id, Grant.site_id, Grant.role)).all()
        comment = connection.execute(select(Comment.name, Comment.flag_count, Comment.verdict)).one()
    engine.dispose()
    assert grants == [(1, None, "owner")]
    assert comment == ("Ana", 0, {})


def put(connection: Connection, table: str, **values: object) -> None:
    """Store a row as an earlier release did."""
    names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), values)


@pytest.fixture
def before_percents(empty: Settings) -> Settings:
    """A database of the release before percentages were kept, with comments that people decided about."""
    migrate(empty, target="0021")
    moment, address = "2026-03-01 10:00:00+00:00", "https://x.example"
    engine = open_engine(empty)
    with engine.begin() as connection:
        put(connection, "moderator", id=1, name="mo", password_hash="hash", created_at=moment)
        asked = {"name_required": True, "email_required": True, "is_open": True, "takes_letters": False}
        site = {"key": "demo", "name": "", "origins": "[]", "language": "en", "texts": "{}"} | asked
        rules = {"rules": "{}", "rules_version": 1, "version": 1, "created_at": moment}
        put(connection, "site", id=1, options="{}", **site, **rules)
        put(
            connection,
            "thread",
            id=1,
            site_id=1,
            url=address,
            title="",
            is_open=True,
            approved_count=2,
            **rules,
        )
        counted = dict.fromkeys(
            ("flag_count", "risk", "up_count", "down_count", "report_count", "raised_risk"), 0
        )
        said = {"name": "Ana", "text": "Text", "page_url": address, "depth": 1, "version": 2} | counted
        at = {"site_id": 1, "thread_id": 1, "created_at": moment, "status_changed_at": moment}
        is_none = {"is_purged": False, "is_quietly_declined": False}
        judged = '{"spam": {"percent": 97, "signals": []}}'
        for status, verdict, is_letter in (
            ("approved", judged, False),
            ("approved", "{}", False),
            ("pending", "{}", True),
            ("spam", judged, False),
        ):
            stands = {"status": status, "verdict": verdict, "is_letter": is_letter, "verdict_reason": "x"}
            put(connection, "comment", **stands, **said, **at, **is_none)
        for comment_id, moderator_id, to_status, details in (
            (1, 1, "approved", '{"before": {}}'),
            (1, None, "approved", '{"rules": []}'),
            (2, None, "approved", '{"before": {}}'),
            (3, 1, "trash", '{"before": {}}'),
            (5, 1, "spam", "{}"),
            (5, None, "spam", "{}"),
            (4, 1, "approved", '{"before": {}}'),
        ):
            change = {"from_status": "pending", "to_status": to_status, "version": 1, "details": details}
            who = {
                "comment_id": comment_id,
                "moderator_id": moderator_id,
                "site_id": 1,
                "happened_at": moment,
            }
            put(connection, "journal", action="comment-decided", reason="", subject="", **change, **who)
    engine.dispose()
    return empty


def test_percentages_are_taken_from_verdicts_and_put_beside_what_people_decided(
    before_percents: Settings,
) -> None:
    bring_up(before_percents)
    engine = open_engine(before_percents)
    with engine.connect() as connection:
        percents = select(Comment.spam_percent).order_by(Comment.id)
        assert connection.scalars(percents).all() == [97, -1, -1, 97]
        kept = select(JournalRow.percent).order_by(JournalRow.id)
        assert connection.scalars(kept).all() == [97, None, -1, None, -1, None, 97]
    engine.dispose()

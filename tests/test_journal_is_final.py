"""What stands in the journal stays: the database refuses, whoever asks; retention and erasing alone may."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change, Verb
from comments_service.erase import erase_person
from comments_service.privacy import Keyring
from comments_service.retention import sweep
from comments_service.rules.change import Place, change_rules
from comments_service.settings import Settings
from comments_service.storage.database import db, transaction
from comments_service.storage.journal import JournalRetention, JournalRow
from comments_service.vocabulary import SiteView
from tests.factories import a_comment


def rows(app: Flask) -> int:
    """How many rows the journal has."""
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(JournalRow)) or 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET to_status = 'spam'",
        "UPDATE journal SET moderator_id = NULL, happened_at = '2020-01-01 00:00:00'",
        "UPDATE journal SET reason = 'for another reason'",
        "UPDATE journal SET details = '{\"a\": 1}'",
        "UPDATE journal SET id = id + 1000",
        "UPDATE journal SET undoes_id = (SELECT min(id) FROM journal)",
        "UPDATE journal SET percent = 3",
        "DELETE FROM journal",
        "DELETE FROM journal WHERE id = (SELECT max(id) FROM journal)",
    ],
)
def test_raw_sql_is_refused_too(app: Flask, site: SiteView, now: datetime, statement: str) -> None:
    a_comment(app, site, now=now)
    before = rows(app)
    with (
        app.app_context(),
        pytest.raises(DBAPIError, match=r"never (changed|deleted)"),
        transaction() as session,
    ):
        session.execute(text(statement))
    assert rows(app) == before > 0


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_table_is_not_emptied_at_one_go(app: Flask, site: SiteView, now: datetime) -> None:
    a_comment(app, site, now=now)
    with app.app_context(), pytest.raises(DBAPIError, match="never deleted"), transaction() as session:
        session.execute(text("TRUNCATE journal CASCADE"))
    assert rows(app) > 0


def test_retention_takes_what_is_old_and_nothing_else(
    app: Flask, site: SiteView, settings: Settings, now: datetime
) -> None:
    with app.app_context(), transaction() as session:
        session.add(JournalRow(id=1, happened_at=now, action="signed-in"))
        session.flush()
        session.add(JournalRow(id=2, happened_at=now, action="site-changed", site_id=site.id, undoes_id=1))
        session.flush()
        later = now + timedelta(days=1)
        session.add(JournalRow(id=3, happened_at=later, action="site-changed", undoes_id=2))
    with app.app_context():
        assert sweep(settings=settings, now=now + timedelta(days=730, seconds=-1)).journal_rows == 0
        assert sweep(settings=settings, now=now + timedelta(days=730)).journal_rows == 2
        left = db.session.scalars(select(JournalRow)).all()
        assert [(row.id, row.undoes_id) for row in left] == [(3, None)]
        assert db.session.scalars(select(JournalRetention)).all() == []


def test_erasing_still_blanks_what_could_name_somebody(
    app: Flask, site: SiteView, keys: Keyring, now: datetime
) -> None:
    comment = a_comment(app, site, email="zenobia@example.org", now=now)
    with app.app_context(), transaction() as session:
        session.add(JournalRow(happened_at=now, action="x", comment_id=comment.id, reason="It was Zenobia"))
    with app.app_context():
        erase_person("zenobia@example.org", keys=keys, now=now)
        # Which rule held it names nobody, and stays
        assert set(db.session.scalars(select(JournalRow.reason))) == {"", "every-comment-waits"}


def test_what_is_deleted_for_ever_keeps_the_rules_that_fired_and_not_the_words(
    app: Flask, site: SiteView, now: datetime
) -> None:
    with app.app_context():
        change_rules(Place(site.id), {"hold_words": ["zenobia"]}, version=1, by=None, now=now)
    comment = a_comment(app, site, name="Zenobia", now=now)
    with app.app_context():
        trashed = Change(comment.id, comment.version, Verb.TRASH)
        version = decide(trashed, by=None, now=now, reason="Zenobia again").version
        decide(Change(comment.id, version, Verb.DELETE), by=None, now=now)
        rows = db.session.scalars(select(JournalRow).where(JournalRow.comment_id == comment.id)).all()
        assert rows[0].reason.split(", ")[0] == "held-word"
        assert rows[0].details["rules"][0] == {"code": "held-word", "scope": "site", "version": 2}
        assert "zenobia" not in "".join(f"{row.reason} {row.details}" for row in rows).lower()
        assert all(row.batch for row in rows[1:])

"""All of a site as JSON Lines, to be taken elsewhere."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from comments_service import export
from comments_service.errors import SiteNotFound
from comments_service.export import export_site
from comments_service.privacy import Keyring
from comments_service.storage.database import db
from comments_service.storage.journal import JournalRow
from comments_service.vocabulary import SiteView, Status
from tests.factories import ARTICLE, a_comment, a_site

EMAIL = "zenobia@example.org"


def exported(app: Flask, now: datetime, *, keys: Keyring | None = None, site: str = "demo") -> list[Any]:
    """The objects of an export, in order."""
    with app.app_context():
        return [json.loads(line) for line in export_site(site, keys=keys, now=now)]


def of_type(objects: list[Any], name: str) -> list[Any]:
    """Those of one type."""
    return [found for found in objects if found["type"] == name]


def test_everything_of_a_site_is_there(app: Flask, site: SiteView, now: datetime) -> None:
    for status in Status:
        a_comment(app, site, status=status)
    found = exported(app, now)
    assert [item["type"] for item in found[:2]] == ["site", "thread"]
    assert {item["status"] for item in of_type(found, "comment")} == set(Status)
    assert {item["to"] for item in of_type(found, "decision")} == set(Status)
    assert len(found) == 2 + 4 + 4 + 3


def test_a_comment_keeps_its_place_and_its_words(app: Flask, site: SiteView, now: datetime) -> None:
    first = a_comment(app, site, text="Ünïcode\nand “more”", website="https://ana.example.org/")
    reply = a_comment(app, site, parent_id=first.id)
    comments = of_type(exported(app, now), "comment")
    assert [(c["id"], c["parent"]) for c in comments] == [(first.id, None), (reply.id, first.id)]
    assert comments[0]["text"] == "Ünïcode\nand “more”"
    assert comments[0]["website"] == "https://ana.example.org/"
    assert comments[0]["created_at"] == "2026-11-23T10:00:00Z"


def test_threads_come_with_every_address_they_are_known_by(app: Flask, site: SiteView, now: datetime) -> None:
    a_comment(app, site, article_id="7")
    a_comment(app, site, article_id="7", url=f"{ARTICLE}/moved")
    thread = of_type(exported(app, now), "thread")[0]
    assert thread["article_id"] == "7"
    assert thread["aliases"] == ["//news.example.org/article", "//news.example.org/article/moved"]


def test_emails_stay_sealed_unless_they_are_asked_for(
    app: Flask, site: SiteView, keys: Keyring, now: datetime
) -> None:
    a_comment(app, site, email=EMAIL)
    assert EMAIL not in json.dumps(exported(app, now))
    assert of_type(exported(app, now, keys=keys), "comment")[0]["email"] == EMAIL


def test_other_sites_stay_out(app: Flask, site: SiteView, now: datetime) -> None:
    a_comment(app, a_site(app, key="other", now=now), name="Stranger")
    assert [item["type"] for item in exported(app, now)] == ["site"]


def test_more_comments_than_one_batch_come_once_each(
    app: Flask, site: SiteView, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH", 2)
    ids = [a_comment(app, site).id for _ in range(5)]
    assert [item["id"] for item in of_type(exported(app, now), "comment")] == ids


def test_every_export_leaves_a_line_in_the_audit(
    app: Flask, site: SiteView, keys: Keyring, now: datetime
) -> None:
    exported(app, now)
    exported(app, now, keys=keys)
    with app.app_context():
        subjects = db.session.scalars(
            select(JournalRow.subject).where(JournalRow.action == "site-exported")
        ).all()
    assert subjects == ["site demo", "site demo, with emails"]


def test_an_unknown_site_exports_nothing(app: Flask, now: datetime) -> None:
    with pytest.raises(SiteNotFound):
        exported(app, now, site="elsewhere")

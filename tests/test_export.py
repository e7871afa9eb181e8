"""All of a site as JSON Lines, to be taken elsewhere."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from comments_service import export
from comments_service.decisions.articles import open_or_close
from comments_service.decisions.authors import Wish, let_stand
from comments_service.decisions.edit import edit
from comments_service.decisions.revisions import Words
from comments_service.decisions.standing import Kind, Trace
from comments_service.errors import SiteNotFound
from comments_service.export import export_site
from comments_service.privacy import Keyring
from comments_service.rules.change import Place, change_rules
from comments_service.storage.database import db, transaction
from comments_service.storage.journal import JournalRow
from comments_service.storage.outbox import LetterWish
from comments_service.vocabulary import Role, SiteView, Status
from tests.factories import ARTICLE, a_comment, a_moderator, a_site, an_address

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


def test_edited_words_are_there_from_the_first_on(app: Flask, site: SiteView, now: datetime) -> None:
    made = a_comment(app, site, name="Dan", text="The old bridge.")
    with app.app_context():
        edit(made.id, made.version, Words("Daniel", None, "The new bridge."), by=None, now=now)
    found = of_type(exported(app, now), "revision")
    said = [(r["comment"], r["number"], r["name"], r["text"]) for r in found]
    assert said == [(made.id, 1, "Dan", "The old bridge."), (made.id, 2, "Daniel", "The new bridge.")]


def test_every_version_of_the_rules_is_there(app: Flask, site: SiteView, now: datetime) -> None:
    mo, thread_id = a_moderator(app), a_comment(app, site).thread_id
    with app.app_context():
        change_rules(Place(site.id), {"max_depth": 3}, version=1, by=mo, now=now)
        change_rules(Place(site.id), {"max_depth": 4}, version=2, by=None, now=now)
        change_rules(Place(site.id, thread_id), {"max_depth": 2}, version=0, by=None, now=now)
    found = of_type(exported(app, now), "rules")
    told = [(r["thread"], r["version"], r["rules"]["max_depth"], r["moderator"]) for r in found]
    assert told == [(None, 2, 3, "mo"), (None, 3, 4, None), (thread_id, 1, 2, None)]


@pytest.mark.parametrize("mark", list(Trace))
def test_bans_are_there_with_what_can_be_carried_and_no_hash(
    app: Flask, site: SiteView, keys: Keyring, now: datetime, mark: Trace
) -> None:
    made = a_comment(app, site, email=EMAIL, now=now)
    with app.app_context():
        wish = Wish(Kind.BAN, mark, note="Rude twice")
        let_stand(made.id, wish, by=None, keys=keys, now=now, network_days=30)
    plain, full = (of_type(exported(app, now, keys=k), "standing")[0] for k in (None, keys))
    assert (plain["kind"], plain["by"], plain["note"]) == ("ban", mark, "Rude twice")
    assert plain["comment"] == (None if mark is Trace.DOMAIN else made.id)
    assert plain["domain"] == ("example.org" if mark is Trace.DOMAIN else None)
    assert not {"hash", "email"} & plain.keys()
    assert (plain["label"] is None) == (mark is not Trace.DOMAIN)
    assert full["label"]


def test_the_people_of_the_site_are_there_with_their_wishes_and_nothing_secret(
    app: Flask, site: SiteView, now: datetime
) -> None:
    ana = a_moderator(app, name="ana", role=Role.MODERATOR, sites=[site])
    a_moderator(app, name="stranger", sites=[a_site(app, key="other")])
    an_address(app, ana)
    with app.app_context(), transaction() as session:
        session.add(LetterWish(moderator_id=ana.id, site_id=site.id, wish="daily"))
    found = exported(app, now)
    people = [{"type": "person", "name": "ana", "role": "moderator", "letters": "daily"}]
    assert of_type(found, "person") == people
    assert "ana@example.org" not in json.dumps(found)
    assert "stranger" not in json.dumps(found)


def test_what_else_was_done_is_there_up_to_the_export(app: Flask, site: SiteView, now: datetime) -> None:
    thread_id = a_comment(app, site).thread_id
    with app.app_context():
        open_or_close(thread_id, is_open=False, by=None, now=now)
    assert [(e["action"], e["thread"]) for e in of_type(exported(app, now), "event")] == [
        ("thread-closed", thread_id)
    ]
    assert [e["action"] for e in of_type(exported(app, now), "event")] == ["thread-closed", "site-exported"]


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

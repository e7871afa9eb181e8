"""The audit page: who sees what, in which words, and what of it can be taken along."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from comments_service.decisions.decide import decide_all
from comments_service.decisions.undo_sites import SETTINGS
from comments_service.decisions.verbs import Change
from comments_service.rules.change import Place, change_rules
from comments_service.sites import SiteChange, change_site
from comments_service.storage.database import db, transaction
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment
from comments_service.texts import Catalogue
from comments_service.vocabulary import Role, SiteView, Status
from tests.doors import send_own, sign_in
from tests.factories import PASSWORD, a_comment, a_site

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
BATCH = "a" * 22


def happened(app: Flask, now: datetime, **fields: Any) -> int:
    """One row of the journal: a decision of the service, unless the fields say otherwise."""
    with app.app_context(), transaction() as session:
        row = JournalRow(happened_at=now, **{"action": DECIDED, "to_status": "spam", **fields})
        session.add(row)
        session.flush()
        return row.id


def shown(client: FlaskClient, **query: str) -> str:
    """The list of the audit page, as text."""
    response = client.get("/audit", query_string=query)
    assert response.status_code == 200, response.text
    return " ".join(response.text.partition('class="audit__rows"')[2].partition("</ol>")[0].split())


def table(client: FlaskClient, **query: str) -> list[dict[str, str]]:
    """The export, as a spreadsheet reads it."""
    response = client.get("/audit/export.csv", query_string=query)
    assert response.status_code == 200
    assert response.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"))))


def test_every_row_is_a_sentence_with_who_when_and_where(app: Flask, site: SiteView, now: datetime) -> None:
    client = sign_in(app)
    happened(app, now, site_id=site.id, moderator_id=1, comment_id=7, from_status="pending", reason="Ad")
    text = shown(client, comment="7")
    assert ">mo</bdi>" in text
    for words in ("marked a comment as spam", "(Pending → Spam)", "Reason: Ad", "Demo", "UTC", "Comment 7"):
        assert words in text


def test_what_the_service_decided_is_told_too(app: Flask, site: SiteView, now: datetime) -> None:
    client = sign_in(app)
    a_comment(app, site, status="pending", now=now)
    assert "let a new comment wait" in shown(client, person="service")
    assert "let a new comment wait" not in shown(client, person="people")


def test_an_action_without_words_of_its_own_is_named(app: Flask, now: datetime) -> None:
    client = sign_in(app)
    happened(app, now, action="moon-painted")
    assert "moon-painted" in shown(client)


def test_what_decided_about_a_comment_leads_to_the_rules_as_they_were(
    app: Flask, site: SiteView, now: datetime
) -> None:
    client = sign_in(app)
    a_comment(app, site, status="pending", now=now)
    text = shown(client, person="service")
    assert '<a href="/settings/demo/rules?version=1#version-1">Rules of this site, version 1</a>' in text


def test_a_change_of_rules_leads_to_what_they_said(app: Flask, site: SiteView, now: datetime) -> None:
    client = sign_in(app)
    thread_id = a_comment(app, site, now=now).thread_id
    with app.app_context():
        change_rules(Place(site.id, thread_id), {"max_depth": 2}, version=0, by=None, now=now)
    text = shown(client, action="rules-changed")
    assert f'href="/settings/demo/rules?version=1&amp;article={thread_id}#version-1"' in text
    assert "Rules of this article, version 1" in text


def test_a_change_of_settings_or_rules_names_what_is_otherwise(
    app: Flask, site: SiteView, now: datetime
) -> None:
    client = sign_in(app)
    with app.app_context():
        change = SiteChange(name="The News", is_open=False)
        change_site("demo", change, catalogue=Catalogue.load(), now=now)
        change_rules(Place(site.id), {"max_depth": 2}, version=1, by=None, now=now)
    assert "<span>name, open or closed</span>" in shown(client, action="site-changed")
    assert "Depth of replies" in shown(client, action="rules-changed")


def test_every_setting_has_a_name_in_the_audit() -> None:
    known = Catalogue.load().languages["en"]
    assert all(f"audit.setting.{name}" in known for name in SETTINGS)


def test_actions_to_filter_by_are_those_of_the_own_sites(app: Flask, site: SiteView, now: datetime) -> None:
    other = a_site(app, key="other")
    happened(app, now, action="site-exported", site_id=other.id)
    happened(app, now, action="thread-closed", site_id=site.id)
    happened(app, now, action="signed-out")
    viewer = sign_in(app, role=Role.VIEWER, sites=[site]).get("/audit").text
    everything = sign_in(app, name="chief").get("/audit").text
    offered = re.findall(r'<option value="([a-z-]+)"', viewer.partition('name="action"')[2])
    assert offered == ["thread-closed"]
    assert {"site-exported", "signed-out", "thread-closed"} <= set(
        re.findall('value="([a-z-]+)"', everything)
    )


def test_a_bulk_is_one_row_that_opens(app: Flask, site: SiteView, now: datetime) -> None:
    client = sign_in(app)
    for number in range(12):
        row = {"site_id": site.id, "comment_id": number + 1, "from_status": "pending"}
        happened(app, now, moderator_id=1, batch=BATCH, **row)
    assert shown(client).count("<span>marked 12 comments as spam") == 1
    assert shown(client).count("<span>marked a comment as spam") == 0
    assert shown(client, batch=BATCH).count("<span>marked a comment as spam") == 12
    assert shown(client, comment="3").count("<span>marked a comment as spam") == 1


def test_a_filter_finds_what_was_done_together_with_something_else(
    app: Flask, site: SiteView, now: datetime
) -> None:
    client = sign_in(app)
    both = {"site_id": site.id, "moderator_id": 1, "batch": BATCH}
    happened(app, now, comment_id=1, from_status="pending", **both)
    happened(app, now, comment_id=2, action="comment-replied", from_status=None, to_status=None, **both)
    text = shown(client, action=DECIDED)
    assert text.count("<span>marked a comment as spam") == 1
    assert "Comment 1<" in text


def test_what_was_taken_back_says_so(app: Flask, site: SiteView, now: datetime) -> None:
    client = sign_in(app)
    first = happened(app, now, site_id=site.id, moderator_id=1)
    happened(app, now, site_id=site.id, moderator_id=1, to_status="pending", undoes_id=first)
    text = shown(client)
    assert text.count("Taken back") == 1
    assert text.count("Takes something back") == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"action": "thread-closed"}, {"2"}),
        ({"site": "second"}, {"3"}),
        ({"person": "service"}, {"3"}),
        ({"since": "2026-11-24", "until": "2026-11-24"}, {"2"}),
        ({"until": "2026-11-23"}, {"1"}),
        ({"comment": "2", "person": "1"}, {"2"}),
    ],
)
def test_filters_narrow_page_and_export_alike(
    app: Flask, site: SiteView, now: datetime, query: dict[str, str], expected: set[str]
) -> None:
    client = sign_in(app, now=now - timedelta(days=9))
    second = a_site(app, key="second")
    mine = {"moderator_id": 1, "site_id": site.id}
    happened(app, now, comment_id=1, **mine)
    happened(app, now + timedelta(days=1), comment_id=2, action="thread-closed", **mine)
    happened(app, now + timedelta(days=2), comment_id=3, site_id=second.id)
    found = {row["comment"] for row in table(client, **query)} - {""}
    assert found == expected
    assert all(f"Comment {number}<" in shown(client, **query) for number in expected)


def test_pages_go_on_where_the_last_one_ended(app: Flask, site: SiteView, now: datetime) -> None:
    client = sign_in(app)
    for number in range(1, 61):
        happened(app, now, site_id=site.id, comment_id=number)
    first = client.get("/audit?site=demo").text
    cursor = first.partition("cursor=")[2].partition('"')[0]
    second = shown(client, site="demo", cursor=cursor)
    assert (first.count('id="row-'), second.count('id="row-')) == (50, 10)


def test_a_moderator_sees_the_own_sites_and_nothing_of_the_installation(
    app: Flask, site: SiteView, now: datetime
) -> None:
    second = a_site(app, key="second", name="Elsewhere")
    client = sign_in(app, role=Role.VIEWER, sites=[site])
    happened(app, now, site_id=site.id, comment_id=1)
    happened(app, now, site_id=second.id, comment_id=2, batch=BATCH)
    happened(app, now, site_id=site.id, comment_id=3, batch=BATCH)
    happened(app, now, action="signed-in", comment_id=4)
    assert {row["comment"] for row in table(client)} == {"1", "3"}
    text = client.get("/audit").text
    assert "Elsewhere" not in text
    assert "marked 2 comments" not in text
    assert client.get("/audit?site=second").status_code == 404
    assert client.get("/audit/export.csv?site=second").status_code == 404


def test_the_filter_offers_the_own_sites_alone(app: Flask, site: SiteView, now: datetime) -> None:
    second = a_site(app, key="second", name="Second")
    third = a_site(app, key="third", name="Elsewhere")
    for one in (site, second, third):
        happened(app, now, site_id=one.id)
    own = sign_in(app, role=Role.VIEWER, sites=[site, second]).get("/audit").text
    chiefs = sign_in(app, name="chief").get("/audit").text
    offered = [
        re.findall('value="([a-z]+)"', text.partition('name="site"')[2].partition("</select>")[0])
        for text in (own, chiefs)
    ]
    assert offered == [["demo", "second"], ["demo", "third", "second"]]
    assert "Elsewhere" not in own


def test_what_was_deleted_for_ever_keeps_who_when_and_why_on_the_page(
    app: Flask, site: SiteView, now: datetime
) -> None:
    with app.app_context():
        change_rules(Place(site.id), {"hold_words": ["zenobia"]}, version=1, by=None, now=now)
    comment = a_comment(app, site, status="pending", name="Zenobia", text="Unmistakable", now=now)
    client, place = sign_in(app, name="ana"), "/queue?status=pending"
    for verb, version in (("trash", 1), ("delete", 2)):
        press = {"decide": f"{verb} {comment.id}:{version}", "sure": "1"}
        press |= {"reason": "Zenobia again"} if verb == "trash" else {}
        assert send_own(client, "/queue/decisions", on=place, **press).status_code == 303
    assert client.get(f"/queue/comments/{comment.id}").status_code == 404
    text = shown(client, comment=str(comment.id))
    for words in (
        *("let a new comment wait", "Waits because of a word on the list."),
        *("moved a comment to the trash", "deleted a comment for ever", ">ana</bdi>", "Nov 23, 2026"),
    ):
        assert words in text, words
    assert "Zenobia" not in text
    told = [(row["who"], row["action"], row["reason"]) for row in table(client, comment=str(comment.id))]
    assert told[:2] == [("ana", "comment-deleted", ""), ("ana", "comment-decided", "")]
    assert told[2][0] == "The service"
    assert "held-word" in told[2][2]


def test_the_page_and_the_export_want_a_sign_in(client: FlaskClient) -> None:
    for address in ("/audit", "/audit/export.csv"):
        answer = client.get(address)
        assert (answer.status_code, answer.location.startswith("/login?next=")) == (303, True)


def test_a_decision_and_a_bulk_are_taken_back_from_here(app: Flask, site: SiteView, now: datetime) -> None:
    client = sign_in(app)
    waiting = [a_comment(app, site, status="pending", now=now) for _ in range(3)]
    with app.app_context():
        decide_all([Change(one.id, one.version, Status.SPAM) for one in waiting], by=None, now=now)
    batch = table(client)[0]["batch"]
    assert shown(client).count("<span>marked 3 comments as spam") == 1
    answer = send_own(client, "/audit/undo?site=demo", on="/audit", batch=batch)
    assert (answer.status_code, answer.location) == (303, "/audit?site=demo")
    with app.app_context():
        assert set(db.session.scalars(select(Comment.status))) == {Status.PENDING}
    assert "3 actions taken back" in client.get("/audit").text
    assert {row["undone_by"] != "" for row in table(client, batch=batch)} == {True}
    again = send_own(client, "/audit/undo", on="/audit", journal=table(client)[0]["id"])
    assert again.status_code == 303
    with app.app_context():
        assert sorted(db.session.scalars(select(Comment.status))) == ["pending", "pending", "spam"]


@pytest.mark.parametrize("fields", [{}, {"batch": "a b"}, {"journal": "x"}, {"journal": "-1"}])
def test_an_undo_of_nothing_is_refused(app: Flask, site: SiteView, fields: dict[str, str]) -> None:
    client = sign_in(app)
    assert send_own(client, "/audit/undo", on="/audit", **fields).status_code == 400


def test_who_may_only_look_gets_no_button(app: Flask, site: SiteView, now: datetime) -> None:
    client = sign_in(app, role=Role.VIEWER, sites=[site])
    a_comment(app, site, status="spam", now=now)
    assert "Undo" not in shown(client)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
@on_sqlite
def test_no_cell_of_the_export_is_a_formula(app: Flask, site: SiteView, now: datetime, start: str) -> None:
    client = sign_in(app)
    hostile = f'{start}HYPERLINK("https://evil.example","click")'
    happened(app, now, site_id=site.id, comment_id=1, reason=hostile, subject=hostile)
    row = table(client, comment="1")[0]
    assert row["reason"] == row["subject"] == f"'{hostile}"


CELLS = [
    *("＝1+1", "＋1", "－1", "＠SUM(1)", " =1+1", "\u3000＝1", "\u00a0\t=1", "\u200b=1", '"=1+1"'),
    *(" \r\n@SUM(1)", "Well;=1+1", 'Well";=1+1;"', "Well; ＝1", "Well\n=1+1", "Well\t=1", "=1;=2"),
]
PLAIN = ["Well; thanks", "a-b", "1 + 1 = 2", "me@example.org", "−1", "Well, = is fine", "x;y;z"]


@on_sqlite
def test_no_cell_begins_a_formula_where_spreadsheets_part_it_otherwise(
    app: Flask, site: SiteView, now: datetime
) -> None:
    """With blanks or a full-width sign in front; or, where they expect `;` between cells, within a cell."""
    client = sign_in(app)
    for cell in (*CELLS, *PLAIN):
        happened(app, now, site_id=site.id, comment_id=1, reason=cell, subject=cell)
    data = client.get("/audit/export.csv", query_string={"comment": "1"}).data.decode("utf-8-sig")
    parted = [piece.lstrip('" \u3000\u00a0\u200b') for piece in re.split(r'[;\t\r\n]|","', data)]
    assert not [piece for piece in parted if piece.startswith(tuple("=+-@＝＋－＠"))]
    rows = table(client, comment="1")
    assert {row["subject"] for row in rows} >= set(PLAIN)
    assert all(row["reason"].replace("'", "") in CELLS for row in rows if row["reason"] not in PLAIN)


def test_a_name_that_somebody_came_in_with_is_no_formula(app: Flask, site: SiteView) -> None:
    chief, guest = sign_in(app), app.test_client()
    sent = {"do": "invite", "role": "viewer", "days": "7", "site": "*"}
    link = re.search(r"/invite/[\w-]+", send_own(chief, "/settings/people", **sent).text)
    assert link
    send_own(guest, link[0], name="＝1+1;=2", new=PASSWORD, again=PASSWORD)
    given = {"do": "give", "person": "2", "role": "moderator", "site": "*"}
    assert send_own(chief, "/settings/people", **given).status_code == 303
    rows = table(chief)
    assert "'＝1+1;'=2" in {row["who"] for row in rows} & {row["subject"] for row in rows}


def test_the_export_is_all_of_it_in_utf_8_that_spreadsheets_know(
    app: Flask, site: SiteView, now: datetime
) -> None:
    client = sign_in(app)
    with app.app_context(), transaction() as session:
        session.add_all(
            JournalRow(happened_at=now, action=DECIDED, to_status="spam", site_id=site.id, reason="Größe")
            for _ in range(1_001)
        )
    rows = table(client, site="demo")
    assert client.get("/audit/export.csv").data.startswith(b"\xef\xbb\xbf")
    assert (len(rows), rows[0]["reason"], rows[0]["what"]) == (1_001, "Größe", "took a new comment for spam")
    assert rows[0]["happened_at"] == "2026-11-23T11:00:00Z"


@pytest.mark.parametrize(
    "query",
    [
        *("since=yesterday", "until=2026-02-30", "since=9999-12-31", "comment=x", "comment=99999999999"),
        *("cursor=-1", "person=ana", "person=%00", "action=%0a", "batch=" + "a" * 65, "cursor=9e9"),
    ],
)
def test_what_nobody_gave_out_is_refused(app: Flask, site: SiteView, query: str) -> None:
    client = sign_in(app)
    assert client.get(f"/audit?{query}").status_code == 400
    assert client.get(f"/audit/export.csv?{query.replace('cursor', 'comment')}").status_code == 400

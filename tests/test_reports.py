"""Readers report comments; moderators see why, and decide; nobody else learns anything of it."""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service.decisions.decide import decide_all
from comments_service.decisions.reply import reply
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change, Verb
from comments_service.export import export_site
from comments_service.opinions import Complaint
from comments_service.retention import sweep
from comments_service.settings import Settings
from comments_service.storage.database import db
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment, Thread
from comments_service.storage.reports import Report
from comments_service.vocabulary import Role, SiteView
from comments_service.wsgi import make as make_app
from tests.conftest import NOW, Clock
from tests.doors import (
    FORM,
    OWN_ORIGIN,
    a_network,
    ask,
    change_site,
    everything,
    is_problem,
    page,
    send_own,
    sign_in,
    wrong_fields,
)
from tests.factories import ORIGIN, StoredComment, a_comment, a_moderator, a_site, wiring_of
from tests.test_own_comments import OPEN, patch

HOME = {"REMOTE_ADDR": "198.51.100.7"}
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def report(
    app: Flask,
    comment: StoredComment | int | str,
    reason: Any = "abuse",
    *,
    network: dict[str, str] | None = None,
    headers: dict[str, str | None] | None = None,
    **more: Any,
) -> TestResponse:
    """Report by the JSON door, from a network of its own."""
    number = comment.id if isinstance(comment, StoredComment) else comment
    given = {"Origin": ORIGIN, "Content-Type": "application/json"} | (headers or {})
    return app.test_client().post(
        f"/api/v1/comments/{number}/reports",
        headers={name: value for name, value in given.items() if value is not None},
        environ_overrides=network or a_network(),
        **(more if "data" in more else {"data": json.dumps({"reason": reason} | more)}),
    )


def stored(app: Flask, comment: StoredComment) -> Comment:
    """The comment as it is now."""
    with app.app_context():
        row = db.session.get_one(Comment, comment.id)
        db.session.expunge_all()
        db.session.rollback()
        return row


def reports(app: Flask) -> list[Report]:
    """All reports there are."""
    with app.app_context():
        found = list(db.session.scalars(select(Report).order_by(Report.id)))
        db.session.expunge_all()
        db.session.rollback()
        return found


def done(app: Flask) -> list[JournalRow]:
    """What the journal has of comments."""
    with app.app_context():
        found = list(db.session.scalars(select(JournalRow).where(JournalRow.comment_id.is_not(None))))
        db.session.expunge_all()
        db.session.rollback()
        return found


def put(app: Flask, comment: StoredComment, verb: Verb, **more: Any) -> Any:
    """Let somebody decide about the comment as it is now."""
    with app.app_context():
        version = stored(app, comment).version
        return decide_all([Change(comment.id, version, verb)], by=None, now=NOW, **more)


# --- the door ---


def test_a_report_is_taken_once_and_the_answer_never_tells_more(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site)
    risk = stored(app, comment).risk
    first = report(app, comment, "private_data", note=" My street.\r\nAnd house. ", network=HOME)
    assert (first.status_code, first.get_json()) == (202, {"received": True})
    assert (first.headers["Cache-Control"], "Set-Cookie" in first.headers) == ("no-store", False)
    again = report(app, comment, "spam", network={"REMOTE_ADDR": "198.51.100.200"})
    other = report(app, comment, "spam")
    assert first.data == again.data == other.data
    assert [(one.reason, one.note) for one in reports(app)] == [
        ("private_data", "My street.\nAnd house."),
        ("spam", ""),
    ]
    row = stored(app, comment)
    assert (row.report_count, row.risk, row.version) == (2, risk + 40, comment.version)


@on_sqlite
def test_a_wrong_report_is_refused_and_leaves_nothing(app: Flask, site: SiteView) -> None:
    comment, waiting = a_comment(app, site), a_comment(app, site, status="pending")
    before = everything(app)
    wrongs: list[Any] = [None, "", "x", 7, ["spam"], {"x": 1}]
    for wrong in wrongs:
        assert wrong_fields(report(app, comment, wrong)).keys() == {"reason"}
    assert wrong_fields(report(app, comment, note="x" * 501)) == {"note": "too_long"}
    assert wrong_fields(report(app, comment, note="a\u0007b")) == {"note": "characters"}
    assert wrong_fields(report(app, comment, note="\ud800")) == {"note": "characters"}
    assert wrong_fields(report(app, comment, note=7)) == {"note": "type"}
    assert report(app, comment, headers={"Origin": None}).status_code == 403
    assert report(app, comment, headers={"Origin": "https://evil.example"}).status_code == 403
    assert report(app, comment, headers={"Content-Type": "text/plain"}, data=b"{}").status_code == 415
    for body in (b"[]", b"\xff", b'{"reason":"spam","reason":"spam"}'):
        assert report(app, comment, data=body).status_code == 400
    for number in (waiting.id, 999_999, "0", "x"):
        assert is_problem(report(app, number), 404, "comment-not-found")
    change_site(app, site, options={"reports": False})
    before |= {"site": everything(app)["site"]}
    assert is_problem(report(app, comment), 409, "reports-off")
    assert everything(app) == before


@on_sqlite
def test_many_reports_in_an_hour_have_to_wait(settings: Settings) -> None:
    app = make_app(settings.model_copy(update={"reports_per_hour": 2}))
    site = a_site(app)
    one, two, three = (a_comment(app, site) for _ in range(3))
    assert [report(app, each, network=HOME).status_code for each in (one, two)] == [202, 202]
    refused = report(app, three, network=HOME)
    assert is_problem(refused, 429, "too-many-reports")
    assert 0 < int(refused.headers["Retry-After"]) <= 3600


def test_one_network_at_once_is_one_report(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site)
    start = threading.Barrier(8)

    def send(number: int) -> None:
        start.wait()
        report(app, comment, network={"REMOTE_ADDR": f"203.0.113.{number}"})

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(reports(app)), stored(app, comment).report_count) == (1, 1)


# --- moderators ---


def test_reported_comments_come_to_the_moderators_with_reasons_and_words(app: Flask, site: SiteView) -> None:
    calm, loud = a_comment(app, site, text="A calm one."), a_comment(app, site, text="A loud one.")
    report(app, loud, "abuse", note="He shouts <b>at me</b>.")
    report(app, loud, "abuse")
    report(app, loud, "other")
    mo = sign_in(app)
    shown = mo.get("/queue?status=reported").text
    assert "A loud one." in shown
    assert "A calm one." not in shown
    assert "3 reports" in shown
    assert re.search(r"Insult or threat\s*<span[^>]*>× 2", shown)
    assert "He shouts &lt;b&gt;at me&lt;/b&gt;." in shown
    assert re.search(r'data-count="reported">\s*1\s*<', shown)
    risky = mo.get("/queue?status=approved&sort=risk").text
    assert risky.index("A loud one.") < risky.index("A calm one.")
    assert "Dismiss reports" in mo.get(f"/queue/comments/{loud.id}").text
    assert "Dismiss reports" not in mo.get(f"/queue/comments/{calm.id}").text


def test_dismissing_settles_the_reports_and_an_undo_opens_them_again(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site)
    risk = stored(app, comment).risk
    for reason in ("spam", "abuse"):
        report(app, comment, reason, network=HOME if reason == "spam" else None)
    mo = sign_in(app)
    tick = f"dismiss {comment.id}:{stored(app, comment).version}"
    assert send_own(mo, "/queue/decisions", on="/queue", decide=tick, status="reported").status_code == 303
    assert "The reports about 1 comment are dismissed." in mo.get("/queue?status=reported").text
    row = stored(app, comment)
    assert (row.status, row.report_count, row.risk) == ("approved", 0, risk)
    assert report(app, comment, network=HOME).status_code == 202  # nor does the same one bring it back
    assert stored(app, comment).report_count == 0
    line = done(app)[-1]
    assert line.action == "comment-reports-dismissed"
    report(app, comment, "other")
    with app.app_context():
        assert undo(by=None, now=NOW, batch=line.batch).count == 1
    assert (stored(app, comment).report_count, stored(app, comment).risk) == (3, risk + 60)
    with app.app_context():
        undo(by=None, now=NOW, journal_id=done(app)[-1].id)
    assert stored(app, comment).report_count == 1
    assert "Reports dismissed" in mo.get(f"/queue/comments/{comment.id}").text
    assert "dismissed what readers reported" in mo.get("/audit").text


@pytest.mark.parametrize("verb", [Verb.SPAM, Verb.TRASH])
def test_a_decision_settles_the_reports_and_its_undo_opens_them(
    app: Flask, site: SiteView, verb: Verb
) -> None:
    comment = a_comment(app, site)
    report(app, comment)
    batch = put(app, comment, verb).batch
    assert (stored(app, comment).report_count, reports(app)[0].is_settled) == (0, True)
    with app.app_context():
        undo(by=None, now=NOW, batch=batch)
    assert (stored(app, comment).report_count, stored(app, comment).status) == (1, "approved")


def test_taking_a_comment_back_leaves_its_reports_and_approving_settles_them(
    app: Flask, site: SiteView
) -> None:
    comment = a_comment(app, site)
    report(app, comment)
    put(app, comment, Verb.UNAPPROVE)
    assert stored(app, comment).report_count == 1
    put(app, comment, Verb.APPROVE)
    assert stored(app, comment).report_count == 0
    assert put(app, comment, Verb.DISMISS).late[0].why == "unfit"


def test_viewers_see_reports_and_moderators_dismiss_them(app: Flask, site: SiteView) -> None:
    comment = a_comment(app, site)
    report(app, comment, note="Look at this.")
    viewer = sign_in(app, name="vi", role=Role.VIEWER, sites=[site])
    shown = viewer.get("/queue?status=reported").text
    assert "Look at this." in shown
    assert f'value="dismiss {comment.id}' not in shown
    tick = f"dismiss {comment.id}:{comment.version}"
    assert send_own(viewer, "/queue/decisions", on="/queue", decide=tick).status_code == 403
    stranger = sign_in(app, name="no", role=Role.MODERATOR, sites=[a_site(app, key="other")])
    assert "Look at this." not in stranger.get("/queue?status=reported").text
    assert stored(app, comment).report_count == 1


# --- held by reports ---


def test_enough_reports_hold_a_comment_until_somebody_has_looked(
    app: Flask, client: FlaskClient, settings: Settings
) -> None:
    site = a_site(app, options={"hold_reported": 3}, rules=OPEN)
    comment = a_comment(app, site, text="A loud one.")
    for network in (HOME, HOME, None):
        report(app, comment, network=network)
    assert stored(app, comment).status == "approved"
    assert report(app, comment).status_code == 202
    row = stored(app, comment)
    assert (row.status, row.report_count) == ("pending", 3)
    assert ask(client, "thread").get_json()["thread"]["count"] == 0
    mo = sign_in(app)
    assert "A loud one." in mo.get("/queue").text
    history = mo.get(f"/queue/comments/{comment.id}").text
    assert "Reported by readers" in history
    assert "Held, as readers reported it." in mo.get("/audit").text
    patch(app, comment, "Mild words.")  # its author does not bring it back
    assert (stored(app, comment).status, stored(app, comment).report_count) == ("pending", 3)
    put(app, comment, Verb.APPROVE)
    for _ in range(4):
        report(app, comment)
    assert (stored(app, comment).status, stored(app, comment).report_count) == ("approved", 4)


def test_an_undo_puts_a_held_comment_back_and_moderators_are_never_held(app: Flask) -> None:
    site = a_site(app, options={"hold_reported": 1})
    comment = a_comment(app, site)
    report(app, comment)
    assert stored(app, comment).status == "pending"
    with app.app_context():
        undo(by=None, now=NOW, batch=done(app)[-1].batch)
        mo = a_moderator(app)
        version = db.session.get_one(Comment, comment.id).version
        answer = reply(comment.id, version, "An answer.", by=mo, now=NOW).done[-1].comment_id
    assert stored(app, comment).status == "approved"
    report(app, answer)
    with app.app_context():
        assert db.session.get_one(Comment, answer).status == "approved"
        assert db.session.get_one(Thread, comment.thread_id).approved_count == 2


# --- how long ---


def test_who_reported_and_the_words_go_after_a_month(
    app: Flask, settings: Settings, site: SiteView, clock: Clock
) -> None:
    kept, settled = a_comment(app, site), a_comment(app, site)
    for comment in (kept, settled):
        report(app, comment, note="Private words.")
    put(app, settled, Verb.DISMISS)
    for days, expected in ((29, [True, True]), (30, [False])):
        with app.app_context():
            sweep(settings=settings, now=clock() + timedelta(days=days))
        assert [one.reporter is not None and bool(one.note) for one in reports(app)] == expected
    assert stored(app, kept).report_count == 1
    put(app, kept, Verb.TRASH)
    put(app, kept, Verb.DELETE)
    assert reports(app) == []


def test_no_export_and_no_reader_gets_words_or_hashes(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    comment = a_comment(app, site)
    report(app, comment, note="Private words.")
    with app.app_context():
        lines = list(export_site("demo", keys=wiring_of(app).keys, now=NOW))
    assert "Private words." not in "".join(lines)
    assert [line["reports"] for line in map(json.loads, lines) if line["type"] == "comment"] == [1]
    assert "report" not in ask(client, "thread").get_json()["comments"][0]
    assert "Private words." not in ask(client, "thread").text + page(client).text


# --- without a script ---


def send_page(app: Flask, number: int, *, lang: str = "", **fields: str) -> TestResponse:
    """Send the form of the plain page."""
    return app.test_client().post(
        f"/comments/{number}/report",
        query_string={"lang": lang} if lang else {},
        data=fields,
        content_type=FORM,
        headers={"Origin": OWN_ORIGIN, "Accept": "text/html"},
        environ_overrides=a_network(),
    )


def test_a_page_without_scripts_takes_reports(app: Flask, client: FlaskClient, site: SiteView) -> None:
    comment = a_comment(app, site, name="Ana", text="A loud one.")
    assert f'href="http://localhost:8000/comments/{comment.id}/report"' in page(client).text
    form = client.get(f"/comments/{comment.id}/report").text
    assert "Report the comment by Ana" in form
    assert "A loud one." in form
    wrong = send_page(app, comment.id, note="Some words.")
    assert (wrong.status_code, "Please choose what is wrong" in wrong.text) == (422, True)
    assert "Some words." in wrong.text
    sent = send_page(app, comment.id, reason="spam", note="Some words.", lang="de")
    assert (sent.status_code, sent.headers["Location"]) == (
        303,
        f"http://localhost:8000/comments/{comment.id}/report?sent=1&lang=de",
    )
    assert "Danke." in client.get(sent.headers["Location"]).text
    assert [(one.reason, one.note) for one in reports(app)] == [("spam", "Some words.")]


@on_sqlite
def test_the_page_refuses_what_is_not_its_own(app: Flask, client: FlaskClient, site: SiteView) -> None:
    comment, waiting = a_comment(app, site), a_comment(app, site, status="pending")
    for headers in ({}, {"Origin": ORIGIN}, {"Origin": "null"}):
        foreign = client.post(f"/comments/{comment.id}/report", data={"reason": "spam"}, headers=headers)
        assert foreign.status_code == 403
    for number in (str(waiting.id), "0", "x", "99999999999"):
        assert client.get(f"/comments/{number}/report").status_code == 404
    change_site(app, site, options={"reports": False})
    assert "cannot be reported here" in client.get(f"/comments/{comment.id}/report").text
    assert "/report" not in page(client).text
    assert send_page(app, comment.id, reason="spam").status_code == 409
    assert reports(app) == []


def test_every_reason_has_words_for_readers_and_moderators(app: Flask) -> None:
    texts = wiring_of(app).catalogue.languages["en"]
    for reason in Complaint:
        assert {f"form.report.{reason}", f"queue.report.{reason}"} <= texts.keys()

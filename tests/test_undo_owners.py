"""What owners change can be taken back too: settings, rules and roles, from the notice and from the audit."""

from __future__ import annotations

from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service.decisions.undo import undo
from comments_service.errors import LastOwner
from comments_service.people.accounts import remove_person
from comments_service.people.roles import change_role
from comments_service.rules.change import Place, change_rules
from comments_service.sites import SiteChange, change_site
from comments_service.storage.database import reading
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Site, Thread
from comments_service.storage.people import Grant
from comments_service.texts import Catalogue
from comments_service.vocabulary import ModeratorView, Role, Rules, SiteView
from tests.conftest import NOW
from tests.doors import csrf_token, send_own, sign_in
from tests.factories import NO_DOUBT, ORIGIN, a_comment, a_moderator

RULES = "/settings/demo/rules"


@pytest.fixture
def owner(app: Flask, site: SiteView) -> FlaskClient:
    """The browser of somebody who owns the site."""
    return sign_in(app, sites=[site])


def stored(app: Flask, site: SiteView) -> SiteView:
    """The site as it is now."""
    with app.app_context(), reading() as session:
        return session.get_one(Site, site.id).view()


def last_row(app: Flask) -> JournalRow:
    """What was done last."""
    with app.app_context(), reading() as session:
        row = session.scalars(select(JournalRow).order_by(JournalRow.id.desc()).limit(1)).one()
        session.expunge(row)
        return row


def save(browser: FlaskClient, site: SiteView, **fields: str) -> None:
    """Send the form of the site's page, with some fields typed otherwise."""
    typed = {"name": site.name, "origins": "\n".join(site.origins), "language": site.language}
    typed |= {"version": str(site.version), "state": "open"} | fields
    assert send_own(browser, "/settings/demo", **typed).status_code == 303


def rule(app: Flask, place: Place, version: int, **rules: object) -> int:
    """Change rules as the operator would."""
    with app.app_context():
        return change_rules(place, rules, version=version, by=None, now=NOW)


def undo_from_notice(browser: FlaskClient, page: str, shown: TestResponse | None = None) -> TestResponse:
    """Press the button in the notice of this page, which is got if it was not shown yet; the next page."""
    shown = shown or browser.get(page)
    batch = shown.text.partition('name="batch" value="')[2].partition('"')[0]
    back = unescape(shown.text.partition('name="back" value="')[2].partition('"')[0])
    assert (batch != "", back) == (True, page)
    fields = {"csrf_token": csrf_token(shown), "batch": batch, "back": back}
    answer = browser.post("/queue/undo", data=fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.location) == (303, page)
    return browser.get(page)


def undo_from_audit(browser: FlaskClient, row: JournalRow) -> str:
    """Press the button beside this row; returns the next page."""
    assert f'name="journal" value="{row.id}"' in browser.get("/audit").text
    return taken_back(browser, row)


def taken_back(browser: FlaskClient, row: JournalRow) -> str:
    """Ask for it whether or not there is a button; returns the next page."""
    assert send_own(browser, "/audit/undo", on="/audit", journal=row.id).status_code == 303
    return browser.get("/audit").text


def test_saved_settings_are_taken_back_from_the_notice_and_done_again(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    save(owner, site, name="The News", origins=f"{ORIGIN}\nhttps://m.example.org", state="closed")
    later = stored(app, site)
    taken_back = undo_from_notice(owner, "/settings/demo")
    assert "Taken back: it is as it was before." in taken_back.text
    now = stored(app, site)
    assert (now.name, now.origins, now.is_open) == (site.name, site.origins, True)
    assert (now.version, last_row(app).action) == (later.version + 1, "site-changed")
    undo_from_notice(owner, "/settings/demo", taken_back)
    again = stored(app, site)
    assert (again.name, again.origins, again.is_open) == (later.name, later.origins, False)


def test_settings_are_taken_back_from_the_audit_and_leave_alone_what_others_changed(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    save(owner, site, name="The News")
    row = last_row(app)
    with app.app_context():
        change_site("demo", SiteChange(is_open=False), catalogue=Catalogue.load(), now=NOW)
    assert "Taken back: it is as it was before." in undo_from_audit(owner, row)
    assert (stored(app, site).name, stored(app, site).is_open) == (site.name, False)
    assert (last_row(app).undoes_id, last_row(app).moderator_id) == (row.id, 1)


def test_own_words_come_back_as_they_were(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    words = "/settings/demo/words"
    for text in ("Send it", "Off it goes"):
        version = str(stored(app, site).version)
        fields = {"do": "save", "key": "form.submit", "form-text": text, "version": version}
        assert send_own(owner, words, **fields).status_code == 303
    assert stored(app, site).texts == {"form.submit": "Off it goes"}
    rows = []
    with app.app_context(), reading() as session:
        rows = list(session.scalars(select(JournalRow).where(JournalRow.action == "site-changed")))
        session.expunge_all()
    undo_from_audit(owner, rows[1])
    assert stored(app, site).texts == {"form.submit": "Send it"}
    undo_from_audit(owner, rows[0])
    assert stored(app, site).texts == {}


def test_settings_that_were_changed_again_stay_and_a_sentence_says_so(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    save(owner, site, name="The News")
    first = last_row(app)
    save(owner, stored(app, site), name="The Latest News")
    assert "Somebody has changed this again in the meantime" in undo_from_audit(owner, first)
    assert stored(app, site).name == "The Latest News"


def test_a_second_undo_of_settings_is_told_that_it_was_taken_back(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    save(owner, site, name="The News")
    row = last_row(app)
    undo_from_audit(owner, row)
    assert f'name="journal" value="{row.id}"' not in owner.get("/audit").text
    assert "This was taken back already." in taken_back(owner, row)
    assert stored(app, site).name == site.name


def test_saved_rules_are_taken_back_as_a_new_version(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    rule(app, Place(site.id), 1, hold_words=["first"], max_depth=3)
    rule(app, Place(site.id), 2, hold_words=["second"], hold_surge=True)
    assert "Taken back" in undo_from_audit(owner, last_row(app))
    now = stored(app, site)
    assert (now.rules, now.rules_version) == (
        Rules.of({**NO_DOUBT, "hold_words": ["first"], "max_depth": 3}),
        4,
    )
    row = last_row(app)
    assert (row.action, row.details["rules"]) == ("rules-changed", ["hold_surge", "hold_words"])
    undo_from_audit(owner, row)
    assert stored(app, site).rules.hold_words == ("second",)


def test_rules_are_taken_back_from_the_notice(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    rule(app, Place(site.id), 1, hold_words=["first"])
    fields = {"hold_links_from": "2", "close_after_days": "0", "max_depth": "5", "hold_words": "second"}
    fields |= {"hold_doubt_from": "50", "refuse_doubt_from": "95"}
    assert send_own(owner, RULES, do="save", version="2", **fields).status_code == 303
    undo_from_notice(owner, RULES)
    assert stored(app, site).rules == Rules.of({**NO_DOUBT, "hold_words": ["first"]})


def test_the_own_rules_of_an_article_are_taken_back_to_none(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    thread_id = a_comment(app, site).thread_id
    rule(app, Place(site.id, thread_id), 0, close_after_days=7)
    undo_from_audit(owner, last_row(app))
    with app.app_context(), reading() as session:
        thread = session.get_one(Thread, thread_id)
        assert (thread.rules, thread.rules_version) == ({}, 2)


def test_rules_that_were_changed_again_stay(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    rule(app, Place(site.id), 1, hold_words=["first"])
    rule(app, Place(site.id), 2, hold_words=["second"])
    row = last_row(app)
    rule(app, Place(site.id), 3, hold_words=["third"])
    assert "Somebody has changed this again in the meantime" in undo_from_audit(owner, row)
    assert stored(app, site).rules_version == 4


def test_the_undo_of_what_owners_did_is_for_owners(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    save(owner, site, name="The News")
    row = last_row(app)
    moderator = sign_in(app, name="ben", role=Role.MODERATOR, sites=[site])
    assert f'value="{row.id}"' not in moderator.get("/audit").text
    assert send_own(moderator, "/audit/undo", on="/audit", journal=row.id).status_code == 403
    assert stored(app, site).name == "The News"


def roles_of(app: Flask, person: ModeratorView) -> list[str]:
    """The roles that somebody has now."""
    with app.app_context(), reading() as session:
        return list(session.scalars(select(Grant.role).where(Grant.moderator_id == person.id)))


@pytest.mark.parametrize("wanted", [Role.VIEWER, None])
def test_a_changed_role_is_taken_back(
    app: Flask, owner: FlaskClient, site: SiteView, wanted: Role | None
) -> None:
    ben = a_moderator(app, name="ben", role=Role.MODERATOR, sites=[site])
    fields = {"do": "give" if wanted else "withdraw", "person": str(ben.id), "role": str(wanted or "")}
    assert send_own(owner, "/settings/demo/people", **fields).status_code == 303
    assert roles_of(app, ben) == ([str(wanted)] if wanted else [])
    undo_from_notice(owner, "/settings/demo/people")
    assert roles_of(app, ben) == ["moderator"]
    assert last_row(app).action == "role-given"


def test_a_role_that_was_changed_again_or_of_somebody_gone_stays(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    ben = a_moderator(app, name="ben", role=Role.MODERATOR, sites=[site])
    with app.app_context():
        change_role(ben.id, Role.VIEWER, site.id, by=None, now=NOW)
        row = last_row(app)
        change_role(ben.id, Role.OWNER, site.id, by=None, now=NOW)
    assert "Somebody has changed this again" in undo_from_audit(owner, row)
    with app.app_context():
        remove_person(ben.id, by=None, now=NOW)
    assert "Somebody has changed this again" in taken_back(owner, row)
    assert roles_of(app, ben) == []


def test_nobody_takes_back_a_change_of_the_own_role(app: Flask, site: SiteView) -> None:
    chief = sign_in(app)
    with app.app_context():
        change_role(1, Role.VIEWER, site.id, by=None, now=NOW)
    row = last_row(app)
    assert send_own(chief, "/audit/undo", on="/audit", journal=row.id).status_code == 403


def test_a_role_everywhere_is_taken_back_by_those_who_own_everything(app: Flask, site: SiteView) -> None:
    chief = sign_in(app)
    ben = a_moderator(app, name="ben", role=Role.MODERATOR)
    with app.app_context():
        change_role(ben.id, Role.VIEWER, None, by=None, now=NOW)
    row = last_row(app)
    stranger = sign_in(app, name="ana", sites=[site])
    assert send_own(stranger, "/audit/undo", on="/audit", journal=row.id).status_code == 409
    undo_from_audit(chief, row)
    assert roles_of(app, ben) == ["moderator"]


def test_an_undo_leaves_somebody_who_owns_everything(app: Flask, site: SiteView) -> None:
    ana, ben = (a_moderator(app, name=name, role=Role.MODERATOR) for name in ("ana", "ben"))
    with app.app_context():
        change_role(ana.id, Role.OWNER, None, by=None, now=NOW)
        row = last_row(app)
        with pytest.raises(LastOwner):
            undo(by=None, now=NOW, journal_id=row.id)
        change_role(ben.id, Role.OWNER, None, by=None, now=NOW)
        undo(by=None, now=NOW, journal_id=row.id)
    assert (roles_of(app, ana), roles_of(app, ben)) == (["moderator"], ["owner"])


def test_another_order_of_comments_is_taken_back_and_the_audit_names_it(
    app: Flask, site: SiteView, owner: FlaskClient
) -> None:
    fields = {"version": str(site.version), "sort": "newest"}
    assert send_own(owner, "/settings/demo/display", **fields).status_code == 303
    assert stored(app, site).options.sort == "newest"
    undo_from_notice(owner, "/settings/demo/display")
    assert stored(app, site).options.sort == "oldest"
    assert "order of comments" in owner.get("/audit").text

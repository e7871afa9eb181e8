"""The two thresholds over what people decided: tried by the address, saved as rules, wrong ones named."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from comments_service.decisions.decide import decide_all
from comments_service.decisions.purge import Shown, empty
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change, Verb
from comments_service.erase import erase_person
from comments_service.errors import NotAllowed, SiteNotFound
from comments_service.privacy import Keyring
from comments_service.retention import sweep
from comments_service.sending import Sending
from comments_service.settings import Settings
from comments_service.spam.features import ALWAYS, FEATURES
from comments_service.spam.thresholds import Fate, Thresholds, rehearse_thresholds
from comments_service.storage.database import db
from comments_service.storage.models import Comment, Site
from comments_service.storage.spam import SpamWeight
from comments_service.submit import submit
from comments_service.vocabulary import NOT_JUDGED, Role, SiteView, Status
from tests.doors import send_own, sign_in
from tests.factories import EARLY, a_comment, a_moderator, a_site, a_submission, wiring_of

PAGE = "/settings/demo/spam"


def decided(app: Flask, site: SiteView, percent: int, status: Status, **fields: Any) -> int:
    """A comment that looked so likely spam when it came, and what a person made of it."""
    comment = a_comment(app, site, status=Status.PENDING, **fields)
    with app.app_context():
        row = db.session.get_one(Comment, comment.id)
        row.spam_percent = percent
        version = row.version
        db.session.commit()
        decide_all([Change(comment.id, version, status)], by=None, now=EARLY)
    return comment.id


@pytest.fixture
def site(app: Flask) -> SiteView:
    """A site on which the percentages decide what is published."""
    return a_site(app, rules={"hold_all": False, "hold_newcomers": False})


@pytest.fixture
def some(app: Flask, site: SiteView) -> dict[str, int]:
    """Comments on all sides of 50 and 95 %, two of them against what their percentage says."""
    return {
        "calm": decided(app, site, 4, Status.APPROVED),
        "missed": decided(app, site, 30, Status.SPAM, text="Missed: our watches are cheap."),
        "doubtful": decided(app, site, 50, Status.APPROVED),
        "trash": decided(app, site, 94, Status.TRASH),
        "caught": decided(app, site, 97, Status.SPAM),
        "wrongly": decided(app, site, 95, Status.APPROVED, text="Wrongly: a friend of the ferry."),
    }


def test_the_last_decisions_are_shared_out_by_two_thresholds(
    app: Flask, site: SiteView, some: dict[str, int]
) -> None:
    with app.app_context():
        found = rehearse_thresholds(site.id, Thresholds(50, 95), by=None)
    zones = {zone.fate: (zone.approved, zone.spam, zone.trash, zone.wrong) for zone in found.zones}
    assert zones == {Fate.PUBLISHED: (1, 1, 0, 1), Fate.WAITS: (1, 0, 1, 0), Fate.SPAM: (1, 1, 0, 1)}
    assert [one.id for one in found.wrong] == [some["wrongly"], some["missed"]]
    drawn = {each.start: (each.approved, each.spam, each.trash) for each in found.bins if each.total}
    assert drawn == {0: (1, 0, 0), 30: (0, 1, 0), 50: (1, 0, 0), 90: (0, 0, 1), 95: (1, 1, 0)}


def test_a_threshold_of_nothing_is_off(app: Flask, site: SiteView, some: dict[str, int]) -> None:
    with app.app_context():
        found = rehearse_thresholds(site.id, Thresholds(0, 0), by=None)
    assert {zone.fate: zone.approved + zone.spam + zone.trash for zone in found.zones} == {
        Fate.PUBLISHED: len(some),
        Fate.WAITS: 0,
        Fate.SPAM: 0,
    }


def test_only_what_people_decided_and_signals_judged_is_drawn(app: Flask, site: SiteView) -> None:
    other = a_site(app, key="other", origins=("https://other.example.org",))
    decided(app, other, 99, Status.SPAM, url="https://other.example.org/a")
    a_comment(app, site, status=Status.PENDING)
    by_itself = a_site(app, key="open", rules={"hold_all": False, "hold_newcomers": False})
    a_comment(app, by_itself)
    decided(app, site, NOT_JUDGED, Status.APPROVED)
    with app.app_context():
        found = rehearse_thresholds(site.id, Thresholds(50, 95), by=None)
        assert (found.decided, found.unknown) == ((), 1)
        assert rehearse_thresholds(by_itself.id, Thresholds(50, 95), by=None).decided == ()


def drawn(app: Flask, site: SiteView) -> dict[int, Status]:
    """What people made of comments, by the percentages these came with."""
    with app.app_context():
        found = rehearse_thresholds(site.id, Thresholds(50, 95), by=None)
    return {one.percent: one.status for one in found.decided}


def test_what_was_deleted_since_is_drawn_and_counted_as_before(
    app: Flask, site: SiteView, some: dict[str, int], keys: Keyring, settings: Settings
) -> None:
    gone = decided(app, site, 40, Status.SPAM, email="zenobia@example.org")
    before = drawn(app, site)
    with app.app_context():
        empty(Shown(Status.SPAM, EARLY), by=a_moderator(app), now=EARLY)
        sweep(settings=settings, now=EARLY + timedelta(days=31))
        erase_person("zenobia@example.org", keys=keys, now=EARLY)
        assert db.session.get(Comment, gone) is None
        found = rehearse_thresholds(site.id, Thresholds(50, 95), by=None)
    assert drawn(app, site) == before
    assert [one.id for one in found.wrong] == [some["wrongly"]]
    assert (found.wrong_and_gone, found.unknown) == (2, 0)
    assert (
        "2 that were deleted since cannot be shown."
        in sign_in(app, name="vera").get(f"{PAGE}?hold=50&refuse=95").text
    )


def test_what_cannot_be_drawn_any_more_is_told(app: Flask, site: SiteView, some: dict[str, int]) -> None:
    decided(app, site, NOT_JUDGED, Status.SPAM)
    text = sign_in(app, sites=[site]).get(PAGE).text
    assert "One more decision is not drawn" in text
    assert "leans towards what was published" in text


@pytest.mark.parametrize("verb", [Verb.UNAPPROVE, Verb.TRASH])
def test_what_people_said_last_is_drawn_and_an_undo_brings_back_what_they_said_before(
    app: Flask, site: SiteView, verb: Verb
) -> None:
    number = decided(app, site, 30, Status.APPROVED)
    with app.app_context():
        version = db.session.get_one(Comment, number).version
        batch = decide_all([Change(number, version, verb)], by=None, now=EARLY).batch
    otherwise = {30: Status.TRASH} if verb is Verb.TRASH else {}
    assert drawn(app, site) == otherwise
    with app.app_context():
        again = undo(batch=batch, by=None, now=EARLY).batch
    assert drawn(app, site) == {30: Status.APPROVED}
    with app.app_context():
        undo(batch=again, by=None, now=EARLY)
    assert drawn(app, site) == otherwise


def test_the_lines_are_called_what_they_are(app: Flask, site: SiteView, some: dict[str, int]) -> None:
    owner = sign_in(app, sites=[site])
    assert "The lines are your thresholds." in owner.get(PAGE).text
    assert "The lines are the thresholds that you try." in owner.get(f"{PAGE}?hold=20&refuse=40").text


def test_trying_shows_the_numbers_and_saves_nothing(app: Flask, site: SiteView, some: dict[str, int]) -> None:
    owner = sign_in(app, sites=[site])
    text = owner.get(f"{PAGE}?hold=20&refuse=40").text
    assert 'value="20"' in text
    assert "A friend of the ferry" not in text
    assert "Wrongly: a friend of the ferry." in text
    assert "Missed: our watches" not in text  # waits now
    with app.app_context():
        assert "refuse_doubt_from" not in {
            name for name, value in db.session.get_one(Site, site.id).rules.items() if value == 40
        }


@pytest.mark.parametrize(
    ("rules", "fate", "hint"),
    [
        ({"hold_all": True}, "Waits like every comment", "By your rules every comment waits, below it"),
        ({"hold_all": False}, "Published at once, but newcomers’ wait", "Below it a comment is published"),
        (
            {"hold_all": False, "hold_newcomers": False},
            "Published at once",
            "Below it a comment is published",
        ),
    ],
)
def test_what_becomes_of_calm_comments_is_called_what_the_rules_make_of_it(
    app: Flask, rules: dict[str, bool], fate: str, hint: str
) -> None:
    other = a_site(app, key="other", rules=rules)
    decided(app, other, 30, Status.SPAM)
    page = sign_in(app, sites=[other]).get("/settings/other/spam?hold=50&refuse=95").text
    row = page.partition('<th scope="row">')[2].partition("</tr>")[0]
    assert row.partition("<span")[0].strip() == fate
    assert hint in page
    assert ("wrongly" in row, "What would have been wrong" in page) == (not rules["hold_all"],) * 2


@pytest.mark.parametrize("role", [Role.OWNER, Role.VIEWER])
def test_trying_leads_to_an_address_with_nothing_but_the_thresholds(
    app: Flask, site: SiteView, role: Role
) -> None:
    browser = sign_in(app, name=f"the {role}", sites=[site], role=role)
    answer = send_own(browser, PAGE, hold=" 30 %", refuse="80", version="1", do="try")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}?hold=30&refuse=80")


def test_enter_in_a_field_tries(app: Flask, site: SiteView) -> None:
    """Browsers press the first button of a form then."""
    form = sign_in(app, sites=[site]).get(PAGE).text.partition('method="post" novalidate')[2]
    assert re.findall(r'<button[^>]* name="do" value="(\w+)"', form) == ["try", "save"]


def test_saving_is_a_new_version_of_the_rules_and_holds_at_once(app: Flask, site: SiteView) -> None:
    owner = sign_in(app, sites=[site])
    answer = send_own(owner, PAGE, do="save", hold="10", refuse="20 %", version="1")
    assert answer.status_code == 303
    assert "Saved." in owner.get(PAGE).text
    with app.app_context():
        view = db.session.get_one(Site, site.id).view()
        assert (view.rules.hold_doubt_from, view.rules.refuse_doubt_from, view.rules_version) == (10, 20, 2)
        parts = wiring_of(app)
        sent = a_submission(site, sending=Sending(is_trapped=True))
        receipt = submit(sent, settings=parts.settings, keys=parts.keys, now=EARLY)
        assert db.session.get_one(Comment, receipt.comment_id).status == Status.SPAM


def test_saving_what_holds_already_makes_no_version(app: Flask) -> None:
    site = a_site(app, rules={"hold_doubt_from": 50, "refuse_doubt_from": 95})
    owner = sign_in(app, sites=[site])
    assert send_own(owner, PAGE, do="save", hold="50", refuse="95 %", version="1").status_code == 303
    page = owner.get(PAGE).text
    assert "Nothing changed: these thresholds hold already." in page
    assert 'form="undo"' not in page
    with app.app_context():
        assert db.session.get_one(Site, site.id).rules_version == 1


@pytest.mark.parametrize(
    ("hold", "refuse", "said"),
    [
        ("x", "95", "Take a whole number from 0 to 100."),
        ("50", "101", "Take a whole number from 0 to 100."),
        ("-1", "95", "Take a whole number from 0 to 100."),
        ("", "95", "Take a whole number from 0 to 100."),
        ("٥٠", "95", "Take a whole number from 0 to 100."),
        ("60", "50", "Spam begins where waiting does, or above."),
    ],
)
def test_wrong_numbers_are_told_and_nothing_is_saved(
    app: Flask, site: SiteView, hold: str, refuse: str, said: str
) -> None:
    owner = sign_in(app, sites=[site])
    answer = send_own(owner, PAGE, do="save", hold=hold, refuse=refuse, version="1")
    assert answer.status_code == 422
    assert said in answer.text
    assert said in owner.get(PAGE, query_string={"hold": hold, "refuse": refuse}).text
    with app.app_context():
        assert db.session.get_one(Site, site.id).rules_version == 1


def test_the_notice_has_the_focus_and_leads_to_the_wrong_field(app: Flask, site: SiteView) -> None:
    owner = sign_in(app, sites=[site])
    saved = send_own(owner, PAGE, do="save", hold="50", refuse="x", version="1").text
    notice = saved.partition('role="alert" tabindex="-1" autofocus')[2].partition("</div>")[0]
    assert '<a href="#refuse">Take a whole number from 0 to 100.</a>' in notice
    assert "Nothing was saved." in notice
    assert saved.count("autofocus") == 1


def test_of_what_was_only_tried_nobody_hears_that_it_was_not_saved(app: Flask, site: SiteView) -> None:
    owner = sign_in(app, sites=[site])
    for tried in (
        send_own(owner, PAGE, do="try", hold="50", refuse="x", version="1"),
        owner.get(f"{PAGE}?hold=50&refuse=x"),
    ):
        assert "One field needs another look before it can be tried." in tried.text
        assert '<a href="#refuse">' in tried.text
        assert "Nothing was saved" not in tried.text


def test_what_came_of_trying_has_the_focus(app: Flask, site: SiteView) -> None:
    owner = sign_in(app, sites=[site])
    title = '<h2 id="drawn-title" tabindex="-1" autofocus>The last decisions, with 20 % and 40 %</h2>'
    assert title in owner.get(f"{PAGE}?hold=20&refuse=40").text
    assert "autofocus" not in owner.get(PAGE).text


def test_the_second_of_two_owners_is_told(app: Flask, site: SiteView) -> None:
    owner = sign_in(app, sites=[site])
    assert send_own(owner, PAGE, do="save", hold="10", refuse="20", version="1").status_code == 303
    late = send_own(owner, PAGE, do="save", hold="30", refuse="40", version="1")
    assert late.status_code == 409
    assert 'value="30"' in late.text
    same = send_own(owner, PAGE, do="save", hold="10", refuse="20", version="1")
    assert same.status_code == 409


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.VIEWER])
def test_who_is_no_owner_looks_and_saves_nothing(app: Flask, site: SiteView, role: Role) -> None:
    browser = sign_in(app, name=f"the {role}", sites=[site], role=role)
    text = browser.get(PAGE).text
    assert "Try" in text
    assert ">Save<" not in text
    assert send_own(browser, PAGE, do="save", hold="10", refuse="20", version="1").status_code == 403


def test_a_site_of_others_is_not_there(app: Flask, site: SiteView) -> None:
    other = a_site(app, key="other")
    stranger = a_moderator(app, name="stranger", sites=[other])
    with app.app_context(), pytest.raises((SiteNotFound, NotAllowed)):
        rehearse_thresholds(site.id, Thresholds(50, 95), by=stranger)


def caught(app: Flask, site: SiteView, **fields: Any) -> Comment:
    """A comment that the service took for spam by itself."""
    parts = wiring_of(app)
    with app.app_context():
        sent = a_submission(site, sending=Sending(is_trapped=True), **fields)
        receipt = submit(sent, settings=parts.settings, keys=parts.keys, now=EARLY)
        row = db.session.get_one(Comment, receipt.comment_id)
        assert row.status == Status.SPAM
        db.session.expunge(row)
        db.session.rollback()
        return row


def test_what_was_caught_is_listed_to_be_checked_the_most_doubtful_first(app: Flask) -> None:
    site = a_site(app, rules={"hold_doubt_from": 50, "refuse_doubt_from": 95})
    sure = caught(app, site, name="https://watches.example", text="http://a.example http://b.example buy")
    doubtful = caught(app, site, text="I crossed that bridge every day for eleven years.")
    moderator = sign_in(app, sites=[site])
    text = moderator.get("/queue?status=check").text
    assert text.index(f'id="comment-{doubtful.id}"') < text.index(f'id="comment-{sure.id}"')
    assert text.count(">It is spam<") == 3  # in two rows, and in the bar
    values = {"decide": f"spam {sure.id}:{sure.version}", "status": "check"}
    assert send_own(moderator, "/queue/decisions", on="/queue?status=check", **values).status_code == 303
    values = {"decide": f"not_spam {doubtful.id}:{doubtful.version}", "status": "check"}
    assert send_own(moderator, "/queue/decisions", on="/queue?status=check", **values).status_code == 303
    with app.app_context():
        rows = {row.id: row for row in db.session.query(Comment).all()}
        assert (rows[sure.id].status, rows[sure.id].is_quietly_declined) == (Status.SPAM, False)
        assert rows[doubtful.id].status == Status.PENDING
    assert "Nothing to check" in moderator.get("/queue?status=check").text


def test_what_was_caught_by_a_word_comes_before_what_the_signals_are_sure_of(app: Flask) -> None:
    site = a_site(app, rules={"refuse_words": ["bridge"], "hold_doubt_from": 50, "refuse_doubt_from": 95})
    sure = caught(app, site, name="https://watches.example", text="http://a.example http://b.example buy")
    parts = wiring_of(app)
    with app.app_context():
        sent = a_submission(site, text="I crossed that bridge every day for eleven years.")
        by_word = submit(sent, settings=parts.settings, keys=parts.keys, now=EARLY).comment_id
        assert (
            db.session.get_one(Comment, by_word).risk > db.session.get_one(Comment, sure.id).spam_percent / 2
        )
        assert db.session.get_one(Comment, by_word).spam_percent < 50
        db.session.rollback()
    text = sign_in(app, sites=[site]).get("/queue?status=check").text
    assert text.index(f'id="comment-{by_word}"') < text.index(f'id="comment-{sure.id}"')


def press(browser: FlaskClient, verb: str, comment: Comment) -> None:
    """Say what it is, on the page of what is to be checked."""
    values = {"decide": f"{verb} {comment.id}:{comment.version}", "status": "check"}
    answer = send_own(browser, "/queue/decisions", on="/queue?status=check", **values)
    assert answer.status_code == 303


def test_not_spam_teaches_is_drawn_as_honest_and_is_undone_whole(app: Flask) -> None:
    site = a_site(app, rules={"hold_doubt_from": 50, "refuse_doubt_from": 95})
    comment = caught(app, site)
    moderator = sign_in(app, sites=[site])
    press(moderator, "not_spam", comment)
    assert drawn(app, site) == {comment.spam_percent: Status.APPROVED}
    with app.app_context():
        assert db.session.get_one(SpamWeight, (site.id, FEATURES, ALWAYS)).weight < 0
        db.session.rollback()
    page = moderator.get("/queue?status=check").text
    batch = page.split('name="batch" value="')[1].split('"')[0]
    send_own(moderator, "/queue/undo", on="/queue?status=check", batch=batch, status="check")
    assert drawn(app, site) == {}
    with app.app_context():
        row = db.session.get_one(Comment, comment.id)
        assert (row.status, row.is_quietly_declined) == (Status.SPAM, True)
        assert max(abs(weight.weight) for weight in db.session.query(SpamWeight)) < 1e-9


def test_confirming_teaches_the_filter_and_is_undone_whole(app: Flask) -> None:
    site = a_site(app, rules={"hold_doubt_from": 50, "refuse_doubt_from": 95})
    comment = caught(app, site)
    moderator: FlaskClient = sign_in(app, sites=[site])
    values = {"decide": f"spam {comment.id}:{comment.version}", "status": "check"}
    send_own(moderator, "/queue/decisions", on="/queue?status=check", **values)
    page = moderator.get("/queue?status=check").text
    with app.app_context():
        assert db.session.query(SpamWeight).count() > 10
    batch = page.split('name="batch" value="')[1].split('"')[0]
    assert (
        send_own(moderator, "/queue/undo", on="/queue?status=check", batch=batch, status="check").status_code
        == 303
    )
    with app.app_context():
        row = db.session.get_one(Comment, comment.id)
        assert (row.status, row.is_quietly_declined) == (Status.SPAM, True)
        assert max(abs(weight.weight) for weight in db.session.query(SpamWeight)) < 1e-9

"""A comment's own page: what it tells, its forms without scripts, who may, and what is hostile."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import select

from comments_service.privacy import Keyring
from comments_service.storage.database import db, transaction
from comments_service.storage.decisions import Standing
from comments_service.storage.models import Comment
from comments_service.tokens import receipt
from comments_service.vocabulary import Role, SiteView
from tests.browser import Console, assert_good
from tests.conftest import NOW, Clock
from tests.doors import dangers, everything, sign_in
from tests.factories import PASSWORD, StoredComment, a_comment, a_moderator, a_site
from tests.servers import LiveService
from tests.test_decisions import demote, journal, on_sqlite, press, row_of
from tests.test_editing import ELSEWHERE


@pytest.fixture
def moderator(app: Flask) -> FlaskClient:
    """The browser of somebody who is signed in."""
    return sign_in(app)


def page(client: FlaskClient, number: int, **query: str) -> str:
    """The page's markup."""
    response = client.get(f"/queue/comments/{number}", query_string=query, headers={"Accept": "text/html"})
    assert response.status_code == 200, response.text
    return unescape(response.text)


def send(client: FlaskClient, number: int, form: str, **fields: Any) -> Any:
    """Send one of the page's forms without scripts."""
    return press(client, f"/queue/comments/{number}/{form}", html=True, **fields)


def call_caught(app: Flask, comment: StoredComment) -> None:
    """Let it be one that the service took for spam by itself."""
    with app.app_context(), transaction() as session:
        session.get_one(Comment, comment.id).is_quietly_declined = True


def test_the_page_tells_everything_about_a_comment(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site, name="Dan", email="dan@example.org", text="Some **words**.")
    text = page(moderator, comment.id)
    for part in ("Comment by Dan", "<strong>words</strong>", "d•••@e•••.org", "Decided: Approved"):
        assert part in text
    assert "dan@example.org" not in text


def test_an_edit_is_kept_shown_as_a_diff_and_undone_from_the_notice(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site, name="Dan", text="The old bridge.")
    here = f"/queue/comments/{comment.id}"
    fields = {
        "version": comment.version,
        "text": "The new bridge.",
        "name": "Daniel",
        "website": "dan.example",
    }
    response = send(moderator, comment.id, "edit", **fields, back=here)
    assert (response.status_code, response.headers["Location"]) == (303, here)
    text = page(moderator, comment.id)
    for part in (
        "<del>old</del>",
        "<ins>new</ins>",
        "<del>Dan</del> <ins>Daniel</ins>",
        "https://dan.example",
    ):
        assert part in text
    assert 'form="undo"' in text
    press(moderator, "/queue/undo", batch=journal(app)[-1].batch)
    row = row_of(app, comment)
    assert (row.name, row.website, row.text) == ("Dan", None, "The old bridge.")


def test_what_the_service_took_for_spam_says_so_and_is_confirmed_with_a_line_to_its_author(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site, status="spam")
    assert "Nobody has checked it yet" not in page(moderator, comment.id)
    assert f'value="spam {comment.id}:' not in page(moderator, comment.id)
    call_caught(app, comment)
    text = page(moderator, comment.id)
    assert "The service took this for spam by itself. Nobody has checked it yet." in text
    assert f'value="spam {comment.id}:{comment.version}">It is spam</button>' in text
    assert "With “It is spam” or Trash" in text
    fields = {"decide": f"spam {comment.id}:{comment.version}", "note": "No advertising, please."}
    press(moderator, "/queue/decisions", html=True, **fields)
    row = row_of(app, comment)
    assert (row.status, row.is_quietly_declined) == ("spam", False)
    assert row.author_note == "No advertising, please."
    text = page(moderator, comment.id)
    assert "Nobody has checked it yet" not in text
    assert ">It is spam</button>" not in text


def test_history_and_audit_say_that_what_was_caught_is_confirmed_and_taken_back(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site, status="spam")
    call_caught(app, comment)
    press(moderator, "/queue/decisions", decide=f"spam {comment.id}:{comment.version}")
    assert "Confirmed as spam" in page(moderator, comment.id)
    assert "Undo: Confirmed as spam" in page(moderator, comment.id)
    audit = moderator.get("/audit?person=people").text
    assert "<span>confirmed a comment as spam</span>" in audit
    assert "Spam → Spam" not in audit
    press(moderator, "/queue/undo", batch=journal(app)[-1].batch)
    assert row_of(app, comment).is_quietly_declined
    assert "To be checked again" in page(moderator, comment.id)
    audit = moderator.get("/audit?person=people").text
    assert "<span>let a comment be checked again that was caught as spam</span>" in audit
    press(moderator, "/queue/undo", batch=journal(app)[-1].batch)
    assert page(moderator, comment.id).count("Confirmed as spam") > 1
    assert moderator.get("/audit?person=people").text.count("<span>confirmed a comment as spam</span>") == 2


WRONG_WORDS = [
    ({"text": ""}, "text"),
    ({"text": "a\x00b"}, "text"),
    ({"text": "x" * 65_526}, "text"),
    ({"name": ""}, "name"),
    ({"name": "x" * 246}, "name"),
    ({"name": "a\u202eb"}, "name"),
    ({"website": "javascript:alert(1)"}, "website"),
    ({"website": "https://user:pass@example.org"}, "website"),
]


@pytest.mark.parametrize(("wrong", "field"), WRONG_WORDS)
@on_sqlite
def test_wrong_words_are_refused_with_what_was_typed(
    app: Flask, site: SiteView, moderator: FlaskClient, wrong: dict[str, str], field: str
) -> None:
    comment = a_comment(app, site)
    typed = {"version": comment.version, "text": "Typed.", "name": "Typed name", "website": ""}
    fields: dict[str, Any] = typed | wrong
    response = send(moderator, comment.id, "edit", **fields)
    assert response.status_code == 422
    assert f'id="edit-{field}-error"' in response.text
    assert ("Typed." in response.text) or field == "text"
    answer = press(moderator, f"/queue/comments/{comment.id}/edit", **fields)
    assert (answer.status_code, answer.get_json(force=True)["errors"][0]["field"]) == (422, field)
    assert row_of(app, comment).version == comment.version


def test_an_answer_approves_and_is_answered_with_both_to_scripts(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    comment = a_comment(app, site, status="pending")
    part = page(moderator, comment.id, part="reply")
    assert part.lstrip().startswith("<form")
    assert "Approve and reply" in part
    answer = press(moderator, f"/queue/comments/{comment.id}/reply", version=1, text="Thank you.").json
    assert answer is not None
    assert [one["status"] for one in answer["done"]] == ["approved", "approved"]
    assert answer["batch"]
    assert row_of(app, comment).status == "approved"


def test_a_move_by_its_form_and_a_wrong_address(app: Flask, site: SiteView, moderator: FlaskClient) -> None:
    comment, there = a_comment(app, site), a_comment(app, site, url=ELSEWHERE)
    wrong = send(moderator, comment.id, "move", version=comment.version, address="https://evil.example/")
    assert wrong.status_code == 422
    assert 'value="https://evil.example/"' in wrong.text
    send(moderator, comment.id, "move", version=comment.version, address=ELSEWHERE)
    assert row_of(app, comment).thread_id == there.thread_id


def test_an_author_is_banned_until_a_day_and_the_ban_is_lifted(
    app: Flask, site: SiteView, moderator: FlaskClient, clock: Clock
) -> None:
    comment = a_comment(app, site, email="dan@example.org")
    fields = {"kind": "ban", "mark": "email", "ends": "2026-12-24", "note": "Insults."}
    assert send(moderator, comment.id, "author", **fields).status_code == 303
    text = page(moderator, comment.id)
    assert "Banned: whoever writes as d•••@e•••.org." in text
    assert "Insults." in text
    with app.app_context():
        number = db.session.scalars(select(Standing.id)).one()
        db.session.rollback()
    send(moderator, comment.id, "author", lift=str(number))
    assert "Banned:" not in page(moderator, comment.id)


def test_a_ban_by_domain_shows_the_domain_of_the_email_masked_and_that_of_a_website_as_it_is(
    app: Flask, site: SiteView, moderator: FlaskClient
) -> None:
    by_email = a_comment(app, site, email="dan@dan-miller.example", website="https://www.miller.example/")
    by_website = a_comment(app, site, email=None, website="https://www.miller.example/")
    for comment in (by_email, by_website):
        send(moderator, comment.id, "author", kind="ban", mark="domain")
    assert "Banned: everybody from d•••.example." in page(moderator, by_email.id)
    assert "Banned: everybody from www.miller.example." in page(moderator, by_website.id)
    shown = [
        page(moderator, by_email.id),
        moderator.get("/audit").text,
        moderator.get("/audit/export.csv").text,
    ]
    assert "dan-miller" not in "".join(shown)


@pytest.mark.parametrize("mark", ["receipt", "network", "domain"])
def test_an_author_is_banned_by_each_trace_through_the_form(
    app: Flask, site: SiteView, moderator: FlaskClient, keys: Keyring, mark: str
) -> None:
    comment = a_comment(app, site, email="dan@spam.example", network="10.9.8.0/24")
    assert send(moderator, comment.id, "author", kind="ban", mark=mark).status_code == 303
    shown = {"receipt": f"whoever wrote comment #{comment.id}.", "domain": "everybody from "}
    told = shown.get(mark, f"the network of comment #{comment.id}.")
    assert f"Banned: {told}" in page(moderator, comment.id)
    previous = receipt(keys, site="demo", comment_id=comment.id)
    left = {
        "receipt": {"email": "dan@spam.example", "previous": previous},
        "network": {"network": "10.9.8.0/24"},
        "domain": {"email": "eva@spam.example"},
    }
    later = [a_comment(app, site, status="spam", now=NOW, **fields) for fields in (left[mark], {})]
    assert [one.version for one in later] == [1, 2]  # the first stood there by itself


WRONG_WISHES = [
    ({"kind": "kill"}, 400),
    ({"mark": "face"}, 400),
    ({"ends": "soon"}, 422),
    ({"ends": "2026-02-30"}, 422),
    ({"ends": "9999-12-31"}, 422),
    ({"ends": "2020-01-01"}, 422),
    ({"note": "x" * 201}, 422),
    ({"note": "a\x00b"}, 422),
    ({"lift": "4711"}, 404),
]


@pytest.mark.parametrize(("wrong", "status"), WRONG_WISHES)
@on_sqlite
def test_a_wrong_wish_about_an_author_changes_nothing(
    app: Flask, site: SiteView, moderator: FlaskClient, wrong: dict[str, str], status: int
) -> None:
    comment = a_comment(app, site)
    before = everything(app)["standing"]
    response = send(moderator, comment.id, "author", **{"kind": "ban", "mark": "receipt"} | wrong)
    assert response.status_code == status
    assert everything(app)["standing"] == before


FORMS: list[tuple[str, dict[str, Any]]] = [
    ("edit", {"text": "Other.", "name": "Other", "website": ""}),
    ("reply", {"text": "Other."}),
    ("move", {"address": ELSEWHERE}),
    ("author", {"kind": "ban", "mark": "receipt"}),
]


@pytest.mark.parametrize(("form", "fields"), FORMS)
@on_sqlite
def test_who_may_only_look_sees_no_form_and_sends_none(
    app: Flask, site: SiteView, moderator: FlaskClient, form: str, fields: dict[str, Any]
) -> None:
    comment = a_comment(app, site)
    a_comment(app, site, url=ELSEWHERE)
    demote(app, Role.VIEWER, site)
    text = page(moderator, comment.id)
    assert f"/queue/comments/{comment.id}/{form}" not in text
    before = everything(app)
    assert send(moderator, comment.id, form, version=comment.version, **fields).status_code == 403
    after = everything(app) | {"sign_in": before["sign_in"]}
    assert after == before


@pytest.mark.parametrize(("form", "fields"), FORMS)
@on_sqlite
def test_comments_of_other_sites_have_no_page(
    app: Flask, site: SiteView, moderator: FlaskClient, form: str, fields: dict[str, Any]
) -> None:
    other = a_site(app, key="other", origins=("https://other.example.org",))
    foreign = a_comment(app, other, url="https://other.example.org/a")
    demote(app, Role.MODERATOR, site)
    assert moderator.get(f"/queue/comments/{foreign.id}").status_code == 404
    assert send(moderator, foreign.id, form, version=foreign.version, **fields).status_code == 404


@pytest.mark.parametrize("form", ["edit", "move"])
@on_sqlite
def test_an_old_version_is_told_and_changes_nothing(
    app: Flask, site: SiteView, moderator: FlaskClient, form: str
) -> None:
    comment = a_comment(app, site)
    a_comment(app, site, url=ELSEWHERE)
    fields = dict(FORMS)[form]
    assert send(moderator, comment.id, form, version=comment.version - 1, **fields).status_code == 409
    assert send(moderator, comment.id, form, version="x", **fields).status_code == 400
    assert row_of(app, comment).version == comment.version


HOSTILE = ("<script>alert(1)</script>", "\" onload='x'", "{{ 7 * 7 }}", "<ins onclick=x>")


@pytest.mark.parametrize("words", HOSTILE)
@on_sqlite
def test_hostile_words_stay_text_in_diff_and_forms(
    app: Flask, site: SiteView, moderator: FlaskClient, words: str
) -> None:
    comment = a_comment(app, site, name=words, text=words)
    send(moderator, comment.id, "edit", version=comment.version, text=f"{words} {words}", name="Dan")
    response = moderator.get(f"/queue/comments/{comment.id}", headers={"Accept": "text/html"})
    assert not dangers(response.text)
    assert "49" not in response.text or "7 * 7" in response.text


@on_sqlite
def test_the_page_is_accessible_and_fits_a_small_screen(
    live_service: LiveService, page: Page, console: Console
) -> None:
    comment = a_comment(live_service.app, live_service.site, url=live_service.site.origins[0] + "/article")
    a_moderator(live_service.app)
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(f"{live_service.url}/queue/comments/{comment.id}")
    page.get_by_label("Name").fill("mo")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{live_service.url}/queue/comments/{comment.id}")
    page.locator("#edit-text").fill("Other words than before.")
    page.get_by_role("button", name="Save").click()
    page.locator("ins").first.wait_for()
    assert console.unexpected == []
    assert_good(page)

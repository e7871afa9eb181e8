"""A moderator's page of letters: an address to confirm, wishes by site, what became of letters."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service import tokens
from comments_service.errors import FieldsRefused
from comments_service.notify.addresses import give_address
from comments_service.people.passwords import check_own
from comments_service.settings import Settings
from comments_service.storage.database import db, transaction
from comments_service.storage.outbox import LetterAddress, LetterWish, Outbox, Wish
from comments_service.storage.people import Grant, Moderator
from comments_service.vocabulary import ModeratorView, SiteView, Status
from tests.browser import Console, assert_good
from tests.conftest import Clock
from tests.doors import OWN_ORIGIN, a_network, csrf_token, everything, sign_in
from tests.factories import PASSWORD, a_comment, a_moderator, a_site, an_address, wiring_of
from tests.mailboxes import UNKNOWN_USER, Mailbox, deliver, letters, mailbox, mailed, text_of
from tests.servers import LiveService

EMAIL = "ana@example.org"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    """The moderators' mail server."""
    with mailbox() as box:
        yield box


@pytest.fixture
def settings(settings: Settings, box: Mailbox) -> Settings:
    """Settings that lead letters there."""
    return mailed(settings, box.url, session_idle_seconds=10**6)


@pytest.fixture
def signed_in(app: Flask, site: SiteView) -> FlaskClient:
    """The browser of a signed-in moderator."""
    return sign_in(app)


def send(browser: FlaskClient, form: str, **fields: str) -> TestResponse:
    """Send one of the page's forms."""
    token = csrf_token(browser.get("/account/letters"))
    data = {"csrf_token": token, "password": PASSWORD} | fields
    return browser.post(f"/account/letters/{form}", data=data, headers={"Origin": OWN_ORIGIN})


def confirm(app: Flask, box: Mailbox) -> TestResponse:
    """Open the link of the last letter, in the browser of whoever reads the mailbox, and press its button."""
    found = re.search(r"/letters/address/\S+", text_of(box.messages[-1]))
    assert found
    reader = app.test_client()
    assert reader.get(found[0]).status_code == 200
    return reader.post(found[0], data={"sure": "yes"}, headers={"Origin": OWN_ORIGIN})


def address(app: Flask) -> LetterAddress | None:
    """The only address there is."""
    with app.app_context():
        row = db.session.scalars(select(LetterAddress)).one_or_none()
        db.session.expunge_all()
        db.session.rollback()
        return row


def test_the_page_wants_a_sign_in_and_is_where_it_leads(app: Flask, client: FlaskClient) -> None:
    asked = client.get("/account/letters")
    assert (asked.status_code, asked.location) == (303, "/login?next=/account/letters")
    fields = {"name": a_moderator(app).name, "password": PASSWORD, "next": "/account/letters"}
    fields["csrf_token"] = csrf_token(client.get("/login"))
    assert client.post("/login", data=fields, headers={"Origin": OWN_ORIGIN}).location == "/account/letters"


def test_an_address_counts_once_its_reader_has_pressed_the_button(
    app: Flask, site: SiteView, signed_in: FlaskClient, box: Mailbox, clock: Clock
) -> None:
    assert send(signed_in, "address", email=EMAIL).status_code == 303
    deliver(app, clock)
    a_comment(app, site, status=Status.PENDING)
    deliver(app, clock)
    assert [str(m["X-Rcpt"]) for m in box.messages] == [EMAIL]
    assert confirm(app, box).status_code == 303
    assert "Confirmed" in signed_in.get("/account/letters").text
    a_comment(app, site, status=Status.PENDING)
    deliver(app, clock)
    assert len(box.messages) == 2


def test_opening_the_link_confirms_nothing(
    app: Flask, signed_in: FlaskClient, box: Mailbox, clock: Clock
) -> None:
    send(signed_in, "address", email=EMAIL)
    deliver(app, clock)
    found = re.search(r"/letters/address/\S+", text_of(box.messages[0]))
    assert found
    page = app.test_client().get(found[0])
    assert page.headers["Referrer-Policy"] == "no-referrer"
    row = address(app)
    assert row is not None
    assert row.confirmed_at is None


def test_no_address_is_shown_or_stored_in_clear(
    app: Flask, signed_in: FlaskClient, box: Mailbox, clock: Clock
) -> None:
    send(signed_in, "address", email=EMAIL)
    page = signed_in.get("/account/letters").text
    assert "a•••@e•••.org" in page
    assert EMAIL not in page
    assert EMAIL not in str(everything(app))


def test_an_address_is_given_with_the_own_password_only(app: Flask, signed_in: FlaskClient) -> None:
    refused = send(signed_in, "address", email=EMAIL, password="not the right one")
    assert refused.status_code == 422
    assert "This is not your password" in refused.text
    assert f'value="{EMAIL}"' in refused.text
    assert (address(app), letters(app)) == (None, [])


def test_another_address_wants_the_password_too(app: Flask, site: SiteView, signed_in: FlaskClient) -> None:
    with app.app_context():
        mo = db.session.scalars(select(Moderator)).one().id
        db.session.rollback()
    an_address(app, ModeratorView(mo, "mo"))
    assert send(signed_in, "address", email="thief@example.org", password="").status_code == 422
    row = address(app)
    assert row is not None
    assert row.confirmed_at is not None


def test_guessing_the_password_for_an_address_is_stopped_from_any_network(
    app: Flask, signed_in: FlaskClient
) -> None:
    token = csrf_token(signed_in.get("/account/letters"))
    for password in ["wrong"] * 10 + [PASSWORD]:
        last = signed_in.post(
            "/account/letters/address",
            data={"csrf_token": token, "email": EMAIL, "password": password},
            headers={"Origin": OWN_ORIGIN},
            environ_overrides=a_network(),
        )
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) > 0
    assert "Too many" in last.text
    assert address(app) is None


def test_a_right_password_with_a_wrong_address_is_no_guess(app: Flask, signed_in: FlaskClient) -> None:
    codes = [send(signed_in, "address", email="nobody").status_code for _ in range(12)]
    assert set(codes) == {422}


def test_nobody_is_written_to_twice_a_day_without_having_agreed(
    app: Flask, signed_in: FlaskClient, box: Mailbox, clock: Clock
) -> None:
    answers = [send(signed_in, "address", email=EMAIL).status_code for _ in range(2)]
    deliver(app, clock)
    send(signed_in, "address", do="drop")
    answers.append(send(signed_in, "address", email="ANA@example.org").status_code)
    deliver(app, clock)
    assert (answers, len(box.messages)) == ([303, 422, 422], 1)
    clock.forward(days=1)
    assert send(signed_in, "address", email=EMAIL).status_code == 303
    deliver(app, clock)
    assert len(box.messages) == 2


def test_no_other_moderator_can_write_to_them_meanwhile(
    app: Flask, signed_in: FlaskClient, box: Mailbox
) -> None:
    send(signed_in, "address", email=EMAIL)
    other = a_moderator(app, name="ben")
    with app.app_context():
        parts = wiring_of(app)
        with pytest.raises(FieldsRefused):
            give_address(EMAIL, proof=check_own(other, PASSWORD), by=other, keys=parts.keys, now=parts.now())


def test_one_person_may_try_few_addresses_a_day(app: Flask, signed_in: FlaskClient) -> None:
    codes = [send(signed_in, "address", email=f"a{n}@example.org").status_code for n in range(4)]
    assert codes == [303, 303, 303, 422]


def test_a_later_address_makes_earlier_links_worthless(
    app: Flask, signed_in: FlaskClient, box: Mailbox, clock: Clock
) -> None:
    send(signed_in, "address", email=EMAIL)
    deliver(app, clock)
    found = re.search(r"/letters/address/\S+", text_of(box.messages[0]))
    assert found
    send(signed_in, "address", email="stranger@example.org")
    assert (
        app.test_client().post(found[0], data={"sure": "yes"}, headers={"Origin": OWN_ORIGIN}).status_code
        == 404
    )
    row = address(app)
    assert row is not None
    assert row.confirmed_at is None


@pytest.mark.parametrize("email", ["", "nobody", "a@b\r\nBcc: c@example.org", "a@example.org, b@example.org"])
def test_what_is_no_address_is_refused_beside_its_field(
    app: Flask, signed_in: FlaskClient, email: str
) -> None:
    response = send(signed_in, "address", email=email)
    assert response.status_code == 422
    assert 'id="email-error"' in response.text
    assert (address(app), letters(app)) == (None, [])


def test_wishes_are_kept_by_site(app: Flask, site: SiteView, signed_in: FlaskClient) -> None:
    other = a_site(app, key="other")
    send(signed_in, "wishes", **{f"site-{site.id}": "daily", f"site-{other.id}": "off"})
    with app.app_context():
        kept = {row.site_id: row.wish for row in db.session.scalars(select(LetterWish))}
    assert kept == {site.id: Wish.DAILY, other.id: Wish.OFF}


def test_wishes_about_sites_of_others_are_refused(app: Flask, site: SiteView, signed_in: FlaskClient) -> None:
    other = a_site(app, key="other")
    with app.app_context(), transaction() as session:
        session.query(Grant).update({"site_id": site.id})
    assert send(signed_in, "wishes", **{f"site-{other.id}": "daily"}).status_code == 403
    assert "Other" not in signed_in.get("/account/letters").text


@pytest.mark.parametrize("fields", [{"site-1": "always"}, {"site-x": "off"}, {"site-99999999999": "off"}])
def test_wishes_nobody_can_choose_are_refused(
    app: Flask, signed_in: FlaskClient, fields: dict[str, str]
) -> None:
    assert send(signed_in, "wishes", **fields).status_code == 400


def test_what_could_not_be_delivered_is_on_the_page(
    app: Flask, site: SiteView, signed_in: FlaskClient, box: Mailbox, clock: Clock
) -> None:
    with app.app_context():
        mo = db.session.scalars(select(Moderator)).one()
        me = ModeratorView(mo.id, mo.name)
        db.session.rollback()
    an_address(app, me)
    box.answers = [UNKNOWN_USER]
    a_comment(app, site, status=Status.PENDING)
    deliver(app, clock)
    page = signed_in.get("/account/letters").text
    assert "Given up" in page
    assert "The mail server said 550" in page


def test_owners_see_what_could_not_be_delivered_to_others(
    app: Flask, site: SiteView, signed_in: FlaskClient, box: Mailbox, clock: Clock
) -> None:
    an_address(app, a_moderator(app, name="ben"), "ben@example.org")
    box.answers = [UNKNOWN_USER]
    a_comment(app, site, status=Status.PENDING)
    deliver(app, clock)
    assert "Not delivered to others" in signed_in.get("/account/letters").text
    with app.app_context(), transaction() as session:
        session.query(Grant).update({"role": "moderator"})
    assert "Not delivered to others" not in signed_in.get("/account/letters").text


def test_one_click_of_a_mail_program_ends_the_letters(
    app: Flask, site: SiteView, signed_in: FlaskClient, box: Mailbox, clock: Clock
) -> None:
    ben = a_moderator(app, name="ben")
    an_address(app, ben)
    a_comment(app, site, status=Status.PENDING)
    deliver(app, clock)
    url = box.messages[0]["List-Unsubscribe"].strip("<>").removeprefix(OWN_ORIGIN)
    assert app.test_client().get(url).status_code == 200
    with app.app_context():
        assert db.session.get(LetterWish, (ben.id, site.id)) is None  # opening it ends nothing
    assert app.test_client().post(url, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    with app.app_context():
        assert db.session.get_one(LetterWish, (ben.id, site.id)).wish == Wish.OFF


def test_a_stop_link_that_was_changed_ends_nothing(app: Flask, site: SiteView, client: FlaskClient) -> None:
    token = tokens.stop_token(wiring_of(app).keys, moderator_id=1, site_id=site.id, address="a")
    assert (
        client.post(f"/letters/stop/{token[:-2]}", data={"List-Unsubscribe": "One-Click"}).status_code == 404
    )


def test_without_a_mail_server_the_page_says_so_and_takes_no_address(
    app: Flask, settings: Settings, make_app: object, site: SiteView
) -> None:
    silent = make_app(settings.model_copy(update={"smtp_url": None}))  # type: ignore[operator]
    browser = sign_in(silent)
    assert "sends no letters" in browser.get("/account/letters").text
    assert send(browser, "address", email=EMAIL).status_code == 400
    assert letters(app) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_for_everybody(
    live_service: LiveService, page: Page, console: Console, scheme: str
) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    app = live_service.app
    ana = a_moderator(app, name="ana")
    page.goto(f"{live_service.url}/login?next=/account")
    page.get_by_label("Name").fill(ana.name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{live_service.url}/account/letters")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("button", name="Send the link").click()
    page.get_by_text("A letter is on its way").wait_for()
    page.get_by_label("Demo").select_option("daily")
    page.get_by_role("button", name="Keep").click()
    page.get_by_text("Kept.").wait_for()
    assert_good(page)
    assert console.unexpected == []
    with app.app_context():
        assert len(db.session.scalars(select(Outbox)).all()) == 1

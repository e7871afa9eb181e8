"""The second factor: set up with a right code, asked for at each sign-in, taken once, kept sealed."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from html import unescape

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service.errors import CommentsError
from comments_service.people.accounts import reset_password
from comments_service.people.codes import seal_column, spend_code
from comments_service.people.sign_ins import Browser, complete, sign_in
from comments_service.privacy import Keyring
from comments_service.rotate import retire, rotate
from comments_service.settings import Settings
from comments_service.storage.database import db, reading, transaction
from comments_service.storage.people import HalfSignIn, SecondFactor, SignIn
from tests import doors
from tests.conftest import SECRET_KEY, Clock
from tests.doors import OWN_ORIGIN, a_network, csrf_token, everything, send_own
from tests.factories import PASSWORD, a_moderator, wiring_of

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PAGE = "/account/second-factor"


class Guarded:
    """Somebody with a second factor: the browser it was set up in, the app on the telephone, paper codes."""

    def __init__(self, app: Flask, clock: Clock, name: str = "mo") -> None:
        self.app, self.clock, self.name = app, clock, name
        self.id = a_moderator(app, name=name).id
        self.client = doors.sign_in_as(app, name)
        send_own(self.client, PAGE, do="begin", password=PASSWORD)
        self.secret = secret_on(self.client.get(PAGE))
        answer = send_own(self.client, PAGE, do="confirm", code=self.code())
        assert answer.status_code == 200, answer.text
        self.paper = re.findall(r"<li><code>([^<]+)</code></li>", answer.text)
        clock.forward(seconds=60)  # the code of the set-up is used

    def code(self, *, seconds: int = 0) -> str:
        """What the app shows now, or some seconds from now."""
        return pyotp.TOTP(self.secret).at(self.clock.now + timedelta(seconds=seconds))

    def half(self, client: FlaskClient | None = None) -> FlaskClient:
        """A browser in which the right password was typed."""
        client = client or self.app.test_client()
        fields = {"csrf_token": csrf_token(client.get("/login")), "name": self.name, "password": PASSWORD}
        headers = {"Origin": OWN_ORIGIN}
        response = client.post("/login", data=fields, headers=headers, environ_overrides=a_network())
        assert response.headers["Location"].startswith("/login/code"), response.text
        return client


@pytest.fixture
def guarded(app: Flask, clock: Clock) -> Guarded:
    """Somebody with a second factor."""
    return Guarded(app, clock)


def secret_on(response: TestResponse) -> str:
    """The key that a page shows, as apps take it."""
    found = re.search(r'<code class="secret"[^>]*>([^<]+)<', response.text)
    assert found, "the page shows no key"
    return found[1].replace(" ", "")


def give(client: FlaskClient, code: str, **more: str) -> TestResponse:
    """Fill the page of the second step in and send it, from a network of its own."""
    fields = {"csrf_token": csrf_token(client.get("/login/code")), "code": code} | more
    headers = {"Origin": OWN_ORIGIN, "Accept": "text/html"}
    return client.post("/login/code", data=fields, headers=headers, environ_overrides=a_network())


def is_in(client: FlaskClient) -> bool:
    """Whether the queue opens."""
    return client.get("/queue").status_code == 200


def actions(app: Flask) -> list[str]:
    """What the journal says, in order."""
    rows = sorted(everything(app)["journal"])
    return [str(row[3]) for row in rows]


# --- setting up ---


@on_sqlite
def test_setting_up_shows_the_key_as_a_picture_as_text_and_as_a_link(app: Flask) -> None:
    client = doors.sign_in(app)
    assert send_own(client, PAGE, do="begin", password=PASSWORD).status_code == 303
    page = client.get(PAGE)
    assert re.search(r'<svg [^>]*class="qr"', page.text)
    link = re.search(r'href="(otpauth://[^"]+)"', page.text)
    assert link is not None
    told = pyotp.parse_uri(unescape(link[1]))
    assert (told.secret, told.name, told.issuer) == (secret_on(page), "mo", "Comments (localhost)")
    assert page.headers["Cache-Control"] == "no-store"


@on_sqlite
def test_the_pages_below_the_account_say_where_one_is(app: Flask) -> None:
    client = doors.sign_in(app)
    for address in ("/account", "/account/letters", PAGE):
        current = re.findall(r'<a [^>]*href="([^"]+)"[^>]*aria-current="(\w+)"', client.get(address).text)
        assert current == [("/account", "page")], address


def test_setting_up_wants_the_password_and_one_right_code(app: Flask, clock: Clock) -> None:
    client = doors.sign_in(app)
    assert send_own(client, PAGE, do="begin", password="not the right one").status_code == 422
    assert everything(app)["second_factor"] == []
    send_own(client, PAGE, do="begin", password=PASSWORD)
    secret = secret_on(client.get(PAGE))
    wrong = send_own(client, PAGE, do="confirm", code="000000")
    assert (wrong.status_code, "This code is not good" in wrong.text) == (422, True)
    assert everything(app)["recovery_code"] == []
    right = send_own(client, PAGE, do="confirm", code=pyotp.TOTP(secret).at(clock.now))
    assert (right.status_code, len(everything(app)["recovery_code"])) == (200, 10)


@on_sqlite
def test_the_key_is_shown_to_the_sign_in_that_asked_for_it_and_for_a_while_only(
    app: Flask, clock: Clock
) -> None:
    here = doors.sign_in(app)
    there = doors.sign_in_as(app, "mo")
    send_own(here, PAGE, do="begin", password=PASSWORD)
    assert "secret" not in there.get(PAGE).text
    secret = secret_on(here.get(PAGE))
    code = pyotp.TOTP(secret).at(clock.now)
    assert send_own(there, PAGE, do="confirm", code=code).status_code == 303
    clock.forward(minutes=15)
    assert "otpauth:" not in here.get(PAGE).text
    assert send_own(here, PAGE, do="confirm", code=pyotp.TOTP(secret).at(clock.now)).status_code == 303
    assert everything(app)["recovery_code"] == []


@on_sqlite
def test_setting_up_ends_all_other_sign_ins(app: Flask, clock: Clock) -> None:
    a_moderator(app, name="Ana")
    elsewhere = doors.sign_in_as(app, "Ana")
    here = doors.sign_in_as(app, "Ana")
    send_own(here, PAGE, do="begin", password=PASSWORD)
    send_own(here, PAGE, do="confirm", code=pyotp.TOTP(secret_on(here.get(PAGE))).at(clock.now))
    assert (is_in(here), is_in(elsewhere)) == (True, False)


@on_sqlite
def test_what_is_on_cannot_be_set_up_anew_without_a_code(guarded: Guarded, app: Flask) -> None:
    before = everything(app)["second_factor"]
    send_own(guarded.client, PAGE, do="begin", password=PASSWORD)
    assert everything(app)["second_factor"] == before
    assert "otpauth:" not in guarded.client.get(PAGE).text


@on_sqlite
@pytest.mark.parametrize("fields", [{}, {"do": "x"}, {"do": "begin"}, {"do": "confirm", "code": "\x00"}])
def test_odd_forms_of_the_second_factor_change_nothing(app: Flask, fields: dict[str, str]) -> None:
    client, before = doors.sign_in(app), everything(app)["second_factor"]
    assert send_own(client, PAGE, **fields).status_code in (303, 400, 422)
    assert everything(app)["second_factor"] == before


# --- coming in ---


@on_sqlite
def test_the_password_alone_opens_nothing(guarded: Guarded, app: Flask) -> None:
    client, before = guarded.half(), len(everything(app)["sign_in"])
    for address in ("/queue", "/account", PAGE):
        assert client.get(address).headers["Location"].startswith("/login?")
    assert len(everything(app)["sign_in"]) == before


@on_sqlite
def test_password_and_code_open_the_page_that_was_asked_for(guarded: Guarded) -> None:
    client = guarded.app.test_client()
    asked = client.get("/queue?status=spam").headers["Location"]
    page = client.get(asked)
    fields = {"csrf_token": csrf_token(page), "name": "mo", "password": PASSWORD}
    fields["next"] = "/queue?status=spam"
    step = client.post("/login", data=fields, headers={"Origin": OWN_ORIGIN}).headers["Location"]
    assert step == "/login/code?next=/queue?status%3Dspam"
    response = give(client, guarded.code(), next="/queue?status=spam")
    assert response.headers["Location"] == "/queue?status=spam"
    assert is_in(client)


@on_sqlite
def test_the_whole_sign_in_has_another_secret_than_the_half_one(guarded: Guarded) -> None:
    client = guarded.half()
    half = client.get_cookie("__Host-comments")
    assert give(client, guarded.code()).status_code == 303
    whole = client.get_cookie("__Host-comments")
    assert half is not None
    assert whole is not None
    assert half.value != whole.value
    client.set_cookie("__Host-comments", half.value, secure=True)
    assert not is_in(client)
    assert client.get("/login/code").headers["Location"] == "/login"


def test_a_code_works_once(guarded: Guarded) -> None:
    code = guarded.code()
    assert give(guarded.half(), code).status_code == 303
    again = give(guarded.half(), code)
    assert (again.status_code, "was used already" in again.text) == (403, True)


@pytest.mark.parametrize(("seconds", "status"), [(-60, 403), (-30, 303), (0, 303), (30, 303), (60, 403)])
@on_sqlite
def test_a_code_is_good_one_step_before_and_after(guarded: Guarded, seconds: int, status: int) -> None:
    guarded.clock.forward(seconds=120)
    assert give(guarded.half(), guarded.code(seconds=seconds)).status_code == status


@on_sqlite
def test_after_a_later_code_no_earlier_one_is_taken(guarded: Guarded) -> None:
    assert give(guarded.half(), guarded.code(seconds=30)).status_code == 303
    assert give(guarded.half(), guarded.code()).status_code == 403


def test_of_two_at_once_with_the_same_code_one_comes_in(guarded: Guarded, now: datetime) -> None:
    app, parts = guarded.app, wiring_of(guarded.app)
    moment, code = guarded.clock.now, guarded.code()

    def come_in(half: str) -> bool:
        with app.app_context():
            try:
                complete(half, code, browser=Browser(), keys=parts.keys, settings=parts.settings, now=moment)
            except CommentsError:
                return False
            return True

    with app.app_context():
        halves = [
            sign_in("mo", PASSWORD, browser=Browser(), settings=parts.settings, now=moment).token
            for _ in range(2)
        ]
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(come_in, halves)) == [False, True]


@pytest.mark.parametrize("code", ["", "000000", "12345", "१२३४५६", "a" * 16, "x" * 9000, "\x00", "'; --"])
@on_sqlite
def test_a_wrong_code_gets_the_same_answer_whatever_is_wrong(guarded: Guarded, code: str) -> None:
    client = guarded.half()
    response = give(client, code)
    assert (response.status_code, "This code is not good" in response.text) == (403, True)
    assert not is_in(client)
    assert actions(guarded.app)[-1] == "code-refused"


@on_sqlite
def test_codes_may_be_typed_with_gaps(guarded: Guarded) -> None:
    code = guarded.code()
    assert give(guarded.half(), f" {code[:3]} {code[3:]} ").status_code == 303


@on_sqlite
def test_the_second_step_ends_after_five_minutes(guarded: Guarded) -> None:
    client = guarded.half()
    token = csrf_token(client.get("/login/code"))
    guarded.clock.forward(minutes=5)
    fields = {"csrf_token": token, "code": guarded.code()}
    late = client.post("/login/code", data=fields, headers={"Origin": OWN_ORIGIN})
    assert late.headers["Location"].startswith("/login?ended=1")
    assert "begin again" in client.get(late.headers["Location"]).text
    assert not is_in(client)


@on_sqlite
def test_after_five_wrong_codes_the_password_is_asked_for_again(guarded: Guarded) -> None:
    client = guarded.half()
    assert [give(client, "000000").status_code for _ in range(4)] == [403] * 4
    token = csrf_token(client.get("/login/code"))
    give(client, "000000")
    fields = {"csrf_token": token, "code": guarded.code()}
    assert client.post("/login/code", data=fields, headers={"Origin": OWN_ORIGIN}).status_code == 303
    assert not is_in(client)


@on_sqlite
def test_codes_are_guessed_from_many_networks_no_oftener_than_from_one(guarded: Guarded) -> None:
    statuses = []
    for _ in range(3):
        client = guarded.half()
        statuses += [give(client, "000000").status_code for _ in range(4)]
    assert statuses == [403] * 10 + [429] * 2
    assert give(guarded.half(), guarded.code()).status_code == 429


@on_sqlite
@pytest.mark.parametrize("do", ["confirm", "begin"])
def test_a_set_up_that_proves_nothing_forgives_no_wrong_codes(guarded: Guarded, do: str) -> None:
    """Each is a try itself; with a right code or password in it, but what is on cannot be set up anew."""
    off = {"do": "off", "password": PASSWORD, "code": "000000"}
    statuses = [send_own(guarded.client, PAGE, **off).status_code for _ in range(6)]
    again = send_own(guarded.client, PAGE, do=do, password=PASSWORD, code=guarded.code())
    statuses += [again.status_code, *(send_own(guarded.client, PAGE, **off).status_code for _ in range(2))]
    assert statuses == [422] * 6 + [303, 422, 429]


@on_sqlite
def test_a_stranger_without_the_password_keeps_nobody_from_typing_codes(guarded: Guarded) -> None:
    stranger = guarded.app.test_client()
    fields = {"csrf_token": csrf_token(stranger.get("/login")), "code": "000000"}
    for _ in range(12):
        stranger.post("/login/code", data=fields, headers={"Origin": OWN_ORIGIN})
    assert give(guarded.half(), guarded.code()).status_code == 303


@on_sqlite
def test_a_new_password_ends_the_half_sign_ins(guarded: Guarded) -> None:
    client = guarded.half()
    token = csrf_token(client.get("/login/code"))
    with guarded.app.app_context():
        reset_password("mo", "four other words entirely", now=guarded.clock.now)
    fields = {"csrf_token": token, "code": guarded.code()}
    client.post("/login/code", data=fields, headers={"Origin": OWN_ORIGIN})
    assert not is_in(client)


# --- recovery codes ---


def test_there_are_ten_recovery_codes_and_each_opens_once(guarded: Guarded) -> None:
    assert len(set(guarded.paper)) == 10
    client = guarded.half()
    assert give(client, guarded.paper[0].upper().replace("-", " ")).status_code == 303
    assert give(guarded.half(), guarded.paper[0]).status_code == 403
    assert "9 recovery codes are left." in client.get("/account").text
    assert "recovery-code-used" in actions(guarded.app)


@on_sqlite
def test_new_recovery_codes_end_the_earlier_ones(guarded: Guarded) -> None:
    fields = {"do": "remake", "password": PASSWORD, "code": guarded.code()}
    new = re.findall(r"<li><code>([^<]+)</code></li>", send_own(guarded.client, PAGE, **fields).text)
    assert len(set(new) - set(guarded.paper)) == 10
    assert give(guarded.half(), guarded.paper[1]).status_code == 403
    assert give(guarded.half(), new[1]).status_code == 303


@on_sqlite
def test_recovery_codes_are_good_for_their_owner_only(guarded: Guarded) -> None:
    other = Guarded(guarded.app, guarded.clock, "Ana")
    assert give(other.half(), guarded.paper[0]).status_code == 403


# --- turning it off ---


@pytest.mark.parametrize("do", ["off", "remake"])
def test_turning_it_off_and_new_codes_want_password_and_code(guarded: Guarded, do: str) -> None:
    kept = [everything(guarded.app)[table] for table in ("second_factor", "recovery_code")]
    tries = [
        {"password": "not the right one", "code": guarded.code()},
        {"password": PASSWORD, "code": "000000"},
    ]
    for fields in tries:
        assert send_own(guarded.client, PAGE, do=do, **fields).status_code == 422
    assert [everything(guarded.app)[table] for table in ("second_factor", "recovery_code")] == kept


def test_turned_off_the_password_is_enough_and_other_sign_ins_have_ended(guarded: Guarded) -> None:
    elsewhere = guarded.half()
    give(elsewhere, guarded.code())
    guarded.clock.forward(seconds=60)
    fields = {"do": "off", "password": PASSWORD, "code": guarded.code()}
    assert send_own(guarded.client, PAGE, **fields).status_code == 303
    assert (is_in(guarded.client), is_in(elsewhere)) == (True, False)
    assert is_in(doors.sign_in_as(guarded.app, "mo"))
    assert [everything(guarded.app)[table] for table in ("second_factor", "recovery_code")] == [[], []]


@on_sqlite
def test_the_operator_can_drop_it_for_whoever_lost_everything(guarded: Guarded) -> None:
    with guarded.app.app_context():
        reset_password("mo", PASSWORD + "!", now=guarded.clock.now)
        assert db.session.get(SecondFactor, guarded.id) is not None
        db.session.rollback()
        reset_password("mo", PASSWORD, now=guarded.clock.now, drop_second_factor=True)
    assert is_in(doors.sign_in_as(guarded.app, "mo"))


# --- at rest ---


@on_sqlite
def test_neither_secret_nor_recovery_codes_are_stored_in_clear(guarded: Guarded) -> None:
    stored = repr(everything(guarded.app))
    assert guarded.secret not in stored
    assert not [code for code in guarded.paper if code in stored or code.replace("-", "") in stored]


@on_sqlite
def test_a_secret_opens_for_its_owner_only(guarded: Guarded) -> None:
    other = Guarded(guarded.app, guarded.clock, "Ana")
    with guarded.app.app_context(), transaction() as session:
        mine, theirs = (session.get_one(SecondFactor, one.id) for one in (guarded, other))
        theirs.secret_sealed = mine.secret_sealed
    keys = wiring_of(guarded.app).keys
    with guarded.app.app_context(), pytest.raises(CommentsError), transaction() as session:
        spend_code(session, other.id, guarded.code(), keys=keys, now=guarded.clock.now)


def test_a_new_key_takes_the_secrets_along(guarded: Guarded, settings: Settings) -> None:
    both = SecretStr(f"{SECRET_KEY},{Keyring.generate(2)}")
    two_keys = settings.model_copy(update={"secret_key": both})
    later = guarded.clock.now + timedelta(days=2)
    with guarded.app.app_context():
        rotate(two_keys, on_progress=lambda _count: None)
        retire(two_keys, now=later, on_progress=lambda _count: None)
        newest = Keyring.parse(both.get_secret_value().split(",")[1])
        with reading() as session:
            sealed = session.scalars(select(SecondFactor.secret_sealed)).one()
        assert newest.open(sealed, column=seal_column(guarded.id)) == guarded.secret


def test_half_sign_ins_go_with_the_next_sign_in(guarded: Guarded) -> None:
    guarded.half()
    guarded.clock.forward(minutes=6)
    guarded.half()
    with guarded.app.app_context(), reading() as session:
        assert len(session.scalars(select(HalfSignIn)).all()) == 1
        assert len(session.scalars(select(SignIn)).all()) == 1

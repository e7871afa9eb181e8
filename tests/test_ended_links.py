"""Links in letters end with what they were sent for: the address, the password, the second factor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from comments_service.people.accounts import reset_password
from comments_service.privacy import Keyring
from comments_service.rotate import rotate
from comments_service.settings import Settings
from comments_service.storage.database import db
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment
from comments_service.storage.outbox import LetterAddress, LetterWish
from comments_service.vocabulary import ModeratorView, SiteView, Status
from tests.conftest import SECRET_KEY, Clock
from tests.doors import OWN_ORIGIN, send_own, sign_in_as
from tests.factories import PASSWORD, a_comment, a_moderator, an_address, wiring_of
from tests.mailboxes import Mailbox, deliver, mailbox, mailed, text_of

OTHER_PASSWORD = "four other words entirely"
Deed = Callable[[Flask, ModeratorView], None]


@pytest.fixture
def box() -> Iterator[Mailbox]:
    """The moderators' mail server."""
    with mailbox() as box:
        yield box


@pytest.fixture
def settings(settings: Settings, box: Mailbox) -> Settings:
    """Settings that lead letters there."""
    return mailed(settings, box.url)


@pytest.fixture
def ana(app: Flask, site: SiteView) -> ModeratorView:
    """A moderator who gets letters."""
    moderator = a_moderator(app, name="ana")
    an_address(app, moderator)
    return moderator


def told(app: Flask, site: SiteView, box: Mailbox, clock: Clock) -> dict[str, str]:
    """Let a letter about a waiting comment arrive; its links, by what they are for."""
    a_comment(app, site, status=Status.PENDING)
    deliver(app, clock)
    message = box.messages[-1]
    decide = re.search(r"/confirm/[\w.-]+", text_of(message))
    assert decide
    return {"decide": decide[0], "stop": message["List-Unsubscribe"].strip("<>").removeprefix(OWN_ORIGIN)}


def press(app: Flask, link: str, **fields: str) -> int:
    """Press the button behind a link, from a browser that nobody is signed in with."""
    data = fields or {"do": "approve"}
    return app.test_client().post(link, data=data, headers={"Origin": OWN_ORIGIN}).status_code


def statuses(app: Flask) -> set[str]:
    """Where the comments stand."""
    with app.app_context():
        found = set(db.session.scalars(select(Comment.status)))
        db.session.rollback()
        return found


def gives_another(app: Flask, _ana: ModeratorView) -> None:
    fields = {"email": "other@example.org", "password": PASSWORD}
    browser = sign_in_as(app, "ana")
    answer = send_own(browser, "/account/letters/address", on="/account/letters", **fields)
    assert answer.status_code == 303


def forgets_it(app: Flask, _ana: ModeratorView) -> None:
    send_own(sign_in_as(app, "ana"), "/account/letters/address", on="/account/letters", do="drop")


def changes_the_password(app: Flask, _ana: ModeratorView) -> None:
    fields = {"current": PASSWORD, "new": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    assert send_own(sign_in_as(app, "ana"), "/account", **fields).status_code == 303


def signs_out_everywhere(app: Flask, _ana: ModeratorView) -> None:
    browser = sign_in_as(app, "ana")
    assert send_own(browser, "/account/sign-ins/all", on="/account").status_code == 303


def is_reset(app: Flask, _ana: ModeratorView) -> None:
    with app.app_context():
        reset_password("ana", OTHER_PASSWORD, now=wiring_of(app).now())


def sets_up_a_second_factor(app: Flask, _ana: ModeratorView) -> None:
    browser, page = sign_in_as(app, "ana"), "/account/second-factor"
    send_own(browser, page, do="begin", password=PASSWORD)
    secret = re.search(r'class="secret"[^>]*>([A-Z2-7 ]+)<', browser.get(page).text)
    assert secret
    code = pyotp.TOTP(secret[1].replace(" ", "")).at(wiring_of(app).now())
    assert send_own(browser, page, do="confirm", code=code).status_code == 200


ENDS = [gives_another, forgets_it, changes_the_password, signs_out_everywhere, is_reset]
ENDS += [sets_up_a_second_factor]
STAYS = [changes_the_password, signs_out_everywhere, sets_up_a_second_factor]


@pytest.mark.parametrize("deed", ENDS)
def test_a_link_that_decides_ends_with_what_ends_sign_ins_or_the_address(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock, deed: Deed
) -> None:
    links = told(app, site, box, clock)
    assert app.test_client().get(links["decide"]).status_code == 200
    deed(app, ana)
    assert app.test_client().get(links["decide"]).status_code == 404
    assert press(app, links["decide"]) == 404
    assert statuses(app) == {"pending"}


@pytest.mark.parametrize("deed", STAYS)
def test_a_confirmed_address_stays_and_later_letters_decide(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock, deed: Deed
) -> None:
    deed(app, ana)
    assert press(app, told(app, site, box, clock)["decide"]) == 303
    assert statuses(app) == {"approved"}


@pytest.mark.parametrize("deed", [*STAYS, is_reset])
def test_an_address_that_waits_is_confirmed_by_no_link_of_before(
    app: Flask, site: SiteView, box: Mailbox, clock: Clock, deed: Deed
) -> None:
    ana = a_moderator(app, name="ana")
    gives_another(app, ana)
    deliver(app, clock)
    link = re.search(r"/letters/address/[\w.-]+", text_of(box.messages[-1]))
    assert link
    deed(app, ana)
    assert press(app, link[0], sure="yes") == 404
    with app.app_context():
        assert db.session.get(LetterAddress, ana.id) is None


def test_a_letter_of_before_that_leaves_later_confirms_nothing(
    app: Flask, site: SiteView, box: Mailbox, clock: Clock
) -> None:
    ana = a_moderator(app, name="ana")
    gives_another(app, ana)
    changes_the_password(app, ana)
    deliver(app, clock)
    assert box.messages == []


def test_a_reset_forgets_where_letters_go_and_leaves_a_line(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock
) -> None:
    is_reset(app, ana)
    a_comment(app, site, status=Status.PENDING)
    deliver(app, clock)
    with app.app_context():
        assert db.session.get(LetterAddress, ana.id) is None
        assert "letters-address-dropped" in set(db.session.scalars(select(JournalRow.action)))
    assert box.messages == []


def test_the_account_says_where_letters_go(app: Flask, ana: ModeratorView) -> None:
    assert "Your letters go to a•••@e•••.org" in sign_in_as(app, "ana").get("/account").text


@pytest.mark.parametrize(
    ("deed", "status"), [(changes_the_password, 200), (gives_another, 404), (is_reset, 404)]
)
def test_the_link_that_ends_letters_works_as_long_as_they_go_there(
    app: Flask, site: SiteView, ana: ModeratorView, box: Mailbox, clock: Clock, deed: Deed, status: int
) -> None:
    stop = told(app, site, box, clock)["stop"]
    deed(app, ana)
    assert app.test_client().get(stop).status_code == status
    assert press(app, stop, **{"List-Unsubscribe": "One-Click"}) == status
    with app.app_context():
        assert (db.session.get(LetterWish, (ana.id, site.id)) is not None) == (status == 200)


def test_the_link_that_ends_letters_outlives_a_new_key(
    app: Flask,
    site: SiteView,
    ana: ModeratorView,
    box: Mailbox,
    clock: Clock,
    settings: Settings,
    make_app: Callable[[Settings], Flask],
) -> None:
    stop = told(app, site, box, clock)["stop"]
    both = Settings(**dict(settings) | {"secret_key": f"{SECRET_KEY},{Keyring.generate(2)}"})
    with app.app_context():
        rotate(both, on_progress=lambda _count: None)
    assert make_app(both).test_client().get(stop).status_code == 200

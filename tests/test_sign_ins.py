"""The own sign-ins: each is listed with its browser, and can be ended, alone or with all others."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from comments_service.settings import Settings
from tests.conftest import Clock
from tests.doors import OWN_ORIGIN, a_network, csrf_token, everything, send_own, sign_in
from tests.factories import PASSWORD, a_moderator

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"
)


def from_browser(app: Flask, name: str, agent: str) -> FlaskClient:
    """Somebody signed in by this browser."""
    client = app.test_client()
    fields = {"csrf_token": csrf_token(client.get("/login")), "name": name, "password": PASSWORD}
    headers = {"Origin": OWN_ORIGIN, "User-Agent": agent}
    assert (
        client.post("/login", data=fields, headers=headers, environ_overrides=a_network()).status_code == 303
    )
    return client


def listed(client: FlaskClient) -> list[str]:
    """The browsers of the list, from the top."""
    return re.findall(r"<strong>([^<]*)</strong>", client.get("/account").text)


@on_sqlite
@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (FIREFOX, "Firefox on Linux"),
        (EDGE, "Edge on Windows"),
        (IPHONE, "Safari on iOS"),
        (ANDROID, "Chrome on Android"),
        ("", "Unknown browser"),
        ("<script>alert(1)</script>" * 90, "Unknown browser"),
    ],
)
def test_a_sign_in_is_listed_by_a_coarse_name_of_its_browser(app: Flask, agent: str, told: str) -> None:
    client = from_browser(app, a_moderator(app).name, agent)
    assert listed(client) == [told]
    assert not agent or agent not in repr(everything(app))


def test_all_own_sign_ins_are_listed_this_one_first_and_nobody_elses(app: Flask, clock: Clock) -> None:
    mo = a_moderator(app)
    sign_in(app, name="Ana")
    here = from_browser(app, mo.name, FIREFOX)
    clock.forward(minutes=5)
    from_browser(app, mo.name, EDGE)
    assert listed(here) == ["Firefox on Linux", "Edge on Windows"]
    assert here.get("/account").text.count("This one") == 1


def test_an_ended_sign_in_is_not_listed(app: Flask, clock: Clock, settings: Settings) -> None:
    mo = a_moderator(app)
    from_browser(app, mo.name, EDGE)
    clock.forward(seconds=settings.session_idle_seconds)
    assert listed(from_browser(app, mo.name, FIREFOX)) == ["Firefox on Linux"]


def test_one_sign_in_is_ended_from_the_list(app: Flask) -> None:
    mo = a_moderator(app)
    here, there = from_browser(app, mo.name, FIREFOX), from_browser(app, mo.name, EDGE)
    reference = re.search(r'name="sign_in" value="([^"]+)"', here.get("/account").text)
    assert reference is not None
    assert send_own(here, "/account/sign-ins", on="/account", sign_in=reference[1]).status_code == 303
    assert (here.get("/queue").status_code, there.get("/queue").status_code) == (200, 303)


def test_nobody_ends_somebody_elses_sign_in(app: Flask) -> None:
    theirs = from_browser(app, a_moderator(app, name="Ana").name, FIREFOX)
    mo = a_moderator(app)
    mine, more = from_browser(app, mo.name, EDGE), from_browser(app, mo.name, EDGE)
    shown = re.search(r'name="sign_in" value="([^"]+)"', mine.get("/account").text)
    assert shown is not None
    send_own(theirs, "/account/sign-ins", on="/account", sign_in=shown[1])
    assert more.get("/queue").status_code == 200


@pytest.mark.parametrize("reference", ["", "x" * 5000, "\x00", "%"])
@on_sqlite
def test_a_sign_in_that_is_not_there_is_no_error(app: Flask, reference: str) -> None:
    client = sign_in(app)
    assert send_own(client, "/account/sign-ins", on="/account", sign_in=reference).status_code == 303
    assert client.get("/queue").status_code == 200


def test_signing_out_everywhere_ends_this_one_too(app: Flask) -> None:
    mo = a_moderator(app)
    here, there = from_browser(app, mo.name, FIREFOX), from_browser(app, mo.name, EDGE)
    response = send_own(here, "/account/sign-ins/all", on="/account")
    assert "signed out everywhere" in here.get(response.headers["Location"]).text
    assert {client.get("/queue").status_code for client in (here, there)} == {303}

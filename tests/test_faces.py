"""Pictures are drawn from the displayed name, alike in the widget and on the page; never from the email."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from comments_service.faces import face_of
from comments_service.vocabulary import SiteView
from tests.doors import change_site
from tests.doors import page as thread_page
from tests.factories import a_comment
from tests.servers import HostPage, LiveService

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
NAMES = {
    "Ana": "A",
    "ana of the harbour": "AH",
    "Žofie Ďáblová": "ŽĎ",
    "李明": "李",
    "محمد علي": "مع",
    "“Bo” (7)": "B7",
    "…": "…",
    "🙂 Jo": "J",
    "x": "X",
}
DRAWN = re.compile(r'<svg class="face".*?fill="([^"]+)".*?<text[^>]*>([^<]*)</text>', re.DOTALL)


@pytest.mark.parametrize("name", NAMES)
def test_the_letters_are_those_of_the_name(name: str) -> None:
    assert face_of(name).letters == NAMES[name]


def contrast_with_white(hue: int) -> float:
    """Of white letters on the colour that this hue gives (WCAG 2.2, 1.4.3)."""
    saturation, light = 0.42, 0.30
    reach = saturation * min(light, 1 - light)

    def part(offset: int) -> float:
        place = (offset + hue / 30) % 12
        value = light - reach * max(-1, min(place - 3, 9 - place, 1))
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    luminance = 0.2126 * part(0) + 0.7152 * part(8) + 0.0722 * part(4)
    return 1.05 / (luminance + 0.05)


def test_letters_can_be_read_on_every_colour() -> None:
    assert min(contrast_with_white(hue) for hue in range(360)) >= 4.5


def drawn(client: FlaskClient) -> list[tuple[str, str]]:
    """The colours and letters on the page."""
    return DRAWN.findall(thread_page(client).text)


@one_database
def test_two_emails_of_one_name_have_one_picture_and_one_email_of_two_names_has_two(
    app: Flask, client: FlaskClient, site: SiteView
) -> None:
    for name, email in (("Ana", "a@example.org"), ("Ana", "b@example.org"), ("Bo", "a@example.org")):
        a_comment(app, site, name=name, email=email)
    first, second, third = drawn(client)
    assert first == second != third


@one_database
def test_a_site_may_go_without(app: Flask, client: FlaskClient, site: SiteView) -> None:
    a_comment(app, site)
    assert len(drawn(client)) == 1
    change_site(app, site, options={"avatars": False})
    assert drawn(client) == []


@one_database
def test_the_widget_draws_the_same_as_the_page(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    app, site = live_service.app, live_service.site
    for name in NAMES:
        a_comment(app, site, url=host_page.url(), name=name)
    page.goto(host_page.url())
    faces = page.locator(".face")
    expect(faces).to_have_count(len(NAMES))
    shown = faces.evaluate_all(
        "all => all.map((one) => [one.children[0].getAttribute('fill'), one.textContent])"
    )
    assert [tuple(one) for one in shown] == drawn_for(app, host_page.url())
    assert page.locator(".face:not([aria-hidden=true])").count() == 0
    change_site(app, site, options={"avatars": False})
    page.goto(host_page.url())
    expect(page.get_by_role("article")).to_have_count(len(NAMES))
    expect(faces).to_have_count(0)


def drawn_for(app: Flask, url: str) -> list[tuple[str, str]]:
    """The same of the page of another article."""
    return DRAWN.findall(thread_page(app.test_client(), url=url).text)

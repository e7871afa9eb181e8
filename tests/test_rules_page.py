"""The page of rules: plain sentences, tried before they are saved by owners, versions to go back to."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from werkzeug.test import TestResponse

from comments_service.rules.change import Place, change_rules, versions
from comments_service.storage.database import db
from comments_service.storage.models import Site, Thread
from comments_service.vocabulary import Role, Rules, SiteView
from tests.browser import Console, assert_good
from tests.conftest import NOW
from tests.doors import OWN_ORIGIN, csrf_token, everything, send_own, sign_in
from tests.factories import PASSWORD, a_comment, a_moderator, a_site
from tests.servers import LiveService

PAGE = "/settings/demo/rules"
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def owner(app: Flask, site: SiteView) -> FlaskClient:
    """The browser of somebody who owns the site."""
    return sign_in(app, sites=[site])


def form(**fields: Any) -> dict[str, Any]:
    """What a browser sends for a new site's rules, with some fields otherwise; None leaves one out."""
    numbers = {"hold_links_from": "2", "close_after_days": "0", "max_depth": "5"}
    numbers |= {"hold_doubt_from": "50", "refuse_doubt_from": "95"}
    switches = dict.fromkeys(("hold_all", "hold_newcomers", "hold_imitations", "trusted_pass"), "on")
    values = {
        "version": "1",
        "do": "save",
        "hold_words": "",
        "refuse_words": "",
        **numbers,
        **switches,
        **fields,
    }
    return {name: value for name, value in values.items() if value is not None}


def send(browser: FlaskClient, address: str = PAGE, **fields: Any) -> TestResponse:
    """Send the form."""
    return send_own(browser, address, **form(**fields))


def stored(app: Flask, site: SiteView) -> tuple[Rules, int]:
    """The site's rules now, and their version."""
    with app.app_context():
        view = db.session.get_one(Site, site.id).view()
        return view.rules, view.rules_version


def test_each_rule_says_in_a_sentence_what_it_does(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    with app.app_context():
        rules = {"hold_words": ["casino", "buy now"], "close_after_days": 14, "hold_links_from": 3}
        change_rules(Place(site.id), rules, version=1, by=None, now=NOW)
    text = owner.get(PAGE).text
    for sentence in (
        "A comment with 3 or more links waits.",
        "A comment with one of these 2 words or phrases waits.",
        "No word has a comment refused.",
        "An article closes 14 days after its first comment.",
        "Replies are shown 5 levels deep.",
        "casino\nbuy now",
    ):
        assert sentence in text


def test_an_owner_saves_and_the_next_page_says_so(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    answer = send(
        owner, hold_all=None, hold_surge="on", hold_words=" Casino \r\n\r\nbuy  now\r\nCasino", max_depth="3"
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert "Saved. The rules hold from now on" in owner.get(PAGE).text
    wanted = Rules(hold_all=False, hold_surge=True, hold_words=("Casino", "buy now"), max_depth=3)
    assert stored(app, site) == (wanted, 2)


def test_trying_shows_what_would_fare_otherwise_and_stores_nothing(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    a_comment(app, site, name="Ben", text="My <b>casino</b>")
    before = everything(app)
    answer = send(owner, do="try", refuse_words="casino")
    assert answer.status_code == 200
    text = unescape(answer.text)
    assert "Of the last 1, one would have been treated otherwise" in text
    assert "1 would be refused" in text
    assert "Moderators approved 1 of these 1 and declined 0." in text
    assert "<b>casino</b>" not in answer.text.partition('id="rehearsal"')[2]
    assert 'name="refuse_words"' in text
    assert ">\ncasino</textarea>" in text
    assert everything(app) == before


def test_trying_too_often_is_told_and_saving_goes_on(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    token = csrf_token(owner.get(PAGE))

    def press(browser: FlaskClient, do: str) -> TestResponse:
        data = form(do=do, csrf_token=token, hold_words="kept in the form", hold_links_from="4")
        return browser.post(PAGE, data=data, headers={"Origin": OWN_ORIGIN, "Accept": "text/html"})

    tried = [press(owner, "try") for _ in range(31)]
    assert [response.status_code for response in tried] == [200] * 30 + [429]
    assert int(tried[-1].headers["Retry-After"]) > 0
    assert "Those were many tries in a short time" in tried[-1].text
    assert "kept in the form" in tried[-1].text
    assert send(sign_in(app, name="ben", sites=[site]), do="try").status_code == 200
    assert press(owner, "save").status_code == 303
    assert stored(app, site)[0].hold_links_from == 4


def test_trying_without_a_difference_says_so(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    assert "There are no comments yet to try these rules on" in send(owner, do="try").text
    a_comment(app, site)
    assert "The only comment would have been treated the same" in send(owner, do="try").text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"max_depth": "0"}, "Take a whole number from 1 to 10."),
        ({"max_depth": "٣"}, "Take a whole number from 1 to 10."),
        ({"hold_links_from": "many"}, "Take a whole number from 0 to 100."),
        ({"hold_links_from": "9" * 5_000}, "Take a whole number from 0 to 100."),
        ({"close_after_days": "-1"}, "Take a whole number from 0 to 36500."),
        ({"hold_words": "*\n"}, "“*” has nothing to look for."),
        ({"hold_words": "a\x00b"}, "has nothing to look for."),
        ({"refuse_words": "10.0.0.0/8"}, "“10.0.0.0/8” is too wide."),
        ({"refuse_words": "x" * 101}, "An entry has at most 100 characters"),
        ({"refuse_words": "\n".join(map(str, range(1_001)))}, "A list has at most 1000 entries."),
    ],
)
@pytest.mark.parametrize("do", ["save", "try"])
def test_what_is_wrong_is_told_beside_what_was_typed(
    app: Flask, owner: FlaskClient, wrong: dict[str, str], sentence: str, do: str
) -> None:
    before = everything(app)
    answer = send(owner, do=do, **wrong, hold_surge="on")
    assert answer.status_code == 422
    assert sentence in unescape(answer.text)
    assert 'name="hold_surge" value="on" checked' in answer.text
    assert everything(app) == before


@pytest.mark.parametrize("version", ["7", "0", "-1", "x", "", "9" * 400])
def test_the_second_of_two_owners_is_told_and_keeps_what_was_typed(
    app: Flask, owner: FlaskClient, site: SiteView, version: str
) -> None:
    answer = send(owner, version=version, hold_words="kept")
    assert answer.status_code == 409
    assert "Somebody else changed these rules" in answer.text
    assert ">\nkept</textarea>" in answer.text
    assert stored(app, site)[1] == 1


@pytest.mark.parametrize(("role", "tried"), [(Role.MODERATOR, 200), (Role.VIEWER, 403)])
def test_moderators_may_try_rules_and_viewers_look_at_them_and_neither_may_save(
    app: Flask, site: SiteView, role: Role, tried: int
) -> None:
    browser = sign_in(app, role=role, sites=[site])
    page = browser.get(PAGE)
    assert page.status_code == 200
    assert 'value="save"' not in page.text
    assert ('value="try"' in page.text) == (tried == 200)
    assert send(browser, do="try").status_code == tried
    assert send(browser).status_code == 403
    assert stored(app, site)[1] == 1


def test_nobody_sees_the_rules_of_a_site_that_is_none_of_theirs(app: Flask, owner: FlaskClient) -> None:
    other = a_site(app, key="other")
    thread = a_comment(app, other).thread_id
    assert owner.get("/settings/other/rules").status_code == 404
    for article in (thread, 2**31 - 1, 2**31, 0, "x", "-1"):
        assert owner.get(f"{PAGE}?article={article}").status_code == 404
        assert send_own(owner, f"{PAGE}?article={article}", on=PAGE, **form()).status_code == 404


def test_an_earlier_version_is_put_into_the_form_and_holds_once_it_is_saved(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    send(owner, hold_words="first")
    send(owner, version="2", hold_words="second")
    page = owner.get(f"{PAGE}?use=2").text
    assert "These are the rules of version 2. They hold once you save them." in page
    assert ">\nfirst</textarea>" in page
    assert 'name="version" value="3"' in page
    assert stored(app, site)[0].hold_words == ("second",)
    assert "version 99" not in owner.get(f"{PAGE}?use=99").text
    with app.app_context():
        assert [(v.version, v.by) for v in versions(Place(site.id))] == [(3, "mo"), (2, "mo")]


def test_a_version_is_opened_and_says_what_it_said_who_made_it_and_when(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    send(owner, hold_words="casino", hold_surge="on")
    send(owner, version="2", max_depth="3")
    closed, page = owner.get(PAGE).text, unescape(owner.get(f"{PAGE}?version=2").text)
    assert 'class="version__said"' not in closed
    said = page.partition('class="version__said"')[2].partition("</form>")[0]
    for words in (
        "A comment with this word or phrase waits.",
        "<bdi>casino</bdi>",
        "While an article gets far more comments than usual, they wait.",
        "Replies are shown 5 levels deep.",
        "Off: Website counts as a link",
        "Bring version 2 back",
    ):
        assert words in said
    line = page.partition('id="version-3"')[2].partition("</li>")[0]
    assert "changed: Hold during a surge, Words to hold, Depth of replies" not in line
    assert "changed: Words to hold, Hold during a surge, Depth of replies" in line
    assert "<bdi>mo</bdi>" in line
    assert "23 Nov" in line or "Nov 23" in line


def test_an_owner_brings_an_earlier_version_back_as_a_new_one(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    send(owner, hold_words="first")
    send(owner, version="2", hold_words="second", max_depth="3")
    fields = {"do": "bring_back", "version": "3", "earlier": "2"}
    assert send_own(owner, PAGE, **fields).status_code == 303
    page = owner.get(PAGE).text
    assert "The earlier rules hold again from now on" in page
    assert stored(app, site) == (Rules(hold_words=("first",)), 4)
    assert "brought earlier rules back" in owner.get("/audit").text


def test_an_earlier_version_is_not_brought_back_over_what_somebody_saved_meanwhile(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    send(owner, hold_words="first")
    send(owner, version="2", hold_words="second")
    answer = send_own(owner, PAGE, do="bring_back", version="2", earlier="2")
    assert answer.status_code == 409
    assert "so nothing was brought back" in answer.text
    assert stored(app, site)[0].hold_words == ("second",)


@pytest.mark.parametrize(("earlier", "status"), [("9", 404), ("", 400), ("x", 400), ("1" * 40, 400)])
def test_a_version_that_there_never_was_is_not_brought_back(
    app: Flask, owner: FlaskClient, site: SiteView, earlier: str, status: int
) -> None:
    assert send_own(owner, PAGE, do="bring_back", version="1", earlier=earlier).status_code == status
    assert stored(app, site)[1] == 1


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.VIEWER])
def test_who_is_no_owner_sees_versions_and_brings_none_back(
    app: Flask, owner: FlaskClient, site: SiteView, role: Role
) -> None:
    send(owner, hold_words="first")
    send(owner, version="2", hold_words="second")
    browser = sign_in(app, name="ben", role=role, sites=[site])
    page = browser.get(f"{PAGE}?version=2").text
    assert "<bdi>first</bdi>" in page
    assert "bring_back" not in page
    assert send_own(browser, PAGE, do="bring_back", version="3", earlier="2").status_code == 403
    assert stored(app, site)[1] == 3


@on_sqlite
def test_versions_older_than_the_list_are_on_pages_of_their_own(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    with app.app_context():
        for version in range(1, 60):
            change_rules(Place(site.id), {"max_depth": version % 10 + 1}, version=version, by=None, now=NOW)
    first = owner.get(PAGE).text
    assert ('id="version-60"' in first, 'id="version-11"' in first, 'id="version-10"' in first) == (
        True,
        True,
        False,
    )
    assert f"{PAGE}?version=10#versions-title" in first
    second = owner.get(f"{PAGE}?version=10").text
    assert ('id="version-11"' in second, 'id="version-2"' in second) == (False, True)
    assert second.count('class="version__said"') == 1


def test_an_article_brings_its_own_rules_back(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    place = Place(site.id, a_comment(app, site).thread_id)
    with app.app_context():
        change_rules(place, {"max_depth": 2}, version=0, by=None, now=NOW)
        change_rules(place, {}, version=1, by=None, now=NOW)
    address = f"{PAGE}?article={place.thread_id}"
    page = owner.get(f"{address}&version=2").text
    assert "No rules of its own: everything as on the site." in page
    assert send_own(owner, address, do="bring_back", version="2", earlier="1").status_code == 303
    with app.app_context():
        thread = db.session.get_one(Thread, place.thread_id)
        assert (thread.rules, thread.rules_version) == ({"max_depth": 2}, 3)


def test_an_article_keeps_only_what_is_ticked_as_its_own(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    thread_id = a_comment(app, site).thread_id
    address = f"{PAGE}?article={thread_id}"
    fields = form(
        version="0", close_after_days="7", max_depth="99", own=["close_after_days", "hold_all", "nonsense"]
    )
    del fields["hold_all"]
    assert send_own(owner, address, **fields).status_code == 303
    with app.app_context():
        thread = db.session.get_one(Thread, thread_id)
        assert (thread.rules, thread.rules_version) == ({"hold_all": False, "close_after_days": 7}, 1)
        db.session.rollback()
    assert 'name="own" value="close_after_days" checked' in owner.get(address).text
    assert f"article={thread_id}" in owner.get(PAGE).text


def sign_in_there(page: Any, service: LiveService) -> None:
    """Come in by the sign-in page, and go to the rules."""
    moderator = a_moderator(service.app)
    page.goto(f"{service.url}/settings")
    page.get_by_label("Name").fill(moderator.name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/settings*")
    page.goto(f"{service.url}{PAGE}")


@on_sqlite
def test_rules_are_tried_and_saved_on_the_smallest_screen(
    browser: Browser, live_service: LiveService
) -> None:
    origin, now = live_service.site.origins[0], datetime.now(UTC)
    name = "Donaudampfschifffahrtsgesellschaft" * 7
    made = a_comment(
        live_service.app, live_service.site, url=f"{origin}/article", name=name[:245], text="casino", now=now
    )
    context = browser.new_context(viewport={"width": 320, "height": 700})
    page = context.new_page()
    console = Console(page)
    sign_in_there(page, live_service)
    page.get_by_label("Words to refuse", exact=True).fill("casino")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("heading", name="Of the last 1, one would")).to_be_focused()
    assert_good(page)
    page.get_by_role("button", name="Save rules").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    assert_good(page)
    page.goto(f"{live_service.url}{PAGE}?article={made.thread_id}")
    page.get_by_label("Depth of replies", exact=True).fill("99")
    page.get_by_label("This article’s own: Depth of replies").check()
    page.get_by_role("button", name="Save rules").click()
    expect(page.get_by_role("alert")).to_contain_text("One field needs another look.")
    assert_good(page)
    assert console.unexpected == []
    context.close()

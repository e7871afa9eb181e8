"""Every language says all that readers see, in its own forms; widget and pages speak it to everybody."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from comments_service import texts
from comments_service.texts import Catalogue, is_readers
from comments_service.vocabulary import SiteView
from tests.browser import Console, assert_accessible, overflow
from tests.doors import ask, change_site, sign_in
from tests.doors import page as thread_page
from tests.factories import a_comment
from tests.servers import HostPage, LiveService

LOCALES = Path(texts.__file__).parent / "locales"
FILES = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(LOCALES.glob("*.json"))}
ENGLISH = FILES["en"]
OTHERS = sorted(FILES.keys() - {"en"})
RIGHT_TO_LEFT = {"ar", "he"}
# The right word is the English one
SAME: set[tuple[str, str]] = {
    *(("de", key) for key in ("form.name", "form.tool.code", "form.tool.link", "form.website")),
    *(("nl", key) for key in ("form.tool.code", "form.tool.link", "form.website")),
    *((lang, "thread.badge.moderator") for lang in ("nl", "pl", "sv")),
    *((lang, "form.tool.link") for lang in ("it", "pt")),
    *((lang, "page.moment") for lang in ("he", "pl", "ru", "tr", "uk")),
    ("fr", "form.tool.code"),
}
PLACE = re.compile(r"\{(\w+)\}")
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def forms(text: Any) -> dict[str, str]:
    """A text as its forms."""
    return text if isinstance(text, dict) else {"other": text}


def test_there_are_many_languages_and_some_are_written_from_the_right() -> None:
    assert len(FILES) >= 14
    assert {lang for lang in FILES if Catalogue.load().direction(lang) == "rtl"} == RIGHT_TO_LEFT


@pytest.mark.parametrize("lang", OTHERS)
def test_a_language_has_every_text_of_readers_and_nothing_else(lang: str) -> None:
    wanted = {key for key in ENGLISH if is_readers(key)}
    assert sorted(wanted ^ FILES[lang].keys()) == []


@pytest.mark.parametrize("lang", FILES)
def test_plural_texts_have_the_forms_of_the_language(lang: str) -> None:
    categories = set(Locale.parse(lang, sep="-").plural_form.tags) | {"other"}
    for key, text in FILES[lang].items():
        assert isinstance(text, dict) == isinstance(ENGLISH[key], dict), key
        if isinstance(text, dict):
            numbers = {form for form in ENGLISH[key] if form.startswith("=")}
            assert set(text) == categories | numbers, key


@pytest.mark.parametrize("lang", OTHERS)
def test_a_text_fills_in_what_the_english_one_does(lang: str) -> None:
    for key, text in FILES[lang].items():
        known = {place for form in forms(ENGLISH[key]).values() for place in PLACE.findall(form)}
        for name, form in forms(text).items():
            assert set(PLACE.findall(form)) <= known, (key, name)
        needed = set(PLACE.findall(forms(ENGLISH[key])["other"]))
        assert set(PLACE.findall(forms(text)["other"])) == needed, key


@pytest.mark.parametrize("lang", OTHERS)
def test_nothing_is_left_in_english_by_mistake(lang: str) -> None:
    left = {key for key, text in FILES[lang].items() if text == ENGLISH[key]}
    assert left == {key for known, key in SAME if known == lang}


@pytest.mark.parametrize("lang", OTHERS)
def test_a_number_that_stands_for_several_counts_is_not_spelt_out(lang: str) -> None:
    for key, text in FILES[lang].items():
        for name, form in forms(text).items() if isinstance(text, dict) else ():
            counts = Catalogue.load().categories(lang).get(name, ())
            if len(counts) > 1 and "{count}" in forms(ENGLISH[key])["other"]:
                assert "{count}" in form, (key, name)


@pytest.mark.parametrize("lang", OTHERS)
@one_database
def test_thread_and_page_speak_the_language(
    app: Flask, client: FlaskClient, site: SiteView, lang: str
) -> None:
    a_comment(app, site)
    form = ask(client, "thread", lang=lang).get_json()["form"]
    assert (form["language"], form["direction"]) == (lang, "rtl" if lang in RIGHT_TO_LEFT else "ltr")
    assert form["texts"]["form.submit"] == FILES[lang]["form.submit"]
    change_site(app, site, language=lang)
    shown = thread_page(client)
    assert shown.status_code == 200
    assert FILES[lang]["form.title"] in shown.text
    missing = client.get("/sites/demo/thread?url=https://elsewhere.example/", headers={"Accept": "text/html"})
    assert FILES[lang]["page.error.fields-refused"] in missing.text


@one_database
def test_moderators_are_spoken_to_in_one_language_at_a_time(app: Flask, site: SiteView) -> None:
    queue = sign_in(app).get("/queue", headers={"Accept-Language": "de, ar;q=0.9, en;q=0.5"})
    assert '<html lang="en"' in queue.text


@pytest.mark.parametrize("lang", ["ar", "de", "ja"])
@one_database
def test_the_widget_speaks_it_for_everybody(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage, lang: str
) -> None:
    for minutes, name in ((3, "Just now"), (600, "Today"), (60 * 24 * 40, "Then")):
        now = datetime.now(UTC) - timedelta(minutes=minutes)
        a_comment(live_service.app, live_service.site, url=host_page.url(), name=name, now=now)
    host_page.embed(live_service.url, attributes=f'data-lang="{lang}"')
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(host_page.url())
    expect(page.get_by_role("button", name=FILES[lang]["form.submit"])).to_be_visible()
    times = page.get_by_role("article").locator("time")
    expect(times).to_have_count(3)
    ages = page.evaluate(
        "lang => { const ages = new Intl.RelativeTimeFormat(lang, { numeric: 'auto' });"
        " return [ages.format(-3, 'minute'), ages.format(-10, 'hour')]; }",
        lang,
    )
    assert sorted(times.all_inner_texts()[1:]) == sorted(ages)
    assert all(times.evaluate_all("all => all.map((one) => one.title)"))
    assert overflow(page) <= 0
    assert_accessible(page)
    assert console.unexpected == []

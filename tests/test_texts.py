"""The catalogue: plural forms, values put in, a site's own texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comments_service.texts import Catalogue

TEXTS = Catalogue.load()
OF_REFERENCE_PAGE = {"count.heading": {"other": "{count} thought on “{title}”"}}


@pytest.mark.parametrize(
    ("count", "heading"), [(0, ""), (1, "One thought on “Dam”"), (2, "2 thoughts on “Dam”")]
)
def test_the_heading_follows_the_count(count: int, heading: str) -> None:
    assert TEXTS.heading(count, "Dam", lang="en") == heading


def test_a_site_may_say_two_thought_as_its_theme_did() -> None:
    assert TEXTS.heading(2, "Dam", lang="en", overrides=OF_REFERENCE_PAGE) == "2 thought on “Dam”"


def test_an_own_form_leaves_the_other_forms_alone() -> None:
    assert TEXTS.heading(1, "Dam", lang="en", overrides=OF_REFERENCE_PAGE) == "One thought on “Dam”"
    assert TEXTS.heading(0, "Dam", lang="en", overrides=OF_REFERENCE_PAGE) == ""


def test_an_own_text_without_forms_serves_every_count_but_zero() -> None:
    own = {"count.heading": "Discussion of {title}"}
    assert TEXTS.heading(1, "Dam", lang="en", overrides=own) == "Discussion of Dam"
    assert TEXTS.heading(0, "Dam", lang="en", overrides=own) == ""


def test_an_exact_number_beats_the_category() -> None:
    forms = {"=1": "exactly one", "one": "one", "other": "{count}"}
    assert TEXTS.plural(forms, 1, lang="en") == "exactly one"


@pytest.mark.parametrize(("count", "form"), [(1, "one"), (2, "few"), (5, "many"), (21, "one"), (22, "few")])
def test_russian_counts_take_the_forms_of_the_cldr(count: int, form: str) -> None:
    forms = {category: category for category in ("one", "few", "many", "other")}
    assert TEXTS.plural(forms, count, lang="ru") == form


@pytest.mark.parametrize(("lang", "written"), [("en", "12,345"), ("de", "12.345")])
def test_numbers_are_written_the_way_of_the_language(lang: str, written: str) -> None:
    assert TEXTS.plural({"other": "{count}"}, 12_345, lang=lang) == written


def test_a_heading_without_a_title_has_no_empty_quotes() -> None:
    assert TEXTS.heading(3, "", lang="en") == "3 comments"


@given(st.text())
def test_a_title_stays_as_it_is_whatever_it_looks_like(title: str) -> None:
    assert TEXTS.plural({"other": "{count} on {title}"}, 2, lang="en", title=title) == f"2 on {title}"


def test_a_name_that_looks_like_a_place_is_not_filled_in() -> None:
    assert (
        TEXTS.text("en", "form.title_reply", name="{name} {count} %s") == "Leave a Reply to {name} {count} %s"
    )


def test_a_place_nobody_fills_stays_visible() -> None:
    assert TEXTS.text("en", "thread.reply_to") == "Reply to {name}"


@pytest.mark.parametrize("wanted", ["en", "EN", "en-GB", "en_US", "en-Latn-GB-x-anything"])
def test_a_regional_language_is_served_by_its_parent(wanted: str) -> None:
    assert TEXTS.language(wanted, "en") == "en"


@pytest.mark.parametrize("wanted", [None, "", "xx", "../../etc/passwd", "\x00", "e" * 10_000])
def test_an_unknown_language_is_the_sites(wanted: str | None) -> None:
    catalogue = Catalogue({"en": {}, "de": {}})
    assert catalogue.language(wanted, "de") == "de"


@pytest.mark.parametrize(
    ("lang", "direction"), [("en", "ltr"), ("ar", "rtl"), ("he", "rtl"), ("nonsense", "ltr")]
)
def test_the_direction_of_writing_is_known(lang: str, direction: str) -> None:
    assert TEXTS.direction(lang) == direction


def test_a_title_keeps_its_own_direction_between_words_from_the_right() -> None:
    assert "\u2068Dam\u2069" in TEXTS.heading(2, "Dam", lang="ar")
    assert "\u2068" not in TEXTS.heading(2, "Dam", lang="de") + TEXTS.heading(2, "", lang="ar")


def test_the_widget_gets_its_own_texts_only() -> None:
    families = {key.split(".")[0] for key in TEXTS.widget_texts("en")}
    assert families == {"thread", "form", "error", "note"}


def test_the_widget_gets_the_sites_own_words() -> None:
    assert TEXTS.widget_texts("en", {"form.submit": "Send"})["form.submit"] == "Send"


def test_the_privacy_line_names_the_days_of_the_setting() -> None:
    assert "for 7 days" in str(TEXTS.widget_texts("en", network_days=7)["note.privacy"])


def test_every_plural_text_has_the_form_for_all_other_counts() -> None:
    forms = [
        text for texts in TEXTS.languages.values() for text in texts.values() if not isinstance(text, str)
    ]
    assert all("other" in text for text in forms)

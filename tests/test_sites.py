"""What an operator may say of a site, and what is refused with a sentence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from comments_service.errors import FieldsRefused, SiteNotFound
from comments_service.own_texts import OwnText
from comments_service.sites import SiteChange, add_site, change_site, list_sites, owner_lines
from comments_service.texts import Catalogue
from comments_service.vocabulary import SiteView
from tests.factories import EARLY

CATALOGUE = Catalogue.load()
ORIGIN = "https://news.example.org"


def added(now: datetime, key: str = "demo", **values: Any) -> SiteView:
    """Add a site; values are fields of SiteChange."""
    change = SiteChange(**{"origins": (ORIGIN,), **values})
    return add_site(key, change, catalogue=CATALOGUE, now=now)


def changed(**values: Any) -> SiteView:
    """Change the site `demo`."""
    return change_site("demo", SiteChange(**values), catalogue=CATALOGUE, now=EARLY)


@pytest.mark.usefixtures("app_context")
def test_a_new_site_is_open_and_wants_name_and_email(now: datetime) -> None:
    site = added(now)
    assert site.required == ("text", "name", "email")
    assert (site.name, site.is_open, site.language, site.version) == ("demo", True, "en", 1)
    assert list_sites() == [site]


@pytest.mark.usefixtures("app_context")
def test_origins_are_kept_in_one_form(now: datetime) -> None:
    site = added(now, origins=("HTTPS://News.Example.org:443/", "http://news.example.org"))
    assert site.origins == (ORIGIN,)


@pytest.mark.usefixtures("app_context")
@pytest.mark.parametrize(
    "origin", ["news.example.org", "ftp://example.org", "https://example.org/path", "null"]
)
def test_what_is_no_origin_is_refused(now: datetime, origin: str) -> None:
    with pytest.raises(FieldsRefused, match="no origin"):
        added(now, origins=(origin,))
    assert list_sites() == []


@pytest.mark.usefixtures("app_context")
@pytest.mark.parametrize("key", ["", "Demo", "a b", "-a", "a/b", "ä", "a" * 65, "a\n"])
def test_a_key_is_made_of_small_letters_and_digits(now: datetime, key: str) -> None:
    with pytest.raises(FieldsRefused, match="cannot be a key"):
        added(now, key)


@pytest.mark.usefixtures("app_context")
def test_a_key_is_given_once(now: datetime) -> None:
    added(now)
    with pytest.raises(FieldsRefused, match="already"):
        added(now)


@pytest.mark.usefixtures("app_context")
def test_every_change_makes_a_new_version(now: datetime) -> None:
    added(now)
    assert [changed(is_open=False).version, changed(is_open=True).version] == [2, 3]


@pytest.mark.usefixtures("app_context")
def test_origins_come_and_go_one_by_one(now: datetime) -> None:
    added(now)
    changed(added_origins=("https://m.example.org",))
    assert changed(removed_origins=(ORIGIN,)).origins == ("https://m.example.org",)


@pytest.mark.usefixtures("app_context")
def test_the_last_origin_stays(now: datetime) -> None:
    added(now)
    with pytest.raises(FieldsRefused, match="1 to 100 origins"):
        changed(removed_origins=(ORIGIN,))
    assert list_sites()[0].origins == (ORIGIN,)


@pytest.mark.usefixtures("app_context")
def test_an_origin_that_is_not_there_cannot_be_removed(now: datetime) -> None:
    added(now)
    with pytest.raises(FieldsRefused, match="none of the site's origins"):
        changed(removed_origins=("https://m.example.org",))


@pytest.mark.usefixtures("app_context")
def test_a_relaxed_site_wants_the_text_alone(now: datetime) -> None:
    assert added(now, required=frozenset()).required == ("text",)


@pytest.mark.usefixtures("app_context")
def test_known_authors_and_depth_are_settings_of_a_site(now: datetime) -> None:
    added(now)
    site = changed(publishes_known_authors=True, max_depth=3)
    assert (site.rules.hold_all, site.max_depth, site.rules_version) == (False, 3, 2)


@pytest.mark.usefixtures("app_context")
@pytest.mark.parametrize(
    "change",
    [
        *({"max_depth": 0}, {"max_depth": 21}, {"language": "xx"}, {"name": " "}, {"name": "a\nb"}),
        {"required": frozenset({"website"})},
    ],
)
def test_values_out_of_bounds_change_nothing(now: datetime, change: dict[str, Any]) -> None:
    before = added(now)
    with pytest.raises(FieldsRefused):
        changed(**change)
    assert list_sites() == [before]


@pytest.mark.usefixtures("app_context")
def test_an_unknown_site_is_named(now: datetime) -> None:
    with pytest.raises(SiteNotFound, match="“demo”"):
        changed(name="News")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("form.title=Say it", OwnText("form.title", None, "Say it")),
        ("count.heading.one=a=b", OwnText("count.heading", "one", "a=b")),
        ("count.heading.=0=", OwnText("count.heading", "=0", "")),
        ("error.too-many.other=x", OwnText("error.too-many", "other", "x")),
    ],
)
def test_own_texts_are_written_as_key_form_and_text(given: str, read: OwnText) -> None:
    assert OwnText.parse(given) == read


def test_a_text_without_an_equals_sign_is_refused() -> None:
    with pytest.raises(FieldsRefused, match="KEY=TEXT"):
        OwnText.parse("form.title")


def own(given: str) -> tuple[OwnText, ...]:
    """One own text, for a change."""
    return (OwnText.parse(given),)


def heading(site: SiteView, count: int) -> str:
    """What stands above a thread of that site."""
    return CATALOGUE.heading(count, "Bridge", lang="en", overrides=site.texts)


@pytest.mark.usefixtures("app_context")
def test_a_site_may_have_its_own_words_for_one_plural_form(now: datetime) -> None:
    added(now)
    site = changed(own_texts=own("count.heading.other={count} thought on “{title}”"))
    assert [heading(site, 1), heading(site, 2)] == ["One thought on “Bridge”", "2 thought on “Bridge”"]


@pytest.mark.usefixtures("app_context")
def test_a_form_added_to_a_single_text_leaves_the_other_forms_alone(now: datetime) -> None:
    added(now, own_texts=own("count.heading={count} so far"))
    site = changed(own_texts=own("count.heading.=2=A pair"))
    assert [heading(site, n) for n in (1, 2, 3)] == ["1 so far", "A pair", "3 so far"]


@pytest.mark.usefixtures("app_context")
def test_dropping_a_text_brings_the_common_words_back(now: datetime) -> None:
    added(now, own_texts=own("count.heading.one=Just one"))
    assert heading(changed(dropped_texts=("count.heading",)), 1) == "One thought on “Bridge”"


@pytest.mark.usefixtures("app_context")
@pytest.mark.parametrize(
    "given",
    [
        "form.nothing=x",
        "form.title.one=x",
        "form.title={count}",
        "count.heading.one={titel}",
        "form.title=a\nb",
    ],
)
def test_texts_that_could_not_be_shown_are_refused(now: datetime, given: str) -> None:
    added(now)
    with pytest.raises(FieldsRefused):
        changed(own_texts=own(given))


def test_the_owners_lines_point_to_the_service_and_work_without_scripts() -> None:
    lines = owner_lines("demo", public_url="https://comments.example.org/c").splitlines()
    assert (
        lines[0] == '<script src="https://comments.example.org/c/embed.js" data-site="demo" async></script>'
    )
    assert 'href="https://comments.example.org/c/sites/demo/thread"' in lines[1]
    assert 'referrerpolicy="no-referrer-when-downgrade"' in lines[1]

"""The settings pages of sites: who sees what, who may save it, and what is told when it cannot be saved."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service.storage.database import reading, transaction
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Site
from comments_service.storage.people import Grant, Moderator
from comments_service.texts import Catalogue
from comments_service.vocabulary import Role, SiteView
from tests.doors import OWN_ORIGIN, change_site, csrf_token, everything, send_own, sign_in
from tests.factories import ORIGIN, a_comment, a_site

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "public"
PUBLIC_TEMPLATES = "".join(file.read_text() for file in TEMPLATES.glob("*.html"))
SECOND = "https://m.example.org"


@pytest.fixture
def owner(app: Flask, site: SiteView) -> FlaskClient:
    """The browser of somebody who owns every site."""
    return sign_in(app)


def with_role(app: Flask, role: Role, site: SiteView) -> FlaskClient:
    """The browser of somebody with this role on this site alone."""
    browser = sign_in(app)
    with app.app_context(), transaction() as session:
        person = session.scalars(select(Moderator)).one()
        session.query(Grant).delete()
        session.add(Grant(moderator_id=person.id, site_id=site.id, role=role))
    return browser


def stored(app: Flask, site: SiteView) -> SiteView:
    """The site as it is now."""
    with app.app_context(), reading() as session:
        return session.get_one(Site, site.id).view()


def journal(app: Flask) -> list[JournalRow]:
    """Every line about settings."""
    with app.app_context(), reading() as session:
        about = JournalRow.action.in_(("site-added", "site-changed"))
        rows = list(session.scalars(select(JournalRow).where(about).order_by(JournalRow.id)))
        session.expunge_all()
        return rows


def post(browser: FlaskClient, path: str, **fields: Any) -> TestResponse:
    """Send a form from our own page, with its token."""
    token = csrf_token(browser.get("/settings"))
    return browser.post(path, data={"csrf_token": token} | fields, headers={"Origin": OWN_ORIGIN})


def save(browser: FlaskClient, site: SiteView, **fields: Any) -> TestResponse:
    """Send the form of the site's page, with some fields typed otherwise."""
    typed = {"version": site.version, "name": site.name, "origins": "\n".join(site.origins)}
    typed |= {"language": site.language, "state": "open" if site.is_open else "closed"}
    return post(browser, f"/settings/{site.key}", **typed | fields)


def shown(response: TestResponse) -> str:
    """The page as people read it."""
    return unescape(response.text)


def test_the_list_shows_the_role_and_what_waits(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    a_comment(app, site, status="pending")
    page = shown(owner.get("/settings"))
    assert "You own it" in page
    assert "1 comment waits" in page
    assert 'href="/queue?site=demo"' in page


def test_sites_of_others_are_not_there(app: Flask, site: SiteView) -> None:
    a_site(app, key="other")
    browser = with_role(app, Role.OWNER, site)
    assert "other" not in browser.get("/settings").text.lower()
    assert browser.get("/settings/other").status_code == 404
    assert post(browser, "/settings/other", name="Mine").status_code == 404


def test_an_owner_changes_a_site_and_the_journal_keeps_old_and_new(
    app: Flask, owner: FlaskClient, site: SiteView, now: datetime
) -> None:
    origins = f"{ORIGIN}\r\n\r\n  {SECOND}/  \r\n"
    assert save(owner, site, name="The News", origins=origins, state="closed").status_code == 303
    after = stored(app, site)
    assert (after.name, after.origins, after.is_open) == ("The News", (ORIGIN, SECOND), False)
    assert "Saved." in owner.get("/settings/demo").text
    (line,) = journal(app)
    assert (line.action, line.subject, line.happened_at) == ("site-changed", "demo", now)
    assert line.moderator_id is not None
    assert line.details["changes"] == {
        "name": ["Demo", "The News"],
        "origins": [[ORIGIN], [ORIGIN, SECOND]],
        "is_open": [True, False],
    }


def test_saving_what_is_stored_already_leaves_no_line(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    assert save(owner, site).status_code == 303
    assert journal(app) == []
    assert stored(app, site) == site


def test_a_wrong_origin_is_named_by_its_line_and_nothing_is_saved(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    response = save(owner, site, name="Other", origins=f"{ORIGIN}\n{SECOND}/path\nnews")
    assert response.status_code == 422
    assert f"Line 2: “{SECOND}/path” is no origin. Perhaps you mean {SECOND}" in shown(response)
    assert "Line 3: “news” is no origin." in shown(response)
    assert f"{SECOND}/path\nnews</textarea>" in shown(response)
    assert stored(app, site) == site


NO_SITES: tuple[dict[str, str], ...] = (
    *({"name": ""}, {"name": "x" * 201}, {"name": "a\0b"}, {"name": "\u0085a\u0085b"}, {"language": "xx"}),
    *({"language": "\ud800"}, {"origins": ""}, {"origins": "javascript:alert(1)"}, {"origins": "\0"}),
    {"origins": "\n".join(f"https://s{n}.example.org" for n in range(101))},
)


def test_what_cannot_be_a_site_is_refused_in_words(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    before = everything(app)
    for fields in NO_SITES:
        typed = {name: value.encode("utf-8", "surrogatepass") for name, value in fields.items()}
        assert save(owner, site, **typed).status_code == 422
    assert everything(app) == before


def test_the_second_of_two_owners_is_told_and_loses_nothing(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    assert save(owner, site, name="First").status_code == 303
    response = save(owner, site, name="Second")
    assert response.status_code == 409
    assert stored(app, site).name == "First"
    assert 'value="Second"' in response.text
    assert '<span class="now__value" dir="auto">First</span>' in response.text
    assert save(owner, stored(app, site), name="Second").status_code == 303
    assert stored(app, site).name == "Second"


def test_a_form_without_a_real_version_changes_nothing(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    for version in ("", "0", "x", "99999999999999999999", "-1"):
        assert save(owner, site, name="Other", version=version).status_code == 409
    assert stored(app, site) == site


def test_who_does_not_own_a_site_may_look_but_not_save(app: Flask, site: SiteView) -> None:
    browser = with_role(app, Role.MODERATOR, site)
    page = browser.get("/settings/demo")
    assert page.status_code == 200
    assert "only somebody who owns the site" in page.text
    assert save(browser, site, name="Mine").status_code == 403
    assert post(browser, "/settings", key="new", origins=ORIGIN).status_code == 403
    assert stored(app, site) == site


def test_an_owner_of_every_site_adds_one(app: Flask, owner: FlaskClient) -> None:
    response = post(owner, "/settings", key="second", name="", origins=SECOND)
    assert response.headers["Location"] == "/settings/second"
    assert "The site is there." in owner.get("/settings/second").text
    assert [(line.action, line.subject) for line in journal(app)] == [("site-added", "second")]


def test_a_key_that_cannot_be_is_refused_and_what_was_typed_stays(app: Flask, owner: FlaskClient) -> None:
    for key in ("", "Demo", "demo", "a b", "../x", "x" * 65, "\0"):
        response = post(owner, "/settings", key=key, name="Kept", origins=SECOND)
        assert response.status_code == 422
        assert 'value="Kept"' in response.text
    assert journal(app) == []


def test_without_a_sign_in_there_are_no_settings(client: FlaskClient, site: SiteView) -> None:
    for path in ("/settings", "/settings/demo"):
        assert client.get(path).headers["Location"].startswith("/login")


def test_names_are_shown_as_they_are_and_run_nothing(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    save(owner, site, name="<b onclick=x>&amp;")
    for path in ("/settings", "/settings/demo"):
        assert "&lt;b onclick=x&gt;&amp;amp;" in owner.get(path).text


def test_every_tab_leads_to_a_page(owner: FlaskClient, site: SiteView) -> None:
    links = {part.partition('"')[0] for part in owner.get("/settings/demo").text.split('href="')[1:]}
    tabs = sorted(link for link in links if link.startswith("/settings/demo"))
    assert "/settings/demo" in tabs
    assert {owner.get(tab).status_code for tab in tabs} == {200}


def word(browser: FlaskClient, site: SiteView, key: str, do: str = "save", **forms: str) -> TestResponse:
    """Send the form of one text."""
    typed = {f"form-{name.replace('exactly_', '=')}": text for name, text in forms.items()}
    return post(browser, "/settings/demo/words", key=key, do=do, version=site.version, **typed)


def test_every_text_that_readers_see_can_be_changed_there(owner: FlaskClient, site: SiteView) -> None:
    page = shown(owner.get("/settings/demo/words"))
    families = ("count.", "thread.", "form.", "note.", "error.", "status.")
    texts = [key for key in Catalogue.load().languages["en"] if key.startswith(families)]
    used = set(re.findall(r"say(?:_count)?\(\"(page\.[a-z_]+)\"", PUBLIC_TEMPLATES))
    assert [key for key in (*texts, *used) if f'id="{key}"' not in page] == []
    assert "queue.title" not in page


def test_an_owner_gives_a_text_words_of_its_own_and_takes_them_back(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    response = word(owner, site, "form.title", text="  Say something ")
    assert response.headers["Location"].endswith("/settings/demo/words#form.title")
    assert stored(app, site).texts == {"form.title": "Say something"}
    assert journal(app)[0].details["changes"]["texts"] == [{}, {"form.title": "Say something"}]
    word(owner, stored(app, site), "form.title", do="reset")
    assert stored(app, site).texts == {}
    assert "The common words are back." in owner.get("/settings/demo/words").text


def test_plural_forms_are_those_of_the_language_and_an_empty_one_is_the_common_one(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    page = shown(owner.get("/settings/demo/words?edit=count.heading"))
    assert [
        label in page for label in ("For exactly 0", "such as 1 (one)", "such as 2, 3, 4, 5 (other)")
    ] == [True] * 3
    word(owner, site, "count.heading", one="", other="{count} thought on “{title}”", exactly_0="")
    assert stored(app, site).texts == {"count.heading": {"other": "{count} thought on “{title}”"}}


def test_an_own_text_for_every_count_becomes_one_for_each_form(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    change_site(app, site, texts={"count.label": "{count} notes"})
    page = shown(owner.get("/settings/demo/words?edit=count.label"))
    assert page.count('value="{count} notes"') == 2
    word(owner, stored(app, site), "count.label", one="{count} note", other="{count} notes")
    assert stored(app, site).texts == {"count.label": {"one": "{count} note", "other": "{count} notes"}}


def test_a_preview_shows_what_readers_would_see_and_saves_nothing(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    page = shown(
        word(owner, site, "count.heading", do="preview", one="Only one on {title}", other="<b>{count}")
    )
    assert "Only one on A bridge for the harbour" in page
    assert 'value="<b>{count}"' in page
    assert stored(app, site) == site


NO_WORDS = ({"text": "{count}"}, {"text": "x" * 1001}, {"text": "a\0b"}, {"text": "{nobody}"})


def test_words_that_could_not_be_shown_are_refused_in_words(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    before = everything(app)
    for do in ("save", "preview"):
        for forms in NO_WORDS:
            response = word(owner, site, "form.title_reply", do=do, **forms)
            assert response.status_code == 422
            assert 'id="form-text-error"' in response.text
    for key in ("", "queue.title", "page.error.internal", "form", "nothing.at.all", "\0"):
        assert word(owner, site, key, text="x").status_code == 404
    assert word(owner, site, "form.title", do="more", text="x").status_code == 400
    assert everything(app) == before


def test_of_two_owners_with_one_text_the_second_is_told(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    word(owner, site, "form.title", text="First")
    response = word(owner, site, "form.title", text="Second")
    assert response.status_code == 409
    assert 'value="Second"' in response.text
    assert stored(app, site).texts == {"form.title": "First"}


def test_texts_are_found_by_key_and_words(owner: FlaskClient, site: SiteView) -> None:
    word(owner, site, "form.title", text="Ünser Wort")
    for query in ("q=üNSER", "q=form.title&own=1", "own=1"):
        page = owner.get(f"/settings/demo/words?{query}").text
        assert ('id="form.title"' in page, 'id="form.submit"' in page) == (True, False)
    assert "No text says this." in owner.get("/settings/demo/words?q=%F0%9F").text
    assert owner.get("/settings/demo/words?edit=queue.title").status_code == 404


def test_fields_are_relaxed_and_letters_taken(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    sent = post(owner, "/settings/demo/fields", version=site.version, required="name", letters="1")
    assert sent.status_code == 303
    after = stored(app, site)
    assert (after.required, after.takes_letters) == (("text", "name"), True)
    assert post(owner, "/settings/demo/fields", version=site.version).status_code == 409
    assert post(owner, "/settings/demo/fields", version=after.version, required="website").status_code == 422
    assert stored(app, site) == after
    post(owner, "/settings/demo/fields", version=after.version)
    assert (stored(app, site).required, stored(app, site).takes_letters) == (("text",), False)


def test_who_does_not_own_the_site_changes_no_word_and_no_field(app: Flask, site: SiteView) -> None:
    browser = with_role(app, Role.MODERATOR, site)
    assert "edit=" not in browser.get("/settings/demo/words").text
    assert word(browser, site, "form.title", text="Mine").status_code == 403
    assert post(browser, "/settings/demo/fields", version=site.version).status_code == 403
    assert stored(app, site) == site


def test_the_order_of_comments_is_the_owners_choice(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    page = owner.get("/settings/demo/display").text
    assert re.search(r'value="oldest" checked', page)
    assert post(owner, "/settings/demo/display", version=site.version, sort="newest").status_code == 303
    assert stored(app, site).options.sort == "newest"
    assert post(owner, "/settings/demo/display", version=site.version, sort="oldest").status_code == 409
    assert post(owner, "/settings/demo/display", version=site.version + 1, sort="best").status_code == 422
    assert stored(app, site).options.sort == "newest"


def test_when_browsers_are_asked_for_work_is_the_owners_choice_and_can_be_taken_back(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    page = owner.get("/settings/demo/display").text
    assert re.search(r'value="suspicion" checked', page)
    fields = {"sort": "oldest", "edit_minutes": "15", "reports": "1", "avatars": "1"}
    sent = post(owner, "/settings/demo/display", version=site.version, proof="always", **fields)
    assert (sent.status_code, stored(app, site).options.proof) == (303, "always")
    wrong = post(owner, "/settings/demo/display", version=site.version + 1, proof="sometimes", **fields)
    assert (wrong.status_code, stored(app, site).options.proof) == (422, "always")
    line = journal(app)[-1]
    assert line.details["changes"] == {"proof": ["suspicion", "always"]}
    assert send_own(owner, "/audit/undo", on="/audit", journal=line.id).status_code == 303
    assert stored(app, site).options.proof == "suspicion"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_how_long_authors_may_edit_is_a_number_of_minutes(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    assert 'value="15"' in owner.get("/settings/demo/display").text
    for number, minutes in enumerate(("60", "0", "10080")):
        fields = {"sort": "oldest", "edit_minutes": minutes}
        sent = post(owner, "/settings/demo/display", version=site.version + number, **fields)
        assert (sent.status_code, stored(app, site).options.edit_minutes) == (303, int(minutes))
    for wrong in ("10081", "-1", "", "1.5", "x", "\u0661", "9" * 400):
        fields = {"sort": "oldest", "edit_minutes": wrong}
        sent = post(owner, "/settings/demo/display", version=site.version + 3, **fields)
        assert (sent.status_code, "from 0 to 10080" in sent.text) == (422, True)
    assert stored(app, site).options.edit_minutes == 10_080

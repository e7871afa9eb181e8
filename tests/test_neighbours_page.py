"""The page of a site's neighbours, the command that does the same, and what is never shown of either."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service.cli import main
from comments_service.export import export_site
from comments_service.neighbours import ask as asking_room
from comments_service.neighbours.keeping import sealed_for
from comments_service.neighbours.webhook import read_secret
from comments_service.privacy import Keyring
from comments_service.rotate import retire, rotate
from comments_service.settings import Settings
from comments_service.storage.database import db, reading
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Site
from comments_service.storage.neighbours import NeighbourState
from comments_service.unlock import open_keys
from comments_service.vocabulary import Role, SiteView
from tests.conftest import SECRET_KEY, Clock
from tests.doors import a_ticket, everything, send, sign_in
from tests.factories import a_body, wiring_of
from tests.neighbours import KEY, SECRET, Akismet, Answer, Service, ask_akismet, asking, serving
from tests.test_settings_pages import post
from tests.test_undo_owners import last_row, undo_from_audit

PAGE = "/settings/demo/neighbours"
SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def nobody_rests() -> None:
    """What other tests made of neighbours is not remembered here."""
    asking_room.CIRCUIT.forget()


@pytest.fixture
def akismet() -> Iterator[Akismet]:
    """Akismet, on this machine."""
    neighbour = Akismet()
    with serving(neighbour, "/1.1"):
        yield neighbour


@pytest.fixture
def service(clock: Clock) -> Iterator[Service]:
    """The owner's own filter."""
    neighbour = Service(now=clock)
    with serving(neighbour, "/check"):
        yield neighbour


@pytest.fixture
def settings(settings: Settings, akismet: Akismet) -> Settings:
    """Settings of an installation that finds Akismet on this machine."""
    return asking(settings, akismet)


@pytest.fixture
def owner(app: Flask, site: SiteView) -> FlaskClient:
    """The browser of somebody who owns the site."""
    return sign_in(app, sites=[site])


def stored(app: Flask) -> SiteView:
    """The site as it is now."""
    with app.app_context(), reading() as session:
        return session.scalars(select(Site).where(Site.key == "demo")).one().view()


def secret(app: Flask, kind: str = "akismet", keys: Keyring | None = None) -> str | None:
    """The secret that is kept for a neighbour, opened."""
    with app.app_context(), reading() as session:
        row = session.get(NeighbourState, (1, kind))
        if row is None or row.secret_sealed is None:
            return None
        return (keys or wiring_of(app).keys).open(row.secret_sealed, column=sealed_for(1, kind))


def change(app: Flask, browser: FlaskClient, do: str = "save", **fields: str) -> TestResponse:
    """Press a button of the page, as it is filled in."""
    return post(browser, PAGE, do=do, version=str(stored(app).version), **fields)


def shown(response: TestResponse) -> str:
    """The page as people read it."""
    return " ".join(unescape(re.sub(r"<[^<>]*>", " ", response.text)).split())


def test_an_owner_turns_akismet_on_and_the_key_is_sealed_and_never_seen_again(
    app: Flask, owner: FlaskClient
) -> None:
    assert "There is none yet." in shown(owner.get(PAGE))
    assert change(app, owner, akismet="1", akismet_key=f" {KEY} ").status_code == 303
    assert (stored(app).options.akismet, stored(app).options.akismet_email) == (True, False)
    assert secret(app) == KEY
    page = owner.get(PAGE)
    assert "One is kept, sealed, and never shown." in shown(page)
    assert KEY not in page.text
    assert KEY not in repr(everything(app))
    assert KEY not in owner.get("/audit").text
    with app.app_context():
        assert KEY not in "".join(export_site("demo", keys=wiring_of(app).keys, now=wiring_of(app).now()))
    words = shown(owner.get("/audit"))
    assert "gave the site the secret of a neighbour" in words
    assert "changed a site’s settings" in words


def test_what_cannot_be_is_refused_in_words_and_no_secret_is_shown_again(
    app: Flask, owner: FlaskClient
) -> None:
    before = everything(app)
    wrong: tuple[tuple[dict[str, str], str], ...] = (
        ({"akismet": "1"}, "Akismet cannot be asked without a key."),
        ({"akismet": "1", "akismet_key": "no key at all"}, "This is no key of Akismet"),
        ({"akismet_key": "\0" * 20}, "This is no key of Akismet"),
        ({"service": "1"}, "Readers must be told who looks"),
        ({"service": "1", "service_name": "Filter", "service_url": "gopher://x"}, "address of a service"),
        ({"service_url": "https://user:word@x.example/"}, "address of a service"),
        ({"service_name": "x" * 61}, "A name is one line of 1 to 60 characters."),
        ({"service_name": "AKISMET"}, "A name is one line"),
        ({"service_secret": "whsec_short"}, "A secret begins with whsec_"),
        ({"service_secret": SECRET.removeprefix("whsec_")}, "A secret begins with whsec_"),
    )
    for fields, words in wrong:
        response = change(app, owner, **fields)
        assert (response.status_code, words in shown(response)) == (422, True), fields
        for name in ("akismet_key", "service_secret"):
            assert not fields.get(name) or fields[name] not in response.text
    assert everything(app) == before


def test_a_neighbour_is_turned_off_and_on_again_by_its_key_until_that_is_forgotten(
    app: Flask, owner: FlaskClient
) -> None:
    change(app, owner, akismet="1", akismet_key=KEY)
    change(app, owner)
    off = last_row(app)
    assert (stored(app).options.akismet, secret(app)) == (False, KEY)
    assert "Taken back: it is as it was before." in undo_from_audit(owner, off)
    assert stored(app).options.akismet
    assert "Akismet" in shown(owner.get("/audit"))
    assert change(app, owner, "forget_akismet").status_code == 303
    forgot = last_row(app)
    assert (stored(app).options.akismet, secret(app)) == (False, None)
    assert "made the site forget the secret of a neighbour" in shown(owner.get("/audit"))
    assert "Somebody has changed this again in the meantime" in undo_from_audit(owner, forgot)
    assert not stored(app).options.akismet


def test_two_owners_at_once_do_not_overwrite_each_other(app: Flask, owner: FlaskClient) -> None:
    version = stored(app).version
    change(app, owner, akismet="1", akismet_key=KEY)
    late = post(owner, PAGE, do="save", version=str(version), service_name="Town Filter")
    assert late.status_code == 409
    assert 'value="Town Filter"' in late.text
    assert stored(app).options.service_name == ""


@pytest.mark.parametrize("who", ["viewer", "moderator"])
@SQLITE
def test_only_owners_see_the_page(app: Flask, site: SiteView, who: str) -> None:
    browser = sign_in(app, name=who, role=Role(who), sites=[site])
    assert browser.get(PAGE).status_code == 403
    assert PAGE not in browser.get("/settings/demo").text
    assert change(app, browser, akismet="1", akismet_key=KEY).status_code == 403


def test_the_key_can_be_tested_before_it_is_saved_and_what_came_back_is_said(
    app: Flask, owner: FlaskClient, akismet: Akismet
) -> None:
    good = change(app, owner, "test_akismet", akismet="1", akismet_key=KEY)
    assert "Akismet knows this key." in shown(good)
    assert 'name="akismet" value="1" checked' in good.text
    assert akismet.asked[-1] == ("/1.1/verify-key", {"api_key": KEY, "blog": "https://news.example.org/"})
    bad = shown(change(app, owner, "test_akismet", akismet_key="wrongkey1234"))
    assert "It does not take this key. What came back: We were unable to verify your key" in bad
    akismet.mood = lambda: Answer(b"true", status=503)
    away = shown(change(app, owner, "test_akismet", akismet_key=KEY))
    assert "an error of its own, or with a redirect. What came back: 503" in away
    assert change(app, owner, "test_akismet").status_code == 422  # there is no key to test
    assert (stored(app).options.akismet, secret(app)) == (False, None)


def test_a_service_gets_a_secret_made_here_that_is_shown_this_once(
    app: Flask, owner: FlaskClient, service: Service
) -> None:
    made = change(app, owner, "make_secret", service_name="Town Filter", service_url=service.url)
    new = made.text.partition("<code>whsec_")[2].partition("</code>")[0]
    assert len(read_secret(f"whsec_{new}")) == 32
    assert 'value="Town Filter"' in made.text
    assert secret(app, "service") == f"whsec_{new}"
    known = {"service": "1", "service_name": "Town Filter", "service_url": service.url}
    assert change(app, owner, **known).status_code == 303
    assert new not in owner.get(PAGE).text
    assert stored(app).options.service_url == service.url


def test_a_new_secret_alone_is_kept_and_the_page_says_so(app: Flask, owner: FlaskClient) -> None:
    made = shown(change(app, owner, "make_secret", service_name="Town Filter"))
    assert "The new secret is kept. What you changed besides on this page is not saved yet" in made
    assert "It holds from now on." not in made
    change(app, owner, service_name="Town Filter")
    again = shown(change(app, owner, "make_secret", service_name="Town Filter"))
    assert "The new secret is kept, and holds from now on." in again
    assert "not saved yet" not in again


def test_a_service_is_tested_by_an_example(app: Flask, owner: FlaskClient, service: Service) -> None:
    form = {"service_name": "Town Filter", "service_url": service.url, "service_secret": SECRET}
    service.verdict = {"spam": 0.97, "reason": "looks like an example"}
    told = shown(change(app, owner, "test_service", **form))
    assert "takes the example for spam. What came back: Town Filter: looks like an example" in told
    assert service.asked[-1][1]["data"]["is_test"] is True
    service.verdict = None
    assert "no opinion about the example" in shown(change(app, owner, "test_service", **form))
    service.mood = lambda: Answer(b"<p>Not found")
    assert "something that the protocol does not know" in shown(change(app, owner, "test_service", **form))
    private = form | {"service_url": "https://10.0.0.1/"}
    assert "COMMENTS_OUTBOUND_ALLOW" in shown(change(app, owner, "test_service", **private))
    assert change(app, owner, "test_service", service_secret=SECRET).status_code == 422


@SQLITE
def test_nobody_uses_tests_against_somebody(app: Flask, owner: FlaskClient, akismet: Akismet) -> None:
    answers = [change(app, owner, "test_akismet", akismet_key=KEY).status_code for _ in range(31)]
    assert answers == [200] * 30 + [429]
    assert len(akismet.asked) == 30
    assert change(app, owner, "whatever").status_code == 400


def test_the_page_and_the_doctor_say_that_a_neighbour_is_away(
    app: Flask, site: SiteView, owner: FlaskClient, akismet: Akismet, database: str, clock: Clock
) -> None:
    ask_akismet(app, site)

    def doctor() -> dict[str, Any]:
        environment = {"COMMENTS_DATABASE_URL": database, "COMMENTS_SECRET_KEY": SECRET_KEY}
        told = CliRunner().invoke(main, ["doctor", "--json"], env=environment)
        return {finding["name"]: finding for finding in json.loads(told.stdout)}

    assert doctor()["neighbours"]["sentence"] == "All that are asked about comments answer."
    assert not doctor()["worker"]["is_well"]  # nobody would tell Akismet of decisions
    akismet.mood = lambda: Answer(status=500)
    client = app.test_client()
    for number in range(2):
        assert send(client, a_body(a_ticket(client), text=f"Number {number}.")).status_code == 202
    clock.forward(minutes=3)
    sentence = (
        "demo, Akismet: The last 2 comments had to wait, the last time at 2026-11-23 11:00 UTC. "
        "It answered with an error of its own, or with a redirect."
    )
    finding = doctor()["neighbours"]
    assert (finding["is_well"], finding["sentence"]) == (False, sentence)
    words = "2 comments in a row had to wait, the last one 3 minutes ago: It answered with an error"
    assert words in shown(owner.get(PAGE))


def test_secrets_move_to_a_new_key_and_open_without_the_old_one(
    app: Flask, site: SiteView, settings: Settings
) -> None:
    ask_akismet(app, site)
    new = Keyring.generate(2)
    both = Settings(**dict(settings) | {"secret_key": f"{SECRET_KEY},{new}"})
    with app.app_context():
        rotate(both, on_progress=lambda _count: None)
        retire(both, now=wiring_of(app).now(), on_progress=lambda _count: None)
        assert open_keys(both, db.engine).ring.current == 2
    assert secret(app, keys=Keyring.parse(new)) == KEY


@SQLITE
def test_a_sealed_secret_opens_for_its_own_site_and_neighbour_alone(app: Flask, site: SiteView) -> None:
    ask_akismet(app, site)
    with app.app_context():
        sealed = db.session.get_one(NeighbourState, (1, "akismet")).secret_sealed
        assert sealed is not None
        for column in (sealed_for(2, "akismet"), sealed_for(1, "service")):
            with pytest.raises(Exception, match="does not open"):
                wiring_of(app).keys.open(sealed, column=column)


@SQLITE
def test_the_command_takes_secrets_from_files_and_tells_none(
    app: Flask, site: SiteView, database: str
) -> None:
    environment = {"COMMENTS_DATABASE_URL": database, "COMMENTS_SECRET_KEY": SECRET_KEY}

    def run(*arguments: str, text: str = "") -> tuple[int, str]:
        result = CliRunner().invoke(main, ["site", *arguments], input=text, env=environment)
        return result.exit_code, result.output

    known = ("--service-name", "Town Filter", "--service-url", "https://filter.example.org/check")
    assert run("set", "demo", "--service", *known)[0] == 1  # no secret yet
    assert run("set", "demo", "--service", *known, "--service-secret", "-", text=f"{SECRET}\n")[0] == 0
    assert run("set", "demo", "--akismet", "--akismet-key", "-", "--akismet-email", text=KEY)[0] == 0
    assert (secret(app), secret(app, "service")) == (KEY, SECRET)
    code, listed = run("list", "--json")
    assert (code, KEY in listed, SECRET in listed) == (0, False, False)
    (one,) = json.loads(listed)
    assert (one["akismet"], one["akismet_email"], one["service_name"]) == (True, True, "Town Filter")
    assert run("set", "demo", "--no-akismet", "--no-service")[0] == 0
    assert not stored(app).options.neighbours
    with app.app_context(), reading() as session:
        actions = [row.action for row in session.scalars(select(JournalRow).order_by(JournalRow.id))]
    assert actions.count("neighbour-secret-given") == 2

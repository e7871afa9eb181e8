"""Who may do what: roles by site, given and withdrawn by owners, and people who are removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select

from comments_service.cli import main
from comments_service.errors import (
    CommentsError,
    FieldsRefused,
    LastOwner,
    NotAllowed,
    PersonNotFound,
    SiteNotFound,
)
from comments_service.people.accounts import add_moderator, list_moderators, remove_person
from comments_service.people.roles import change_role
from comments_service.storage.database import reading
from comments_service.storage.journal import JournalRow
from comments_service.vocabulary import Access, ModeratorView, Role, SiteView
from tests.conftest import SECRET_KEY
from tests.doors import everything, send_own, sign_in, sign_in_as
from tests.factories import PASSWORD, a_moderator, a_site

OWNER, MODERATOR, VIEWER = Role.OWNER, Role.MODERATOR, Role.VIEWER
Run = Callable[..., Result]


@pytest.fixture
def run(database: str) -> Run:
    """Run a command on this test's database."""

    def run_it(*arguments: str, text: str | None = None) -> Result:
        variables = {"COMMENTS_DATABASE_URL": database, "COMMENTS_SECRET_KEY": SECRET_KEY}
        return CliRunner().invoke(main, arguments, input=text, env=variables)

    return run_it


@pytest.fixture
def owner(app: Flask) -> ModeratorView:
    """Somebody who owns every site."""
    return a_moderator(app, name="Olga")


@pytest.fixture
def other_site(app: Flask) -> SiteView:
    """A second site."""
    return a_site(app, key="other")


def access_of(app: Flask, name: str) -> Access:
    """What somebody may do now."""
    with app.app_context():
        return next(one.access for one in list_moderators() if one.name == name)


def journal(app: Flask) -> list[tuple[str, int | None, int | None, str]]:
    """What was done: action, by whom, on which site, to whom."""
    with app.app_context(), reading() as session:
        rows = session.scalars(select(JournalRow).order_by(JournalRow.id)).all()
        return [(row.action, row.moderator_id, row.site_id, row.subject) for row in rows]


# --- roles ---


def test_an_owner_gives_changes_and_withdraws_a_role(
    app_context: Flask, site: SiteView, owner: ModeratorView, now: datetime
) -> None:
    ana = a_moderator(app_context, name="Ana", role=VIEWER, sites=[site])
    change_role(ana.id, MODERATOR, site.id, by=owner, now=now)
    assert access_of(app_context, "Ana") == Access(None, {site.id: MODERATOR})
    change_role(ana.id, None, site.id, by=owner, now=now)
    assert access_of(app_context, "Ana") == Access()
    assert journal(app_context)[-2:] == [
        ("role-given", owner.id, site.id, "Ana"),
        ("role-withdrawn", owner.id, site.id, "Ana"),
    ]


def test_the_same_role_again_leaves_no_line(
    app_context: Flask, site: SiteView, owner: ModeratorView, now: datetime
) -> None:
    ana = a_moderator(app_context, name="Ana", role=VIEWER, sites=[site])
    before = everything(app_context)
    change_role(ana.id, VIEWER, site.id, by=owner, now=now)
    assert everything(app_context) == before


@pytest.mark.parametrize("role", [VIEWER, MODERATOR])
def test_who_does_not_own_the_site_gives_nothing(
    app_context: Flask, site: SiteView, now: datetime, role: Role
) -> None:
    by = a_moderator(app_context, name="Vic", role=role, sites=[site])
    ana = a_moderator(app_context, name="Ana", role=VIEWER, sites=[site])
    before = everything(app_context)
    for person in (ana, by):
        with pytest.raises(NotAllowed):
            change_role(person.id, OWNER, site.id, by=by, now=now)
    with pytest.raises(NotAllowed):
        remove_person(ana.id, by=by, now=now)
    assert everything(app_context) == before


def test_an_owner_of_one_site_rules_and_knows_the_people_of_this_site_only(
    app_context: Flask, site: SiteView, other_site: SiteView, owner: ModeratorView, now: datetime
) -> None:
    by = a_moderator(app_context, name="Otto", role=OWNER, sites=[site])
    stranger = a_moderator(app_context, name="Ana", role=MODERATOR, sites=[other_site])
    tries: list[tuple[int, int | None, type[CommentsError]]] = [
        (stranger.id, site.id, PersonNotFound),
        (stranger.id, other_site.id, SiteNotFound),
        (stranger.id, None, NotAllowed),
        (by.id, None, NotAllowed),
        (by.id, other_site.id, SiteNotFound),
        (2**31 - 1, site.id, PersonNotFound),
    ]
    before = everything(app_context)
    for person_id, site_id, error in tries:
        with pytest.raises(error):
            change_role(person_id, OWNER, site_id, by=by, now=now)
    with pytest.raises(NotAllowed):
        remove_person(stranger.id, by=by, now=now)
    assert everything(app_context) == before


def test_nobody_changes_the_own_role(
    app_context: Flask, site: SiteView, owner: ModeratorView, now: datetime
) -> None:
    for site_id in (None, site.id):
        with pytest.raises(NotAllowed):
            change_role(owner.id, VIEWER, site_id, by=owner, now=now)


def test_a_role_that_was_withdrawn_meanwhile_gives_nothing_any_more(
    app_context: Flask, site: SiteView, owner: ModeratorView, now: datetime
) -> None:
    earlier = a_moderator(app_context, name="Otto", role=OWNER, sites=[site])
    ana = a_moderator(app_context, name="Ana", role=VIEWER, sites=[site])
    change_role(earlier.id, None, site.id, by=owner, now=now)
    with pytest.raises(SiteNotFound):
        change_role(ana.id, OWNER, site.id, by=earlier, now=now)


def test_the_last_who_owns_every_site_stays_as_they_are(
    app_context: Flask, site: SiteView, owner: ModeratorView, now: datetime
) -> None:
    a_moderator(app_context, name="Otto", role=OWNER, sites=[site])
    before = everything(app_context)
    for role in (None, MODERATOR):
        with pytest.raises(LastOwner):
            change_role(owner.id, role, None, by=None, now=now)
    with pytest.raises(LastOwner):
        remove_person(owner.id, by=None, now=now)
    assert everything(app_context) == before


def test_of_two_owners_who_remove_each_other_at_once_one_stays(app: Flask, now: datetime) -> None:
    pair = [a_moderator(app, name=name) for name in ("Olga", "Otto")]

    def remove(by: ModeratorView, other: ModeratorView) -> bool:
        with app.app_context():
            try:
                remove_person(other.id, by=by, now=now)
            except (NotAllowed, LastOwner):
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(remove, pair, reversed(pair)))
    assert sorted(done) == [False, True]
    with app.app_context():
        assert [one.access.everywhere for one in list_moderators()] == [OWNER]


def test_without_any_role_left_all_sign_ins_end(
    app: Flask, site: SiteView, owner: ModeratorView, now: datetime
) -> None:
    client = sign_in(app, name="Ana", role=VIEWER, sites=[site])
    with app.app_context():
        ana = next(one for one in list_moderators() if one.name == "Ana")
        change_role(ana.id, None, site.id, by=owner, now=now)
    assert client.get("/queue").status_code == 303


# --- people who go ---


def test_a_removed_person_is_out_at_once_and_stays_out(
    app: Flask, owner: ModeratorView, now: datetime
) -> None:
    client = sign_in(app, name="Ana")
    with app.app_context():
        ana = next(one for one in list_moderators() if one.name == "Ana")
        assert remove_person(ana.id, by=owner, now=now) == "Ana"
        assert [one.name for one in list_moderators()] == ["Olga"]
    assert client.get("/queue").status_code == 303
    with pytest.raises(AssertionError, match="do not belong together"):
        sign_in_as(app, "Ana")
    assert journal(app)[-2] == ("moderator-removed", owner.id, None, "Ana")


def test_the_journal_goes_on_to_name_a_removed_person_and_nobody_else_by_that_name(
    app_context: Flask, owner: ModeratorView, now: datetime
) -> None:
    ana = a_moderator(app_context, name="Ana")
    remove_person(ana.id, by=owner, now=now)
    with pytest.raises(FieldsRefused, match="of this name already"):
        add_moderator("Ana", PASSWORD, now=now)
    with pytest.raises(PersonNotFound):
        remove_person(ana.id, by=owner, now=now)
    assert (ana.id, "Ana") in [row[:2] for row in everything(app_context)["moderator"]]


def test_nobody_removes_themselves(app_context: Flask, owner: ModeratorView, now: datetime) -> None:
    a_moderator(app_context, name="Otto")
    with pytest.raises(NotAllowed):
        remove_person(owner.id, by=owner, now=now)


# --- the operator's commands ---


def grants(run: Run) -> dict[str, list[tuple[str | None, str]]]:
    """What `moderator list` tells programs."""
    found = json.loads(run("moderator", "list", "--json").stdout)
    return {one["name"]: [(grant["site"], grant["role"]) for grant in one["grants"]] for one in found}


def test_a_moderator_is_added_with_a_role_on_some_sites(
    run: Run, site: SiteView, other_site: SiteView
) -> None:
    places = ("--site", "demo", "--site", "other", "--role", "viewer")
    assert run("moderator", "add", "ana", "--generate", *places).exit_code == 0
    assert run("moderator", "add", "olga", "--generate").exit_code == 0
    assert grants(run) == {"ana": [("demo", "viewer"), ("other", "viewer")], "olga": [(None, "owner")]}
    listed = run("moderator", "list").stdout.splitlines()
    assert listed == ["ana  viewer of demo, viewer of other", "olga  owner of every site"]


def test_roles_are_set_and_withdrawn_by_command(run: Run, site: SiteView) -> None:
    run("moderator", "add", "olga", "--generate")
    run("moderator", "add", "ana", "--generate", "--site", "demo")
    assert (
        "moderator of demo" in run("moderator", "set", "ana", "--role", "moderator", "--site", "demo").stdout
    )
    assert run("moderator", "set", "ana", "--role", "viewer").exit_code == 0
    assert grants(run)["ana"] == [(None, "viewer"), ("demo", "moderator")]
    assert run("moderator", "set", "ana", "--no-role", "--site", "demo").exit_code == 0
    assert grants(run)["ana"] == [(None, "viewer")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "olga", "--no-role"), "Nobody else owns every site"),
        (("set", "olga", "--role", "owner", "--site", "elsewhere"), "no site with the key “elsewhere”"),
        (("set", "nobody", "--role", "owner"), "no moderator of this name"),
        (("remove", "olga", "--yes"), "Nobody else owns every site"),
        (("remove", "nobody", "--yes"), "no moderator of this name"),
        (("add", "ben", "--generate", "--site", "elsewhere"), "no site with the key “elsewhere”"),
    ],
)
def test_commands_about_people_say_what_is_wrong(run: Run, arguments: tuple[str, ...], said: str) -> None:
    run("moderator", "add", "olga", "--generate")
    result = run("moderator", *arguments)
    assert (result.exit_code, said in result.stderr, len(result.stderr.splitlines())) == (1, True, 1)


def test_a_person_is_removed_by_command_after_a_yes(run: Run) -> None:
    for name in ("olga", "ana"):
        run("moderator", "add", name, "--generate")
    assert run("moderator", "remove", "ana", text="n\n").exit_code == 1
    assert "signed out everywhere" in run("moderator", "remove", "ana", text="y\n").stdout
    assert list(grants(run)) == ["olga"]


# --- the pages ---

ANA = "Ana Unknown-Elsewhere"


def test_an_owner_changes_a_role_on_the_page_of_the_site(app: Flask, site: SiteView) -> None:
    client = sign_in(app, role=OWNER, sites=[site])
    ana = a_moderator(app, name="Ana", role=VIEWER, sites=[site])
    page = "/settings/demo/people"
    send_own(client, page, do="give", person=str(ana.id), role="moderator")
    assert "The role is given." in client.get(page).text
    assert access_of(app, "Ana") == Access(None, {site.id: MODERATOR})
    send_own(client, page, do="withdraw", person=str(ana.id))
    assert access_of(app, "Ana") == Access()
    assert "<bdi>Ana</bdi>" not in client.get(page).text


def test_the_page_of_a_site_names_nobody_of_other_sites(
    app: Flask, site: SiteView, other_site: SiteView
) -> None:
    a_moderator(app, name=ANA, role=OWNER, sites=[other_site])
    both = a_moderator(app, name="Bea", role=MODERATOR, sites=[site, other_site])
    client = sign_in(app, role=OWNER, sites=[site])
    text = client.get("/settings/demo/people").text
    assert ("<bdi>Bea</bdi>" in text, ANA in text, other_site.name in text) == (True, False, False)
    answer = send_own(client, "/settings/demo/people", do="give", person=str(both.id + 40), role="viewer")
    assert answer.status_code == 404


def test_those_who_own_every_site_remove_people_and_give_roles_anywhere(
    app: Flask, site: SiteView, other_site: SiteView
) -> None:
    client, page = sign_in(app, name="Olga"), "/settings/people"
    ana = a_moderator(app, name="Ana", role=VIEWER, sites=[site])
    send_own(client, page, do="give", person=str(ana.id), role="owner", site="other")
    send_own(client, page, do="give", person=str(ana.id), role="viewer", site="*")
    assert access_of(app, "Ana") == Access(VIEWER, {site.id: VIEWER, other_site.id: OWNER})
    assert send_own(client, page, do="remove", person=str(ana.id)).status_code == 303
    assert "<bdi>Ana</bdi>" not in client.get(page).text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"do": "give"},
        {"do": "give", "person": "1", "role": "admin"},
        {"do": "give", "person": "1", "role": "owner"},
        {"do": "give", "person": "9" * 40, "role": "owner", "site": "demo"},
        {"do": "give", "person": "2", "role": "owner", "site": "nowhere"},
        {"do": "give", "person": "\x00", "role": "owner", "site": "*"},
        {"do": "withdraw", "person": "1", "site": "*"},
        {"do": "remove", "person": "1"},
        {"do": "invite", "role": "owner", "days": "7"},
        {"do": "invite", "role": "owner", "days": "-1", "site": "demo"},
        {"do": "invite", "role": "owner", "days": "1e3", "site": "*"},
        {"do": "invite", "days": "7", "site": "*"},
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_odd_forms_about_people_are_refused_and_change_nothing(
    app: Flask, site: SiteView, fields: dict[str, str]
) -> None:
    client = sign_in(app)
    before = everything(app)
    answer = send_own(client, "/settings/people", **fields)
    assert answer.status_code in (400, 403, 404, 422), answer.text
    assert everything(app) == before


@pytest.mark.parametrize("page", ["/account", "/account/letters", "/account/second-factor"])
def test_the_bar_says_on_every_page_of_the_account_that_one_is_there(app: Flask, page: str) -> None:
    html = sign_in(app).get(page).text
    own = html.partition('class="bar__own"')[2].partition("</nav>")[0]
    assert 'href="/account" aria-current="page"' in " ".join(own.split())
    assert html.count('aria-current="page"') == 1

"""Invitations: a link that makes somebody a moderator once, and says nothing when it does not."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service.errors import CommentsError, FieldsRefused, InvitationEnded, NotAllowed, SiteNotFound
from comments_service.people.accounts import list_moderators, remove_person
from comments_service.people.invitations import Guest, Offer, accept, accept_as, invite, open_invitations
from comments_service.people.roles import change_role
from comments_service.retention import sweep
from comments_service.settings import Settings
from comments_service.storage.database import reading
from comments_service.storage.journal import JournalRow
from comments_service.vocabulary import Access, ModeratorView, Role, SiteView
from tests.conftest import Clock
from tests.doors import OWN_ORIGIN, a_network, csrf_token, everything, send_own, sign_in, sign_in_as
from tests.factories import PASSWORD, a_moderator, a_site

OWNER, MODERATOR, VIEWER = Role.OWNER, Role.MODERATOR, Role.VIEWER
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
BEN = Guest("Ben", PASSWORD, PASSWORD)


@pytest.fixture
def owner(app: Flask) -> ModeratorView:
    """Somebody who owns every site."""
    return a_moderator(app, name="Olga")


def link_on(response: TestResponse) -> str:
    """The path of the invitation that a page shows."""
    found = re.search(r'value="http://localhost:8000(/invite/[^"]+)"', response.text)
    assert found, response.text
    return found[1]


def a_link(client: FlaskClient, page: str = "/settings/demo/people", **fields: str) -> str:
    """Make an invitation on a page of people."""
    return link_on(send_own(client, page, **{"do": "invite", "role": "moderator", "days": "7"} | fields))


def follow(client: FlaskClient, link: str, **fields: str) -> TestResponse:
    """Fill the page of an invitation in and send it."""
    return send_own(client, link, **{"name": "Ben", "new": PASSWORD, "again": PASSWORD} | fields)


def is_over(client: FlaskClient, link: str) -> bool:
    """Whether a link gets the page that all links get which are not good, whatever the reason."""
    response = client.get(link, headers={"Accept": "text/html"}, environ_overrides=a_network())
    return response.status_code == 404 and "This invitation has ended" in response.text


def access_of(app: Flask, name: str) -> Access:
    """What somebody may do now."""
    with app.app_context():
        return next(one.access for one in list_moderators() if one.name == name)


# --- the link and where it leads ---


def test_an_invitation_makes_a_moderator_with_its_role_on_its_site(app: Flask, site: SiteView) -> None:
    link = a_link(sign_in(app, role=OWNER, sites=[site]))
    guest = app.test_client()
    page = guest.get(link)
    assert "Moderator" in page.text
    assert site.name in page.text
    response = follow(guest, link)
    assert response.headers["Location"] == "/login?joined=1"
    assert "Your account is ready" in guest.get(response.headers["Location"]).text
    assert access_of(app, "Ben") == Access(None, {site.id: MODERATOR})
    assert sign_in_as(app, "Ben").get("/queue").status_code == 200


@on_sqlite
def test_an_invitation_may_be_to_some_sites_or_to_every_site(app: Flask, site: SiteView) -> None:
    other, client = a_site(app, key="other"), sign_in(app)
    some = client.post(
        "/settings/people",
        data={
            "csrf_token": csrf_token(client.get("/settings/people")),
            "do": "invite",
            "role": "viewer",
            "days": "30",
            "site": ["demo", "other"],
        },
        headers={"Origin": OWN_ORIGIN},
    )
    follow(app.test_client(), link_on(some))
    follow(app.test_client(), a_link(client, "/settings/people", site="*"), name="Cleo")
    assert access_of(app, "Ben") == Access(None, {site.id: VIEWER, other.id: VIEWER})
    assert access_of(app, "Cleo") == Access(MODERATOR)


def test_an_invitation_is_good_once(app: Flask, site: SiteView) -> None:
    link = a_link(sign_in(app))
    assert follow(app.test_client(), link).status_code == 303
    assert is_over(app.test_client(), link)


def test_of_two_with_the_same_link_at_once_one_becomes_a_moderator(
    app: Flask, site: SiteView, owner: ModeratorView, now: datetime
) -> None:
    with app.app_context():
        token = invite(Offer(MODERATOR, (site.id,), 7), by=owner, now=now)

    def follow_it(name: str) -> bool:
        with app.app_context():
            try:
                accept(token, Guest(name, PASSWORD, PASSWORD), now=now)
            except InvitationEnded:
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(follow_it, ("Ben", "Cleo"))) == [False, True]
    with app.app_context():
        assert len(list_moderators()) == 2


def test_used_withdrawn_expired_and_invented_links_get_the_same_page(
    app: Flask, site: SiteView, clock: Clock
) -> None:
    client = sign_in(app)
    used, withdrawn, expired = (a_link(client) for _ in range(3))
    follow(app.test_client(), used)
    send_own(client, "/settings/demo/people", do="take_back", invitation="2")
    clock.forward(days=7)
    links = (used, withdrawn, expired, "/invite/" + "x" * 43, "/invite/%00", "/invite/" + "y" * 3000)
    pages = [app.test_client().get(link, headers={"Accept": "text/html"}) for link in links[:3]]
    assert len({page.text for page in pages}) == 1
    assert all(is_over(app.test_client(), link) for link in links)
    assert {follow_blindly(app, link).status_code for link in links} == {404}


def follow_blindly(app: Flask, link: str) -> TestResponse:
    """Send the form of an invitation, without having seen one."""
    client = app.test_client()
    fields = {
        "csrf_token": csrf_token(client.get("/login")),
        "name": "Eve",
        "new": PASSWORD,
        "again": PASSWORD,
    }
    headers = {"Origin": OWN_ORIGIN, "Accept": "text/html"}
    return client.post(link, data=fields, headers=headers, environ_overrides=a_network())


def test_the_link_is_shown_once_and_stored_as_a_hash(app: Flask, site: SiteView) -> None:
    client = sign_in(app)
    link = a_link(client)
    assert link not in client.get("/settings/demo/people").text
    assert link.rpartition("/")[2] not in repr(everything(app))


def test_trying_links_is_limited_like_signing_in(app: Flask) -> None:
    client = app.test_client()
    statuses = [client.get(f"/invite/{number}").status_code for number in range(9)]
    assert statuses == [404] * 8 + [429]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "A moderator needs a name."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\u202eb"}, "characters that cannot be shown"),
        ({"name": "Olga"}, "of this name already"),
        ({"new": "short", "again": "short"}, "at least 12 characters"),
        ({"again": "a slip of the finger"}, "differ"),
    ],
)
@on_sqlite
def test_what_is_wrong_is_said_and_the_invitation_stays_good(
    app: Flask, site: SiteView, owner: ModeratorView, fields: dict[str, str], said: str
) -> None:
    link, guest = a_link(sign_in_as(app, "Olga")), app.test_client()
    before = everything(app)
    response = follow(guest, link, **fields)
    assert (response.status_code, said in response.text) == (422, True)
    assert PASSWORD not in response.text
    assert everything(app) == before
    assert follow(guest, link).status_code == 303


# --- for somebody who is there already ---


def test_whoever_is_signed_in_takes_the_role_for_the_account_that_is_there(
    app: Flask, site: SiteView
) -> None:
    other = a_site(app, key="other")
    link = a_link(sign_in(app, name="Olga"), role="viewer")
    ana = sign_in(app, name="Ana", role=OWNER, sites=[other])
    assert "You are signed in as Ana." in ana.get(link).text
    assert send_own(ana, link).headers["Location"] == "/account"
    assert access_of(app, "Ana") == Access(None, {other.id: OWNER, site.id: VIEWER})
    assert is_over(app.test_client(), link)


def test_no_role_becomes_less_by_an_invitation(
    app_context: Flask, site: SiteView, owner: ModeratorView, now: datetime
) -> None:
    ana = a_moderator(app_context, name="Ana", role=MODERATOR, sites=[site])
    accept_as(invite(Offer(VIEWER, (site.id,), 7), by=owner, now=now), by=ana, now=now)
    assert access_of(app_context, "Ana") == Access(None, {site.id: MODERATOR})


def test_nobody_invites_themselves(
    app_context: Flask, site: SiteView, owner: ModeratorView, now: datetime
) -> None:
    token = invite(Offer(OWNER, (site.id,), 7), by=owner, now=now)
    with pytest.raises(NotAllowed):
        accept_as(token, by=owner, now=now)


# --- who may invite ---


def test_nobody_offers_more_than_they_own(app_context: Flask, site: SiteView, now: datetime) -> None:
    other = a_site(app_context, key="other")
    by = a_moderator(app_context, name="Otto", role=OWNER, sites=[site])
    mo = a_moderator(app_context, role=MODERATOR, sites=[site])
    tries: list[tuple[ModeratorView, tuple[int, ...], type[CommentsError]]] = [
        (by, (), NotAllowed),
        (by, (other.id,), SiteNotFound),
        (by, (site.id, other.id), SiteNotFound),
        (mo, (site.id,), NotAllowed),
    ]
    before = everything(app_context)
    for asker, sites, error in tries:
        with pytest.raises(error):
            invite(Offer(VIEWER, sites, 7), by=asker, now=now)
    assert everything(app_context) == before


@pytest.mark.parametrize("days", [0, 31, 2**31 - 1])
@on_sqlite
def test_an_invitation_has_an_end_within_thirty_days(
    app_context: Flask, site: SiteView, owner: ModeratorView, now: datetime, days: int
) -> None:
    with pytest.raises(FieldsRefused):
        invite(Offer(VIEWER, (site.id,), days), by=owner, now=now)


@pytest.mark.parametrize("fate", ["demoted", "removed"])
def test_an_invitation_ends_with_the_role_of_whoever_made_it(
    app_context: Flask, site: SiteView, owner: ModeratorView, now: datetime, fate: str
) -> None:
    otto = a_moderator(app_context, name="Otto", role=OWNER, sites=[site])
    token = invite(Offer(OWNER, (site.id,), 7), by=otto, now=now)
    if fate == "removed":
        remove_person(otto.id, by=owner, now=now)
    else:
        change_role(otto.id, MODERATOR, site.id, by=owner, now=now)
    with pytest.raises(InvitationEnded):
        accept(token, BEN, now=now)
    assert open_invitations(by=owner, site_id=site.id, now=now) == ()


def test_open_invitations_are_listed_to_those_who_could_have_made_them(
    app_context: Flask, site: SiteView, owner: ModeratorView, now: datetime
) -> None:
    other = a_site(app_context, key="other")
    otto = a_moderator(app_context, name="Otto", role=OWNER, sites=[site])
    for sites in ((site.id,), (site.id, other.id), ()):
        invite(Offer(VIEWER, sites, 7), by=owner, now=now)
    assert len(open_invitations(by=owner, site_id=None, now=now)) == 3
    assert [one.site_names for one in open_invitations(by=otto, site_id=site.id, now=now)] == [(site.name,)]
    assert open_invitations(by=owner, site_id=None, now=now + timedelta(days=7)) == ()


def test_nobody_withdraws_an_invitation_of_another_site(app: Flask, site: SiteView) -> None:
    other = a_site(app, key="other")
    link = a_link(sign_in(app))
    stranger = sign_in(app, name="Otto", role=OWNER, sites=[other])
    send_own(stranger, "/settings/other/people", do="take_back", invitation="1")
    assert not is_over(app.test_client(), link)


def test_the_journal_keeps_a_line_for_each_site_of_an_invitation(
    app_context: Flask, site: SiteView, owner: ModeratorView, now: datetime
) -> None:
    other = a_site(app_context, key="other")
    ben = accept(invite(Offer(VIEWER, (site.id, other.id), 7), by=owner, now=now), BEN, now=now)
    with reading() as session:
        rows = session.scalars(select(JournalRow).where(JournalRow.action.like("invitation-%"))).all()
        told = [(row.action, row.moderator_id, row.site_id) for row in rows]
    assert told == [
        (action, who, place)
        for action, who in (("invitation-made", owner.id), ("invitation-used", ben.id))
        for place in (site.id, other.id)
    ]


def test_what_has_ended_is_swept_out(
    app_context: Flask, site: SiteView, owner: ModeratorView, now: datetime, settings: Settings
) -> None:
    invite(Offer(VIEWER, (site.id,), 1), by=owner, now=now)
    invite(Offer(VIEWER, (site.id,), 2), by=owner, now=now)
    assert sweep(settings=settings, now=now + timedelta(days=1)).invitations == 1
    assert len(everything(app_context)["invitation"]) == 1

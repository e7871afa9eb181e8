"""Every moderators' route, walked by everybody: who is let in, who is refused, who learns nothing.

A new route needs its line in `WHO`; `test_every_moderators_route_says_who_gets_what` names those without.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from comments_service.storage.database import reading
from comments_service.storage.journal import JournalRow
from comments_service.vocabulary import Role, SiteView
from comments_service.web.sessions import is_moderators
from tests.doors import OWN_ORIGIN, a_network, csrf_token, everything, sign_in
from tests.factories import ORIGIN, a_comment, a_site

ANSWERS = {"HEAD", "OPTIONS"}
PEOPLE = ("nobody", "viewer", "stranger", "moderator", "owner", "chief")


class Gets(Enum):
    """What becomes of a request, whatever else may be wrong with it."""

    IN = "is let in"
    SIGN_IN = "is led to the sign-in"
    REFUSED = "is told that the role does not reach so far"
    NOTHING = "learns nothing: there is no such thing"


IN, SIGN_IN, REFUSED, NOTHING = Gets


@dataclass(frozen=True)
class Who:
    """Who gets what of one route.

    `viewer`, `moderator` and `owner` have that role on the site `demo`, where the one comment is. `stranger`
    moderates another site, `chief` owns every site. `fields` are what the page's form would send, with the
    ids of what is there filled in: {comment}, {thread}, {elsewhere} (an article), {decided} (a decision).
    """

    viewer: Gets
    stranger: Gets
    moderator: Gets
    owner: Gets
    chief: Gets = IN
    nobody: Gets = SIGN_IN
    fields: Mapping[str, str] = field(default_factory=dict)


def with_fields(who: Who, **fields: str) -> Who:
    """The same, for a form with these fields."""
    return Who(who.viewer, who.stranger, who.moderator, who.owner, who.chief, who.nobody, fields)


OPEN = Who(IN, IN, IN, IN, nobody=IN)  # what somebody needs who is not in yet
OWN = Who(IN, IN, IN, IN)  # lists that show each what is theirs, and the own account
LOOK = Who(IN, NOTHING, IN, IN)  # one thing of a site, to be looked at
DECIDE = Who(REFUSED, NOTHING, IN, IN)  # comments of a site
RULE = Who(REFUSED, NOTHING, REFUSED, IN)  # settings and people of a site
EVERYTHING = Who(REFUSED, REFUSED, REFUSED, REFUSED)  # what concerns every site
LINK = Who(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)  # a link that nobody gave out

WHO: dict[tuple[str, str], Who] = {
    ("GET", "/"): OWN,
    ("GET", "/login"): OPEN,
    ("POST", "/login"): with_fields(OPEN, name="chief", password=""),
    ("GET", "/login/code"): OPEN,
    ("POST", "/login/code"): with_fields(OPEN, code="000000"),
    ("POST", "/logout"): OPEN,
    ("GET", "/invite/<token>"): LINK,
    ("POST", "/invite/<token>"): LINK,
    ("GET", "/account"): OWN,
    ("POST", "/account"): OWN,
    ("GET", "/account/letters"): OWN,
    ("POST", "/account/letters/address"): OWN,
    ("POST", "/account/letters/wishes"): OWN,
    ("GET", "/account/second-factor"): OWN,
    ("POST", "/account/second-factor"): OWN,
    ("POST", "/account/sign-ins"): OWN,
    ("POST", "/account/sign-ins/all"): OWN,
    ("GET", "/queue"): OWN,
    ("GET", "/queue/rows"): OWN,
    ("POST", "/queue/decisions"): with_fields(DECIDE, decide="spam {comment}:1", status="pending"),
    ("POST", "/queue/undo"): with_fields(Who(REFUSED, IN, IN, IN), journal="{decided}"),
    ("POST", "/queue/empty"): with_fields(
        Who(REFUSED, IN, IN, IN), status="spam", read_at="2026-11-23T11:00:00Z"
    ),
    ("POST", "/queue/claims"): with_fields(OWN, id="{comment}:1"),
    ("POST", "/queue/move"): with_fields(DECIDE, tick="{comment}:1", thread="{elsewhere}"),
    ("POST", "/queue/authors"): with_fields(DECIDE, tick="{comment}:1", kind="ban", mark="email"),
    ("POST", "/queue/articles"): with_fields(DECIDE, tick="{comment}:1", switch="close"),
    ("GET", "/queue/comments/<number>"): LOOK,
    ("POST", "/queue/comments/<number>/edit"): with_fields(
        DECIDE, version="1", name="Ana", text="Other words."
    ),
    ("POST", "/queue/comments/<number>/reply"): with_fields(DECIDE, version="1", text="An answer."),
    ("POST", "/queue/comments/<number>/move"): with_fields(DECIDE, version="1", thread="{elsewhere}"),
    ("POST", "/queue/comments/<number>/author"): with_fields(DECIDE, kind="ban", mark="email"),
    ("POST", "/queue/<number>/reveal"): DECIDE,
    ("POST", "/queue/articles/<number>"): with_fields(DECIDE, switch="close"),
    ("GET", "/audit"): OWN,
    ("GET", "/dashboard"): OWN,
    ("GET", "/audit/export.csv"): OWN,
    ("POST", "/audit/undo"): with_fields(Who(REFUSED, IN, IN, IN), journal="{decided}"),
    ("GET", "/settings"): OWN,
    ("POST", "/settings"): with_fields(EVERYTHING, key="new", origins="https://new.example.org"),
    ("GET", "/settings/<key>"): LOOK,
    ("POST", "/settings/<key>"): with_fields(RULE, name="Another", origins="https://a.example.org"),
    ("GET", "/settings/<key>/rules"): LOOK,
    ("POST", "/settings/<key>/rules"): with_fields(RULE, do="save"),
    ("GET", "/settings/<key>/spam"): LOOK,
    ("POST", "/settings/<key>/spam"): with_fields(RULE, do="save", hold="50", refuse="95"),
    ("GET", "/settings/<key>/blocklists"): DECIDE,
    ("POST", "/settings/<key>/blocklists"): with_fields(RULE, do="add", kind="word", entry="casino"),
    ("POST", "/settings/<key>/blocklists/import"): with_fields(RULE, lines="casino"),
    ("GET", "/settings/<key>/blocklists/export.csv"): DECIDE,
    ("GET", "/settings/<key>/embed"): LOOK,
    ("POST", "/settings/<key>/embed"): with_fields(LOOK, url="http://127.0.0.1/"),
    ("GET", "/settings/<key>/display"): LOOK,
    ("POST", "/settings/<key>/display"): with_fields(RULE, sort="newest"),
    ("GET", "/settings/<key>/fields"): LOOK,
    ("POST", "/settings/<key>/fields"): with_fields(RULE, required="name"),
    ("GET", "/settings/<key>/words"): LOOK,
    ("POST", "/settings/<key>/words"): with_fields(RULE, do="preview", key="form.submit"),
    ("GET", "/settings/<key>/neighbours"): RULE,
    ("POST", "/settings/<key>/neighbours"): with_fields(RULE, do="test_akismet"),
    ("GET", "/settings/<key>/people"): RULE,
    ("POST", "/settings/<key>/people"): with_fields(RULE, do="invite", role="viewer", days="7"),
    ("GET", "/settings/people"): EVERYTHING,
    ("POST", "/settings/people"): with_fields(EVERYTHING, do="invite", role="viewer", days="7", site="*"),
}


def routes(app: Flask) -> set[tuple[str, str]]:
    """Every moderators' route: its method, and its rule without the converters."""
    found = set()
    for rule in app.url_map.iter_rules():
        plain = re.sub(r"<(?:[^<>]*:)?(\w+)>", r"<\1>", rule.rule)
        if is_moderators(plain):
            found |= {(method, plain) for method in (rule.methods or set()) - ANSWERS}
    return found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_moderators_route_says_who_gets_what(app: Flask) -> None:
    missing, gone = sorted(routes(app) - WHO.keys()), sorted(WHO.keys() - routes(app))
    assert not missing, (
        f"Nothing says who gets what of {missing}. Give each a line in WHO, in tests/test_roles_walk.py: one "
        "of OWN, LOOK, DECIDE, RULE, EVERYTHING (their comments say which), with_fields(…) for what its form "
        "sends, or a Who(…) of its own. Then the walk holds the route to it, as everybody."
    )
    assert not gone, f"These routes are no more; take their lines out of WHO: {gone}"


@pytest.fixture
def there(app: Flask, site: SiteView) -> dict[str, str]:
    """What is there on the site `demo`: a comment that waits, and a decided one below another article."""
    comment = a_comment(app, site, status="pending")
    decided = a_comment(app, site, status="spam", url=f"{ORIGIN}/elsewhere")
    with app.app_context(), reading() as session:
        rows = select(JournalRow.id).where(JournalRow.comment_id == decided.id, JournalRow.from_status != "")
        row_id = session.scalars(rows).one()
    found = {"comment": comment.id, "thread": comment.thread_id, "elsewhere": decided.thread_id}
    return {name: str(number) for name, number in (found | {"decided": row_id}).items()}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("route", sorted(WHO), ids=" ".join)
def test_everybody_gets_what_the_role_gives_and_nothing_else(
    app: Flask, site: SiteView, there: dict[str, str], route: tuple[str, str]
) -> None:
    who, browsers, values = WHO[route], come_in(app, site), there | {"site": site.key}
    address = re.sub(r"<(\w+)>", lambda place: place_of(place[1], route[1], values), route[1])
    fields = {name: value.format(**values) for name, value in who.fields.items()}
    told = {}
    for person in PEOPLE:
        before = everything(app)
        response = ask(browsers[person], route[0], address, fields)
        told[person] = what(response)
        if told[person] is not IN:
            assert everything(app) == before, f"{person} was not let in and changed something all the same"
    assert told == {person: getattr(who, person) for person in PEOPLE}


def come_in(app: Flask, site: SiteView) -> dict[str, FlaskClient]:
    """A browser for each kind of person."""
    other = a_site(app, key="other")
    browsers = {"nobody": app.test_client(), "chief": sign_in(app, name="chief")}
    browsers["stranger"] = sign_in(app, name="stranger", role=Role.MODERATOR, sites=[other])
    for role in Role:
        browsers[str(role)] = sign_in(app, name=str(role), role=role, sites=[site])
    return browsers


def place_of(name: str, rule: str, values: Mapping[str, str]) -> str:
    """What stands in an address for one of its names."""
    if name == "number":
        return values["thread"] if "/articles/" in rule else values["comment"]
    return {"key": values["site"]}.get(name, "x")


def ask(client: FlaskClient, method: str, address: str, fields: Mapping[str, str]) -> TestResponse:
    """Ask as a browser does, with a token that is good for this sign-in."""
    headers = {"Origin": OWN_ORIGIN, "Accept": "text/html"}
    if method == "GET":
        return client.get(address, headers=headers, environ_overrides=a_network())
    shown = client.get("/account", follow_redirects=True)
    data = {"csrf_token": csrf_token(shown), **fields}
    return client.open(address, method=method, data=data, headers=headers, environ_overrides=a_network())


def what(response: TestResponse) -> Gets:
    """What an answer comes to. A form that is let in may still be wrong (400, 409, 422)."""
    if response.status_code == 404:
        return NOTHING
    if response.headers.get("Location", "").startswith("/login?next="):
        return SIGN_IN
    if response.status_code == 403 and "do not belong together" not in response.text:
        assert "Your role does not include this" in response.text, response.text
        return REFUSED
    assert response.status_code in (200, 303, 400, 403, 409, 422), response.text
    return IN

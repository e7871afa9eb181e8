"""Hostile values in every field of every moderators' page and form: nothing fails, nothing refused is stored.

A field that a view reads needs its place in `PAGES` or `FORMS`: a test names those without.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from comments_service.rules.change import RANGES, WORDS
from comments_service.vocabulary import Role, SiteView
from comments_service.web import audit, place
from comments_service.web.rules_form import SWITCHES
from tests.doors import FORM, JSON, OWN_ORIGIN, a_network, csrf_token, everything, is_refused, sign_in
from tests.factories import ORIGIN, a_comment, a_site
from tests.test_roles_walk import routes

NUL, LONG, BIG = "x\0y", "x\ud800y" * 3_000, "2147483648"
THINGS = ("article", "author", "network", "cluster", "thread", "comment", "use", "version", "lift")
TICKS = ("id", "tick", "decide")
OTHER = "https://other.example.org"
PLACE, AUDIT = place.FIELDS, (*audit.FILTERS, "cursor")
BACK = ("status", "site", "back")  # the rest of the place is looked at where it is shown
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Door:
    """One form: what its page would send, what else it may send, and where its token is from.

    {comment}, {thread}, {elsewhere}, {foreign} are ids of what is there; the last is another site's comment.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()
    person: str = "owner"


PAGES: dict[str, tuple[str, ...]] = {
    "/": (),
    "/login": ("next", "left", "ended"),
    "/login/code": ("next",),
    "/invite/<token>": (),
    "/account": (),
    "/account/letters": (),
    "/account/second-factor": (),
    "/queue": (*PLACE, "tick"),
    "/queue/rows": ("id", "count", "status"),
    "/queue/comments/<number>": ("part",),
    "/audit": AUDIT,
    "/audit/export.csv": ("cursor",),
    "/dashboard": ("site",),
    "/settings": (),
    "/settings/people": (),
    "/settings/<key>": (),
    "/settings/<key>/rules": ("article", "use", "version"),
    "/settings/<key>/spam": ("hold", "refuse"),
    "/settings/<key>/blocklists": ("q", "of", "after"),
    "/settings/<key>/blocklists/export.csv": (),
    "/settings/<key>/embed": (),
    "/settings/<key>/fields": (),
    "/settings/<key>/display": (),
    "/settings/<key>/words": ("q", "own", "edit"),
    "/settings/<key>/neighbours": (),
    "/settings/<key>/people": (),
}
TICK = {"tick": "{comment}:1"}
JUDGE = {"kind": "ban", "mark": "email", "ends": "2027-01-01", "note": "x"}
SITE = {"name": "Demo", "origins": ORIGIN, "language": "en", "state": "open"}
PERSON = {"do": "invite", "role": "viewer", "days": "7", "person": "1", "invitation": "1"}
RULES = dict.fromkeys((*RANGES, *WORDS), "1") | dict.fromkeys(SWITCHES, "on")
NEIGHBOURS = dict.fromkeys(("akismet", "akismet_email", "service", "service_email"), "1") | {
    "akismet_key": "0a1b2c3d4e5f",
    "service_name": "x",
    "service_url": "https://x.example",
    "service_secret": "whsec_" + "b" * 40,
}
DISPLAY = {"sort": "newest", "votes": "up", "edit_minutes": "15", "hold_reported": "0", "proof": "off"}
FORMS: dict[str, Door] = {
    "/login": Door({"name": "owner", "password": "wrong"}, ("next",), "nobody"),
    "/login/code": Door({"code": "000000"}, ("next",), "nobody"),
    "/logout": Door(person="nobody"),
    "/invite/<token>": Door({"name": "x", "new": "x", "again": "x"}, person="nobody"),
    "/account": Door({"current": "wrong", "new": "x", "again": "x"}),
    "/account/letters/address": Door({"do": "give", "email": "x", "password": "wrong"}),
    "/account/letters/wishes": Door({"site-1": "each", "site-{foreign}": "each"}),
    "/account/second-factor": Door({"do": "confirm", "code": "000000", "password": "wrong"}),
    "/account/sign-ins": Door({"sign_in": "x"}),
    "/account/sign-ins/all": Door(person="nobody"),
    "/queue/decisions": Door({"decide": "flag {comment}:1"} | TICK, ("sure", "reason", "note", *BACK)),
    "/queue/undo": Door({"batch": "x" * 22, "journal": "9"}, BACK),
    "/queue/empty": Door({"status": "spam", "read_at": "2026-11-23T11:00:00Z"}, BACK),
    "/queue/claims": Door({"id": "{comment}:1"}),
    "/queue/move": Door(TICK | {"address": "", "thread": "{elsewhere}"}, BACK),
    "/queue/authors": Door(TICK | JUDGE, BACK),
    "/queue/articles": Door(TICK | {"switch": "close"}, BACK),
    "/queue/comments/<number>/edit": Door({"version": "1", "name": "x", "website": "", "text": "x"}, BACK),
    "/queue/comments/<number>/reply": Door({"version": "1", "text": "x"}, BACK),
    "/queue/comments/<number>/move": Door({"version": "1", "address": "", "thread": "{elsewhere}"}, BACK),
    "/queue/comments/<number>/author": Door(JUDGE, ("lift", *BACK)),
    "/queue/<number>/reveal": Door({"part": "row"}, ("status", "sort", "article")),
    "/queue/articles/<number>": Door({"switch": "close"}, BACK),
    "/audit/undo": Door({"batch": "x" * 22, "journal": "9"}),
    "/settings": Door({"key": "new"} | SITE, person="chief"),
    "/settings/people": Door(PERSON | {"site": "demo"}, person="chief"),
    "/settings/<key>": Door(SITE | {"version": "1"}),
    "/settings/<key>/rules": Door({"do": "try", "version": "1", "earlier": "1", "own": "max_depth"} | RULES),
    "/settings/<key>/spam": Door({"hold": "50", "refuse": "95", "version": "1", "do": "save"}),
    "/settings/<key>/blocklists": Door(
        {"do": "add", "kind": "word", "entry": "x", "action": "hold", "expires": "2027-01-01", "note": "x"},
        ("remove", "q", "of"),
    ),
    "/settings/<key>/blocklists/import": Door({"lines": "casino"}, ("q", "of")),
    "/settings/<key>/embed": Door({"url": "http://127.0.0.1/"}),
    "/settings/<key>/fields": Door({"required": "name", "letters": "on", "version": "1"}),
    "/settings/<key>/display": Door(DISPLAY | {"version": "1"}),
    "/settings/<key>/words": Door({"do": "save", "key": "form.submit", "form-text": "x", "version": "1"}),
    "/settings/<key>/neighbours": Door(NEIGHBOURS | {"do": "save", "version": "1"}),
    "/settings/<key>/people": Door(PERSON),
}
READ = re.compile(r"request\.(?:args|form|values)(?:\.(?:get|getlist)\(|\[)\"([a-z_]+)\"")
PUBLIC = {
    "api",
    "asked",
    "assets",
    "comment_page",
    "embed",
    "own_comments",
    "public",
    "reports",
    "words",  # the language of a reader's error page
    "confirm",
    "letter_links",
    "intake",
}


@dataclass(frozen=True)
class There:
    """Two sites, of which the first is asked about, and who asks."""

    app: Flask
    ids: dict[str, str]
    browsers: dict[str, FlaskClient]
    tokens: dict[str, str] = field(default_factory=dict)

    def put(self, text: str) -> str:
        """The ids in the place of their names."""
        return re.sub(r"{(\w+)}", lambda name: self.ids[name[1]], text)

    def address(self, rule: str) -> str:
        """A place for each of the names in a rule."""
        number = self.ids["elsewhere" if "/articles/" in rule else "comment"]
        names = {"<number>": number, "<key>": "demo", "<token>": "x"}
        return re.sub("<[a-z]+>", lambda name: names[name[0]], rule)


@pytest.fixture
def there(app: Flask, site: SiteView) -> There:
    """A comment that waits, an article elsewhere, and something on a site of which nobody here has a role."""
    other = a_site(app, key="other", origins=(OTHER,))
    comment = a_comment(app, site, status="pending")
    elsewhere = a_comment(app, site, url=f"{ORIGIN}/elsewhere")
    foreign = a_comment(app, other, url=f"{OTHER}/x", status="pending")
    browsers = {"owner": sign_in(app, name="owner", role=Role.OWNER, sites=[site])}
    browsers |= {"chief": sign_in(app, name="chief"), "nobody": app.test_client()}
    found = {"comment": comment.id, "elsewhere": elsewhere.thread_id, "foreign": foreign.id}
    return There(app, {name: str(number) for name, number in found.items()}, browsers)


def test_every_field_that_a_view_reads_is_walked() -> None:
    """Fields with names of their own making (`form-…`, `site-…`) are in the table by one name each."""
    walked = {name for names in PAGES.values() for name in names}
    walked |= {name for door in FORMS.values() for name in (*door.fields, *door.more)}
    read = {
        f"{file.stem}: {name}"
        for file in Path(audit.__file__).parent.glob("*.py")
        if file.stem not in PUBLIC
        for name in READ.findall(file.read_text(encoding="utf-8"))
    }
    assert read
    assert sorted(one for one in read if one.partition(": ")[2] not in walked) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_moderators_address_is_walked(app: Flask) -> None:
    walked = {("GET", rule) for rule in PAGES} | {("POST", rule) for rule in FORMS}
    assert walked == routes(app)


def test_no_page_fails_whatever_its_address_asks_for(there: There) -> None:
    before, person = everything(there.app), there.browsers["chief"]
    for rule, names in PAGES.items():
        for query in queries(names, there):
            response = person.get(f"{there.address(rule)}?{encoded(query)}", headers={"Accept": "text/html"})
            assert is_answered(response), (rule, query, response.status_code)
            assert NUL not in dict(query).values() or response.status_code == 400, (rule, query)
    assert everything(there.app) == before


# SQLite takes whatever PostgreSQL takes: what fails only there is seen here
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_no_form_fails_and_what_it_refuses_leaves_nothing(there: There) -> None:
    foreign = of_the_other_site(there)
    for rule, door in FORMS.items():
        refused = []
        for fields in filled(door, there):
            response = send(there, rule, door, fields)
            assert is_answered(response), (rule, fields, response.status_code)
            if response.status_code >= 400:
                refused.append(fields)
        before = stored(there)
        for fields in refused:  # the other way to ask, too
            assert send(there, rule, door, fields, accept=JSON).status_code >= 400, (rule, fields)
        assert stored(there) == before, rule
    assert of_the_other_site(there) == foreign


def test_no_page_fails_for_an_odd_place_in_its_path(there: There) -> None:
    before, chief = everything(there.app), there.browsers["chief"]
    for rule in sorted(rule for rule in {*PAGES, *FORMS} if "<" in rule):
        for odd in ("\0", "x\0", "\ufffd", "x" * 10_240, "..", "demo ", "9" * 400):
            address = re.sub("<[a-z]+>", quote(odd, safe=""), rule)
            for method in ("GET", "POST"):
                response = chief.open(address, method=method, data=b"", headers={"Accept": "text/html"})
                assert response.status_code == 303 or is_refused(response), (method, rule, odd)
    assert everything(there.app) == before


def hostile(name: str, there: There) -> Iterator[str]:
    """What comes in the place of a field's value; of the other site, what such a field would name."""
    yield from (NUL, LONG, BIG)
    foreign = there.ids["foreign"]
    if name in TICKS:
        yield {"decide": "spam "}.get(name, "") + f"{foreign}:1"
    elif name in THINGS:
        yield from (foreign, "-1")
    elif name == "site":
        yield "other"


def queries(names: Iterable[str], there: There) -> Iterator[Pairs]:
    """Nothing; each field with each value; and each field twice."""
    yield ()
    for name in names:
        yield from (((name, value),) for value in hostile(name, there))
        yield ((name, "1"), (name, "x"))


def filled(door: Door, there: There) -> Iterator[Pairs]:
    """The form with each value in each of its fields; then with each field twice; at last as it should be."""
    good = {there.put(name): there.put(value) for name, value in door.fields.items()}
    for name in (*good, *door.more):
        yield from (tuple((good | {name: value}).items()) for value in hostile(name, there))
    for name in good:
        yield (*good.items(), (name, good.get(name, "1")), (name, "2"))
    yield tuple(good.items())


def encoded(pairs: Pairs) -> str:
    """As a browser that takes anything would send it."""
    return urlencode(pairs, errors="surrogatepass")


def send(there: There, rule: str, door: Door, fields: Pairs, *, accept: str = "text/html") -> TestResponse:
    """The form, with a token that is good for this sign-in."""
    person = there.browsers[door.person]
    if door.person == "nobody" or door.person not in there.tokens:
        there.tokens[door.person] = csrf_token(
            person.get("/login" if door.person == "nobody" else "/account")
        )
    token = there.tokens[door.person]
    return person.post(
        there.address(rule),
        data=encoded((("csrf_token", token), *fields)).encode(),
        content_type=FORM,
        headers={"Origin": OWN_ORIGIN, "Accept": accept},
        environ_overrides=a_network(),
    )


def is_answered(response: TestResponse) -> bool:
    """Whether this is an answer or a refusal in words."""
    return response.status_code in (200, 303, 429) or is_refused(response)


def stored(there: There) -> dict[str, list[tuple[object, ...]]]:
    """Everything but the lines that tell of refused tries to come in."""
    rows = everything(there.app)
    return rows | {"journal": [row for row in rows["journal"] if "sign-in-refused" not in row]}


def of_the_other_site(there: There) -> list[tuple[object, ...]]:
    """The other site with its article and its comment."""
    rows = everything(there.app)
    return [row for name in ("site", "thread", "comment") for row in rows[name] if OTHER in repr(row)]

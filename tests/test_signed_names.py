"""Names signed by the owner's own site: filled in, locked, with a badge that nobody else can have."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change
from comments_service.errors import SignedNameRefused
from comments_service.privacy import Keyring
from comments_service.signed_names import MAX_SIGNED_CHARACTERS, read_signed_name
from comments_service.storage.database import db
from comments_service.storage.models import Comment
from comments_service.vocabulary import Badge, Role, SignedName, SiteView, Status
from tests.browser import Console
from tests.conftest import NOW, SECRET_KEY
from tests.doors import a_ticket, change_site, everything, own, send, send_own, sign_in
from tests.doors import page as thread_page
from tests.factories import a_body, a_moderator, a_site
from tests.servers import HostPage, LiveService

SECRET = Keyring.parse(SECRET_KEY).site_secrets("demo", 1)[0]
TOMORROW = NOW + timedelta(days=1)


def signed(
    name: str = "Ana of the site",
    *,
    user_id: str = "42",
    ends_at: datetime = TOMORROW,
    role: str | None = None,
    secret: str = SECRET,
) -> str:
    """What the owner's page says of a reader."""
    told = {"id": user_id, "name": name, "exp": int(ends_at.timestamp())} | ({"role": role} if role else {})
    return made_by_hand(told, secret)


def made_by_hand(told: object, secret: str = SECRET) -> str:
    """A good signature over anything."""
    payload = base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    return f"{payload}.{signature(secret, payload)}"


def signature(secret: str, payload: str) -> str:
    """As another program than ours makes it."""
    mac = HMAC(secret.encode(), SHA256())
    mac.update(payload.encode())
    return mac.finalize().hex()


@pytest.fixture
def site(app: Flask) -> SiteView:
    """A site that takes signed names, asks for name and email, and holds newcomers only."""
    return a_site(app, rules={"hold_all": False}, options={"signed_names": 1})


def comment(app: Flask, answer: dict[str, Any]) -> Comment:
    """What was stored of an answer's comment."""
    with app.app_context():
        row = db.session.get_one(Comment, int(answer["comment"]["id"]))
        db.session.expunge(row)
        return row


def post(client: FlaskClient, user: str | None, **fields: Any) -> Any:
    """Send a comment as a page does whose reader is signed in there."""
    return send(client, a_body(a_ticket(client), **{"email": None, "user": user} | fields))


@pytest.mark.parametrize(
    ("role", "badge"), [(None, "verified"), ("reader", "verified"), ("author", "author"), ("moderator",) * 2]
)
def test_a_signed_name_takes_the_place_of_what_was_typed(
    app: Flask, client: FlaskClient, site: SiteView, role: str | None, badge: str
) -> None:
    answer = post(client, signed(role=role), name="Somebody Else")
    assert answer.status_code == 202
    author = answer.json["comment"]["author"]
    assert (author["name"], author["badge"]) == ("Ana of the site", badge)
    row = comment(app, answer.json)
    assert (row.name, row.badge, row.email_sealed) == ("Ana of the site", badge, None)
    assert b"42" not in (row.signer_hash or b"42")


def test_an_approved_comment_makes_a_signed_author_known_and_nobody_else(
    app: Flask, client: FlaskClient, site: SiteView
) -> None:
    first = comment(app, post(client, signed()).json)
    assert first.status == "pending"
    with app.app_context():
        decide(Change(first.id, first.version, Status.APPROVED), by=None, now=NOW)
    assert post(client, signed("Ana, renamed")).status_code == 201
    other = signed(user_id="43")
    assert post(client, other).status_code == 202
    assert post(client, None, name="Ana of the site", email="ana@example.org").status_code == 202
    shown = thread_page(client).text
    assert shown.count("Verified") == 2


def test_a_signed_name_imitates_nobody(app: Flask, client: FlaskClient) -> None:
    site = a_site(app, rules={"hold_all": False, "hold_newcomers": False}, options={"signed_names": 1})
    a_moderator(app, name="Olga Berg", sites=[site])
    assert post(client, signed("Olga Berg")).status_code == 201
    assert post(client, None, name="Olga Berg", email="olga@example.org").status_code == 202


def forged() -> dict[str, str]:
    """Everything that a page may say of its reader without being believed."""
    good = signed()
    payload, _, mac = good.partition(".")
    told = {"id": "42", "name": "Ana", "exp": int(TOMORROW.timestamp())}
    return {
        "another secret": signed(secret="x" * 43),
        "another site's": signed(secret=Keyring.parse(SECRET_KEY).site_secrets("other", 1)[0]),
        "an earlier secret": signed(secret=Keyring.parse(SECRET_KEY).site_secrets("demo", 0)[0]),
        "ended": signed(ends_at=NOW),
        "cut": good[:-1],
        "longer": good + "0",
        "in capitals": payload + "." + mac.upper(),
        "no signature": payload,
        "nothing signed": "." + mac,
        "other words": made_by_hand(told)[:-64] + mac,
        "a blank in front": " " + good,
        "two lines": good + "\n",
        "NUL": good + "\0",
        "surrogate": good + "\ud800",
        "too long": signed("x" * MAX_SIGNED_CHARACTERS),
        "no object": made_by_hand([told]),
        "no JSON": f"bm8.{signature(SECRET, 'bm8')}",
        "too deep": deep(),
        "no name": made_by_hand(told | {"name": ""}),
        "blank name": made_by_hand(told | {"name": " \t"}),
        "long name": made_by_hand(told | {"name": "x" * 246}),
        "turned name": made_by_hand(told | {"name": "Ana\u202e"}),
        "name of two lines": made_by_hand(told | {"name": "Ana\nBo"}),
        "number as name": made_by_hand(told | {"name": 7}),
        "no id": made_by_hand({name: value for name, value in told.items() if name != "id"}),
        "true as id": made_by_hand(told | {"id": True}),
        "empty id": made_by_hand(told | {"id": ""}),
        "long id": made_by_hand(told | {"id": "x" * 201}),
        "no end": made_by_hand({name: value for name, value in told.items() if name != "exp"}),
        "end in words": made_by_hand(told | {"exp": "tomorrow"}),
        "true as end": made_by_hand(told | {"exp": True}),
        "another role": made_by_hand(told | {"role": "owner"}),
        "a list as role": made_by_hand(told | {"role": ["author"]}),
    }


def deep() -> str:
    """JSON that no parser should follow down, well signed."""
    payload = base64.urlsafe_b64encode(b"[" * 1_000).decode().rstrip("=")
    return f"{payload}.{signature(SECRET, payload)}"


@pytest.mark.parametrize("case", forged())
def test_a_forged_name_is_refused(case: str) -> None:
    with pytest.raises(SignedNameRefused):
        read_signed_name([SECRET], forged()[case], now=NOW)


def test_what_other_programs_sign_is_read(keys: Keyring) -> None:
    told = {"name": "Žofie Ďáblová", "id": 7, "exp": int(TOMORROW.timestamp()), "more": {"is": "ignored"}}
    expected = SignedName("7", "Žofie Ďáblová", Badge.VERIFIED)
    assert read_signed_name([SECRET], made_by_hand(told), now=NOW) == expected
    padded = base64.urlsafe_b64encode(json.dumps(told).encode()).decode()
    bare = padded.rstrip("=")
    assert read_signed_name([SECRET], f"{padded}.{signature(SECRET, bare)}", now=NOW) == expected


@pytest.mark.parametrize("case", ["another secret", "ended", "cut", "turned name", "NUL"])
def test_a_refused_name_stores_nothing_and_says_so(
    app: Flask, client: FlaskClient, site: SiteView, case: str
) -> None:
    before = everything(app)
    answer = post(client, forged()[case], name="Ana", email="ana@example.org")
    assert (answer.status_code, answer.json["type"]) == (403, "urn:comments:problem:name-refused")
    assert everything(app) == before


def test_a_site_that_takes_no_signed_names_believes_none(app: Flask, client: FlaskClient) -> None:
    a_site(app)
    assert post(client, signed()).status_code == 403
    assert post(client, "", name="Ana", email="ana@example.org").status_code == 202


def test_a_secret_is_shown_to_owners_alone_and_can_be_renewed(app: Flask) -> None:
    site = a_site(app)
    client, form = app.test_client(), {"required": "name"}
    owner, address = sign_in(app), "/settings/demo/fields"
    secrets = Keyring.parse(SECRET_KEY).site_secrets
    assert send_own(owner, address, version="1", signed="1", **form).status_code == 303
    shown = owner.get(address).text
    assert secrets("demo", 1)[0] in shown
    assert post(client, signed()).status_code == 202
    send_own(owner, address, version="2", signed="1", renew="1", **form)
    assert secrets("demo", 2)[0] in owner.get(address).text
    assert post(client, signed()).status_code == 403
    assert post(client, signed(secret=secrets("demo", 2)[0])).status_code == 202
    send_own(owner, address, version="3", **form)
    send_own(owner, address, version="4", signed="1", **form)
    assert secrets("demo", 3)[0] in owner.get(address).text  # a secret that was given away does not come back
    viewer = sign_in(app, name="vi", role=Role.MODERATOR, sites=[site])
    assert secrets("demo", 3)[0] not in viewer.get(address).text


def test_an_author_sees_the_own_badge_and_the_status_page_too(
    app: Flask, client: FlaskClient, site: SiteView
) -> None:
    answer = post(client, signed()).json
    seen = own(client, answer["comment"]["id"], answer["receipt"]).get_json()
    assert seen["comment"]["author"]["badge"] == "verified"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_form_is_filled_in_and_locked_in_the_browser(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage
) -> None:
    change_site(live_service.app, live_service.site, options={"signed_names": 1})
    user = signed("Žofie of the site", ends_at=datetime.now(UTC) + timedelta(days=1), role="author")
    host_page.embed(live_service.url, attributes=f'data-user="{user}"')
    page.goto(host_page.url())
    name = page.get_by_role("textbox", name="Name")
    expect(name).to_have_value("Žofie of the site")
    expect(name).not_to_be_editable()
    expect(page.get_by_role("textbox", name="Email")).to_have_count(0)
    page.get_by_role("textbox", name="Comment").fill("Signed and sent.")
    page.get_by_role("button", name="Post Comment").click()
    mine = page.get_by_role("article")
    expect(mine).to_contain_text("Signed and sent.")
    expect(mine).to_contain_text("Author")
    expect(name).not_to_be_editable()
    host_page.embed(live_service.url, attributes=f'data-user="{user[:-1]}"')
    page.goto(host_page.url())
    page.get_by_role("textbox", name="Comment").fill("With a broken signature.")
    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_role("alert")).to_contain_text("Your sign-in on this site has ended.")
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("With a broken signature.")
    assert [line for line in console.unexpected if "403" not in line] == []

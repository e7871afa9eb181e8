"""Walls between sites: what one site gave out opens nothing on another, by any route, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from comments_service import tokens
from comments_service.notify.addresses import address_names
from comments_service.tokens import ConfirmLink
from comments_service.vocabulary import Role, SiteView
from comments_service.web.sessions import is_moderators
from tests.conftest import NOW
from tests.doors import (
    OWN_ORIGIN,
    a_ticket,
    ask,
    everything,
    form_fields,
    is_problem,
    own,
    page,
    page_ticket,
    send,
    send_form,
    sign_in,
    wrong_fields,
)
from tests.factories import (
    ARTICLE,
    KNOWN,
    ORIGIN,
    StoredComment,
    a_body,
    a_comment,
    a_moderator,
    a_site,
    an_address,
    wiring_of,
)

SECRET = "Only of alpha."
ALPHA_ONLY = "https://alpha.example.org"
BETA_ONLY = "https://beta.example.org"
MARK = "m" * 22  # of an address that `an_address` gives
EMAIL = "ana@example.org"


@dataclass(frozen=True)
class Two:
    """Two sites that share a page and its id, and everything that the first one has given out."""

    app: Flask
    client: FlaskClient
    alpha: SiteView
    beta: SiteView
    approved: StoredComment
    sent: dict[str, Any]  # the answer to a comment that waits on alpha
    body: dict[str, Any]  # what was sent for it
    links: dict[str, str]  # in letters about alpha, of somebody who has a role on beta alone by now
    betas: dict[str, Any]  # the answer to a comment that waits on beta

    @property
    def token(self) -> str:
        """Alpha's status token."""
        return str(self.sent["status_url"].rpartition("/")[2])


@pytest.fixture
def two(app: Flask, client: FlaskClient) -> Two:
    """Two sites with comments on the same article."""
    alpha = a_site(app, key="alpha", origins=(ORIGIN, ALPHA_ONLY), rules=KNOWN, options={"votes": "up"})
    beta = a_site(app, key="beta", origins=(ORIGIN, BETA_ONLY), rules=KNOWN, options={"votes": "up"})
    approved = a_comment(app, alpha, article_id="7", text=SECRET, name="Alpha's own", email=EMAIL)
    a_comment(app, alpha, url=f"{ALPHA_ONLY}/x")
    for number in range(2):
        a_comment(app, beta, article_id="7", text=f"Of beta {number}.")
    body = dict(a_body(a_ticket(client, site="alpha", id="7"), id="7", email=EMAIL, text="Waits on alpha."))
    sent = send(client, body, site="alpha", key="key")
    betas = send(client, a_body(a_ticket(client, site="beta", id="7"), id="7"), site="beta")
    answer = sent.get_json()
    links = letter_links(app, alpha, beta, int(answer["comment"]["id"]))
    return Two(app, client, alpha, beta, approved, answer, body, links, betas.get_json())


def letter_links(app: Flask, alpha: SiteView, beta: SiteView, comment_id: int) -> dict[str, str]:
    """What letters about alpha led to, for somebody who has left alpha and stayed on beta."""
    keys = wiring_of(app).keys
    ben = a_moderator(app, name="ben", role=Role.MODERATOR, sites=[beta])
    (email, *_), mark = address_names(keys, an_address(app, ben, "ben@example.org")), MARK
    confirm = ConfirmLink(ben.id, comment_id, 1, mark)
    return {
        "confirm": tokens.confirm_token(keys, confirm, now=NOW),
        "stop": tokens.stop_token(keys, moderator_id=ben.id, site_id=alpha.id, address=email),
        "stop on beta": tokens.stop_token(keys, moderator_id=ben.id, site_id=beta.id, address=email),
        "address": tokens.address_token(keys, moderator_id=ben.id, mark=mark, now=NOW),
    }


def walk_thread(two: Two) -> None:
    first = ask(two.client, "thread", site="beta", id="7")
    assert SECRET not in first.text
    assert str(two.approved.id) not in [c["id"] for c in first.get_json()["comments"]]
    tag = ask(two.client, "thread", site="alpha", id="7").headers["ETag"]
    assert ask(two.client, "thread", site="beta", id="7", headers={"If-None-Match": tag}).status_code == 200
    assert wrong_fields(ask(two.client, "thread", site="beta", url=f"{ALPHA_ONLY}/x")) == {"url": "refused"}
    stranger = ask(two.client, "thread", site="beta", id="7", headers={"Origin": ALPHA_ONLY})
    assert is_problem(stranger, 403, "origin-refused")


def walk_ticket(two: Two) -> None:
    stranger = ask(two.client, "ticket", site="beta", id="7", headers={"Origin": ALPHA_ONLY})
    assert is_problem(stranger, 403, "origin-refused")
    assert wrong_fields(ask(two.client, "ticket", site="beta", url=f"{ALPHA_ONLY}/x")) == {"url": "refused"}


def walk_post(two: Two) -> None:
    client, ours = two.client, a_ticket(two.client, site="beta", id="7")
    for ticket in (two.body["ticket"], two.sent["receipt"], two.token):
        response = send(client, a_body(ticket, id="7"), site="beta")
        assert is_problem(response, 403, "ticket-refused")
    repeated = send(client, two.body, site="beta", key="key")
    assert is_problem(repeated, 403, "ticket-refused")
    for number in (two.approved.id, two.sent["comment"]["id"]):
        response = send(client, a_body(ours, id="7", parent=str(number)), site="beta")
        assert wrong_fields(response) == {"parent": "refused"}
    stranger = send(client, a_body(ours, id="7"), site="beta", origin=ALPHA_ONLY)
    assert is_problem(stranger, 403, "origin-refused")


def walk_own(two: Two) -> None:
    client, number = two.client, two.betas["comment"]["id"]
    for token in (two.sent["receipt"], two.token, two.body["ticket"], two.betas["receipt"][:-1]):
        assert is_problem(own(client, number, token), 403, "receipt-refused")
    assert is_problem(own(client, two.sent["comment"]["id"], two.betas["receipt"]), 403, "receipt-refused")
    from_beta = own(client, two.sent["comment"]["id"], two.sent["receipt"], Origin=BETA_ONLY)
    assert is_problem(from_beta, 403, "origin-refused")


def walk_own_edit(two: Two) -> None:
    change_foreign(two, "PATCH")


def walk_vote(two: Two) -> None:
    address = f"/api/v1/comments/{two.approved.id}/vote"
    stranger = two.client.put(address, json={"vote": "up"}, headers={"Origin": BETA_ONLY})
    assert is_problem(stranger, 403, "origin-refused")


def walk_report(two: Two) -> None:
    address = f"/api/v1/comments/{two.approved.id}/reports"
    stranger = two.client.post(address, json={"reason": "spam"}, headers={"Origin": BETA_ONLY})
    assert is_problem(stranger, 403, "origin-refused")


def walk_report_page(two: Two) -> None:
    shown = two.client.get(f"/comments/{two.approved.id}/report?site=beta")
    assert two.beta.name not in shown.text
    assert "Of beta" not in shown.text


def walk_report_form(two: Two) -> None:
    for origin in (BETA_ONLY, ALPHA_ONLY):
        address = f"/comments/{two.approved.id}/report"
        sent = two.client.post(address, data={"reason": "spam"}, headers={"Origin": origin})
        assert is_problem(sent, 403, "origin-refused")


def walk_vote_form(two: Two) -> None:
    sent = two.client.post(
        "/sites/beta/thread/votes",
        query_string={"url": f"{ORIGIN}/x"},
        data={"comment": str(two.approved.id), "vote": "up"},
        headers={"Origin": OWN_ORIGIN},
    )
    assert is_problem(sent, 404, "comment-not-found")


def walk_own_withdrawal(two: Two) -> None:
    change_foreign(two, "DELETE")


def change_foreign(two: Two, method: str) -> None:
    """Try to change the other site's comment, by every token there is, and from its page."""
    alphas, betas = two.sent, two.betas
    for sent, token, origin, slug in (
        (betas, alphas["receipt"], ALPHA_ONLY, "receipt-refused"),
        (betas, two.token, ALPHA_ONLY, "receipt-refused"),
        (betas, two.body["ticket"], ALPHA_ONLY, "receipt-refused"),
        (alphas, betas["receipt"], BETA_ONLY, "receipt-refused"),
        (alphas, alphas["receipt"], BETA_ONLY, "origin-refused"),
    ):
        answer = two.client.open(
            f"/api/v1/comments/{sent['comment']['id']}",
            method=method,
            json={"text": "Mine now."},
            headers={"Authorization": f"Bearer {token}", "Origin": origin},
        )
        assert is_problem(answer, 403, slug)


def walk_preview(two: Two) -> None:
    address, body = "/api/v1/sites/beta/preview", {"text": "x"}
    stranger = two.client.post(address, json=body, headers={"Origin": ALPHA_ONLY})
    assert is_problem(stranger, 403, "origin-refused")


def walk_counts(two: Two) -> None:
    found = ask(two.client, "counts", site="beta", url=[f"{ALPHA_ONLY}/x", ARTICLE]).get_json()["counts"]
    assert [one["count"] for one in found] == [0, 2]
    stranger = ask(two.client, "counts", site="beta", headers={"Origin": ALPHA_ONLY})
    assert is_problem(stranger, 403, "origin-refused")


def walk_page(two: Two) -> None:
    shown = page(two.client, site="beta", id="7", reply=str(two.approved.id))
    assert shown.status_code == 200
    assert SECRET not in shown.text
    assert "Alpha&#39;s own" not in shown.text
    assert page(two.client, site="beta", url=f"{ALPHA_ONLY}/x").status_code == 422
    referred = two.client.get("/sites/beta/thread", headers={"Referer": f"{ALPHA_ONLY}/x"})
    assert referred.status_code == 422


def walk_fragment(two: Two) -> None:
    address, asked = "/sites/beta/fragment", {"url": ARTICLE, "id": "7"}
    shown = two.client.get(address, query_string=asked)
    assert shown.status_code == 200
    assert SECRET not in shown.text
    tag = two.client.get("/sites/alpha/fragment", query_string=asked).headers["ETag"]
    again = two.client.get(address, query_string=asked, headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert wrong_fields(two.client.get(address, query_string={"url": f"{ALPHA_ONLY}/x"})) == {
        "url": "refused"
    }
    stranger = two.client.get(address, query_string=asked, headers={"Origin": ALPHA_ONLY})
    assert is_problem(stranger, 403, "origin-refused")


def walk_page_form(two: Two) -> None:
    client, query = two.client, {"url": ARTICLE, "id": "7"}
    alphas = page_ticket(page(client, site="alpha", id="7"))
    assert send_form(client, form_fields(alphas), site="beta", query=query).status_code == 403
    betas = page_ticket(page(client, site="beta", id="7"))
    fields = form_fields(betas, parent=str(two.approved.id))
    assert send_form(client, fields, site="beta", query=query).status_code == 422
    stranger = send_form(client, form_fields(betas), site="beta", query=query, headers={"Origin": ALPHA_ONLY})
    assert stranger.status_code == 403


def walk_status(two: Two) -> None:
    alphas, betas = two.token.partition("."), two.betas["status_url"].rpartition("/")[2].partition(".")
    for token in (f"{alphas[0]}.{betas[2]}", f"{betas[0]}.{alphas[2]}", two.sent["receipt"]):
        assert two.client.get(f"/status/{token}").status_code == 404
    assert "Waits on alpha." not in two.client.get(urlsplit(two.betas["status_url"]).path).text


def walk_status_form(two: Two) -> None:
    alphas, betas = two.token.partition("."), two.betas["status_url"].rpartition("/")[2].partition(".")
    for token in (f"{alphas[0]}.{betas[2]}", f"{betas[0]}.{alphas[2]}", two.sent["receipt"]):
        for fields in ({"do": "edit", "text": "Mine now."}, {"do": "withdraw", "sure": "1"}):
            answer = two.client.post(f"/status/{token}", data=fields, headers={"Origin": OWN_ORIGIN})
            assert answer.status_code == 404


def outside(two: Two, method: str, path: str) -> None:
    """A reader of alpha, with all that alpha gave out, before one of the moderators' pages."""
    two.client.set_cookie("__Host-comments", two.sent["receipt"])
    headers = {"Authorization": f"Bearer {two.sent['receipt']}", "Origin": OWN_ORIGIN}
    fields = {"csrf_token": two.body["ticket"], "decide": f"approve {two.sent['comment']['id']}:1"}
    data = None if method == "GET" else fields
    response = two.client.open(path, method=method, headers=headers, data=data)
    assert response.status_code == 403 or response.headers["Location"].startswith("/login")
    assert SECRET not in response.text
    assert EMAIL not in response.text


def walk_queue(two: Two) -> None:
    outside(two, "GET", "/queue?status=all&site=alpha")


def walk_rows(two: Two) -> None:
    outside(two, "GET", f"/queue/rows?id={two.sent['comment']['id']}")


def walk_home(two: Two) -> None:
    response = two.client.get("/", headers={"Authorization": f"Bearer {two.sent['receipt']}"})
    assert response.status_code == 303
    assert SECRET not in response.text


def walk_decisions(two: Two) -> None:
    outside(two, "POST", "/queue/decisions")


def walk_undo(two: Two) -> None:
    outside(two, "POST", "/queue/undo")


def walk_claims(two: Two) -> None:
    outside(two, "POST", "/queue/claims")


def walk_reveal(two: Two) -> None:
    outside(two, "POST", f"/queue/{two.sent['comment']['id']}/reveal")


def walk_article(two: Two) -> None:
    outside(two, "POST", f"/queue/articles/{two.approved.thread_id}")


def walk_account(two: Two) -> None:
    outside(two, "GET", "/account")


def walk_password(two: Two) -> None:
    outside(two, "POST", "/account")


def led(two: Two, page: str, token: str, *, method: str = "GET", **fields: str) -> TestResponse:
    """Follow a link of a letter, from our own page."""
    headers = {"Origin": OWN_ORIGIN, "Accept": "text/html"}
    data = None if method == "GET" else fields
    return two.client.open(f"/{page}/{token}", method=method, headers=headers, data=data)


def led_nowhere(two: Two, page: str, *, but: tuple[str, ...] = (), **form: str) -> None:
    """Nothing that alpha gave out, and no link of somebody who left it, opens this page or tells of alpha."""
    given = {name: link for name, link in two.links.items() if name not in but}
    given |= {"receipt": two.sent["receipt"], "status": two.token, "ticket": two.body["ticket"]}
    for name, token in given.items():
        response = led(two, page, token, **form)
        assert response.status_code in (403, 404, 410), (page, name)
        for secret in (SECRET, "Waits on alpha.", EMAIL, two.alpha.name):
            assert secret not in response.text, (page, name, secret)


def walk_letters_page(two: Two) -> None:
    led_nowhere(two, "confirm")


def walk_letters_button(two: Two) -> None:
    for verb in ("approve", "reply", "spam", "trash", "undo"):
        led_nowhere(two, "confirm", method="POST", do=verb)


def walk_stop(two: Two) -> None:
    led_nowhere(two, "letters/stop", but=("stop on beta",))
    assert two.beta.name in led(two, "letters/stop", two.links["stop on beta"]).text


def walk_stop_button(two: Two) -> None:
    fields = {"List-Unsubscribe": "One-Click"}
    led_nowhere(two, "letters/stop", but=("stop on beta",), method="POST", **fields)


def walk_address(two: Two) -> None:
    led_nowhere(two, "letters/address", but=("address",))
    assert two.alpha.name not in led(two, "letters/address", two.links["address"]).text


def walk_address_button(two: Two) -> None:
    led_nowhere(two, "letters/address", but=("address",), method="POST", do="x")


WALKS: dict[tuple[str, str], Callable[[Two], None]] = {
    ("api.thread", "GET"): walk_thread,
    ("api.ticket", "GET"): walk_ticket,
    ("api.post_comment", "POST"): walk_post,
    ("own.show", "GET"): walk_own,
    ("own.edit", "PATCH"): walk_own_edit,
    ("own.withdraw", "DELETE"): walk_own_withdrawal,
    ("votes.vote", "PUT"): walk_vote,
    ("reports.post", "POST"): walk_report,
    ("report_page.show", "GET"): walk_report_page,
    ("report_page.send", "POST"): walk_report_form,
    ("public.vote", "POST"): walk_vote_form,
    ("api.preview", "POST"): walk_preview,
    ("api.counts", "GET"): walk_counts,
    ("public.thread", "GET"): walk_page,
    ("public.post_comment", "POST"): walk_page_form,
    ("fragment.show", "GET"): walk_fragment,
    ("status.show", "GET"): walk_status,
    ("status.act", "POST"): walk_status_form,
    ("confirm.show", "GET"): walk_letters_page,
    ("confirm.act", "POST"): walk_letters_button,
    ("letter_links.stop", "GET"): walk_stop,
    ("letter_links.end_letters", "POST"): walk_stop_button,
    ("letter_links.address", "GET"): walk_address,
    ("letter_links.confirm_address", "POST"): walk_address_button,
    ("queue.home", "GET"): walk_home,
    ("queue.show", "GET"): walk_queue,
    ("queue.rows", "GET"): walk_rows,
    ("queue.reveal", "POST"): walk_reveal,
    ("decisions.decide", "POST"): walk_decisions,
    ("decisions.undo", "POST"): walk_undo,
    ("decisions.claims", "POST"): walk_claims,
    ("decisions.open_or_close", "POST"): walk_article,
    ("account.show", "GET"): walk_account,
    ("account.change", "POST"): walk_password,
}
# What these answer is the same for all sites, or belongs to none
KNOW_NO_SITE = {
    "embed.script",
    "embed.styles",
    "embed.hashed_script",
    "assets.asset",
    "health.healthz",
    "health.readyz",
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_public_route_has_its_walk(app: Flask) -> None:
    """Moderators' routes are walked by somebody of another site in test_roles_walk; some of them here too."""
    are_moderators = {
        (rule.endpoint, method): is_moderators(rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint not in KNOW_NO_SITE
    }
    public = {route for route, is_theirs in are_moderators.items() if not is_theirs}
    assert {walk for walk in WALKS if not are_moderators.get(walk)} == public


@pytest.mark.parametrize("route", WALKS, ids=" ".join)
def test_nothing_of_one_site_opens_another(two: Two, route: tuple[str, str]) -> None:
    before = everything(two.app)
    WALKS[route](two)
    assert everything(two.app) == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_preflight_of_one_site_is_none_of_another(two: Two) -> None:
    for route in ("thread", "ticket", "comments", "counts"):
        response = two.client.options(f"/api/v1/sites/beta/{route}", headers={"Origin": ALPHA_ONLY})
        assert is_problem(response, 403, "origin-refused")


def test_a_known_author_of_one_site_is_a_stranger_on_another(two: Two) -> None:
    known = two.app.test_client()
    ticket = a_ticket(known, site="beta", id="7")
    body = a_body(ticket, id="7", email=EMAIL, previous=two.sent["receipt"])
    assert send(known, body, site="beta").status_code == 202


def test_the_same_email_leaves_different_marks_on_two_sites(two: Two) -> None:
    ticket = a_ticket(two.client, site="beta", id="7")
    send(two.client, a_body(ticket, id="7", email=EMAIL), site="beta")
    rows = everything(two.app)["comment"]
    marks = [{row[8] for row in rows if row[1] == site.id} for site in (two.alpha, two.beta)]
    assert marks[0].isdisjoint(marks[1])


def test_the_queue_of_one_site_shows_nothing_of_another(two: Two) -> None:
    shown = sign_in(two.app).get("/queue?status=all&site=beta")
    assert shown.status_code == 200
    assert "Of beta 1." in shown.text
    assert SECRET not in shown.text
    assert "Waits on alpha." not in shown.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_cursor_of_one_site_shows_nothing_of_it_on_another(
    settings: Any, make_app: Callable[..., Flask]
) -> None:
    app = make_app(settings.model_copy(update={"thread_page_size": 1}))
    alpha, beta, client = a_site(app, key="alpha"), a_site(app, key="beta"), app.test_client()
    for number in range(3):
        a_comment(app, alpha, text=f"Of alpha {number}.")
        a_comment(app, beta, text=f"Of beta {number}.")
    cursor = ask(client, "thread", site="alpha").get_json()["next"]
    answer = ask(client, "thread", site="beta", cursor=cursor)
    assert answer.status_code == 200
    assert "Of alpha" not in answer.text

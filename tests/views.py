"""Every moderators' page, in every state that looks its own way: the table of `test_looks.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyotp
from playwright.sync_api import Page, expect

from comments_service.decisions.decide import decide
from comments_service.decisions.verbs import Change, Verb
from tests.factories import PASSWORD
from tests.room import Room

Steps = Callable[[Page, Room], Any]


@dataclass(frozen=True)
class View:
    """A page as somebody sees it: its route, its template, its address there, and what is done then.

    In `path`, {…} are links and comments of the room. `person` comes in first; "nobody" does not.
    """

    route: str
    template: str
    path: str = ""
    person: str = "olga"
    then: Steps | None = None
    scripts: bool = True

    def open(self, page: Page, room: Room) -> None:
        """Go there, and do what makes this state of it."""
        room.open(page, self.path, scripts=self.scripts)
        if self.then:
            self.then(page, room)
            page.wait_for_load_state()


def press(name: str) -> Steps:
    """Press the first button of this name within the page's own part."""
    return lambda page, _: page.get_by_role("main").get_by_role("button", name=name).first.click()


def unfold(selector: str) -> Steps:
    """Open what is folded."""
    return lambda page, _: page.locator(selector).first.click()


def for_all(part: str) -> Steps:
    """Ask for something more seldom about all that are ticked."""

    def steps(page: Page, _: Room) -> None:
        page.locator(".bulk__more > summary").click()
        page.locator(f'[data-bulk="{part}"]').click()

    return steps


def keys(*pressed: str, until: str) -> Steps:
    """Press keys, until something is there."""

    def steps(page: Page, _: Room) -> None:
        for key in pressed:
            page.keyboard.press(key)
        expect(page.locator(until).first).to_be_visible()

    return steps


def filled(button: str, **fields: str) -> Steps:
    """Fill in what is named, without the browser's own checks, and press the button."""

    def steps(page: Page, _: Room) -> None:
        page.evaluate("for (const form of document.forms) form.noValidate = true")
        for name, value in fields.items():
            page.locator(f'[name="{name}"]:visible').first.fill(value)
        page.get_by_role("button", name=button).first.click()
        page.wait_for_load_state()

    return steps


def sign_in_as_tom(page: Page, room: Room) -> None:
    """Tom's password is not enough."""
    filled("Sign in", name="tom", password=PASSWORD)(page, room)


def mistype_the_code(page: Page, room: Room) -> None:
    """Nor is any code."""
    sign_in_as_tom(page, room)
    filled("Sign in", code="000000")(page, room)


def set_up(page: Page, room: Room) -> str:
    """Begin a second factor, and return the app's code."""
    filled("Continue", password=PASSWORD)(page, room)
    secret = (page.locator(".secret").text_content() or "").replace(" ", "")
    return pyotp.TOTP(secret).at(datetime.now(UTC))


def turn_on(page: Page, room: Room) -> None:
    """Set a second factor up to the end."""
    filled("Turn it on", code=set_up(page, room))(page, room)


def factor_is_on(page: Page, room: Room) -> None:
    """Set it up and come back."""
    turn_on(page, room)
    page.goto(f"{room.url}/account/second-factor")


def somebody_is_faster(page: Page, room: Room) -> None:
    """Decide about a comment that stands on the page, then press its button."""
    spare = room.comments["spare-1"]
    with room.service.app.app_context():
        decide(Change(spare.id, spare.version, Verb.TRASH), by=room.people["moe"], now=datetime.now(UTC))
    press("Approve: comment by Spare 1")(page, room)


def rehearse(page: Page, room: Room) -> None:
    """Try other words."""
    filled("Try it", refuse_words="sentence\nwatches\n*harbour*")(page, room)


def check_up(page: Page, room: Room) -> None:
    """Let the host page be looked at, under a policy that keeps comments out."""
    room.host_page.csp = "default-src 'none'; script-src 'self'"
    filled("Check this page", url=room.host_page.url())(page, room)


def refuse_form(page: Page, room: Room) -> None:
    """Send a form whose token is not this session's."""
    page.evaluate("document.querySelector('.bar [name=csrf_token]').value = 'x'")
    page.get_by_role("button", name="Sign out", exact=True).click()


QUEUE, COMMENT, SETTINGS = "/queue", "/queue/comments/<number>", "/settings/<key>"

VIEWS: dict[str, View] = {
    "sign-in": View("/login", "login.html", "/login", "nobody"),
    "sign-in refused": View(
        "/login",
        "login.html",
        "/login",
        "nobody",
        filled("Sign in", name="Ana", password="no"),
    ),
    "code": View("/login/code", "login_code.html", "/login", "nobody", sign_in_as_tom),
    "code refused": View(
        "/login/code",
        "login_code.html",
        "/login",
        "nobody",
        mistype_the_code,
    ),
    "invitation": View("/invite/<token>", "people/invite.html", "{invitation}", "nobody"),
    "invitation refused": View(
        "/invite/<token>", "people/invite.html", "{invitation}", "nobody", filled("Accept", name="", new="a")
    ),
    "invitation of somebody known": View("/invite/<token>", "people/invite.html", "{invitation}", "vera"),
    "invitation ended": View("/invite/<token>", "error.html", "/invite/x", "nobody"),
    "account": View("/account", "account/account.html", "/account"),
    "account refused": View(
        "/account",
        "account/account.html",
        "/account",
        then=filled("Change password", current="a", new="b", again="c"),
    ),
    "second factor": View("/account/second-factor", "account/second_factor.html", "/account/second-factor"),
    "second factor to scan": View(
        "/account/second-factor", "account/second_factor.html", "/account/second-factor", "moe", set_up
    ),
    "recovery codes": View(
        "/account/second-factor", "account/recovery_codes.html", "/account/second-factor", "rita", turn_on
    ),
    "second factor is on": View(
        "/account/second-factor", "account/second_factor.html", "/account/second-factor", "rob", factor_is_on
    ),
    "letters": View("/account/letters", "letters/letters.html", "/account/letters"),
    "letters of a newcomer": View("/account/letters", "letters/letters.html", "/account/letters", "ed"),
    "letters refused": View(
        "/account/letters",
        "letters/letters.html",
        "/account/letters",
        "vera",
        filled("Send the link", email="nobody"),
    ),
    "queue": View(QUEUE, "queue/queue.html", "/queue"),
    "queue without scripts": View(QUEUE, "queue/queue.html", "/queue?article={spares}", scripts=False),
    "queue of a viewer": View(QUEUE, "queue/queue.html", "/queue", "vera"),
    "queue, all": View(QUEUE, "queue/queue.html", "/queue?status=all"),
    "queue, approved": View(QUEUE, "queue/queue.html", "/queue?status=approved"),
    "queue, spam": View(QUEUE, "queue/queue.html", "/queue?status=spam"),
    "queue, trash": View(QUEUE, "queue/queue.html", "/queue?status=trash"),
    "queue, mine": View(QUEUE, "queue/queue.html", "/queue?status=mine"),
    "queue, to check": View(QUEUE, "queue/queue.html", "/queue?status=check"),
    "queue, reported": View(QUEUE, "queue/queue.html", "/queue?status=reported"),
    "queue, nothing reported": View(QUEUE, "queue/queue.html", "/queue?status=reported", "ed"),
    "queue narrowed": View(
        QUEUE, "queue/queue.html", "/queue?q=casino&site=demo&reason=held-word&sort=risk&author={casino}"
    ),
    "queue, nothing found": View(QUEUE, "queue/queue.html", "/queue?q=nothing-like-it&flagged=1"),
    "queue, nothing waits": View(QUEUE, "queue/queue.html", "/queue", "ed"),
    "queue, no spam": View(QUEUE, "queue/queue.html", "/queue?status=spam", "ed"),
    "queue ticked": View(QUEUE, "queue/queue.html", "/queue?tick=all&q=casino"),
    "queue with a menu": View(
        QUEUE, "queue/queue.html", "/queue?article={spares}", then=unfold(".row .menu > summary")
    ),
    "queue with the menu for all": View(
        QUEUE, "queue/queue.html", "/queue?tick=all&article={spares}", then=unfold(".bulk__more > summary")
    ),
    "queue, all to be moved": View(
        QUEUE, "queue/bulk.html", "/queue?tick=all", then=for_all("move"), scripts=False
    ),
    "queue, all authors to be judged": View(
        QUEUE, "queue/bulk.html", "/queue?tick=all", then=for_all("author"), scripts=False
    ),
    "queue, a long one unfolded": View(
        QUEUE, "queue/queue.html", "/queue?q=sentence", then=unfold(".fold > summary")
    ),
    "queue, quick edit": View(
        QUEUE, "queue/queue.html", "/queue?q=casino", then=keys("j", "q", until=".row__inline")
    ),
    "queue, reply": View(
        QUEUE, "queue/queue.html", "/queue?q=casino", then=keys("j", "r", until=".row__inline")
    ),
    "queue, a move": View(
        QUEUE, "queue/queue.html", "/queue?q=casino", then=keys("j", "m", until=".row__inline")
    ),
    "queue, an author": View(
        QUEUE, "queue/queue.html", "/queue?q=casino", then=keys("j", "b", until=".row__inline")
    ),
    "queue, a whole file": View(
        QUEUE, "queue/queue.html", "/queue?q=casino", then=keys("j", "e", until=".sheet .file")
    ),
    "queue, authors of many": View(
        QUEUE,
        "queue/queue.html",
        "/queue?article={spares}",
        then=keys("Shift+x", "Shift+b", until=".sheet form"),
    ),
    "queue, its keys": View(
        QUEUE, "queue/queue.html", "/queue?q=casino", then=keys("?", until="dialog[open]")
    ),
    "queue asks": View(
        QUEUE, "queue/queue.html", "/queue?status=trash", then=keys("j", "d", until="dialog[open]")
    ),
    "queue tells": View(
        QUEUE,
        "queue/queue.html",
        "/queue?q=nobody-else",
        then=keys("j", "s", until=".notice"),
    ),
    "queue asks without scripts": View(
        QUEUE, "queue/ask.html", "/queue?status=trash", then=press("Delete for ever: comment"), scripts=False
    ),
    "queue, too late": View(
        QUEUE, "queue/too_late.html", "/queue?article={spares}", then=somebody_is_faster, scripts=False
    ),
    "comment that waits": View(COMMENT, "queue/comment/page.html", "/queue/comments/{casino}"),
    "comment refused": View(
        COMMENT, "queue/comment/page.html", "/queue/comments/{answer}", then=filled("Move", address="nowhere")
    ),
    "comment changed": View(COMMENT, "queue/comment/page.html", "/queue/comments/{spare-0}"),
    "comment shown": View(COMMENT, "queue/comment/page.html", "/queue/comments/{parent}"),
    "comment of a viewer": View(COMMENT, "queue/comment/page.html", "/queue/comments/{long}", "vera"),
    "comment, a letter": View(COMMENT, "queue/comment/page.html", "/queue/comments/{letter}"),
    "audit": View("/audit", "audit.html", "/audit"),
    "audit narrowed": View("/audit", "audit.html", "/audit?person=people&comment={parent}"),
    "audit of a bulk": View("/audit", "audit.html", "/audit?batch={batch}"),
    "audit, nothing": View("/audit", "audit.html", "/audit?action=site-missing"),
    "audit of a viewer": View("/audit", "audit.html", "/audit?comment={parent}", "vera"),
    "dashboard": View("/dashboard", "dashboard.html", "/dashboard"),
    "dashboard as a table": View(
        "/dashboard", "dashboard.html", "/dashboard?site=demo", then=unfold(".dashboard__table summary")
    ),
    "dashboard, nothing": View("/dashboard", "dashboard.html", "/dashboard", "ed"),
    "sites": View("/settings", "settings/index.html", "/settings"),
    "sites refused": View(
        "/settings", "settings/index.html", "/settings", then=filled("Add a site", key="-", origins="nowhere")
    ),
    "sites of a viewer": View("/settings", "settings/index.html", "/settings", "vera"),
    "site": View(SETTINGS, "settings/site.html", "/settings/demo"),
    "site refused": View(
        SETTINGS, "settings/site.html", "/settings/demo", then=filled("Save", origins="news\nhttps://x/path")
    ),
    "site with a long name": View(SETTINGS, "settings/site.html", "/settings/second"),
    "site of a viewer": View(SETTINGS, "settings/site.html", "/settings/demo", "vera"),
    "thresholds": View(f"{SETTINGS}/spam", "settings/thresholds.html", "/settings/demo/spam"),
    "rules": View(f"{SETTINGS}/rules", "settings/rules.html", "/settings/demo/rules"),
    "rules tried": View(f"{SETTINGS}/rules", "settings/rules.html", "/settings/demo/rules", then=rehearse),
    "rules refused": View(
        f"{SETTINGS}/rules",
        "settings/rules.html",
        "/settings/demo/rules",
        then=filled("Save rules", max_depth="99", hold_words="*"),
    ),
    "rules of an article": View(
        f"{SETTINGS}/rules", "settings/rules.html", "/settings/demo/rules?article={article}"
    ),
    "rules of a viewer": View(f"{SETTINGS}/rules", "settings/rules.html", "/settings/demo/rules", "vera"),
    "blocklists": View(
        f"{SETTINGS}/blocklists", "settings/blocklists.html", "/settings/demo/blocklists?of=word"
    ),
    "blocklists, nothing": View(
        f"{SETTINGS}/blocklists", "settings/blocklists.html", "/settings/empty/blocklists"
    ),
    "blocklists of a moderator": View(
        f"{SETTINGS}/blocklists", "settings/blocklists.html", "/settings/demo/blocklists", "moe"
    ),
    "blocklists, an entry refused": View(
        f"{SETTINGS}/blocklists",
        "settings/blocklists.html",
        "/settings/demo/blocklists",
        then=filled("Add it", entry="viagr*", expires="2020-01-01"),
    ),
    "blocklists, a file refused": View(
        f"{SETTINGS}/blocklists",
        "settings/blocklists.html",
        "/settings/demo/blocklists",
        then=filled("Import them", lines="kind,entry\nword,viagr*\nnetwork,10.0.0.0/8\nperson,Dan"),
    ),
    "fields": View(f"{SETTINGS}/fields", "settings/fields.html", "/settings/demo/fields"),
    "fields of a viewer": View(f"{SETTINGS}/fields", "settings/fields.html", "/settings/demo/fields", "vera"),
    "display": View(f"{SETTINGS}/display", "settings/display.html", "/settings/demo/display"),
    "words": View(f"{SETTINGS}/words", "settings/words.html", "/settings/demo/words?q=count"),
    "words, one changed": View(
        f"{SETTINGS}/words", "settings/words.html", "/settings/demo/words?q=count.h&edit=count.heading"
    ),
    "words, nothing found": View(f"{SETTINGS}/words", "settings/words.html", "/settings/demo/words?q=xyzzy"),
    "check-up": View(f"{SETTINGS}/embed", "settings/embed.html", "/settings/demo/embed"),
    "check-up done": View(f"{SETTINGS}/embed", "settings/embed.html", "/settings/demo/embed", then=check_up),
    "neighbours": View(f"{SETTINGS}/neighbours", "settings/neighbours.html", "/settings/demo/neighbours"),
    "neighbours refused": View(
        f"{SETTINGS}/neighbours",
        "settings/neighbours.html",
        "/settings/demo/neighbours",
        then=filled("Test the service", service_url="nowhere", service_secret="x"),
    ),
    "neighbours, a new secret": View(
        f"{SETTINGS}/neighbours",
        "settings/neighbours.html",
        "/settings/empty/neighbours",
        then=press("Make a new secret"),
    ),
    "people of a site": View(f"{SETTINGS}/people", "people/site.html", "/settings/demo/people"),
    "people invited": View(
        f"{SETTINGS}/people", "people/site.html", "/settings/empty/people", then=press("Make the link")
    ),
    "people": View("/settings/people", "people/everywhere.html", "/settings/people"),
    "people, one unfolded": View(
        "/settings/people", "people/everywhere.html", "/settings/people", then=unfold(".people__more summary")
    ),
    "letter's link": View("/confirm/<token>", "letters/confirm.html", "{confirm}?do=spam", "nobody"),
    "letter's link, decided": View(
        "/confirm/<token>", "letters/confirm.html", "{confirm-spare}", "nobody", press("Approve")
    ),
    "letter's link ended": View("/confirm/<token>", "error.html", "/confirm/x", "nobody"),
    "address": View("/letters/address/<token>", "letters/address.html", "{address-ann}", "nobody"),
    "address confirmed": View("/letters/address/<token>", "letters/address.html", "{address}", "nobody"),
    "letters to stop": View("/letters/stop/<token>", "letters/stop.html", "{stop}", "nobody"),
    "letters stopped": View(
        "/letters/stop/<token>", "letters/stop.html", "{stop}", "nobody", unfold("main .button")
    ),
    "nothing there": View(f"{SETTINGS}", "error.html", "/settings/nothing"),
    "not for this role": View("/settings/people", "error.html", "/settings/people", "vera"),
    "form refused": View("/account", "error.html", "/account", "vera", refuse_form),
}

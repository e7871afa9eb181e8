"""The moderators' room with something in every corner, for those who look at its pages in a browser.

It is furnished once and looked at by many: a test that changes something uses what nobody else looks at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
from playwright.sync_api import Browser, BrowserContext, Page

from comments_service import tokens
from comments_service.blocklists.change import import_entries
from comments_service.blocklists.entries import Whose
from comments_service.blocklists.lines import read_lines
from comments_service.decisions.decide import decide_all
from comments_service.decisions.edit import edit
from comments_service.decisions.reply import reply
from comments_service.decisions.revisions import Words
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change, Verb
from comments_service.opinions import Complaint
from comments_service.people.invitations import Offer, invite
from comments_service.people.second_factor import begin, confirm, pending
from comments_service.reports import Objection, report
from comments_service.rules.change import Place, change_rules
from comments_service.settings import Settings
from comments_service.sites import SiteChange, change_site, list_sites
from comments_service.storage.database import transaction
from comments_service.storage.outbox import LetterAddress, Outbox, State
from comments_service.storage.rules import Surge
from comments_service.texts import Catalogue
from comments_service.tokens import ConfirmLink
from comments_service.vocabulary import ModeratorView, Role
from tests.conftest import UNHURRIED, live
from tests.factories import PASSWORD, StoredComment, a_comment, a_moderator, a_site, an_address, wiring_of
from tests.mailboxes import mailed
from tests.servers import HostPage, LiveService, listening_socket, serving_host_page

LONG = "Donaudampfschifffahrtsgesellschaft" * 5  # a name without any blank
WAVE = (
    "The best prices for watches of every kind are found at our shop in the harbour, come and see them today"
)
ANSWER = """Two additions:\n
- the first bridge fell in **1994**
- the ferry ran until *last* spring\n
> It was never full.\n
Told well [in this overview](https://history.example.org/harbour), see `bridge.txt` too."""

MARK = "m" * 22  # of an address that `an_address` gives


@dataclass
class Room:
    """A running service with two sites, its people, and a browser that each of them has come in with."""

    service: LiveService
    host_page: HostPage
    people: dict[str, ModeratorView] = field(default_factory=dict)
    comments: dict[str, StoredComment] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The service's address."""
        return self.service.url

    def open(self, page: Page, path: str, *, scripts: bool = True) -> None:
        """Go to one of the pages; {…} are links and comments. Without scripts, ours does not arrive."""
        if not scripts:
            page.route("**/queue.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
        page.goto(self.url + path.format(**self.links))
        page.wait_for_load_state()

    def context(self, browser: Browser, person: str, **options: Any) -> BrowserContext:
        """A new browser of somebody, who is signed in if they have a name here."""
        if person in self.people and person not in self.states:
            self.states[person] = come_in(browser, self.url, person)
        return browser.new_context(storage_state=self.states.get(person), **options)


def come_in(browser: Browser, url: str, name: str) -> Any:
    """Sign in once; what the browser keeps of it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/login?next=/account")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/account")
    state = context.storage_state()
    context.close()
    return state


@contextmanager
def furnished(settings: Settings) -> Iterator[Room]:
    """Serve the room and put everything into it."""
    with serving_host_page() as host_page, listening_socket() as listener:
        url = f"http://localhost:{listener.getsockname()[1]}"
        values = UNHURRIED | {"public_url": url, "outbound_allow": "127.0.0.0/8"}
        for service in live(mailed(settings, "smtp://127.0.0.1:9", **values), listener, host_page):
            room = Room(service, host_page)
            invite_people(room)
            rule(room)
            block(room)
            write_comments(room)
            moderate(room)
            report_one(room)
            send_letters(room)
            ask_for_a_code(room)
            yield room


def invite_people(room: Room) -> None:
    """Owner, moderator, viewer, one who may nothing, and two invitations."""
    app, now = room.service.app, datetime.now(UTC)
    a_site(app, key="second", name=LONG, origins=(f"https://{'a' * 60}.example.org",), now=now)
    empty = a_site(app, key="empty", name="Quiet corner", origins=("https://quiet.example.org",), now=now)
    for name, role, sites in (
        ("olga", Role.OWNER, ()),
        ("moe", Role.MODERATOR, [room.service.site]),
        ("vera", Role.VIEWER, [room.service.site]),
        ("ed", Role.MODERATOR, [empty]),
        ("tom", Role.OWNER, ()),
        ("ann", Role.OWNER, ()),
        ("rita", Role.OWNER, ()),
        ("rob", Role.OWNER, ()),
        (LONG[:100], Role.VIEWER, [room.service.site]),
    ):
        room.people[name] = a_moderator(app, name=name, role=role, sites=sites, now=now)
    with app.app_context():
        for role in (Role.MODERATOR, Role.VIEWER):
            offer = Offer(role, (room.service.site.id,), days=7)
            room.links["invitation"] = "/invite/" + invite(offer, by=room.people["olga"], now=now)


def rule(room: Room) -> None:
    """Rules that hold for different reasons, twice changed; letters to the editors are taken."""
    app, site, olga, now = room.service.app, room.service.site, room.people["olga"], datetime.now(UTC)
    with app.app_context():
        change_rules(Place(site.id), {"hold_words": ["casino", "prizes"]}, version=1, by=olga, now=now)
        change_rules(Place(site.id), {"hold_all": False}, version=2, by=olga, now=now)
        change_site(site.key, SiteChange(takes_letters=True), catalogue=Catalogue.load(), now=now)
        now_site = next(one for one in list_sites() if one.key == site.key)
    room.service = replace(room.service, site=now_site)


def block(room: Room) -> None:
    """Something of each kind on the blocklists, with a long word and a long note."""
    app, site, olga, now = room.service.app, room.service.site, room.people["olga"], datetime.now(UTC)
    lines = (
        "kind,entry,action,expires,note",
        "word,cheap watches,refuse,2090-01-31,seen every week",
        "word,prizes,hold",
    )
    more = (f"word,{LONG[:100]},hold,,{'x' * 180}", "domain,spam.example,hold", "network,192.0.2.0/24,refuse")
    whose = Whose(site.id, wiring_of(app).keys)
    with app.app_context():
        read = read_lines(
            "\n".join((*lines, *more, "address,dan@mail.example.org,hold,,asked twice")), whose, now=now
        )
        import_entries(site.id, read.entries, by=olga, now=now)


def write_comments(room: Room) -> None:
    """Comments of all kinds, on three articles and over some days."""
    now = datetime.now(UTC)
    for day in range(1, 7):
        for number, status in enumerate(("approved", "spam", "trash")[: 1 + day % 3]):
            then = now - timedelta(days=day, minutes=number)
            say(room, f"past-{day}-{number}", now=then, status=status, article=f"/past-{day % 3}")
    parent = say(room, "parent", status="approved", name="Leyla", text="When does it open?")
    say(room, "answer", minutes=4, name="Jonas Weber", text=ANSWER, parent_id=parent.id)
    say(
        room,
        "casino",
        minutes=5,
        name="Lucky",
        text="Win at the casino, https://casino.example.com",
        website="https://casino.example.com",
    )
    say(room, "long", minutes=9, name=LONG, text="A sentence. " * 200, article="/" + LONG[:90], title=LONG)
    say(room, "hostile", minutes=12, name="<b>Dan</b>", text="x" * 400)
    for number in range(3):
        say(room, f"wave-{number}", minutes=20 + number, text=WAVE, name=f"Watches {number}")
    for number in range(4):
        say(room, f"spare-{number}", minutes=60 + number, name=f"Spare {number}", article="/spare")
    say(room, "told", minutes=70, text="Words of nobody-else.")
    say(room, "letter", minutes=30, name="Ines", text="For your eyes only.", is_letter=True)


def say(
    room: Room,
    key: str,
    *,
    minutes: int = 0,
    now: datetime | None = None,
    article: str = "/article",
    **fields: Any,
) -> StoredComment:
    """One comment, that waits unless it is said where it stands."""
    then = (now or datetime.now(UTC)) - timedelta(minutes=minutes)
    values = {"status": "pending", "url": f"{room.host_page.origin}{article}"} | fields
    room.comments[key] = stored = a_comment(room.service.app, room.service.site, now=then, **values)
    room.links[key] = str(stored.id)
    return stored


def moderate(room: Room) -> None:
    """Decisions, marks, an edit, a reply, a bulk, and an article that suddenly gets too much."""
    app, olga, now = room.service.app, room.people["olga"], datetime.now(UTC)
    parent, hostile = room.comments["parent"], room.comments["hostile"]
    gone = [say(room, f"gone-{number}", minutes=90) for number in range(3)]
    with app.app_context():
        bulk = decide_all([Change(one.id, 1, Verb.SPAM) for one in gone], by=olga, now=now, reason="x" * 180)
        room.links["batch"] = str(bulk.batch)
        decide_all([Change(parent.id, parent.version, Verb.PIN)], by=olga, now=now)
        decide_all([Change(parent.id, parent.version + 1, Verb.PICK)], by=olga, now=now)
        flagged = decide_all([Change(hostile.id, hostile.version, Verb.FLAG)], by=olga, now=now)
        undo(batch=flagged.batch, by=olga, now=now)
        decide_all([Change(hostile.id, hostile.version + 2, Verb.FLAG)], by=olga, now=now)
        reply(parent.id, parent.version + 2, "In May.", by=olga, now=now)
        first = room.comments["spare-0"]
        edit(first.id, first.version, Words("Spare", None, "Other words than before."), by=olga, now=now)
        with transaction() as session:
            session.add(Surge(thread_id=parent.thread_id, began_at=now, ends_at=now + timedelta(hours=2)))


def report_one(room: Room) -> None:
    """Readers object to a published comment, some of them in words."""
    number, now = room.comments["parent"].id, datetime.now(UTC)
    parts = wiring_of(room.service.app)
    notes = ("", "He calls my neighbour names, and it is not the first time. " + "x" * 60, "<b>Look</b>")
    with room.service.app.app_context():
        for network, note in enumerate(notes):
            reason = Complaint.ABUSE if network else Complaint.SPAM
            report(
                Objection(number, reason, note, f"192.0.{network}.0/24"),
                settings=parts.settings,
                keys=parts.keys,
                now=now,
            )


def send_letters(room: Room) -> None:
    """An address, letters that left, wait and died; and where such letters lead."""
    app, olga, now = room.service.app, room.people["olga"], datetime.now(UTC)
    an_address(app, olga)
    an_address(app, room.people["ann"], "ann@example.org")
    answer, keys, site = room.comments["answer"], wiring_of(app).keys, room.service.site
    with app.app_context(), transaction() as session:
        session.get_one(LetterAddress, room.people["ann"].id).confirmed_at = None
        whose = session.get_one(LetterAddress, olga.id).email_hash
        for state, error in (
            (State.SENT, ""),
            (State.WAITING, "Greylisted"),
            (State.DEAD, "The mail server said 550 " + "x" * 80),
        ):
            for person in (olga, room.people["moe"]):
                session.add(
                    Outbox(
                        kind="waiting",
                        moderator_id=person.id,
                        site_id=site.id,
                        comment_id=answer.id,
                        state=state,
                        due_at=now,
                        tries=3,
                        error=error,
                        created_at=now,
                        settled_at=None if state == State.WAITING else now,
                    )
                )
    for name, one in (("confirm", answer), ("confirm-spare", room.comments["spare-3"])):
        link = ConfirmLink(olga.id, one.id, one.version, MARK)
        room.links[name] = f"/confirm/{tokens.confirm_token(keys, link, now=now)}"
    for name, person in (("address", olga), ("address-ann", room.people["ann"])):
        token = tokens.address_token(keys, moderator_id=person.id, mark=MARK, now=now)
        room.links[name] = f"/letters/address/{token}"
    stop = tokens.stop_token(keys, moderator_id=olga.id, site_id=site.id, address=whose.hex())
    room.links |= {"article": str(answer.thread_id), "spares": str(room.comments["spare-0"].thread_id)}
    room.links |= {"stop": f"/letters/stop/{stop}"}


def ask_for_a_code(room: Room) -> None:
    """Tom has a second factor."""
    tom, keys, now = room.people["tom"], wiring_of(room.service.app).keys, datetime.now(UTC)
    with room.service.app.app_context():
        begin(tom, PASSWORD, token="x", keys=keys, now=now)
        set_up = pending(tom, token="x", issuer="Comments", keys=keys, now=now)
        assert set_up
        code = pyotp.TOTP(set_up.secret.replace(" ", "")).at(now)
        confirm(tom, code, token="x", keys=keys, now=now)

"""What stands on a site's blocklists is seen however it is spelled; what is honest passes; and it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, true

from comments_service import tokens
from comments_service.blocklists import change
from comments_service.blocklists.change import Changed, import_entries, remove_entries
from comments_service.blocklists.domains import domain_of, domains_met
from comments_service.blocklists.entries import Entry, Typed, Whose, read_entry
from comments_service.blocklists.folding import fold
from comments_service.blocklists.lines import read_lines
from comments_service.blocklists.matching import MOST_HITS, WordList
from comments_service.decisions.act import Why
from comments_service.decisions.authors import Wish, let_stand
from comments_service.decisions.standing import Kind, Trace
from comments_service.decisions.undo import undo
from comments_service.erase import erase_person
from comments_service.errors import FieldsRefused
from comments_service.export import export_site
from comments_service.markup import render
from comments_service.privacy import Keyring
from comments_service.retention import sweep
from comments_service.rotate import _forget_old_marks, _move_all
from comments_service.rules.change import Place
from comments_service.rules.rehearsal import rehearse
from comments_service.settings import Settings
from comments_service.storage.blocklists import BlockedEntry, holds
from comments_service.storage.database import db, reading
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Comment
from comments_service.vocabulary import SiteView
from tests.conftest import NOW, Clock
from tests.doors import a_network, a_ticket, everything, own, send, sign_in
from tests.factories import ORIGIN, a_body, a_comment, a_site, wiring_of
from tests.test_undo_owners import undo_from_audit

EMAIL = "dan@mail.example.org"
OPEN = {"hold_all": False, "hold_newcomers": False, "hold_links_from": 0, "hold_imitations": False}
WORDS = (
    *(
        "viagra",
        "casino",
        "buy now",
        "cunt",
        "ass",
        "cialis",
        "cash",
        "siki",
        "ano",
        "c++",
        "加微信",
        "привет",
    ),
    *("naïve", "sex", "hiv", "as", "levitra", "سلام", "boobs", "ﬁnance", "free money"),
)
SEEN = {
    "viagra": (
        *(
            "viagra",
            "VIAGRA",
            "ｖｉａｇｒａ",
            "ｖ1agra",
            "v\u200biagra",
            "v\u00adiagra",
            "v1agra",
            "v!agra",
            "vi@gra",
        ),
        *(
            "v|agra",
            "v1@gr4",
            "vіаgrа",
            "ᴠɪᴀɢʀᴀ",
            "🅥🅘🅐🅖🅡🅐",
            "ⓥⓘⓐⓖⓡⓐ",
            "𝓿𝓲𝓪𝓰𝓻𝓪",
            "v\u0332i\u0332agra",
            "via\u0261ra",
            "viag\u0433a",
            "\u13d9iagra",
            "v\u0300iagra",
            "v\u3164iagra",
        ),
        *(
            "_viagra_",
            "**viagra**",
            "Now:viagra!",
            "v\u2060i\ufeffagra",
            "(v1agra)",
            "v1agra!!",
            "今すぐviagraを",
        ),
    ),
    "sex": ("Schöne ѕех", "ѕех für dich, señor", "ѕех", "s\u0435x, ѕeх", "Ѕех!"),
    "casino": ("Casino", "c4sin0", "сasino", "ca\u200csino", "CASI\u200dNO"),
    "buy now": ("Buy  now", "BUY\nNOW!", "b\u200buy n0w", "(buy now)", "Buy NOW, friends"),
    "cialis": ("c1alis", "cia1is", "C|alis", "ci4lis"),
    "levitra": ("1evitra", "LEV1TRA"),
    "cash": ("ca$h", "c@sh", "CASH"),
    "ass": ("you ass!", "a$$"),
    "加微信": ("请加微信吧", "加 微信 is not it, 加微信 is"),
    "привет": ("Привет, мир", "ПРИВЕТ"),
    "naïve": ("NAI\u0308VE", "naïve"),
    "c++": ("learn c++ today", "C++"),
    "سلام": ("سَلام",),
    "boobs": ("b00bs",),
    "ﬁnance": ("finance", "FINANCE"),
    "free money": ("fr€€ money", "free m0ney"),
}
HONEST = (
    *(
        "Greetings from Scunthorpe and Penistone.",
        "class, glass, assess, bass",
        "Essex and Sussex",
        "Cassino, 1944",
    ),
    *(
        "ａ ｆｕｌｌ ｗｉｄｔｈ， ｈｏｎｅｓｔ ｓｅｎｔｅｎｃｅ",
        "It was a sıkı day",
        "El año pasado",
        "casinos",
        "via Grado",
    ),
    *(
        "The A55 from Chester",
        "Printed on A5",
        "mp3, 3rd, 1st, 2nd, 4x4, covid19",
        "strapped for money",
        "Moscow: сор, рок",
        "Это не ѕех",
        "Η ώρα ѕех",
    ),
    *("It cost $5, or 5€ at most.", "buying nowhere", "buy. Now what?", "微信", "加微", "c+", "приветствую"),
    *(
        "Pope Francis IV, HIVE",
        "https://example.org/assets/a5.png",
        "levitrain",
        "Viagrande is a town in Sicily",
    ),
    *("naive", "v i a g r a n d e", "free-for-all money", "<script>alert(1)</script>", "1a2b3c4d5e"),
)


@pytest.fixture
def open_site(app: Flask) -> SiteView:
    """A site that publishes at once."""
    return a_site(app, rules=OPEN)


def enlist(app: Flask, site: SiteView, *lines: str, now: datetime = NOW) -> Changed:
    """Put lines of a table on a site's lists, as its operator."""
    whose = Whose(site.id, wiring_of(app).keys)
    with app.app_context():
        read = read_lines("kind,entry,action,expires,note\n" + "\n".join(lines), whose, now=now)
        assert read.wrong == ()
        return import_entries(site.id, read.entries, by=None, now=now)


def post(client: FlaskClient, network: str = "", **fields: Any) -> tuple[int, str]:
    """Send a comment by the JSON door; the answer's status, and where it says the comment stands."""
    answer = client.post(
        "/api/v1/sites/demo/comments",
        json=a_body(a_ticket(client), **fields),
        headers={"Origin": ORIGIN},
        environ_overrides={"REMOTE_ADDR": network} if network else a_network(),
    )
    return answer.status_code, answer.get_json()["comment"]["status"]


def last(app: Flask) -> Comment:
    """The comment that came last."""
    with app.app_context(), reading() as session:
        row = session.scalars(select(Comment).order_by(Comment.id.desc()).limit(1)).one()
        session.expunge(row)
        return row


def reasons(row: Comment) -> list[tuple[str, list[str]]]:
    """Why it stands where it does, with the entries that were met."""
    return [(one["code"], one["words"]) for one in row.verdict["reasons"]]


def test_a_word_is_seen_however_it_is_spelled() -> None:
    words = WordList(map(fold, WORDS))
    missed = [
        (word, text)
        for word, texts in SEEN.items()
        for text in texts
        if fold(word) not in words.met_in([text])
    ]
    assert missed == []


def test_honest_twins_are_not_seen() -> None:
    words = WordList(map(fold, WORDS))
    assert [(text, sorted(met)) for text in HONEST if (met := words.met_in([text]))] == []


def test_an_entry_does_not_reach_from_one_part_of_a_comment_into_the_next() -> None:
    words = WordList(["buy now"])
    assert words.met_in(["buy", "now"]) == frozenset()
    assert words.met_in(["buy\nnow"]) == {"buy now"}


def test_an_empty_list_and_an_empty_text_meet_nothing() -> None:
    assert WordList().met_in(["viagra"]) == frozenset()
    assert WordList(["viagra"]).met_in(["", ""]) == frozenset()


def test_a_list_of_the_owners_own_making_ends_too() -> None:
    words = WordList("中" * length for length in range(1, 101))
    assert len(words.met_in(["中" * (MOST_HITS // 10)])) == 100


def test_a_hundred_thousand_words_are_held_against_a_long_text_at_once() -> None:
    words = WordList(f"entry{number}x" for number in range(100_000))
    assert len(words) == 100_000
    text = " ".join(f"entry{number}y" for number in range(5_000)) + " Entry99999x"
    assert words.met_in([text]) == {"entry99999x"}


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("spam.example", "spam.example"),
        ("https://WWW.Spam.example/x?y", "spam.example"),
        ("*.spam.example", "spam.example"),
        ("ana@spam.example", "spam.example"),
        ("ｓｐａｍ．example", "spam.example"),
        ("müller.example", "xn--mller-kva.example"),
        ("xn--mller-kva.example", "xn--mller-kva.example"),
        ("com", None),
        ("192.0.2.7", None),
        ("spam example.org", None),
        ("https://[", None),
        (f"{'x' * 64}.example", None),
    ],
)
def test_a_domain_is_taken_as_owners_have_it_at_hand(typed: str, domain: str | None) -> None:
    assert domain_of(typed) == domain


@pytest.mark.parametrize(
    "text",
    [
        "https://spam.example/x",
        "[x](https://a.b.spam.example)",
        "[x](https://spam&#46;example/)",
        "https://good.example.org@spam.example/",
        "https://SPAM.EXAMPLE.",
        "[x](https://sp%61m.example)",
        "visit shop.spam.example today",
        "https://sp\u00adam.example",
        "https://ｓｐａｍ.example",
        "今天看spam.example网站",
    ],
)
def test_a_domain_is_seen_wherever_a_comment_leads(text: str) -> None:
    assert "spam.example" in domains_met("", "", text, render(text))


@pytest.mark.parametrize(
    ("website", "text"),
    [
        ("https://cas\u00adino.example/", ""),
        ("", "[x](https://cas%C2%ADino.example/win)"),
        ("", "[x](https://cas%E2%80%8Bino.example/win)"),
        ("", "[x](https://cas&shy;ino.example/win)"),
    ],
)
def test_what_browsers_pass_over_in_a_host_hides_nothing(website: str, text: str) -> None:
    assert "casino.example" in domains_met("", website, text, render(text))


@pytest.mark.parametrize("text", ["spam.example.org", "notspam.example", "spam-example", "a.spam.exampleX"])
def test_other_domains_are_other_domains(text: str) -> None:
    assert "spam.example" not in domains_met("", "", f"https://{text}/", render(f"https://{text}/"))


MET = [
    ("word,viagra", {"text": "Get ｖ1agra"}, "viagra"),
    ("word,Viagra", {"name": "V\u200biagra"}, "Viagra"),
    ("word,shop", {"website": "https://shop.example.com"}, "shop"),
    ("domain,spam.example", {"text": "See https://a.spam.example/x"}, "spam.example"),
    ("domain,spam.example", {"website": "https://spam.example"}, "spam.example"),
    ("domain,spam.example", {"email": "ana@mail.spam.example"}, "spam.example"),
    ("address,Ana@müller.example", {"email": "ana@xn--mller-kva.example"}, "@address"),
    ("network,192.0.2.0/24", {"network": "192.0.2.77"}, "@network"),
    ("network,2001:db8:1:2::/64", {"network": "2001:db8:1:2:3::4"}, "@network"),
]


@pytest.mark.parametrize(("line", "fields", "met"), MET)
@pytest.mark.parametrize("action", ["hold", "refuse"])
def test_every_kind_holds_or_refuses_and_its_author_hears_the_same(
    app: Flask,
    open_site: SiteView,
    client: FlaskClient,
    line: str,
    fields: dict[str, str],
    met: str,
    action: str,
) -> None:
    enlist(app, open_site, f"{line},{action}")
    assert post(client, **fields) == (202, "pending")
    row = last(app)
    code, status = ("listed", "pending") if action == "hold" else ("listed-refused", "spam")
    assert (row.status, reasons(row)) == (status, [(code, [met])])
    assert row.is_quietly_declined == (action == "refuse")
    assert post(client) == (201, "approved")


def test_what_is_not_on_the_lists_passes(app: Flask, open_site: SiteView, client: FlaskClient) -> None:
    other = a_site(app, key="other", rules=OPEN)
    enlist(app, open_site, *(f"{line},refuse" for line, *_ in MET))
    enlist(app, other, "word,harbour,refuse", "domain,example.org,refuse", "network,192.0.3.0/24,refuse")
    assert post(client, "192.0.3.7", text=f"The harbour: https://spam.example.org. {HONEST[0]}") == (
        201,
        "approved",
    )


@pytest.mark.parametrize("host", ["a%00b.example", "a%0ab.example", "%00.example", "a%ed%a0%80.example"])
def test_a_host_that_is_none_breaks_nothing(
    app: Flask, open_site: SiteView, client: FlaskClient, host: str
) -> None:
    enlist(app, open_site, "domain,b.example,refuse")
    assert post(client, website=f"https://{host}/", text=f"See https://{host}/x.") == (201, "approved")


def test_a_refused_comment_looks_like_one_that_waits_to_its_author(
    app: Flask, open_site: SiteView, client: FlaskClient
) -> None:
    enlist(app, open_site, "address,ana@example.org,refuse")
    answer = send(client, a_body(a_ticket(client), email="ana@example.org")).get_json()
    shown = own(client, answer["comment"]["id"], answer["receipt"]).get_json()
    assert (answer["comment"]["status"], shown["comment"]["status"]) == ("pending", "pending")
    assert "listed" not in str(answer) + str(shown)
    assert client.get(answer["status_url"]).status_code == 200


def test_rules_lists_and_people_are_asked_in_their_order(
    app: Flask, client: FlaskClient, keys: Keyring
) -> None:
    site = a_site(app, rules=OPEN | {"refuse_words": ["poker"], "hold_words": ["roulette"]})
    enlist(app, site, "word,casino,refuse", "word,lottery,hold", "word,roulette,hold")
    post(client, text="poker and casino and lottery")
    assert reasons(last(app)) == [("refused-word", ["poker"]), ("listed-refused", ["casino"])]
    assert last(app).risk >= 80
    post(client, text="lottery and roulette")
    assert reasons(last(app)) == [("held-word", ["roulette"]), ("listed", ["lottery", "roulette"])]
    assert 40 <= last(app).risk < 80


def test_people_who_are_trusted_pass(app: Flask, site: SiteView, client: FlaskClient, keys: Keyring) -> None:
    first = a_comment(app, site, email=EMAIL)
    enlist(app, site, "word,casino,refuse", f"address,{EMAIL},refuse")
    with app.app_context():
        wish = Wish(Kind.TRUST, Trace.RECEIPT)
        let_stand(first.id, wish, by=None, keys=keys, now=NOW, network_days=30)
    receipt = tokens.receipt(keys, site="demo", comment_id=first.id)
    assert post(client, email=EMAIL, text="A casino.", previous=receipt) == (201, "approved")
    assert reasons(last(app)) == [("trusted", [])]
    assert last(app).verdict["facts"]["list_refused"] == ["casino", "@address"]
    assert post(client, email=EMAIL, text="No casino.") == (202, "pending")


def test_an_edit_is_held_against_the_lists_as_well(
    app: Flask, open_site: SiteView, client: FlaskClient
) -> None:
    enlist(app, open_site, "word,casino,hold")
    sent = send(client, a_body(a_ticket(client), text="A garden.")).get_json()
    authorized = {"Authorization": f"Bearer {sent['receipt']}", "Origin": ORIGIN}
    address = f"/api/v1/comments/{sent['comment']['id']}"
    assert client.patch(address, json={"text": "A c4sin0."}, headers=authorized).status_code == 200
    assert reasons(last(app)) == [("listed", ["casino"])]
    assert last(app).text == "A c4sin0."


def test_what_a_rehearsal_tries_keeps_what_the_lists_said_when_a_comment_came(
    app: Flask, open_site: SiteView, client: FlaskClient
) -> None:
    enlist(app, open_site, "word,casino,hold", "word,lottery,refuse")
    post(client, text="A casino.")
    post(client, text="A lottery.")
    post(client, text="A garden.")
    with app.app_context():
        rehearsal = rehearse(Place(open_site.id), {"hold_all": True}, by=None, keys=wiring_of(app).keys)
    assert [(one.text, str(one.now)) for one in rehearsal.otherwise] == [("A garden.", "waits")]


def test_an_entry_ends_with_its_day_and_another_process_sees_what_changes(
    app: Flask,
    open_site: SiteView,
    client: FlaskClient,
    clock: Clock,
    settings: Settings,
    make_app: Callable[[Settings], Flask],
) -> None:
    elsewhere = make_app(settings).test_client()
    doors = (client, elsewhere)
    assert [post(door, text="A casino.")[0] for door in doors] == [201, 201]
    enlist(app, open_site, f"word,casino,hold,{NOW:%Y-%m-%d}", "word,lottery,refuse")
    assert [post(door, text="A casino here.")[0] for door in doors] == [202, 202]
    assert [post(door, text="A lottery.")[0] for door in doors] == [202, 202]
    with app.app_context():
        gone = remove_entries(open_site.id, BlockedEntry.shown == "lottery", by=None, now=NOW)
    assert [post(door, text="Another lottery.")[0] for door in doors] == [201, 201]
    with app.app_context():
        undo(batch=gone.batch, by=None, now=NOW)
    assert [post(door, text="A lottery again.")[0] for door in doors] == [202, 202]
    enlist(app, open_site, "word,poker")
    assert [post(door, text="A game of poker.")[0] for door in doors] == [202, 202]
    clock.forward(days=1)
    assert [post(door, text="A casino at last.")[0] for door in doors] == [201, 201]


def test_what_is_put_on_and_taken_off_is_undone_and_done_again(app: Flask, site: SiteView) -> None:
    first = enlist(app, site, "word,casino", "word,lottery")
    second = enlist(app, site, "word,poker", "word,CASINO,refuse")
    assert (first.count, second.count, second.known) == (2, 1, 1)
    with app.app_context():
        removed = remove_entries(site.id, BlockedEntry.shown != "lottery", by=None, now=NOW)
        assert (removed.count, listed(site)) == (2, ["lottery"])
        back = undo(batch=removed.batch, by=None, now=NOW)
        assert (back.count, listed(site)) == (1, ["casino", "lottery", "poker"])
        again = undo(batch=back.batch, by=None, now=NOW)
        assert listed(site) == ["lottery"]
        undo(batch=again.batch, by=None, now=NOW)
        off = undo(batch=first.batch, by=None, now=NOW)
        assert listed(site) == ["poker"]
        undo(batch=off.batch, by=None, now=NOW)
        assert listed(site) == ["casino", "lottery", "poker"]
    assert [(row.action, row.details["count"]) for row in journal(app)] == [
        *[("blocklist-imported", 2), ("blocklist-imported", 1), ("blocklist-removed", 2)],
        *[("blocklist-added", 2), ("blocklist-removed", 2), ("blocklist-added", 2)],
        *[("blocklist-removed", 2), ("blocklist-added", 2)],
    ]


def test_what_was_taken_off_can_be_put_on_anew_and_its_undo_comes_too_late(
    app: Flask, site: SiteView
) -> None:
    enlist(app, site, "word,casino,hold,,first")
    with app.app_context():
        removed = remove_entries(site.id, BlockedEntry.shown == "casino", by=None, now=NOW)
    assert enlist(app, site, "word,Casino,refuse").count == 1
    with app.app_context():
        assert undo(batch=removed.batch, by=None, now=NOW).count == 0
        assert listed(site) == ["Casino"]


def test_who_puts_on_a_list_what_another_has_just_filled_is_refused(
    app: Flask, site: SiteView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "MAX_ENTRIES", 4)
    looked_up = change._new

    def others_come_first(*given: Any) -> list[Entry]:
        monkeypatch.setattr(change, "_new", looked_up)
        found = looked_up(*given)
        enlist(app, site, "word,casino", "word,poker")
        return found

    monkeypatch.setattr(change, "_new", others_come_first)
    with pytest.raises(FieldsRefused):
        enlist(app, site, "word,lottery", "word,roulette", "word,bingo")
    with app.app_context():
        assert listed(site) == ["casino", "poker"]
    monkeypatch.setattr(change, "_new", others_come_first)
    with app.app_context():
        remove_entries(site.id, true(), by=None, now=NOW)
    assert enlist(app, site, "word,casino", "word,bingo", "word,lottery").count == 2
    assert [row.details["count"] for row in journal(app)][-2:] == [2, 2]


def test_a_file_for_which_others_take_the_room_half_way_leaves_nothing(
    app: Flask, site: SiteView, keys: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "MAX_ENTRIES", 4)
    monkeypatch.setattr(change, "STEP", 2)
    whose = Whose(site.id, keys)
    entries = [read_entry(Typed("word", f"word {number}"), whose) for number in range(4)]

    def others_come(_stored: int) -> None:
        enlist(app, site, "word,casino")

    with app.app_context(), pytest.raises(FieldsRefused):
        import_entries(site.id, entries, by=None, now=NOW, on_progress=others_come)
    with app.app_context():
        assert listed(site) == ["casino"]


def test_what_was_taken_off_comes_back_only_where_there_is_room(
    app: Flask, site: SiteView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "MAX_ENTRIES", 2)
    enlist(app, site, "word,casino", "word,poker")
    with app.app_context():
        removed = remove_entries(site.id, BlockedEntry.shown == "casino", by=None, now=NOW)
    enlist(app, site, "word,lottery")
    with app.app_context():
        undone = undo(batch=removed.batch, by=None, now=NOW)
        assert (undone.count, [late.why for late in undone.late]) == (0, [Why.FULL])
        assert listed(site) == ["lottery", "poker"]
    owner = sign_in(app, sites=[site])
    assert "no room for what was taken off" in undo_from_audit(owner, journal(app)[1])


def test_the_journal_says_how_many_and_not_what(app: Flask, site: SiteView) -> None:
    enlist(app, site, "word,casino", f"address,{EMAIL}", "network,192.0.2.0/24", "word,lottery,hold,,a note")
    (row,) = journal(app)
    assert (row.subject, row.details) == ("address: 1, network: 1, word: 2", {"count": 4})


def test_of_a_network_and_an_address_nothing_is_kept_that_could_be_read(app: Flask, site: SiteView) -> None:
    enlist(app, site, f"address,{EMAIL}", "network,192.0.2.0/24")
    rows = repr(everything(app))
    assert "192.0.2" not in rows
    assert EMAIL not in rows
    assert "d•••@m•••.org" in rows


def test_entries_that_are_over_are_swept_and_those_taken_off_some_days_later(
    app: Flask, site: SiteView, settings: Settings
) -> None:
    enlist(app, site, "word,casino,hold,2026-12-01", "word,lottery", "word,poker")
    with app.app_context():
        remove_entries(site.id, BlockedEntry.shown == "lottery", by=None, now=NOW)
        assert sweep(settings=settings, now=NOW + timedelta(days=6)).blocked_entries == 0
        assert sweep(settings=settings, now=NOW + timedelta(days=7)).blocked_entries == 1
        assert sweep(settings=settings, now=NOW + timedelta(days=9)).blocked_entries == 1
        assert listed(site) == ["poker"]


def test_an_erased_person_is_on_no_list_any_more(app: Flask, site: SiteView, keys: Keyring) -> None:
    enlist(
        app, site, f"address,{EMAIL},hold,,writes too much", "address,eva@example.org", "network,192.0.2.1"
    )
    enlist(app, site, "address,DAN@other.example")
    with app.app_context():
        remove_entries(site.id, BlockedEntry.shown == "d•••@m•••.org", by=None, now=NOW)
        erase_person(EMAIL.upper(), keys=keys, now=NOW)
        left = db.session.scalars(select(BlockedEntry.shown).order_by(BlockedEntry.id)).all()
        db.session.rollback()
    assert [label for label in left if not label.startswith("#")] == ["e•••@e•••.org", "D•••@o•••.example"]
    assert "writes too much" not in repr(everything(app))


def test_an_address_moves_to_a_new_key_with_its_comment_and_goes_with_the_old_one(
    app: Flask, site: SiteView, keys: Keyring, settings: Settings
) -> None:
    a_comment(app, site, email=EMAIL)
    enlist(app, site, f"address,{EMAIL}", "address,nobody@example.org", "network,192.0.2.0/24", "word,casino")
    newer = keys.with_key(Keyring.generate(2))
    with app.app_context():
        _move_all(newer, lambda _count: None)
        _forget_old_marks(newer)
        hashes = db.session.execute(
            select(BlockedEntry.kind, BlockedEntry.hash).order_by(BlockedEntry.id)
        ).all()
        db.session.rollback()
    assert [tuple(row) for row in hashes] == [
        ("address", newer.email_hash(EMAIL, site_id=site.id)),
        ("word", None),
    ]


def test_the_export_of_a_site_has_its_lists_and_no_hash(app: Flask, site: SiteView, keys: Keyring) -> None:
    enlist(app, site, "word,casino,refuse,2027-01-31,a note", f"address,{EMAIL}")
    with app.app_context():
        for opened, label in ((None, None), (keys, "d•••@m•••.org")):
            lines = [json.loads(line) for line in export_site("demo", keys=opened, now=NOW)]
            word, address = (line for line in lines if line["type"] == "blocked_entry")
            assert (word["entry"], word["action"], word["note"]) == ("casino", "refuse", "a note")
            assert word["expires_at"] == "2027-02-01T00:00:00Z"
            assert (address["kind"], address["entry"], "hash" in address) == ("address", label, False)


def listed(site: SiteView) -> list[str]:
    """What is on a site's lists, by its name."""
    with reading() as session:
        return sorted(session.scalars(select(BlockedEntry.shown).where(holds(site.id, NOW))), key=str.lower)


def journal(app: Flask) -> list[JournalRow]:
    """What was done to lists, the first first."""
    with app.app_context(), reading() as session:
        rows = select(JournalRow).where(JournalRow.action.like("blocklist-%")).order_by(JournalRow.id)
        found = list(session.scalars(rows))
        session.expunge_all()
        return found

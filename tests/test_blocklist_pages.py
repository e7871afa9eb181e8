"""Owners look through blocklists, put entries on and take them off, and carry whole files in and out."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from comments_service.blocklists.change import STEP
from comments_service.blocklists.entries import MAX_ENTRIES
from comments_service.blocklists.lines import MAX_BYTES
from comments_service.cli import main
from comments_service.storage.blocklists import BlockedEntry, holds
from comments_service.storage.database import reading, transaction
from comments_service.vocabulary import Role, SiteView
from tests.conftest import NOW, SECRET_KEY
from tests.doors import OWN_ORIGIN, csrf_token, everything, is_refused, send_own, sign_in
from tests.factories import a_site
from tests.test_blocklists import EMAIL, OPEN, enlist, journal, last, post
from tests.test_undo_owners import undo_from_audit, undo_from_notice

PAGE = "/settings/demo/blocklists"
TAKE_IN = f"{PAGE}/import"
HEAD = "kind,entry,action,expires,note"
FORM = "application/x-www-form-urlencoded"
FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
INSERT INTO blocked_entry (site_id, kind, shown, folded, action, note, made_at, batch)
SELECT :site, 'word', 'w' || n, 'w' || n, 'hold', '', '2026-11-23 11:00:00', 'x' FROM numbers
"""
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
Run = Callable[..., Result]


@pytest.fixture
def owner(app: Flask, site: SiteView) -> FlaskClient:
    """The browser of somebody who owns the site."""
    return sign_in(app, sites=[site])


@pytest.fixture
def run(database: str) -> Run:
    """Run a command on this test's database."""

    def run_it(*arguments: str, given: str | None = None) -> Result:
        variables = {"COMMENTS_DATABASE_URL": database, "COMMENTS_SECRET_KEY": SECRET_KEY}
        return CliRunner().invoke(main, arguments, input=given, env=variables)

    return run_it


def add(browser: FlaskClient, kind: str, entry: str, **fields: str) -> TestResponse:
    """Send the form for one entry."""
    values = {"do": "add", "kind": kind, "entry": entry, "action": "hold", "expires": "", "note": ""}
    return send_own(browser, PAGE, **values | fields)


def take_in(browser: FlaskClient, *lines: str, data: bytes | None = None, token: str = "") -> TestResponse:
    """Send the form for many: pasted, or with `data` as a file."""
    token = token or csrf_token(browser.get(PAGE))
    parts = [part("csrf_token", token.encode()), part("lines", "\n".join(lines).encode())]
    parts.append(part("file", data or b"", file="" if data is None else "list.csv"))
    return browser.post(
        TAKE_IN,
        data=b"".join(parts) + b"--xyz--\r\n",
        content_type="multipart/form-data; boundary=xyz",
        headers={"Origin": OWN_ORIGIN, "Accept": "text/html"},
    )


def part(name: str, value: bytes, *, file: str | None = None) -> bytes:
    """One field as browsers send it in such a form."""
    named = "" if file is None else f'; filename="{file}"'
    return f'--xyz\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + value + b"\r\n"


def entries(app: Flask, site: SiteView) -> list[tuple[str, str, str, str]]:
    """What is on the site's lists."""
    with app.app_context(), reading() as session:
        rows = session.scalars(
            select(BlockedEntry).where(holds(site.id, NOW)).order_by(BlockedEntry.id)
        ).all()
        return [(row.kind, row.shown, row.action, row.note) for row in rows]


def shown(response: TestResponse) -> str:
    """The text of a page."""
    return " ".join(unescape(response.text).split())


def exported(browser: FlaskClient) -> str:
    """The file that the page gives out."""
    response = browser.get(f"{PAGE}/export.csv")
    assert response.mimetype == "text/csv"
    assert 'filename="blocklists-demo.csv"' in response.headers["Content-Disposition"]
    return str(response.data, "utf-8")


def test_an_entry_is_put_on_and_taken_off_and_each_is_undone_from_the_notice(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    answer = add(owner, "word", " Buy  now ", action="refuse", expires="2027-01-31", note=" Seen in\tMarch. ")
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert entries(app, site) == [("word", "Buy now", "refuse", "Seen in March.")]
    page = owner.get(PAGE)
    for told in (
        "One entry on the blocklists",
        "1 word to refuse",
        "Buy now",
        "2027-01-31",
        "Seen in March.",
    ):
        assert told in shown(page)
    assert "Added. It counts from the next comment on." in page.text
    number = page.text.partition('name="remove" value="')[2].partition('"')[0]
    assert send_own(owner, PAGE, remove=number).status_code == 303
    assert entries(app, site) == []
    undo_from_notice(owner, PAGE)
    assert entries(app, site) == [("word", "Buy now", "refuse", "Seen in March.")]
    assert (
        "put 1 entry on the blocklists" in undo_from_audit(owner, journal(app)[0]) + owner.get("/audit").text
    )
    assert entries(app, site) == []


@pytest.mark.parametrize(
    ("kind", "entry", "fields", "sentence"),
    [
        ("word", " ", {}, "There is nothing to look for."),
        ("word", "\u200b", {}, "There is nothing to look for."),
        ("word", "x" * 101, {}, "A word has at most 100 characters."),
        ("word", "viagr*", {}, "A * means nothing here."),
        ("word", "a\x07b", {}, "a sign in it that cannot be shown"),
        ("word", "...", {}, "These are signs only."),
        ("word", "— ?! $", {}, "These are signs only."),
        ("domain", "com", {}, "This is not a domain."),
        ("network", "10.0.0.0/8", {}, "This is too wide."),
        ("network", "here", {}, "This is not a network."),
        ("address", "dan", {}, "This is not a complete email address."),
        ("address", "hash:00", {}, "This hash is of another site"),
        ("person", "dan", {}, "The kind is word, domain, network or address."),
        ("word", "x", {"action": "burn"}, "The action is hold or refuse."),
        ("word", "x", {"expires": "soon"}, "This is not a day."),
        ("word", "x", {"expires": "2026-11-22"}, "This day has passed."),
        ("word", "x", {"expires": "9999-12-31"}, "The last day there can be is 9999-12-30."),
        ("word", "x", {"note": "y" * 201}, "A note has at most 200 characters."),
    ],
)
@on_sqlite
def test_what_is_wrong_is_told_beside_what_was_typed(
    app: Flask, owner: FlaskClient, kind: str, entry: str, fields: dict[str, str], sentence: str
) -> None:
    before = everything(app)
    answer = add(owner, kind, entry, **fields)
    assert answer.status_code == 422
    assert sentence in unescape(answer.text)
    assert everything(app) == before


@pytest.mark.parametrize("entry", ["\U0001f346", "\U0001f44d\U0001f3fd", "7", "ц", "发"])
def test_an_emoji_a_digit_or_a_letter_is_a_word_and_the_last_day_is_one(
    app: Flask, owner: FlaskClient, site: SiteView, entry: str
) -> None:
    assert add(owner, "word", entry, expires="9999-12-30").status_code == 303
    assert entries(app, site) == [("word", entry, "hold", "")]
    assert "9999-12-30" in owner.get(PAGE).text
    assert "9999-12-30" in exported(owner)


@on_sqlite
def test_what_is_on_the_list_already_is_told(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    add(owner, "word", "Casino")
    answer = add(owner, "word", "ＣＡＳＩＮＯ", action="refuse", note="kept in the form")
    assert answer.status_code == 422
    assert "This is on the list already." in answer.text
    assert 'value="kept in the form"' in answer.text
    assert len(entries(app, site)) == 1


def test_a_search_finds_words_by_a_part_of_them_and_addresses_by_the_whole(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    enlist(
        app, site, "word,Cheap Watches", "word,100%", "domain,spam.example", "word,zebra,hold,,about watches"
    )
    enlist(app, site, f"address,{EMAIL}", "network,192.0.2.0/24")
    for query, found in (
        ("q=WATCH", ["zebra", "Cheap Watches"]),
        ("q=%25", ["100%"]),
        ("q=_", []),
        ("of=domain", ["spam.example"]),
        ("q=spam&of=word", []),
        ("q=Dan@mail.example.org", ["d•••@m•••.org"]),
        ("q=dan", []),
    ):
        page = owner.get(f"{PAGE}?{query}")
        assert page.text.count('name="remove"') == len(found), query
        assert all(f"<bdi>{one}</bdi>" in page.text for one in found), query
    assert owner.get(f"{PAGE}?q=192.0.2.99").text.count('name="remove"') == 1


@on_sqlite
def test_of_what_is_only_a_hash_the_page_says_so(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    enlist(app, site, f"address,{EMAIL}", "network,192.0.2.0/24")
    page = unescape(owner.get(PAGE).text)
    hashed = page.partition("<bdi>a network, known by its hash #")[2][:6]
    assert f'aria-label="Remove: a network, known by its hash #{hashed}"' in page
    assert "<bdi>d•••@m•••.org</bdi>" in page
    address = exported(owner).partition('"address","')[2].partition('"')[0]
    send_own(owner, PAGE, do="remove_found")
    assert add(owner, "address", address).status_code == 303
    assert "<bdi>an address, known by its hash #" in owner.get(PAGE).text


@on_sqlite
def test_the_form_keeps_the_kind_and_the_action_of_the_entry_before(owner: FlaskClient) -> None:
    assert '<option value="word" selected>' in owner.get(PAGE).text
    add(owner, "domain", "spam.example", action="refuse", note="seen in March")
    form = owner.get(PAGE).text.partition('id="add-title"')[2].partition("</form>")[0]
    assert '<option value="domain" selected>' in form
    assert 'value="refuse" checked' in form
    assert 'value="spam.example"' not in form
    assert "seen in March" not in form


@on_sqlite
def test_the_top_of_a_list_leads_to_the_forms_below_it(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    assert 'href="#add-title"' not in owner.get(PAGE).text
    enlist(app, site, "word,casino")
    top, _, rest = owner.get(PAGE).text.partition('class="entries"')
    for name in ("add-title", "import-title"):
        assert f'<a href="#{name}">' in top
        assert f'id="{name}"' in rest


@on_sqlite
def test_what_is_wrong_with_an_entry_or_a_file_has_the_focus(owner: FlaskClient) -> None:
    for answer in (add(owner, "word", "..."), take_in(owner, "word,viagr*")):
        assert 'role="alert" tabindex="-1" autofocus' in answer.text


@on_sqlite
def test_long_lists_come_in_pages_and_what_is_found_goes_at_once(
    app: Flask, owner: FlaskClient, site: SiteView
) -> None:
    enlist(
        app, site, *(f"word,alpha {number}" for number in range(60)), *(f"word,beta {n}" for n in range(3))
    )
    first = owner.get(PAGE)
    assert first.text.count('name="remove"') == 50
    older = unescape(first.text).partition("?after=")[2].partition('"')[0]
    assert owner.get(f"{PAGE}?after={older}").text.count('name="remove"') == 13
    answer = send_own(owner, PAGE, do="remove_found", q="alpha", of="word")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}?q=alpha&of=word")
    assert [shown for _, shown, *_ in entries(app, site)] == ["beta 0", "beta 1", "beta 2"]
    assert "60 entries were taken off." in owner.get(PAGE).text


@pytest.mark.parametrize("as_file", [False, True])
def test_a_file_is_taken_in_and_comes_out_the_same(
    app: Flask, owner: FlaskClient, site: SiteView, as_file: bool
) -> None:
    lines = [
        *(
            HEAD,
            "word,viagra,refuse,,",
            '"word","buy, ""now""",hold,2090-01-31,"a note"',
            "",
            "word,=cmd,hold",
        ),
        *("domain,spam.example,refuse", "network,192.0.2.0/24,hold,,", f"address,{EMAIL},refuse,,twice"),
        *("word,VIAGRA", "word,old,hold,2020-01-01"),
    ]
    data = b"\xef\xbb\xbf" + "\r\n".join(lines).encode()
    answer = take_in(owner, data=data) if as_file else take_in(owner, *lines)
    assert answer.status_code == 303
    told = shown(owner.get(PAGE))
    assert "6 entries were added. Already there: 1. Over before today: 1." in told
    file = exported(owner)
    assert "192.0.2" not in file
    assert EMAIL not in file
    assert '"\'=cmd"' in file
    again = take_in(owner, data=file.encode())
    assert "Nothing was new. Already there: 6." in shown(owner.get(again.location))
    undo_from_audit(owner, journal(app)[0])
    assert entries(app, site) == []
    assert take_in(owner, data=file.encode()).status_code == 303
    assert exported(owner) == file


def test_hashes_out_of_an_export_hold_again_on_their_site_alone(
    app: Flask, owner: FlaskClient, site: SiteView, client: FlaskClient
) -> None:
    open_site = a_site(app, key="open", rules=OPEN)
    enlist(app, site, f"address,{EMAIL},refuse")
    line = next(line for line in exported(owner).splitlines() if "hash:" in line)
    elsewhere = sign_in(app, name="eva", sites=[open_site])
    token = csrf_token(elsewhere.get("/settings/open/blocklists"))
    foreign = elsewhere.post(
        "/settings/open/blocklists/import",
        data={"csrf_token": token, "lines": f"{HEAD}\n{line}\n{line.replace('address', 'network')}"},
        headers={"Origin": OWN_ORIGIN, "Accept": "text/html"},
    )
    assert foreign.status_code == 422
    assert foreign.text.count("This hash is of another site") == 2
    send_own(owner, PAGE, do="remove_found")
    take_in(owner, HEAD, line)
    assert post(client, email=EMAIL) == (202, "pending")
    with app.app_context(), reading() as session:
        assert session.scalars(select(BlockedEntry.shown).where(holds(site.id, NOW))).one().startswith("#")


def test_plain_lines_are_words_to_hold(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    take_in(owner, "casino", "", "  buy, now  ", "domains")
    assert entries(app, site) == [("word", word, "hold", "") for word in ("casino", "buy, now", "domains")]


@on_sqlite
def test_a_table_may_be_parted_at_semicolons(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    take_in(owner, "kind;entry;action;expires;note", "word;a, b;refuse;;", "domain;spam.example;hold")
    assert [entry[:3] for entry in entries(app, site)] == [
        ("word", "a, b", "refuse"),
        ("domain", "spam.example", "hold"),
    ]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            (HEAD, "word,ok", "word,viagr*", "", "network,10.0.0.0/8"),
            ("Line 3: A * means", "Line 5: This is too wide"),
        ),
        ((HEAD, '"word","two\nlines"', "person,dan"), ("Line 4: The kind is word, domain",)),
        ((HEAD, "word,x,burn", "word,x,,soon"), ("Line 2: The action is", "Line 3: This is not a day")),
        ((HEAD, 'word,"x'), ("Line 2: The quotation marks do not fit.",)),
        ((HEAD, "word,a,hold,,b,c"), ("Line 2: There are more than five cells.",)),
        ((HEAD, "word", "word,\ud800"), ("Line 2: There is nothing to look for.",)),
        (("fine", "b\x00d"), ("Line 2: There is a sign in it",)),
        (("",), ("There is nothing to import",)),
    ],
)
@on_sqlite
def test_where_a_line_is_wrong_it_is_named_and_nothing_is_stored(
    app: Flask, owner: FlaskClient, lines: tuple[str, ...], told: tuple[str, ...]
) -> None:
    before = everything(app)
    answer = take_in(owner, "\n".join(lines).encode("utf-8", "replace").decode())
    assert answer.status_code == 422
    assert [one for one in told if one not in shown(answer)] == []
    assert everything(app) == before


@on_sqlite
def test_of_many_wrong_lines_the_first_are_named(app: Flask, owner: FlaskClient) -> None:
    answer = take_in(owner, *(f"x{number}*" for number in range(25)))
    assert "25 lines are wrong, so nothing was stored." in shown(answer)
    assert answer.text.count("Line ") == 20
    assert "And 5 more." in shown(answer)


@on_sqlite
def test_what_is_no_text_or_too_much_of_it_is_refused(app: Flask, owner: FlaskClient) -> None:
    before = everything(app)
    answers = [
        take_in(owner, data=b"\xff\xfe\x00"),
        take_in(owner, data=b"word\n" * (MAX_BYTES // 5 + 1)),
        take_in(owner, data=b"\n".join(b"%d" % number for number in range(MAX_ENTRIES + 1))),
    ]
    sentences = ("no text in UTF-8", "A file has at most 5 MB.", "A file has at most 100,000 entries.")
    for answer, sentence in zip(answers, sentences, strict=True):
        assert answer.status_code == 422
        assert sentence in unescape(answer.text)
    assert is_refused(take_in(owner, data=b"x" * (MAX_BYTES + (1 << 20))), 413)
    assert everything(app) == before


@on_sqlite
def test_long_files_come_from_those_who_have_signed_in_alone(app: Flask, owner: FlaskClient) -> None:
    long = b"\n".join(b"word number %d of a long list of words" % number for number in range(20_000))
    assert len(long) > 512 * 1024
    assert is_refused(take_in(app.test_client(), data=long, token="x"), 413)
    assert is_refused(
        owner.post(PAGE, data=b"x=" + b"y" * 600_000, headers={"Origin": OWN_ORIGIN}, content_type=FORM), 413
    )
    assert take_in(owner, data=long).status_code == 303
    assert "20,000 entries on the blocklists" in shown(owner.get(PAGE))


@on_sqlite
def test_a_site_has_room_for_so_many_entries(app: Flask, owner: FlaskClient, site: SiteView) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text(FILL), {"site": site.id, "count": MAX_ENTRIES - 1})
    assert add(owner, "word", "the last one").status_code == 303
    refused = add(owner, "word", "one too many")
    assert "at most 100,000 entries" in refused.text
    assert "at most 100,000 entries" in take_in(owner, "one too many").text
    assert "Nothing was new." in shown(owner.get(take_in(owner, "w7").location))


def test_moderators_look_and_viewers_do_not(app: Flask, site: SiteView) -> None:
    enlist(app, site, "word,casino")
    moderator = sign_in(app, name="moe", role=Role.MODERATOR, sites=[site])
    page = moderator.get(PAGE)
    assert "casino" in page.text
    assert 'name="remove"' not in page.text
    assert "Import" not in page.text
    assert "casino" in exported(moderator)
    assert send_own(moderator, PAGE, on="/account", do="remove_found").status_code == 403
    viewer = sign_in(app, name="vera", role=Role.VIEWER, sites=[site])
    assert viewer.get(PAGE).status_code == 403


def test_an_entry_of_another_site_stays_where_it_is(app: Flask, owner: FlaskClient) -> None:
    other = a_site(app, key="other")
    enlist(app, other, "word,casino")
    with app.app_context(), reading() as session:
        number = session.scalars(select(BlockedEntry.id)).one()
    assert send_own(owner, PAGE, remove=number).status_code == 303
    assert "It was taken off already." in owner.get(PAGE).text
    assert len(entries(app, other)) == 1


def test_the_queue_says_what_was_met_and_of_an_address_only_that_it_was(
    app: Flask, owner: FlaskClient, client: FlaskClient, site: SiteView
) -> None:
    enlist(app, site, "word,casino", f"address,{EMAIL}")
    post(client, text="A casino.", email=EMAIL)
    comment = last(app)
    listed = shown(owner.get("/queue?reason=listed"))
    assert "On the blocklist" in listed
    for page in (listed, shown(owner.get(f"/queue/comments/{comment.id}"))):
        assert "<bdi>casino</bdi>" in page
        assert "<bdi>the address</bdi>" in page
    assert "Waits because of your blocklists." in shown(owner.get(f"/queue/comments/{comment.id}"))


# --- commands ---


def test_lists_go_in_and_out_by_commands(run: Run, tmp_path: Path) -> None:
    run("site", "add", "demo", "--origin", "https://news.example.org")
    lines = (
        f"{HEAD}\nword,casino,refuse,2090-01-31,a note\ndomain,spam.example\naddress,{EMAIL}\nword,Casino\n"
    )
    assert run("blocklist", "list", "demo").stdout == "Nothing is on the blocklists of this site.\n"
    told = run("blocklist", "import", "demo", given=lines)
    assert (told.exit_code, told.stdout) == (0, "Added: 3. Already there: 1. Over before today: 0.\n")
    listed = run("blocklist", "list", "demo").stdout
    assert listed.startswith("word  refuse  casino  until 2090-01-31  a note\ndomain  hold  spam.example\n")
    assert EMAIL not in listed
    file = tmp_path / "list.csv"
    assert run("blocklist", "export", "demo", str(file)).stdout == f"Wrote 3 entries to {file}.\n"
    again = run("blocklist", "import", "demo", str(file), "--json")
    assert json.loads(again.stdout) == {"added": 0, "known": 3, "ended": 0}
    assert run("blocklist", "export", "demo").stdout_bytes == file.read_bytes()
    first, second, third = json.loads(run("blocklist", "list", "demo", "--json").stdout)
    assert first == {
        "kind": "word",
        "entry": "casino",
        "action": "refuse",
        "expires": "2090-01-31",
        "note": "a note",
    }
    assert (second["entry"], third["entry"][:5]) == ("spam.example", "hash:")


@on_sqlite
def test_a_command_names_the_wrong_lines_and_stores_nothing(run: Run, tmp_path: Path) -> None:
    run("site", "add", "demo", "--origin", "https://news.example.org")
    refused = run("blocklist", "import", "demo", given="fine\nvi*\n")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "Nothing was stored.\nLine 2: A * means nothing here." in refused.stderr
    assert run("blocklist", "list", "demo", "--json").stdout == "[]\n"
    assert run("blocklist", "import", "elsewhere", given="x").exit_code == 1
    assert run("blocklist", "import", "demo", str(tmp_path / "none")).exit_code == 1
    (tmp_path / "bytes").write_bytes(b"\xff\xff")
    assert "no text in UTF-8" in run("blocklist", "import", "demo", str(tmp_path / "bytes")).stderr


def test_a_long_file_is_stored_in_steps_and_counts_for_the_next_comment(
    app: Flask, site: SiteView, client: FlaskClient
) -> None:
    changed = enlist(app, site, *(f"word,entry{number}" for number in range(2 * STEP + 1)))
    assert (changed.count, len(entries(app, site))) == (2 * STEP + 1, 2 * STEP + 1)
    assert [row.details["count"] for row in journal(app)] == [2 * STEP + 1]
    assert post(client, text=f"It says entry{2 * STEP}.")[1] == "pending"
    with app.app_context(), reading() as session:
        assert session.scalars(select(BlockedEntry.batch).distinct()).all() == [changed.batch]

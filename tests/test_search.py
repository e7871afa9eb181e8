"""The search of the queue: the same answers on both databases, and nothing left of what was erased."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from comments_service.erase import erase_person
from comments_service.privacy import Keyring
from comments_service.queue.page import queue_page
from comments_service.queue.question import QueueQuestion, View
from comments_service.settings import PACKAGE, Settings
from comments_service.storage import search
from comments_service.storage.database import db, migrate, open_engine, transaction
from comments_service.storage.models import Comment
from comments_service.storage.removal import remove
from comments_service.storage.search import CommentWords
from comments_service.vocabulary import MAX_TEXT_BYTES, Access, Role, SiteView
from comments_service.words import MAX_WORD_CHARACTERS, Phrase, phrases, words
from tests.doors import sign_in
from tests.factories import a_comment, a_site

EVERYWHERE = Access(everywhere=Role.OWNER)
TEXTS = {
    "bridge": "Don't build the bridge over the harbour, please.",
    "bridges": "Two bridges; the harbour over there has none.",
    "japanese": "東京タワーが好きです。",
    "arabic": "هذا مُمتاز جدًّا",
    "turkish": "İstanbul'da ısıtma",
    "emoji": "Well done 👍🏽 indeed 🎉",
    "operators": 'NEAR(a b) OR c -x "quoted" AND NOT * : ^ {d}',
    "long": "verbose " * 8_000 + "needle at the very end",
    "accents": "Ångström naïve façade ﬁne",
    "joined": "e-mail state-of-the-art foo_bar",
}
FOUND: Mapping[str, set[str]] = {
    # words, all of them, in whatever order
    "harbour": {"bridge", "bridges"},
    "HARBOUR bridge ": {"bridge"},
    "there none ": {"bridges"},
    "absent": set(),
    # the last word may go on, and any with a star behind it
    "bridg": {"bridge", "bridges"},
    "bridge ": {"bridge"},
    "brid* none": {"bridges"},
    "bri none ": set(),
    "w": {"emoji"},
    # what belongs together, and phrases
    "don't": {"bridge"},
    "dont": set(),
    '"over the harbour"': {"bridge"},
    "“the harbour over”": {"bridges"},
    '"harbour the"': set(),
    '"the bridg"': set(),
    "state-of-the": {"joined"},
    "state-of-art ": set(),
    "foo bar": {"joined"},
    # scripts, accents, case
    "京タワ": {"japanese"},
    "タ 京": {"japanese"},
    "ワタ": set(),
    "ممتاز": {"arabic"},
    "جدا": {"arabic"},
    "istanbul": {"turkish"},
    "ISTANBUL ISITMA": {"turkish"},
    "İSTANBUL": {"turkish"},
    "angstrom NAIVE facade fine": {"accents"},
    "👍": {"emoji"},
    "👍 🎉": {"emoji"},
    # what other searches would take for orders
    "NEAR(": {"operators"},
    'NEAR( OR -x "': {"operators"},
    '"NEAR(a b)"': {"operators"},
    "harbour -bridge ": {"bridge"},
    "bridge OR japanese": set(),
    "a: b ": {"operators"},
    "' & | ! <->": set(),
    '"': set(),
    "*": set(),
    "--": set(),
    "%": set(),
    # the end of the longest text
    "needle": {"long"},
    '"verbose needle"': {"long"},
    "verbose": {"long"},
}


def ids_found(app: Flask, keys: Keyring, q: str, *, access: Access = EVERYWHERE, **asked: Any) -> list[int]:
    """The comments that a search shows, in order."""
    with app.app_context():
        page = queue_page(
            QueueQuestion(**{"view": View.ALL, "q": q} | asked),
            access=access,
            moderator_id=1,
            keys=keys,
            page_size=50,
            now=datetime.fromisoformat("2026-11-23T11:00:00Z"),
        )
        return [row.id for row in page.rows]


@pytest.fixture
def shelf(app: Flask, site: SiteView) -> dict[int, str]:
    """A comment of each text, by its id. Names and addresses have no word of theirs."""
    fields: dict[str, Any] = {"name": "Xx", "url": "https://news.example.org/yy"}
    return {
        a_comment(app, site, status="pending", text=text, **fields).id: name for name, text in TEXTS.items()
    }


@pytest.mark.parametrize("way", ["by the index", "in order"])
def test_both_databases_find_the_same_by_either_way(
    app: Flask, keys: Keyring, shelf: dict[int, str], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "by the index":
        monkeypatch.setattr("comments_service.queue.walk.SAMPLE", 0)
    answers = {q: {shelf[number] for number in ids_found(app, keys, q)} for q in FOUND}
    assert answers == dict(FOUND)


def test_name_website_and_page_are_searched_each_for_itself(
    app: Flask, site: SiteView, keys: Keyring
) -> None:
    fields: dict[str, Any] = {"name": "Zoë Quux", "website": "https://blog.example.net/about"}
    page = "https://news.example.org/harbour-bridge"
    comment = a_comment(app, site, url=page, text="Hello there.", **fields)
    for q in ("zoe", "quux", "blog.example.net", "harbour-bridge", "about hello"):
        assert ids_found(app, keys, q) == [comment.id], q
    assert ids_found(app, keys, '"quux https"') == []


def test_a_beginning_of_one_letter_is_asked_of_the_index(app: Flask, site: SiteView) -> None:
    comments = [a_comment(app, site, name="Xx", text=text) for text in ("zebra", "apple", "a zoo", "azure")]
    with app.app_context():
        for q, found in {"z": {0, 2}, "apple z*": set(), '"a" z': {2}}.items():
            ids = set(db.session.scalars(search.having(db.session(), phrases(q))))
            assert ids == {comments[number].id for number in found}, q
        db.session.rollback()


ENDLESS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)
    SELECT max(i) FROM n
"""


def test_a_search_that_takes_too_long_is_given_up_and_the_page_says_so(
    app: Flask, site: SiteView, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_comment(app, site, status="pending", text="needle")
    browser = sign_in(app)
    with monkeypatch.context() as patched:
        slow = lambda session, *_: session.execute(text(ENDLESS)).all()  # noqa: E731
        patched.setattr("comments_service.queue.page.ids_of", slow)
        patched.setattr("comments_service.queue.page.MAX_SECONDS", 0.2)
        page = browser.get("/queue?status=pending&q=needle")
    assert page.status_code == 200
    assert "This search takes too long" in page.text
    assert "Nothing found" not in page.text
    assert 'value="needle"' in page.text
    assert "needle" in browser.get("/queue?status=pending&q=needle").text.partition("<form")[2]
    assert browser.get("/queue?status=pending").status_code == 200


def test_an_email_is_found_whole_and_by_no_part_of_it(app: Flask, site: SiteView, keys: Keyring) -> None:
    mine = a_comment(app, site, email="Ana@müller.example.org")
    a_comment(app, site, email="ben@example.org")
    for q in ("ana@müller.example.org", "  ANA@xn--mller-kva.example.org "):
        assert ids_found(app, keys, q) == [mine.id]
    assert ids_found(app, keys.with_key(Keyring.generate(2)), "ana@müller.example.org") == [mine.id]
    for q in ("ana", "müller.example.org", "na@müller.example.org", "ana@"):
        assert ids_found(app, keys, q) == []


def test_a_network_is_found_by_its_addresses(app: Flask, site: SiteView, keys: Keyring) -> None:
    old, new = a_comment(app, site, network="192.0.2.0/24"), a_comment(app, site, network="2001:db8::/64")
    for q in ("192.0.2.0/24", "192.0.2.77", "192.0.2.128/25"):
        assert ids_found(app, keys, q) == [old.id], q
    assert ids_found(app, keys.with_key(Keyring.generate(2)), "192.0.2.9") == [old.id]
    assert ids_found(app, keys, "2001:db8::1") == [new.id]
    assert ids_found(app, keys, "192.0.0.0/16") == []


def test_a_permalink_leads_to_its_comment_and_an_address_to_its_article(
    app: Flask, site: SiteView, keys: Keyring
) -> None:
    one, two = (a_comment(app, site, url="https://news.example.org/one") for _ in range(2))
    other = a_comment(app, site, text="See https://news.example.org/one and https://spam.example.com/x")
    assert ids_found(app, keys, f"#comment-{one.id}") == [one.id]
    assert ids_found(app, keys, f"https://news.example.org/one#comment-{two.id}") == [two.id]
    assert set(ids_found(app, keys, "http://www.news.example.org/one?utm_source=x")) == {one.id, two.id}
    assert ids_found(app, keys, "https://spam.example.com/x") == [other.id]
    for q in ("#comment-999", "#comment-9999999999", "https://nowhere.example.org/"):
        assert ids_found(app, keys, q) == [], q


def test_nothing_of_another_site_is_found(app: Flask, site: SiteView, keys: Keyring) -> None:
    other = a_site(app, key="other", origins=("https://other.example.org",))
    page, email = "https://other.example.org/a", "ana@example.org"
    theirs = a_comment(app, other, text="secret", url=page, email=email, network="192.0.2.0/24")
    access = Access(by_site={site.id: Role.OWNER})
    for q in ("secret", email, "192.0.2.1", f"#comment-{theirs.id}", page):
        assert ids_found(app, keys, q) == [theirs.id], q
        assert ids_found(app, keys, q, access=access) == [], q


def test_changed_words_take_the_place_of_the_old_ones(app: Flask, site: SiteView, keys: Keyring) -> None:
    comment = a_comment(app, site, text="first words")
    with app.app_context(), transaction() as session:
        row = session.get_one(Comment, comment.id)
        row.text = "second thoughts"
        search.index(session, row)
    assert ids_found(app, keys, "first") == []
    assert ids_found(app, keys, "second thoughts") == [comment.id]


def test_removed_comments_leave_no_word(app: Flask, site: SiteView, keys: Keyring) -> None:
    comment = a_comment(app, site, text="first words")
    a_comment(app, site, parent_id=comment.id, text="an answer")
    with app.app_context(), transaction() as session:
        remove(session, [comment.id])
    for view in View:
        assert ids_found(app, keys, "first", view=view) == []
    with app.app_context():
        assert [w for w in db.session.scalars(select(CommentWords.words)) if "first" in w] == []
        db.session.rollback()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_erased_word_is_left_in_the_file(
    app: Flask, site: SiteView, keys: Keyring, now: datetime, settings: Settings
) -> None:
    for number in range(20):
        a_comment(app, site, text=f"filler{number} harpsichorder")
    a_comment(app, site, email="zen@example.org", name="Quuxington", text="Harpsichords unmistakable")
    with app.app_context():
        erase_person("zen@example.org", keys=keys, now=now)
    file = settings.sqlite_file
    assert file is not None
    stored = b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*")).lower()
    assert b"filler19" in stored
    # FTS5 writes only the end of a word that begins like the one before it
    traces = (b"quuxington", b"uxington", b"unmistakable", b"mistakable")
    assert not [trace for trace in traces if trace in stored]
    with app.app_context():
        db.session.execute(text("INSERT INTO comment_search(comment_search) VALUES ('integrity-check')"))
        db.session.rollback()


OLD_SITE = """
    INSERT INTO site (key, name, origins, language, texts, name_required, email_required, is_open,
    publishes_known_authors, max_depth, version, created_at)
    VALUES ('demo', 'Demo', '[]', 'en', '{}', true, true, true, false, 5, 1, '2026-03-01 10:00:00+00:00')
"""
OLD_THREAD = """
    INSERT INTO thread (id, site_id, url, title, is_open, approved_count, version, created_at)
    VALUES (1, 1, 'https://x.example', '', true, 0, 1, '2026-03-01 10:00:00+00:00')
"""
OLD_COMMENT = """
    INSERT INTO comment (site_id, thread_id, depth, name, text, page_url, status, verdict_reason, version,
    created_at, status_changed_at, is_purged) VALUES (1, 1, 1, 'Ana', :text, 'https://x.example', 'spam', '',
    1, '2026-03-01 10:00:00+00:00', '2026-03-01 10:00:00+00:00', false)
"""


def test_comments_from_before_the_search_get_their_words(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'old.sqlite3'}")
    migrate(settings, target="0002")
    engine = open_engine(settings)
    with engine.begin() as connection:
        connection.execute(text(OLD_SITE))
        connection.execute(text(OLD_THREAD))
        connection.execute(text(OLD_COMMENT), [{"text": f"İstanbul {number}"} for number in range(501)])
    migrate(settings)
    with engine.connect() as connection:
        rows = connection.execute(select(CommentWords.comment_id, CommentWords.words)).all()
        match = "SELECT count(*) FROM comment_search WHERE comment_search MATCH 'istanbul'"
        found = connection.exec_driver_sql(match).scalar()
    engine.dispose()
    assert (len(rows), found) == (501, 501)
    assert rows[7].words == " ana  istanbul 7  https x example "


def test_the_migration_tells_words_apart_as_the_service_does() -> None:
    file = next((PACKAGE / "storage" / "migrations" / "versions").glob("*_search.py"))
    spec = importlib.util.spec_from_file_location("migration_of_search", file)
    assert spec is not None
    assert spec.loader is not None
    migration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(migration)
    codes = (*range(0x3100), *range(0xA000, 0xD800), *range(0xF900, 0x10000), 0x1F600, 0x20001)
    every = "".join(map(chr, codes))
    for sample in (*TEXTS.values(), every, " ".join(every)):
        assert migration.words(sample) == words(sample)


# --- the tokeniser itself ---


@given(st.text())
def test_words_of_words_are_the_same_words(sample: str) -> None:
    found = words(sample)
    assert words(" ".join(found)) == found


@given(st.text())
def test_a_word_holds_nothing_that_an_index_could_take_for_an_order(sample: str) -> None:
    for word in words(sample):
        assert 0 < len(word) <= MAX_WORD_CHARACTERS
        assert not set(word) & set(" \t\n\0\"'*&|!():-^{}\\")
        assert word == word.casefold() or not word.isascii()


@given(st.text(), st.text())
def test_a_gap_parts_words(one: str, other: str) -> None:
    assert words(f"{one} {other}") == words(one) + words(other)


@given(st.text(max_size=200))
def test_every_query_finds_a_text_that_is_the_query(query: str) -> None:
    stored = f" {' '.join(words(query))} "
    for phrase in phrases(query):
        assert f" {' '.join(phrase.words)}{'' if phrase.is_open else ' '}" in stored


def test_the_longest_text_is_told_apart_in_no_time() -> None:
    hostile = "\ufdfa" * (MAX_TEXT_BYTES // 3)  # one character becomes eighteen
    assert max(map(len, words(hostile))) <= MAX_WORD_CHARACTERS


def test_a_query_is_read_as_words_phrases_and_beginnings() -> None:
    assert phrases('one "two three" fo* five') == [
        Phrase(("one",)),
        Phrase(("two", "three")),
        Phrase(("fo",), is_open=True),
        Phrase(("five",), is_open=True),
    ]
    assert phrases("one ") == [Phrase(("one",))]
    assert phrases("東京") == [Phrase(("東", "京"))]

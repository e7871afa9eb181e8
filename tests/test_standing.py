"""Who is banned, who is trusted: by which trace, for how long, and what proves it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from comments_service.decisions.authors import Wish, let_stand, lift
from comments_service.decisions.decide import decide
from comments_service.decisions.standing import Kind, Trace, Traces, domains_of, standing_of
from comments_service.decisions.undo import undo
from comments_service.decisions.verbs import Change, Verb
from comments_service.erase import erase_person
from comments_service.errors import FieldsRefused
from comments_service.privacy import Keyring
from comments_service.retention import sweep
from comments_service.rotate import _move_batch
from comments_service.settings import Settings
from comments_service.storage.database import db, transaction
from comments_service.storage.decisions import Standing
from comments_service.storage.models import Comment
from comments_service.submit import submit
from comments_service.tokens import receipt
from comments_service.vocabulary import SiteView
from tests.conftest import NOW
from tests.doors import everything
from tests.factories import StoredComment, a_comment, a_submission, wiring_of
from tests.test_decisions import journal, row_of

EMAIL = "dan@mail.example.org"
NETWORK = "10.9.8.0/24"


def stand(app: Flask, keys: Keyring, comment: StoredComment, kind: Kind, mark: Trace, **more: Any) -> str:
    """Ban or trust the author of a comment; the batch."""
    with app.app_context():
        wish = Wish(kind, mark, **more)
        outcome = let_stand(comment.id, wish, by=None, keys=keys, now=NOW, network_days=30)
        return str(outcome.batch)


def stands(app: Flask, traces: Traces, *, days: int = 0) -> Kind | None:
    """How an author of these traces stands some days later."""
    with app.app_context():
        try:
            return standing_of(db.session(), traces, now=NOW + timedelta(days=days))
        finally:
            db.session.rollback()


def traces_of(app: Flask, site: SiteView, keys: Keyring, comment: StoredComment, mark: Trace) -> Traces:
    """What another submission of the same author would show of one kind."""
    found: dict[Trace, dict[str, Any]] = {
        Trace.RECEIPT: {"root_id": row_of(app, comment).proven_root_id},
        Trace.EMAIL: {"email_hashes": keys.email_hashes(EMAIL, site_id=site.id)},
        Trace.NETWORK: {"network_hashes": keys.network_hashes(NETWORK, site_id=site.id)},
        Trace.DOMAIN: {"domains": domains_of("eva@x.mail.example.org", None)},
    }
    return Traces(site.id, **found[mark])


@pytest.mark.parametrize("mark", list(Trace))
def test_a_ban_is_known_by_each_trace_and_by_no_other(
    app: Flask, site: SiteView, keys: Keyring, mark: Trace
) -> None:
    comment = a_comment(app, site, email=EMAIL, network=NETWORK)
    stand(app, keys, comment, Kind.BAN, mark)
    for other in Trace:
        traces = traces_of(app, site, keys, comment, other)
        assert stands(app, traces) == (Kind.BAN if other == mark else None)
    elsewhere = replace(traces_of(app, site, keys, comment, mark), site_id=site.id + 1)
    assert stands(app, elsewhere) is None


@pytest.mark.parametrize("mark", [Trace.EMAIL, Trace.DOMAIN])
def test_trust_by_what_anybody_can_type_needs_a_receipt(
    app: Flask, site: SiteView, keys: Keyring, mark: Trace
) -> None:
    comment = a_comment(app, site, email=EMAIL)
    stand(app, keys, comment, Kind.TRUST, mark)
    traces = traces_of(app, site, keys, comment, mark)
    assert stands(app, traces) is None
    proven = Traces(site.id, comment.id, traces.email_hashes, (), traces.domains)
    assert stands(app, proven) == Kind.TRUST


def test_a_ban_weighs_more_than_trust(app: Flask, site: SiteView, keys: Keyring) -> None:
    comment = a_comment(app, site, email=EMAIL, network=NETWORK)
    stand(app, keys, comment, Kind.TRUST, Trace.RECEIPT)
    traces = traces_of(app, site, keys, comment, Trace.RECEIPT)
    assert stands(app, traces) == Kind.TRUST
    stand(app, keys, comment, Kind.BAN, Trace.RECEIPT)
    assert stands(app, traces) == Kind.BAN


def test_a_ban_ends_with_its_day_and_a_networks_with_its_trace(
    app: Flask, site: SiteView, keys: Keyring
) -> None:
    comment = a_comment(app, site, email=EMAIL, network=NETWORK)
    stand(app, keys, comment, Kind.BAN, Trace.EMAIL, ends_at=NOW + timedelta(days=7))
    stand(app, keys, comment, Kind.BAN, Trace.NETWORK, ends_at=NOW + timedelta(days=400))
    by_email = traces_of(app, site, keys, comment, Trace.EMAIL)
    by_network = traces_of(app, site, keys, comment, Trace.NETWORK)
    assert [stands(app, by_email, days=days) for days in (6, 8)] == [Kind.BAN, None]
    assert [stands(app, by_network, days=days) for days in (29, 31)] == [Kind.BAN, None]


def test_a_ban_is_lifted_undone_and_redone(app: Flask, site: SiteView, keys: Keyring) -> None:
    comment = a_comment(app, site, email=EMAIL)
    batch = stand(app, keys, comment, Kind.BAN, Trace.EMAIL)
    traces = traces_of(app, site, keys, comment, Trace.EMAIL)
    with app.app_context():
        undone = undo(by=None, now=NOW, batch=batch)
        assert (undone.count, stands(app, traces)) == (1, None)
        undo(by=None, now=NOW, batch=undone.batch)
        assert stands(app, traces) == Kind.BAN
        number = db.session.scalars(select(Standing.id)).one()
        lifted = lift(number, by=None, now=NOW)
        assert (stands(app, traces), lift(number, by=None, now=NOW)) == (None, None)
        undo(by=None, now=NOW, batch=lifted)
    assert stands(app, traces) == Kind.BAN


def test_the_journal_and_the_label_name_nobody(app: Flask, site: SiteView, keys: Keyring) -> None:
    comment = a_comment(app, site, email=EMAIL, name="Dan")
    stand(app, keys, comment, Kind.BAN, Trace.EMAIL, note="Third time.")
    with app.app_context():
        row = db.session.scalars(select(Standing)).one()
        assert (row.label, row.note) == ("d•••@m•••.org", "Third time.")
    line = journal(app, "author-banned")[0]
    assert "Dan" not in str(vars(line))
    assert "example" not in str(vars(line))


MISSING = [(Trace.EMAIL, {"email": None}), (Trace.DOMAIN, {"email": None, "website": None})]


@pytest.mark.parametrize(("mark", "fields"), MISSING)
def test_a_trace_that_is_not_there_is_refused(
    app: Flask, site: SiteView, keys: Keyring, mark: Trace, fields: dict[str, Any]
) -> None:
    comment = a_comment(app, site, **fields)
    with pytest.raises(FieldsRefused) as refusal:
        stand(app, keys, comment, Kind.BAN, mark)
    assert [(e.field, e.code) for e in refusal.value.errors] == [("mark", "missing")]


def test_a_day_that_has_passed_is_refused(app: Flask, site: SiteView, keys: Keyring) -> None:
    comment = a_comment(app, site)
    with pytest.raises(FieldsRefused):
        stand(app, keys, comment, Kind.BAN, Trace.RECEIPT, ends_at=NOW)


DOMAINS = [
    ("a@x.example.org", None, ("x.example.org", "example.org")),
    (None, "https://www.example.net/path", ("www.example.net", "example.net")),
    (f"a@{'x.' * 90}example.org", None, tuple(f"{'x.' * n}example.org" for n in range(7, -1, -1))),
    (None, None, ()),
    ("broken", "nonsense", ()),
]


@pytest.mark.parametrize(("email", "website", "domains"), DOMAINS)
def test_a_domain_is_below_those_above_it(
    email: str | None, website: str | None, domains: tuple[str, ...]
) -> None:
    assert domains_of(email, website) == domains


# --- what comes of it ---


def send(app: Flask, site: SiteView, **fields: Any) -> Comment:
    """Let a reader send a comment, and see how it is stored."""
    parts = wiring_of(app)
    with app.app_context():
        later = NOW + timedelta(hours=1)
        sent = submit(a_submission(site, **fields), settings=parts.settings, keys=parts.keys, now=later)
        row = db.session.get_one(Comment, sent.comment_id)
        assert sent.status == ("approved" if row.status == "approved" else "pending")
        db.session.expunge(row)
        db.session.rollback()
        return row


def test_who_is_banned_is_declined_and_told_to_wait(app: Flask, site: SiteView, keys: Keyring) -> None:
    comment = a_comment(app, site, email=EMAIL)
    stand(app, keys, comment, Kind.BAN, Trace.EMAIL)
    row = send(app, site, email=EMAIL)
    assert (row.status, row.is_quietly_declined, row.verdict_reason) == ("spam", True, "banned")


def test_who_is_trusted_is_published_at_once(app: Flask, site: SiteView, keys: Keyring) -> None:
    comment = a_comment(app, site, email=EMAIL, status="pending")
    stand(app, keys, comment, Kind.TRUST, Trace.RECEIPT)
    previous = receipt(keys, site="demo", comment_id=comment.id)
    assert send(app, site, email=EMAIL, previous=previous).status == "approved"
    assert send(app, site, email=EMAIL).status == "pending"


def test_a_ban_moves_to_a_new_key_with_its_comment(app: Flask, site: SiteView, keys: Keyring) -> None:
    comment = a_comment(app, site, email=EMAIL)
    stand(app, keys, comment, Kind.BAN, Trace.EMAIL)
    newer = keys.with_key(Keyring.generate(2))
    with app.app_context():
        with transaction() as session:
            _move_batch(session, newer)
        assert db.session.scalars(select(Standing.hash)).one() == newer.email_hash(EMAIL, site_id=site.id)
        db.session.rollback()


def test_a_forgotten_person_is_not_banned_by_the_email_any_more(
    app: Flask, site: SiteView, keys: Keyring
) -> None:
    comment = a_comment(app, site, email=EMAIL)
    stand(app, keys, comment, Kind.BAN, Trace.EMAIL)
    with app.app_context():
        erase_person(EMAIL, keys=keys, now=NOW)
        assert db.session.scalars(select(Standing)).all() == []
        db.session.rollback()


@pytest.mark.parametrize("mark", list(Trace))
def test_nothing_of_a_ban_is_left_once_its_person_is_erased(
    app: Flask, site: SiteView, keys: Keyring, mark: Trace
) -> None:
    """A domain stands there in clear, a note is whatever somebody wrote; those of others stay."""
    others = a_comment(app, site, email="eva@mail.example.org", network="10.9.7.0/24")
    stand(app, keys, others, Kind.BAN, mark)
    comment = a_comment(app, site, email=EMAIL, network=NETWORK, website="https://dan.example.com")
    stand(app, keys, comment, Kind.BAN, mark, note="Dan again")
    with app.app_context():
        erase_person(EMAIL, keys=keys, now=NOW)
        left = db.session.execute(select(Standing.mark, Standing.note)).all()
        db.session.rollback()
    assert [tuple(row) for row in left] == [(mark, "")]
    assert "Dan again" not in repr(everything(app))


def test_a_domain_in_clear_does_not_outlive_all_its_comments_and_its_person(
    app: Flask, site: SiteView, keys: Keyring
) -> None:
    """That of an email whose comment was deleted for ever before, and that of a website."""
    email, domain = "dan@dan.example.com", "dan.example.com"
    gone = a_comment(app, site, email=email, status="trash")
    stand(app, keys, gone, Kind.BAN, Trace.DOMAIN)
    with app.app_context():
        decide(Change(gone.id, gone.version, Verb.DELETE), by=None, now=NOW)
    assert domain in repr(everything(app)["standing"])
    with_website = a_comment(app, site, email=EMAIL, website=f"https://{domain}")
    stand(app, keys, with_website, Kind.BAN, Trace.DOMAIN)
    with app.app_context():
        erase_person(email, keys=keys, now=NOW)
        erase_person(EMAIL, keys=keys, now=NOW)
    assert domain not in repr(everything(app))


def test_what_has_ended_is_swept_away_and_what_holds_is_kept(
    app: Flask, site: SiteView, keys: Keyring, settings: Settings
) -> None:
    comment = a_comment(app, site, email=EMAIL)
    stand(app, keys, comment, Kind.BAN, Trace.EMAIL, ends_at=NOW + timedelta(days=1))
    stand(app, keys, comment, Kind.BAN, Trace.RECEIPT)
    with app.app_context():
        assert sweep(settings=settings, now=NOW + timedelta(days=9)).standings == 1
        assert db.session.scalars(select(Standing.mark)).all() == ["receipt"]
        db.session.rollback()

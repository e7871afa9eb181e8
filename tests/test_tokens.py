"""A token opens what it was made for: that purpose, that site, that article, that time. Nothing else."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from comments_service.errors import CommentNotFound, CommentsError, ReceiptRefused, TicketRefused
from comments_service.privacy import Keyring
from comments_service.tokens import (
    OPENING_LASTS,
    Opening,
    Ticket,
    new_ticket,
    opening_of,
    read_receipt,
    read_status_token,
    read_ticket,
    receipt,
    sign_ticket,
    status_token,
)
from comments_service.vocabulary import ArticleRef

KEYS = Keyring.parse("1:a-first-secret-for-tests-0123456789abcdef")
ROTATED = KEYS.with_key("2:another-secret-for-tests-0123456789abcdef")
FOREIGN = Keyring.parse("1:another-secret-for-tests-0123456789abcdef")
NOW = datetime(2026, 11, 23, 11, 0, 0, 250_000, tzinfo=UTC)
ARTICLE = ArticleRef("https://news.example.org/a", "//news.example.org/a")
LIFETIME_SECONDS = 3_600
SPELLINGS = string.ascii_letters + string.digits + "-_.=!+/ \n"


def a_ticket(keys: Keyring = KEYS, *, site: str = "demo", article: ArticleRef = ARTICLE) -> str:
    return sign_ticket(keys, new_ticket(site=site, article=article, now=NOW))


def read(
    token: str,
    keys: Keyring = KEYS,
    *,
    site: str = "demo",
    article: ArticleRef = ARTICLE,
    after: timedelta = timedelta(0),
) -> Ticket:
    return read_ticket(
        keys, token, site=site, article=article, now=NOW + after, lifetime_seconds=LIFETIME_SECONDS
    )


def one_character_away(token: str) -> Iterator[str]:
    for place in range(len(token)):
        yield token[:place] + token[place + 1 :]
        for letter in SPELLINGS:
            yield token[:place] + letter + token[place:]
            if letter != token[place]:
                yield token[:place] + letter + token[place + 1 :]
    yield from (token + letter for letter in SPELLINGS)


def test_a_ticket_reads_back_for_its_site_and_article() -> None:
    ticket = read(a_ticket())
    assert (ticket.site, ticket.issued_at) == ("demo", NOW.replace(microsecond=0))


def test_two_tickets_of_one_moment_have_different_nonces() -> None:
    assert read(a_ticket()).nonce != read(a_ticket()).nonce


def test_a_ticket_is_refused_for_another_site() -> None:
    with pytest.raises(TicketRefused):
        read(a_ticket(), site="other")


def test_a_ticket_is_refused_for_another_article() -> None:
    with pytest.raises(TicketRefused):
        read(a_ticket(), article=replace(ARTICLE, normalised_url="//news.example.org/b"))


def test_a_ticket_of_an_id_is_refused_for_another_id_or_none() -> None:
    token = a_ticket(article=replace(ARTICLE, explicit_id="7"))
    for wrong in ("8", None):
        with pytest.raises(TicketRefused):
            read(token, article=replace(ARTICLE, explicit_id=wrong))


def test_an_id_that_looks_like_an_address_is_another_article() -> None:
    with pytest.raises(TicketRefused):
        read(a_ticket(), article=replace(ARTICLE, explicit_id=ARTICLE.normalised_url))


def test_a_ticket_follows_an_article_with_an_id_to_a_new_address() -> None:
    token = a_ticket(article=replace(ARTICLE, explicit_id="7"))
    assert read(token, article=ArticleRef("https://x.example", "//x.example/", "7")).site == "demo"


@pytest.mark.parametrize("seconds", [LIFETIME_SECONDS - 0.25, LIFETIME_SECONDS + 1, -6, -86_400])
def test_a_ticket_too_old_or_from_the_future_is_refused(seconds: float) -> None:
    with pytest.raises(TicketRefused):
        read(a_ticket(), after=timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [0, LIFETIME_SECONDS - 1, -2])
def test_a_ticket_lives_for_its_time_and_through_a_small_difference_of_clocks(seconds: int) -> None:
    assert read(a_ticket(), after=timedelta(seconds=seconds)).site == "demo"


@pytest.mark.parametrize("asks_proof", [False, True])
def test_a_ticket_tells_when_its_form_was_first_shown_with_whichever_ticket(asks_proof: bool) -> None:
    first = Opening("nonce-of-the-first", NOW.replace(microsecond=0) - timedelta(days=2))
    ticket = new_ticket(site="demo", article=ARTICLE, now=NOW, asks_proof=asks_proof, first=first)
    again = read(sign_ticket(KEYS, ticket))
    assert (again.opening, again.nonce, again.asks_proof) == (first, ticket.nonce, asks_proof)
    assert again.issued_at == NOW.replace(microsecond=0)
    alone = read(a_ticket())
    assert alone.opening == Opening(alone.nonce, alone.issued_at)


def test_an_old_ticket_still_proves_since_when_its_form_is_open_and_no_other_one_does() -> None:
    def opening(
        token: str, keys: Keyring = KEYS, article: ArticleRef = ARTICLE, later: timedelta = timedelta(0)
    ) -> Opening | None:
        return opening_of(keys, token, site="demo", article=article, now=NOW + later)

    token = a_ticket()
    assert opening(token) == read(token).opening
    assert opening(token, ROTATED) == opening(token)
    assert opening(token, later=OPENING_LASTS - timedelta(seconds=2)) == opening(token)
    assert opening(token, later=OPENING_LASTS) is None
    assert opening(token, FOREIGN) is None
    assert opening(token, article=replace(ARTICLE, explicit_id="7")) is None
    assert opening(a_ticket(site="other")) is None
    assert opening(receipt(KEYS, site="demo", comment_id=12)) is None
    assert [opening(forged) for forged in ("", "é.é", token[:-1], f"{token}A")] == [None] * 4


def test_a_receipt_is_the_same_each_time_and_names_site_and_comment() -> None:
    token = receipt(KEYS, site="demo", comment_id=12)
    assert token == receipt(KEYS, site="demo", comment_id=12)
    assert read_receipt(KEYS, token) == ("demo", 12)


def test_receipts_of_two_comments_or_sites_differ() -> None:
    tokens = {receipt(KEYS, site=site, comment_id=number) for site in ("a", "b") for number in (1, 11)}
    assert len(tokens) == 4


def test_a_status_token_is_the_same_each_time_and_ends_after_thirty_days() -> None:
    token = status_token(KEYS, site="demo", comment_id=12, created_at=NOW)
    assert token == status_token(KEYS, site="demo", comment_id=12, created_at=NOW)
    assert read_status_token(KEYS, token, now=NOW + timedelta(days=30, seconds=-1)) == ("demo", 12)
    with pytest.raises(CommentNotFound):
        read_status_token(KEYS, token, now=NOW + timedelta(days=30))


def test_a_ticket_one_character_away_is_refused() -> None:
    for forged in one_character_away(a_ticket()):
        with pytest.raises(TicketRefused):
            read(forged)


def test_a_receipt_one_character_away_is_refused() -> None:
    for forged in one_character_away(receipt(KEYS, site="demo", comment_id=12)):
        with pytest.raises(ReceiptRefused):
            read_receipt(KEYS, forged)


def test_a_status_token_one_character_away_is_refused() -> None:
    for forged in one_character_away(status_token(KEYS, site="demo", comment_id=12, created_at=NOW)):
        with pytest.raises(CommentNotFound):
            read_status_token(KEYS, forged, now=NOW)


@pytest.mark.parametrize("keys", [KEYS, ROTATED])
def test_tokens_of_an_older_key_are_still_read(keys: Keyring) -> None:
    assert read(a_ticket(), keys).site == "demo"
    assert read_receipt(keys, receipt(KEYS, site="demo", comment_id=12)) == ("demo", 12)


def test_tokens_of_a_foreign_or_newer_key_are_refused() -> None:
    for token in (receipt(FOREIGN, site="demo", comment_id=12), receipt(ROTATED, site="demo", comment_id=12)):
        with pytest.raises(ReceiptRefused):
            read_receipt(KEYS, token)


def test_no_token_passes_for_one_of_another_purpose() -> None:
    status = status_token(KEYS, site="demo", comment_id=12, created_at=NOW)
    own = receipt(KEYS, site="demo", comment_id=12)
    for token in (a_ticket(), status):
        with pytest.raises(ReceiptRefused):
            read_receipt(KEYS, token)
    for token in (own, status):
        with pytest.raises(TicketRefused):
            read(token)
    for token in (own, a_ticket()):
        with pytest.raises(CommentNotFound):
            read_status_token(KEYS, token, now=NOW)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())) | st.text("ab.-_W", min_size=1))
@example("\ud800")
@example("é.é")
def test_garbage_is_refused_and_never_quoted(garbage: str) -> None:
    with pytest.raises(TicketRefused) as ticket:
        read(garbage)
    with pytest.raises(ReceiptRefused) as own:
        read_receipt(KEYS, garbage)
    with pytest.raises(CommentNotFound) as status:
        read_status_token(KEYS, garbage, now=NOW)
    assert [str(refused.value) for refused in (ticket, own, status)] == [
        error.title for error in (TicketRefused, ReceiptRefused, CommentNotFound)
    ]


def test_a_refusal_does_not_carry_the_token() -> None:
    token = a_ticket()
    with pytest.raises(CommentsError) as refused:
        read(token, site="other")
    assert token not in f"{refused.value} {refused.value.detail} {refused.value.errors}"

"""Texts as long as the service takes, made to be slow: what looks at them takes time that grows with them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from comments_service.blocklists.domains import domains_met
from comments_service.blocklists.folding import fold, framed, meant
from comments_service.spam.features import look_at
from comments_service.spam.links import hosts_of

LONGEST = 65_525  # bytes
MOST_SECONDS = 2.0  # thirty times what the slowest takes; what tries each place anew takes a minute
REPEATED = (
    *("a-", "-a.", "a", "a.", "a@", "-", "www.", "https://", "<a", "[url=", "href ", 'href="', "a.b/"),
    *("a.com/", "ab.", "-.", "a.a@", "x@yyy.", "+1 ", "1a", "é.", "我.", "我", "a\u200b", "\u0301", "ﷺ"),
)


def _domains(text: str) -> object:
    return domains_met("", "", text, "")


def _words(text: str) -> object:
    folded = fold(text)
    return [framed(form) for form in (folded, *meant(folded))]


@pytest.mark.parametrize("look", [hosts_of, _domains, _words, look_at])
@pytest.mark.parametrize("piece", REPEATED)
def test_no_text_makes_whoever_looks_at_it_slow(piece: str, look: Callable[[str], object]) -> None:
    text = piece * (LONGEST // len(piece.encode()))
    begun = time.process_time()
    look(text)
    assert time.process_time() - begun < MOST_SECONDS


@pytest.mark.parametrize(
    ("typed", "hosts"),
    [
        ("see -shop.example, --shop.example", ["shop.example", "shop.example"]),
        ("a--shop.example/x", ["a--shop.example"]),
        ("a-b.c-d.com", ["a-b.c-d.com"]),
        ("mail me@shop.example or a.shop.example", ["a.shop.example"]),
        ("self-explanatory and e.g. nothing", []),
    ],
)
def test_a_host_is_found_whatever_lines_stand_before_it(typed: str, hosts: list[str]) -> None:
    assert hosts_of(typed) == hosts

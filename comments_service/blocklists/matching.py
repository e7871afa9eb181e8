"""The words of a list against a text, all at once: by an automaton, in time that grows with the text. Pure.

A. V. Aho, M. J. Corasick: *Efficient string matching: an aid to bibliographic search*, CACM 18(6), 1975.
"""

from __future__ import annotations

from collections.abc import Iterable

from ahocorasick import STORE_LENGTH, Automaton

from comments_service.blocklists.folding import BORDER, disguised, fold, framed, meant

MOST_MET = 200  # distinct ones: more say nothing more
MOST_HITS = 10_000  # an owner's "a", "aa", "aaa"… in writing without blanks must not make a text slow


class WordList:
    """The words of one list, in folded form. Never changes: another list is another value."""

    def __init__(self, folded: Iterable[str] = ()) -> None:
        """Take words and phrases as `fold` leaves them."""
        self._automaton = Automaton(STORE_LENGTH)
        for word in folded:
            self._automaton.add_word(framed(word))
        self._automaton.make_automaton()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._automaton)

    def met_in(self, texts: Iterable[str]) -> frozenset[str]:
        """Which of them are met in one of the texts, however they are spelled there; in folded form.

        An entry is met as a whole, and does not reach from one text into the next.
        """
        if not self:
            return frozenset()
        whole = "\n".join(fold(text) for text in texts if text)
        found: set[str] = set()
        shown = disguised(whole)
        for form in (whole, *shown, *meant(shown[0] if shown else whole)):
            self._add_met(framed(form), found)
        return frozenset(found)

    def _add_met(self, text: str, found: set[str]) -> None:
        for hits, (end, length) in enumerate(self._automaton.iter(text), 1):
            found.add(text[end + 1 - length : end + 1].replace(BORDER, ""))
            if hits >= MOST_HITS or len(found) >= MOST_MET:
                return

"""One entry of a blocklist: what somebody typed, checked; of networks and addresses a hash alone is left."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from typing import TypeVar
from unicodedata import category

from comments_service.blocklists.domains import MAX_DOMAIN, domain_of
from comments_service.blocklists.folding import fold
from comments_service.errors import FieldsRefused
from comments_service.privacy import HASH_BYTES, Keyring, mask_email
from comments_service.rules.words import is_too_wide, network

MAX_WORD_CHARACTERS = 100
MAX_FOLDED_CHARACTERS = 400  # one sign may fold into eighteen letters
MAX_NOTE_CHARACTERS = 200
MAX_ENTRIES = 100_000  # of one site
HASHED = "hash:"  # in front of what an export says of a network or an address
SEAL_BYTES = 8  # shows that it was this service who gave a hash out, and for which site and kind
SEAL_PURPOSE = "blocklists"
PICTURES = ("So", "Sk")  # of Unicode's categories: emoji, and the colours of their skin
Choice = TypeVar("Choice", bound=StrEnum)
_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Kind(StrEnum):
    """What an entry is."""

    WORD = "word"
    DOMAIN = "domain"
    NETWORK = "network"
    ADDRESS = "address"


class Action(StrEnum):
    """What becomes of a comment in which it is met."""

    HOLD = "hold"
    REFUSE = "refuse"


# In the place of what must not be shown, among the entries that were met
UNSHOWN: dict[str, str] = {Kind.NETWORK: "@network", Kind.ADDRESS: "@address"}
MET_TEXTS = {word: f"blocklists.met.{kind}" for kind, word in UNSHOWN.items()}


@dataclass(frozen=True)
class Typed:
    """An entry as it was typed, or as a line of a file has it."""

    kind: str
    entry: str
    action: str = Action.HOLD.value
    expires: str = ""
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """An entry that nothing is wrong with. Of `folded` and `hash` it has one: what it is compared by."""

    kind: Kind
    shown: str
    folded: str | None
    hash: bytes | None
    action: Action
    expires_at: datetime | None
    note: str

    @property
    def mark(self) -> tuple[Kind, str | bytes | None]:
        """What no two entries of a site share."""
        return self.kind, self.folded or self.hash


@dataclass(frozen=True)
class Whose:
    """For which site entries are read, and under which keys."""

    site_id: int
    keys: Keyring


class WrongEntry(Exception):
    """An entry that cannot be taken: which part of it is wrong, and how."""

    def __init__(self, field: str, code: str) -> None:
        """Keep both: the catalogue has a sentence for each pair."""
        super().__init__(f"{field}: {code}")
        self.field, self.code = field, code


def read_entry(typed: Typed, whose: Whose) -> Entry:
    """Make an entry of what was typed. Networks and addresses are in it as keyed hashes alone.

    Raises: WrongEntry.
    """
    kind = _one_of(Kind, typed.kind, "kind")
    action = _one_of(Action, typed.action or Action.HOLD, "action")
    entry = " ".join(typed.entry.split())
    if not entry:
        raise WrongEntry("entry", "empty")
    if _UNREADABLE.search(entry):
        raise WrongEntry("entry", "characters")
    shown, folded, hashed = READERS[kind](entry, whose)
    return Entry(kind, shown, folded, hashed, action, last_day(typed.expires), _note(typed.note))


def last_day(text: str) -> datetime | None:
    """The end of a day as date fields send it; nothing means for good.

    Raises: WrongEntry.
    """
    if not text.strip():
        return None
    try:
        day = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise WrongEntry("expires", "unreadable") from None
    try:
        return day + timedelta(days=1)
    except OverflowError:  # the year 10000
        raise WrongEntry("expires", "too_late") from None


def day_of(moment: datetime | None) -> str:
    """The last day on which an entry holds, as date fields have it; empty for one that holds for good."""
    return "" if moment is None else f"{moment - timedelta(days=1):%Y-%m-%d}"


def hashes_of(kind: Kind, entry: str, whose: Whose) -> tuple[bytes, ...]:
    """What a network or an address is compared by, under all keys, the newest first.

    Raises: WrongEntry for what is none.
    """
    if kind == Kind.NETWORK:
        if (name := network(entry)) is None:
            raise WrongEntry("entry", "network")
        if is_too_wide(entry):
            raise WrongEntry("entry", "too_wide")
        return whose.keys.network_hashes(name, site_id=whose.site_id)
    try:
        return whose.keys.email_hashes(entry, site_id=whose.site_id)
    except FieldsRefused:
        raise WrongEntry("entry", "address") from None


def sealed(kind: Kind, hashed: bytes, whose: Whose) -> str:
    """A hash as an export has it: good for the same kind on the same site, and no use elsewhere."""
    return f"{HASHED}{hashed.hex()}{_seals(kind, hashed, whose)[0].hex()}"


def _opened(kind: Kind, entry: str, whose: Whose) -> bytes | None:
    """The hash in what `sealed` gave out; None where the entry is none of these.

    Raises: WrongEntry where it was given out for another site or kind, or under a key that is no more.
    """
    if not entry.startswith(HASHED):
        return None
    try:
        given = bytes.fromhex(entry.removeprefix(HASHED))
    except ValueError:
        raise WrongEntry("entry", "foreign") from None
    hashed, seal = given[: 1 + HASH_BYTES], given[1 + HASH_BYTES :]
    if not any(compare_digest(seal, good) for good in _seals(kind, hashed, whose)):
        raise WrongEntry("entry", "foreign")
    return hashed


def _seals(kind: Kind, hashed: bytes, whose: Whose) -> list[bytes]:
    message = f"{whose.site_id}:{kind}:".encode() + hashed
    return [digest[1 : 1 + SEAL_BYTES] for digest in whose.keys.digests(SEAL_PURPOSE, message)]


def _one_of(choices: type[Choice], text: str, field: str) -> Choice:
    try:
        return choices(text.strip().lower())
    except ValueError:
        raise WrongEntry(field, "unknown") from None


def _note(text: str) -> str:
    note = " ".join(text.split())
    if len(note) > MAX_NOTE_CHARACTERS:
        raise WrongEntry("note", "too_long")
    if _UNREADABLE.search(note):
        raise WrongEntry("note", "characters")
    return note


def _word(entry: str, _whose: Whose) -> tuple[str, str, None]:
    if "*" in entry:  # a sign of the rules' words; taken as it stands it would look for a star
        raise WrongEntry("entry", "star")
    folded = fold(entry)
    if len(entry) > MAX_WORD_CHARACTERS or len(folded) > MAX_FOLDED_CHARACTERS:
        raise WrongEntry("entry", "too_long")
    if not folded:
        raise WrongEntry("entry", "empty")
    if not any(map(_is_told_apart, folded)):
        raise WrongEntry("entry", "signs")
    return entry, folded, None


def _is_told_apart(letter: str) -> bool:
    """Whether it is a letter, a digit or a picture. Ordinary texts are full of the other signs."""
    return letter.isalnum() or category(letter) in PICTURES


def _domain(entry: str, _whose: Whose) -> tuple[str, str, None]:
    if (domain := domain_of(entry)) is None:
        raise WrongEntry("entry", "domain")
    is_plain = len(entry) <= MAX_DOMAIN and not set("/@") & set(entry)
    return entry if is_plain else domain, domain, None


def _network(entry: str, whose: Whose) -> tuple[str, None, bytes]:
    hashed = _opened(Kind.NETWORK, entry, whose) or hashes_of(Kind.NETWORK, entry, whose)[0]
    return f"#{hashed[1:4].hex()}", None, hashed


def _address(entry: str, whose: Whose) -> tuple[str, None, bytes]:
    if hashed := _opened(Kind.ADDRESS, entry, whose):
        return f"#{hashed[1:4].hex()}", None, hashed
    return mask_email(entry), None, hashes_of(Kind.ADDRESS, entry, whose)[0]


READERS: dict[Kind, Callable[[str, Whose], tuple[str, str | None, bytes | None]]] = {
    Kind.WORD: _word,
    Kind.DOMAIN: _domain,
    Kind.NETWORK: _network,
    Kind.ADDRESS: _address,
}

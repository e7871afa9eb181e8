"""What two comments are compared by: shingles of the text as people read it, and hosts it links to. Pure."""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

SHINGLE = 4  # characters: one word more or less leaves most shingles of a short comment as they are
LIKE = 0.6  # of all shingles are shared; at a half, "I hate this song" would meet "love this song"
SHORTEST = 18  # characters: "I love this song" is what a crowd of honest people says
MOST_CHARACTERS = 2_000  # of a text are compared: the rest would only take time
MOST_SHINGLES = 256  # of a text are enough to know it by
BANDS, ROWS = 16, 3
COMMON_HOSTS = frozenset(  # everybody links there, so it tells nothing of who does
    {
        *("youtube.com", "youtu.be", "wikipedia.org", "google.com", "goo.gl", "bit.ly", "t.co"),
        *("facebook.com", "instagram.com", "twitter.com", "x.com", "reddit.com", "linkedin.com"),
        *("github.com", "archive.org", "web.archive.org", "medium.com", "apple.com", "amazon.com"),
        *("soundcloud.com", "spotify.com", "open.spotify.com", "vimeo.com", "tiktok.com", "imgur.com"),
    }
)
_LINK = re.compile(r"(?:https?://|\bwww\.)([^\s/?#\"'<>:@]+)[^\s<>\"']*|</?a\b[^<>]*>", re.IGNORECASE)
_REPEATED = re.compile(r"(.)\1{2,}")
_DIGITS = re.compile("0+")
_SIXTEEN = struct.Struct("<16I")
# Letters of other alphabets that look like Latin ones
_LOOKALIKES = str.maketrans(
    "абвгезикмнопрстухьіјѕԁԛԝαβγεικνορτυχωϲ", "abbrezukmhonpctyxbijsdqwabyeikvoptuxwc"
)


@dataclass(frozen=True)
class Fingerprint:
    """A comment as the clusters know it. `shingles` is empty where the text is too short to be compared."""

    shingles: frozenset[str]
    hosts: frozenset[str]

    @property
    def bands(self) -> tuple[int, ...]:
        """Numbers of 63 bits, of which two like texts are likely to share one: 1 - (1 - likeness³)¹⁶."""
        return _bands(self.shingles) if self.shingles else ()

    @property
    def telling_hosts(self) -> frozenset[str]:
        """The hosts that few would link to."""
        return frozenset(host for host in self.hosts if not _is_common(host))


def fingerprint(text: str, website: str | None = None) -> Fingerprint:
    """What is compared of a comment."""
    hosts = {host for match in _LINK.finditer(f"{text} {website or ''}") if (host := bare_host(match[1]))}
    plain = plain_text(text[:MOST_CHARACTERS])
    return Fingerprint(_shingles(plain) if len(plain) >= SHORTEST else frozenset(), frozenset(hosts))


def plain_text(text: str) -> str:
    """A text as people read it: no case, marks, lookalikes or invisible characters."""
    linked = _LINK.sub(" link ", unicodedata.normalize("NFKC", text))
    folded = unicodedata.normalize("NFKD", linked).casefold().translate(_LOOKALIKES)
    letters = _DIGITS.sub("0", "".join(map(_plain, folded)))
    return " ".join(_REPEATED.sub(r"\1", letters).split())


def likeness(one: Fingerprint, other: Fingerprint) -> float:
    """The share of their shingles that two texts have in common (Jaccard), from 0 to 1."""
    shared = len(one.shingles & other.shingles)
    return shared / (len(one.shingles) + len(other.shingles) - shared) if shared else 0.0


def is_like(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether two texts say the same.

    One with links is never like one without: else whoever copies an honest comment, with a link of the own,
    would have the moderator's decision fall on both.
    """
    return bool(one.hosts) == bool(other.hosts) and likeness(one, other) >= LIKE


def host_numbers(hosts: Iterable[str]) -> tuple[int, ...]:
    """Hosts as numbers of 63 bits."""
    return tuple(_number(f"host {host}".encode()) for host in sorted(hosts))


def _plain(character: str) -> str:
    kind = unicodedata.category(character)
    if kind[0] == "L":
        return character
    if kind in ("Cf", "Mn", "Me"):
        return ""
    return "0" if kind == "Nd" else " "


def bare_host(name: str | None) -> str:
    """A host as it is compared; "" for what is none."""
    host = (name or "").casefold().strip(".").removeprefix("www.")
    return host if "." in host else ""


def _is_common(host: str) -> bool:
    return host in COMMON_HOSTS or host.partition(".")[2] in COMMON_HOSTS


def _shingles(plain: str) -> frozenset[str]:
    found = {plain[start : start + SHINGLE] for start in range(len(plain) - SHINGLE + 1)}
    if len(found) > MOST_SHINGLES:  # by their own numbers, so that like texts keep like ones
        found = set(sorted(found, key=lambda shingle: crc32(shingle.encode()))[:MOST_SHINGLES])
    return frozenset(found)


def _bands(shingles: frozenset[str]) -> tuple[int, ...]:
    """MinHash: the least of each of 48 hashes over all shingles, three to a band (Broder 1997; LSH bands)."""
    least: list[int] = []
    for salt in range(BANDS * ROWS // 16):
        mark = bytes([salt])
        hashes = [
            _SIXTEEN.unpack(blake2b(shingle.encode(), salt=mark).digest()) for shingle in shingles
        ]  # 64 bytes: sixteen hashes at a time
        least += map(min, zip(*hashes, strict=True))
    rows = [least[band * ROWS : (band + 1) * ROWS] for band in range(BANDS)]
    return tuple(_number(struct.pack("<4I", band, *row)) for band, row in enumerate(rows))


def _number(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big") >> 1

"""The start that all sites share: weights in a compact file that travels with the package.

The file is one line of JSON, which says what the weights were made of, and then, deflated, a pair for each
slot in use: how far it is from the one before (seven bits a byte, the last byte below 128) and its weight as
a signed byte, in units of `unit`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from comments_service.errors import FieldsRefused
from comments_service.spam.model import Slots, cautious

SHIPPED = Path(__file__).parent / "start.weights"
FORMAT = 1
LARGEST = 127  # of a signed byte
UNITS, SMALLEST = 40, 2  # of the largest weight, and what is kept: finer and smaller ones decide nothing


@dataclass(frozen=True)
class Start:
    """Weights with where they come from. `sources` are the names of the files they were made of."""

    weights: Slots
    sources: tuple[str, ...]
    comments: int
    spam: int


@cache
def shipped() -> Start:
    """The start that this release brings; read once."""
    return unpack(SHIPPED.read_bytes())


@cache
def new_site() -> Slots:
    """What a site's filter starts with: the shipped weights, and caution."""
    return cautious(shipped().weights)


def pack(start: Start) -> bytes:
    """A start as its file holds it, in units; what is smaller than `SMALLEST` of them is left out."""
    unit = max(map(abs, start.weights.values()), default=1.0) / UNITS
    in_units = {slot: round(weight / unit) for slot, weight in sorted(start.weights.items())}
    kept = {slot: units for slot, units in in_units.items() if abs(units) >= SMALLEST}
    about = {name: value for name, value in asdict(start).items() if name != "weights"}
    head = json.dumps({"format": FORMAT, "unit": unit, **about}, ensure_ascii=False)
    return head.encode() + b"\n" + zlib.compress(bytes(_pairs(kept.items())), 9)


def unpack(data: bytes) -> Start:
    """The start in a file.

    Raises: FieldsRefused, with a sentence, where this release cannot read it.
    """
    head, _, body = data.partition(b"\n")
    about = json.loads(head)
    if about["format"] != FORMAT:
        raise FieldsRefused(f"These weights have format {about['format']}; this release reads {FORMAT}.")
    weights = {slot: units * about["unit"] for slot, units in _read(zlib.decompress(body))}
    return Start(weights, tuple(about["sources"]), about["comments"], about["spam"])


def _pairs(units: Iterable[tuple[int, int]]) -> Iterator[int]:
    last = 0
    for slot, weight in units:
        distance, last = slot - last, slot
        while distance > 127:
            yield distance & 127 | 128
            distance >>= 7
        yield distance
        yield weight & 255


def _read(body: bytes) -> Iterator[tuple[int, int]]:
    slot, place = 0, 0
    numbers = iter(body)
    for number in numbers:
        slot += (number & 127) << place
        place += 7
        if number < 128:
            weight = next(numbers)
            yield slot, weight - 256 if weight > LARGEST else weight
            place = 0

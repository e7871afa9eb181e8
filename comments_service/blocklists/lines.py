"""Blocklists as files: a table with one entry a line, or plain lines, each of them a word to hold."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from comments_service.blocklists.entries import (
    MAX_ENTRIES,
    Entry,
    Kind,
    Typed,
    Whose,
    WrongEntry,
    read_entry,
)
from comments_service.cells import BOM, line, unguarded

MAX_BYTES = 5_000_000
COLUMNS = ("kind", "entry", "action", "expires", "note")
HEAD = BOM + line(COLUMNS)
SEPARATORS = (",", ";", "\t")
MOST_TOLD = 20  # of the wrong lines: who has more wants to look at the file, not at a list
STEP = 1_000  # lines, between two words about how far it got


@dataclass(frozen=True)
class WrongLine:
    """A line that is no entry: which part of it is wrong, and how. `number` counts from 1."""

    number: int
    field: str
    code: str


@dataclass(frozen=True)
class Read:
    """A file as it was read. `ended` counts entries whose last day is over, `repeated` those that come twice.

    Where a line is wrong, nothing of it shall be stored.
    """

    entries: tuple[Entry, ...]
    wrong: tuple[WrongLine, ...] = ()
    ended: int = 0
    repeated: int = 0


def written(typed: Typed) -> str:
    """One line of a file."""
    return line((typed.kind, typed.entry, typed.action, typed.expires, typed.note))


def decoded(data: bytes) -> str | None:
    """The text of a file; None where it is no UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def read_lines(
    text: str, whose: Whose, *, now: datetime, on_progress: Callable[[int], None] = lambda _count: None
) -> Read:
    """Read a whole file; all of it is looked at, so that every wrong line can be told at once."""
    found: dict[object, Entry] = {}
    wrong: list[WrongLine] = []
    ended = repeated = 0
    for count, (number, typed) in enumerate(_typed_lines(text), 1):
        if count % STEP == 0:
            on_progress(STEP)
        try:
            entry = _entry(typed, whose)
        except WrongEntry as error:
            wrong.append(WrongLine(number, error.field, error.code))
            continue
        if entry.expires_at is not None and entry.expires_at <= now:
            ended += 1
        elif entry.mark in found:
            repeated += 1
        else:
            found[entry.mark] = entry
    if len(found) > MAX_ENTRIES:
        wrong.insert(0, WrongLine(0, "lines", "too_many"))
    return Read(tuple(found.values()), tuple(wrong), ended, repeated)


def _entry(typed: Typed | WrongEntry, whose: Whose) -> Entry:
    if isinstance(typed, WrongEntry):
        raise typed
    return read_entry(typed, whose)


def _typed_lines(text: str) -> Iterator[tuple[int, Typed | WrongEntry]]:
    """Each line that says something, with its number."""
    # As editors count them: `splitlines` would part at signs that are no end of a line to anybody else
    lines = text.removeprefix(BOM).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    separator = _separator(lines)
    if separator is None:
        words = ((number, one.strip()) for number, one in enumerate(lines, 1))
        yield from ((number, Typed(Kind.WORD, word)) for number, word in words if word)
    else:
        yield from _table(lines, separator)


def _separator(lines: Sequence[str]) -> str | None:
    """What parts the cells of a table; None for plain lines. The first line that says something decides."""
    first = next((one.strip().lower() for one in lines if one.strip()), "")
    for separator in SEPARATORS:
        cells = [cell.strip().strip('"') for cell in first.split(separator)]
        if len(cells) > 1 and cells[0] in (COLUMNS[0], *Kind):
            return separator
    return None


def _table(lines: Iterable[str], separator: str) -> Iterator[tuple[int, Typed | WrongEntry]]:
    rows = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        number = rows.line_num + 1  # where it begins: a cell may go over several lines
        try:
            cells = [unguarded(cell).strip() for cell in next(rows)]
        except StopIteration:
            return
        except csv.Error:
            yield number, WrongEntry("lines", "unreadable")
            continue
        if not any(cells) or tuple(cells[: len(COLUMNS)]) == COLUMNS[: len(cells)]:
            continue
        yield number, _typed(cells)


def _typed(cells: list[str]) -> Typed | WrongEntry:
    if len(cells) < 2:
        return WrongEntry("entry", "empty")
    if len(cells) > len(COLUMNS):
        return WrongEntry("lines", "too_many_cells")
    return Typed(*cells)

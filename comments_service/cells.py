"""Tables as files for spreadsheets: cells that none of them takes for a formula (OWASP, CSV injection)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

BOM = "\ufeff"  # without it, spreadsheets take UTF-8 for the alphabet of their own land
# Where a cell begins, or begins for spreadsheets that part cells at `;` and make one of the rest of ours;
# some leave out blanks and what is not seen before a sign, or take full-width signs for common ones
_FORMULA = '[\\s"\u200b-\u200f\u2060\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20]'
_BEGINS = re.compile(f"(^|[;\t\r\n])(?={_FORMULA})|^(?=[\t\r\n])")
_GUARDED = re.compile(f"(^|[;\t\r\n])'(?={_FORMULA})|^'(?=[\t\r\n])")


def line(values: Iterable[object]) -> str:
    """One line of a file, its end included."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([guarded(value) for value in values])
    return out.getvalue()


def guarded(value: object) -> str:
    """A cell that stays what it is."""
    text = "" if value is None else str(value)
    return _BEGINS.sub(lambda begin: f"{begin[0]}'", text)


def unguarded(text: str) -> str:
    """What a cell said before it was guarded."""
    return _GUARDED.sub(lambda begin: begin[1] or "", text)

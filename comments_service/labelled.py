"""Comments that somebody has labelled, from CSV files: to try the service on, and to take figures from."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from comments_service.errors import FieldsRefused
from comments_service.vocabulary import MAX_NAME_CHARACTERS, MAX_TEXT_BYTES

COLUMNS = frozenset({"COMMENT_ID", "AUTHOR", "DATE", "CONTENT", "CLASS"})
SPAM = "1"
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]")  # all but LF and TAB; exports end in U+FEFF
_IN_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class LabelledComment:
    """One comment of a file, as a form would let it in. `source` is the file's name without its ending.

    `written` is the time as the file has it, in ISO 8601: as text it sorts by time within one file.
    """

    source: str
    key: str
    author: str
    text: str
    is_spam: bool
    written: str = ""


def read_folder(folder: Path) -> tuple[LabelledComment, ...]:
    """All comments of a folder's CSV files with the columns of `COLUMNS`, file by file; empty ones left out.

    Raises: FieldsRefused, with a sentence, where there is no such file or one of them cannot be read.
    """
    if not folder.is_dir():
        raise FieldsRefused(f"There is no folder {folder}.")
    found = [comment for file in sorted(folder.glob("*.csv")) for comment in _read(file)]
    if not found:
        columns = ", ".join(sorted(COLUMNS))
        raise FieldsRefused(f"There is no CSV file with comments in {folder}: the columns are {columns}.")
    return tuple(found)


def _read(file: Path) -> Iterator[LabelledComment]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if not set(rows.fieldnames or ()) >= COLUMNS:
                return  # a CSV file of something else is nobody's mistake
            for row in rows:
                if text := _text(row["CONTENT"] or ""):
                    name = _IN_LINE.sub("", row["AUTHOR"] or "").strip()[:MAX_NAME_CHARACTERS]
                    key, written = row["COMMENT_ID"] or "", row["DATE"] or ""
                    is_spam = row["CLASS"] == SPAM
                    yield LabelledComment(file.stem, key, name or "Anonymous", text, is_spam, written)
    except (UnicodeDecodeError, csv.Error) as error:
        raise FieldsRefused(f"{file} is no CSV file in UTF-8 ({error}).") from None


def _text(content: str) -> str:
    """What its author may have typed: exports hold it as HTML, where lines end with tags."""
    typed = html.unescape(_LINE_BREAK.sub("\n", content))
    clean = _CONTROL.sub("", typed.replace("\r\n", "\n")).encode(errors="ignore")
    return clean[:MAX_TEXT_BYTES].decode(errors="ignore").strip()

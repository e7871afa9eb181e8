"""A comment's text becomes safe HTML: here, and nowhere else. Pure, linear, and never refuses a text.

The parser's events are written out by a list of what is allowed, so raw HTML cannot pass as anything but
text; the sanitiser comes last all the same, and trusts nothing of what is written above it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape, unescape
from typing import Any

import nh3
import pyromark

# nh3 takes time with the square of the depth (20,000 levels: 3.5 s), and so does the parser with the
# markers of one line. Nobody quotes deeper than this.
MAX_DEPTH = 60
MAX_LINK_CHARACTERS = 2_000
MARKS_PER_WORD = 8  # how many times as long as its words a text may be for an excerpt of them
LINE_BREAK = "<br>\n"

_PARSER = pyromark.Markdown(options=pyromark.Options.ENABLE_STRIKETHROUGH)
_CLEANER = nh3.Cleaner(
    tags={"a", "blockquote", "br", "code", "del", "em", "li", "ol", "p", "pre", "strong", "ul"},
    attributes={"a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="nofollow ugc noopener",
)
_STRIPPER = nh3.Cleaner(tags=set())
_TAGS = {
    "Paragraph": ("<p>", "</p>\n"),
    "HtmlBlock": ("<p>", "</p>\n"),
    "Heading": ("<p><strong>", "</strong></p>\n"),
    "BlockQuote": ("<blockquote>\n", "</blockquote>\n"),
    "CodeBlock": ("<pre><code>", "</code></pre>\n"),
    "Item": ("<li>", "</li>\n"),
    "Emphasis": ("<em>", "</em>"),
    "Strong": ("<strong>", "</strong>"),
    "Strikethrough": ("<del>", "</del>"),
}
_UNLINKED_CLOSINGS = frozenset({"</a>", "</code></pre>\n"})

# NUL and lone surrogates can be told to no parser; the other control characters mean nothing in a text.
_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n?")
_TOO_DEEP = re.compile(
    rf"^(?:[ \t]*(?:>|[-+*](?=[ \t])|[0-9]{{1,9}}[.)](?=[ \t]))){{{MAX_DEPTH + 1}}}", re.MULTILINE
)
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
# What turns the direction of writing may not hide in an address, nor reach past a line of its own.
_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_ADDRESS = re.compile(
    rf"(?<![A-Za-z0-9])https?://(?![/?#:@.])[^\s<>\"`\\^{{|}}{_DIRECTIONS}]+", re.IGNORECASE
)
_AFTER_ADDRESS = frozenset(".,:;!?'\"*_~]’”»…。，、！？；：）」』】》")
_LINKABLE = re.compile(r"(?:https?://|mailto:)\S", re.IGNORECASE)
_DIRECTION_MARKS = re.compile(f"[{_DIRECTIONS}]")


def render(text: str) -> str:
    """Turn Markdown into safe HTML: paragraphs, emphasis, code, quotes, lists, links; bare URLs are links.

    Headings become bold paragraphs, images their description, tables and raw HTML stay as they were
    typed. Text nested deeper than anybody writes is shown as typed altogether.
    """
    source = _UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", _LINE_END.sub("\n", text))
    html = None if _TOO_DEEP.search(source) else _Writer().write(source)
    return _CLEANER.clean(_as_typed(source) if html is None else html).strip()


def plain(text: str, limit: int) -> str:
    """Bring text to one line of at most `limit` characters, for titles and excerpts. Not HTML: escape it."""
    readable = _DIRECTION_MARKS.sub("", _UNREADABLE.sub(" ", text))
    line = " ".join(readable.split())
    return line if len(line) <= limit else f"{line[: max(limit - 1, 0)].rstrip()}…"[:limit]


def excerpt(text: str, limit: int) -> str:
    """Give the words of Markdown without its marks, as `plain` gives a line. Not HTML: escape it."""
    begun = text[: limit * MARKS_PER_WORD]
    words = unescape(_STRIPPER.clean(render(begun)))
    return plain(words if begun == text else f"{words}…", limit)


@dataclass(frozen=True)
class _Element:
    closing: str
    began: int
    if_empty: str
    is_unlinked: bool


class _Writer:
    """Writes one text out, event by event."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._open: list[_Element] = []
        self._unlinked = 0  # how many links and code blocks are open: in them an address is plain text
        self._used_labels: set[str] = set()

    def write(self, source: str) -> str | None:
        """Give the HTML, or None for a text nested too deep."""
        for event in _PARSER.events(source):
            match event:
                case {"Start": tag}:
                    self._start(tag)
                    if len(self._open) > MAX_DEPTH:
                        return None
                case {"End": _}:
                    self._end()
                case _:
                    self._leaf(event)
        return "".join(self._pieces) + self._unused_definitions(source)

    def _leaf(self, event: Any) -> None:
        match event:
            case {"Text": text} | {"InlineHtml": text}:
                self._pieces.append(self._inline(text))
            case {"Html": text}:
                is_first = len(self._pieces) == self._open[-1].began
                self._pieces.append(f"{'' if is_first else LINE_BREAK}{self._inline(text.rstrip())}")
            case {"Code": text}:
                self._pieces.append(f"<code>{escape(text, quote=False)}</code>")
            case "SoftBreak" | "HardBreak":
                self._pieces.append(LINE_BREAK)
            case "Rule":
                self._pieces.append("<p>* * *</p>\n")

    def _start(self, tag: Any) -> None:
        name: str = tag if isinstance(tag, str) else next(iter(tag))
        data: Any = None if isinstance(tag, str) else tag[name]
        opening, closing = _TAGS.get(name, ("", ""))
        if_empty = ""
        if name == "List":
            opening, closing = _list_tags(data)
        elif name in {"Link", "Image"}:
            self._used_labels.add(_label(data["id"]))
            address = f"mailto:{data['dest_url']}" if data["link_type"] == "Email" else data["dest_url"]
            if_empty = escape(address, quote=False)
            if name == "Link" and _LINKABLE.match(address):
                opening, closing = f'<a href="{escape(address)}">', "</a>"
        self._pieces.append(opening)
        is_unlinked = closing in _UNLINKED_CLOSINGS
        self._unlinked += is_unlinked
        self._open.append(_Element(closing, len(self._pieces), if_empty, is_unlinked))

    def _end(self) -> None:
        element = self._open.pop()
        if len(self._pieces) == element.began:
            self._pieces.append(element.if_empty)  # a link or picture without words would not be seen
        self._unlinked -= element.is_unlinked
        self._pieces.append(element.closing)

    def _inline(self, text: str) -> str:
        return escape(text, quote=False) if self._unlinked else _linked(text)

    def _unused_definitions(self, source: str) -> str:
        # "[Source]: https://…" defines a link and prints nothing. Where no link uses it, the author meant
        # it to be read, and a moderator must not see an empty comment.
        if "]:" not in source:
            return ""
        definitions = _PARSER.reference_definitions(source).items()
        unused = [
            (label, link["dest"]) for label, link in definitions if _label(label) not in self._used_labels
        ]
        return "".join(
            f"<p>[{escape(label, quote=False)}]: {_linked(address)}</p>\n" for label, address in unused
        )


def _list_tags(start: int | None) -> tuple[str, str]:
    if start is None:
        return "\n<ul>\n", "</ul>\n"
    return ("<ol>\n" if start == 1 else f'<ol start="{start}">\n'), "</ol>\n"


def _label(label: str) -> str:
    return " ".join(label.casefold().split())


def _as_typed(source: str) -> str:
    paragraphs = [part for part in _BLANK_LINES.split(source.strip()) if part]
    return "".join(f"<p>{_linked(part).replace(chr(10), LINE_BREAK)}</p>\n" for part in paragraphs)


def _linked(text: str) -> str:
    """Escape text and make links of the addresses in it, in one pass."""
    pieces: list[str] = []
    done = 0
    for found in _ADDRESS.finditer(text):
        address = _trimmed(found[0])
        if len(address) > MAX_LINK_CHARACTERS or not _LINKABLE.match(address):
            continue
        pieces.append(escape(text[done : found.start()], quote=False))
        pieces.append(f'<a href="{escape(address)}">{escape(address, quote=False)}</a>')
        done = found.start() + len(address)
    pieces.append(escape(text[done:], quote=False))
    return "".join(pieces)


def _trimmed(address: str) -> str:
    """Leave off what belongs to the sentence: its marks, and a bracket that was opened before the address."""
    unmatched = address.count(")") - address.count("(")
    end = len(address)
    while end and (address[end - 1] in _AFTER_ADDRESS or (address[end - 1] == ")" and unmatched > 0)):
        unmatched -= address[end - 1] == ")"
        end -= 1
    return address[:end]

"""Reads the start tags of any page, in one pass and in time proportional to its length.

Python's own parser takes minutes for some broken pages of a hundred kilobytes (each "<!--" or "<a" without
an end is searched for anew), and such a page would hold one of our threads. This one reads what browsers
read, as far as the check-up asks: comments, raw text, quotes, and attributes of which the first counts.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from html import unescape

RAW = ("script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp")

_NAME = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)")
_ATTRIBUTE = re.compile(
    r"""[\s/]*+([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"'][^\s>]*+)|(["']|(?=>))))?+"""
)
_END = re.compile(r"[\s/]*+>")
_RAW_END = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in RAW}


@dataclass(frozen=True)
class Start:
    """A start tag as it was written. Names are in small letters."""

    name: str
    attributes: Mapping[str, str]
    written: str


@dataclass(frozen=True)
class End:
    """An end tag."""

    name: str


@dataclass(frozen=True)
class Hidden:
    """What is not markup: a comment ("!--"), or the raw text of the element named."""

    within: str
    text: str


def read_tags(html: str) -> Iterator[Start | End | Hidden]:
    """The tags, comments and raw texts of a page, in order; a piece without an end ends the page."""
    place = html.find("<")
    while place >= 0:
        if html.startswith("<!--", place):
            end = html.find("-->", place + 2)  # "<!-->" is a whole comment
            yield Hidden("!--", html[place:end] if end >= 0 else html[place:])
        elif html.startswith(("<!", "<?"), place):
            end = html.find(">", place)
        elif name := _NAME.match(html, place):
            end = yield from _tag(html, name)
        else:
            end = place
        place = html.find("<", end + 1) if end >= 0 else -1


def _tag(html: str, name: re.Match[str]) -> Generator[Start | End | Hidden, None, int]:
    """One tag, and after it the raw text it begins; returns where that ended, or -1."""
    attributes: dict[str, str] = {}
    place = name.end()
    while not (end := _END.match(html, place)):
        found = _ATTRIBUTE.match(html, place)
        if found is None or found[5]:  # the page ends here, or is all one value whose quote never ends
            return -1
        value = next((text for text in found.group(2, 3, 4) if text is not None), "")
        attributes.setdefault(found[1].lower(), unescape(value))
        place = found.end()
    called = name[2].lower()
    if name[1]:
        yield End(called)
        return end.end() - 1
    yield Start(called, attributes, html[name.start() : end.end()])
    if called not in RAW:
        return end.end() - 1
    close = _RAW_END[called].search(html, end.end())
    yield Hidden(called, html[end.end() : close.start() if close else len(html)])
    return close.start() - 1 if close else -1

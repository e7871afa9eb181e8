"""What a host's page says, read as far as the check-up asks for it. Broken pages are read like any other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from comments_service.checkup.tags import End, Hidden, Start, read_tags
from comments_service.outbound import Fetched

SCRIPT_NAME = "embed.js"
MAX_TAG_CHARACTERS = 600
MAX_TAGS = 2_000
# Names that a page may give to its encoding, and that are quick to decode whatever is in it
_ENCODING = re.compile(
    r"utf-?8|utf-?16(le|be)?|us-ascii|iso-8859-\d+|windows-125\d|latin-?1|koi8-[ru]|shift_jis|euc-(jp|kr)"
    r"|gb2312|gbk|gb18030|big5",
    re.IGNORECASE,
)
_DECLARED = re.compile(rb"<meta[^>]{0,200}charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([\w-]{1,20})", re.IGNORECASE)
_SNIFFED_BYTES = 1_024  # HTML §4.2.5.4: a declaration stands within these


@dataclass(frozen=True)
class Tag:
    """A start tag: its attributes, the text it was written as, and in what it stands that keeps it idle."""

    attributes: Mapping[str, str]
    written: str
    inside: frozenset[str] = frozenset()

    def get(self, name: str) -> str | None:
        """An attribute's value; None where it is missing."""
        return self.attributes.get(name)


@dataclass
class HostPage:
    """The parts of a page that matter for comments."""

    url: str
    base: str = ""
    scripts: list[Tag] = field(default_factory=list)
    canonicals: list[Tag] = field(default_factory=list)
    anchors: list[Tag] = field(default_factory=list)
    policies: list[Tag] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    threads: int = 0
    is_in_comment: bool = False
    is_in_script: bool = False

    def resolved(self, address: str) -> str:
        """An address on the page in full; as it is where it cannot be read."""
        try:
            return urljoin(self.base or self.url, address.strip())
        except ValueError:
            return address


def read_page(fetched: Fetched) -> HostPage:
    """Read what was fetched, however broken it is."""
    page, depths = HostPage(fetched.url), dict.fromkeys(("noscript", "template"), 0)
    for piece in read_tags(_decoded(fetched)):
        match piece:
            case Hidden("!--", text):
                page.is_in_comment |= SCRIPT_NAME in text
            case Hidden("script", text):
                page.is_in_script |= SCRIPT_NAME in text
            case Start(name, attributes, written):
                inside = frozenset(outer for outer, depth in depths.items() if depth)
                _collect(page, name, Tag(attributes, written[:MAX_TAG_CHARACTERS], inside))
                depths |= {name: depths[name] + 1} if name in depths else {}
            case End(name) if depths.get(name):
                depths[name] -= 1
    return page


def _collect(page: HostPage, name: str, tag: Tag) -> None:
    if "id" in tag.attributes:
        page.ids.add(tag.attributes["id"])
    if name == "comment-thread":
        page.threads += 1
    elif name == "base":
        page.base = page.base or page.resolved(tag.attributes.get("href", ""))
    elif (found := _list_for(page, name, tag)) is not None and len(found) < MAX_TAGS:
        found.append(tag)


def _list_for(page: HostPage, name: str, tag: Tag) -> list[Tag] | None:
    match name:
        case "script" if "src" in tag.attributes:
            return page.scripts
        case "a" if "href" in tag.attributes:
            return page.anchors
        case "link" if "canonical" in tag.attributes.get("rel", "").lower().split():
            return page.canonicals
        case "meta" if tag.attributes.get("http-equiv", "").lower() == "content-security-policy":
            return page.policies
    return None


def _decoded(fetched: Fetched) -> str:
    declared = re.search(r"charset\s*=\s*[\"']?([\w-]{1,20})", fetched.header("Content-Type"), re.IGNORECASE)
    found = _DECLARED.search(fetched.body[:_SNIFFED_BYTES])
    name = declared[1] if declared else found[1].decode() if found else "utf-8"
    if fetched.body.startswith(b"\xef\xbb\xbf") or not _ENCODING.fullmatch(name):
        name = "utf-8-sig"
    return fetched.body.decode(name, "replace").replace("\0", "\ufffd")

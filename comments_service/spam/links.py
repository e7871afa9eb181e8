"""The links of a folded text, typed bare or in a tag, and what is seen of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

SHORTENERS = frozenset(
    {
        *(
            "adf.ly",
            "bc.vc",
            "bit.do",
            "bit.ly",
            "buff.ly",
            "clck.ru",
            "cutt.ly",
            "goo.gl",
            "is.gd",
            "lnkd.in",
        ),
        *("ouo.io", "ow.ly", "q.gs", "rb.gy", "rebrand.ly", "s.id", "shorturl.at", "shrtco.de", "soo.gd"),
        *("t.co", "t.ly", "tiny.cc", "tinyurl.com", "v.gd"),
    }
)
PATH_PARTS = 2  # the first ones name what kind of page it is; the rest is only this page's
_TAG = re.compile(r"</?[a-z][^<>]*>")
_HREF = re.compile(r"href\s*=\s*[\"']?([^\"'\s>]+)")
# Hosts without a scheme are taken as links by their ending, or by a path behind. A run of their letters is
# tried once, from its start: whoever types one of 65,000 must not make it slow
_LINK = re.compile(
    r"(?:https?://|\bwww\.)[^\s\"<>\[\]]+"
    r"|(?<![\w@.-])-*+[a-z0-9][a-z0-9-]*+(?:\.[a-z0-9-]++)*\.(?:"
    r"(?:com|net|org|info|biz|io|co|me|tv|ly|gl|xyz|top|club|site|online|shop|store|app|dev"
    r"|ru|cn|de|uk|us|pl|nl|fr|it|es|br|in|jp|eu|ca|au|ch|at|se|no|dk|fi|cz|tr|be"
    r"|example|test)\b(?:/\S*)?"  # reserved for examples, as lessons are
    r"|[a-z]{2,10}/\S+)"
)
_HOST = re.compile(r"-*(?:https?://)?(?:www\.)?([^\s/?#:]+)")
# Names without a dot and addresses of one's own machines: they stand in code, and lead no reader anywhere
_NOWHERE = re.compile(r"[^.]*$|127\.|10\.|192\.168\.")
_KEY = re.compile(r"(?:^|[&;])(\w{1,20})=")
_NUMBER = re.compile(r"\d+")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_MARKUP = re.compile(r"\[/?(?:url|link|img)\b=?")
_WORD = re.compile(r"[^\W\d_]{2,}")
_EDGES = ".,;:!?)}'’”»"

LINK, EMAIL = "\ue000", "\ue001"  # where they stood


def take_links(folded: str) -> tuple[list[str], str]:
    """The links, and the text without tags, where `LINK` and `EMAIL` stand for links and addresses."""
    links = [link for tag in _TAG.findall(folded) for link in _HREF.findall(tag)]
    bare = _TAG.sub(lambda tag: f" {LINK} " if _HREF.search(tag[0]) else " ", folded)
    bare = _MARKUP.sub(" ", bare)
    links = [link.rstrip(_EDGES) for link in (*links, *_LINK.findall(bare))]
    links = [link for link in links if not _NOWHERE.match(_host(link))]
    return links, _EMAIL.sub(f" {EMAIL} ", _LINK.sub(f" {LINK} ", bare))


def host_of(text: str) -> str:
    """The host of the first link in a text, without `www.`; "" where there is none."""
    link = _LINK.search(text.casefold())
    return _host(link[0]) if link else ""


def hosts_of(text: str) -> list[str]:
    """The hosts of all links in a text as typed, without `www.`."""
    return [_host(link) for link in take_links(text.casefold())[0]]


def link_features(links: Iterable[str], website: str | None) -> Iterator[str]:
    """That there are links, where they lead, and the make of their paths and questions."""
    for link in links:
        host = _host(link)
        yield "link:"
        yield f"host:{host}"
        yield f"host:{'.'.join(host.split('.')[-2:])}"
        if host in SHORTENERS:
            yield "host:(shortener)"
        path, _, query = link.partition("//")[2].partition("?") if "//" in link else link.partition("?")
        parts = [part for part in path.split("/")[1:] if part][:PATH_PARTS]
        yield f"depth:{min(len(parts), PATH_PARTS)}"
        yield from (f"path:{_NUMBER.sub('0', part)}" for part in parts)
        yield from (f"query:{key}" for key in _KEY.findall(query))
        if parts[:1] != ["watch"] and host != "youtu.be":
            yield "link:elsewhere"
    if website:
        yield "link:website"


def link_words(links: Iterable[str]) -> Iterator[str]:
    """The words in hosts and paths; the ending of a host is none."""
    for link in links:
        host = _host(link)
        path = link.partition("//")[2] if "//" in link else link
        yield from _WORD.findall(" ".join((*host.split(".")[:-1], *path.split("/")[1:])))


def _host(link: str) -> str:
    found = _HOST.match(link)
    return found[1] if found else ""

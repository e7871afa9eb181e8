"""Domains on a blocklist, and those that a comment leads to or comes from: one spelling for both. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from html import unescape
from urllib.parse import unquote, urlsplit

from comments_service.rules.words import hidden

MAX_DOMAIN = 253
MAX_LABEL = 63
MOST_ABOVE = 8  # of a longer name the part that one registers
_HREF = re.compile(r'<a [^>]*?href="([^"]+)"')
# Named without being a link, as readers can type it; in writing without blanks, the Latin part. Each run of
# letters is tried once
_NAMED = re.compile(r"(?<![\w-])[\w-]++(?:\.[\w-]++)+")
_NAMED_IN_LATIN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def domain_of(typed: str) -> str | None:
    """The domain that an owner means, as it is compared: of an address the host, without `www.`.

    None for what is no domain; nor does a whole ending such as `com` count as one.
    """
    host = _host_of(typed) if "://" in typed else typed.rpartition("@")[2]
    form = ascii_form(host.removeprefix("*.")).removeprefix("www.")
    labels = form.split(".")
    is_domain = len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    return form if is_domain and len(form) <= MAX_DOMAIN else None


def domains_met(email_domain: str, website: str, text: str, html: str) -> frozenset[str]:
    """All domains of a comment, each with those above it: `a.b.org`, `b.org`.

    They are those of its email and website, where its links lead, and what is named in its text.
    """
    hosts = {email_domain, _host_of(website), *map(_host_of, _links(html)), *_named(_plain(text))}
    return frozenset(_with_those_above(map(ascii_form, hosts)))


def ascii_form(host: str) -> str:
    """A host as registries have it: NFKC, small letters, nothing unseen, other letters than Latin encoded.

    Browsers do the same by UTS #46, whose tables make no difference to the domains that one can register.
    """
    plain = host if host.isascii() else _plain(host)
    labels = plain.lower().strip(".").split(".")
    return ".".join(label if label.isascii() else _encoded(label) for label in labels)


def _links(html: str) -> Iterator[str]:
    return map(unescape, _HREF.findall(html))


def _named(text: str) -> list[str]:
    found = _NAMED.findall(text)
    return found if text.isascii() else found + _NAMED_IN_LATIN.findall(text)


def _host_of(address: str) -> str:
    try:
        host = unquote(urlsplit(address.strip()).hostname or "")
    except ValueError:  # brackets that hold no address
        return ""
    return "" if _CONTROL.search(host) else host  # no name has one, and PostgreSQL takes no NUL


def _plain(text: str) -> str:
    seen = hidden().sub("", unicodedata.normalize("NFKC", text))
    return seen.replace("\N{IDEOGRAPHIC FULL STOP}", ".")


def _encoded(label: str) -> str:
    if len(label) > MAX_LABEL:  # nobody's; and the longer it is, the longer it would take
        return label
    return f"xn--{label.encode('punycode').decode('ascii')}"


def _with_those_above(hosts: Iterable[str]) -> Iterator[str]:
    for host in hosts:
        labels = host.split(".")
        first = max(0, len(labels) - 1 - MOST_ABOVE)
        yield from (".".join(labels[place:]) for place in range(first, len(labels) - 1))

"""Which article is meant: refusals, one normal form of an address, one comparison of origins. No I/O."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import unquote, urlsplit

import idna

from comments_service.errors import ArticleRefused
from comments_service.vocabulary import MAX_ARTICLE_ID_CHARACTERS, MAX_URL_CHARACTERS, ArticleRef

# Campaigns, click ids and mailing tools: they tell how a reader came, never what is read.
TRACKING_PREFIXES = ("utm_", "mtm_", "hsa_")
TRACKING_PARAMETERS = frozenset(
    {
        *("fbclid", "igshid", "igsh", "twclid", "ttclid", "li_fat_id", "epik", "rdt_cid", "scclid"),
        *("gclid", "gclsrc", "dclid", "gbraid", "wbraid", "srsltid", "_ga", "_gl"),
        *("msclkid", "yclid", "ysclid", "_openstat", "s_cid", "wickedid"),
        *("mc_cid", "mc_eid", "mkt_tok", "oly_anon_id", "oly_enc_id", "vero_id", "vero_conv"),
        *("_hsenc", "_hsmi", "__hssc", "__hstc", "__hsfp", "hsctatracking"),
        *("pk_campaign", "pk_kwd", "pk_keyword", "pk_source", "pk_medium", "pk_content"),
        *("piwik_campaign", "piwik_kwd", "piwik_keyword"),
    }
)
INDEX_FILES = frozenset({"index.html", "index.htm", "index.php"})

# What stays when a page's template or script was not filled in. Closing braces alone are no sign:
# a query may carry JSON.
_LEFTOVERS = ("{{", "{%", "%}", "<%", "%>", "<?", "${", "#{", "[object ")
_NO_VALUES = frozenset({"null", "undefined", "NaN", "None"})
_DEFAULT_PORTS = {"http": 80, "https": 443}

# RFC 3986 §3.3 and §3.4; everything else is written as UTF-8 in percent triplets.
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_TO_REWRITE_IN_PATH = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&'()*+,;=:@/]")
_TO_REWRITE_IN_QUERY = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&'()*+,;=:@/?]")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_UNFILLED_ENDINGS = ("/null", "/undefined")

_NO_SCHEME = "The address must begin with http:// or https://."
_TOO_LONG = f"This address is longer than {MAX_URL_CHARACTERS} characters."
_UNWELCOME = "There are control characters in it."


@dataclass(frozen=True)
class Address:
    """An address taken apart, its host in ASCII. `port` is None for the scheme's own."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str

    @property
    def authority(self) -> str:
        """Host and port, the default port left out."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port, as browsers write an origin."""
        return f"{self.scheme}://{self.authority}"


def identify(url: str, explicit_id: str | None, *, origins: Sequence[str]) -> ArticleRef:
    """Say which article a page means by its address and, where its owner gave one, its id.

    The fragment is left out of the address: it names a place in the page.

    Raises: ArticleRefused, whose `field` is "url" or "id".
    """
    checked_id = None if explicit_id is None else _checked_id(explicit_id)
    checked_url = _checked_url(url)
    try:
        address = _read(checked_url)
    except ValueError as error:
        raise ArticleRefused("url", str(error)) from None
    if not address.scheme:
        raise ArticleRefused("url", _NO_SCHEME)
    if not same_origin(address.origin, origins):
        raise ArticleRefused("url", "This address is on none of the site's origins.")
    normalised = _normal_form(address)
    if len(normalised) > MAX_URL_CHARACTERS:
        raise ArticleRefused("url", _TOO_LONG)
    if checked_id is None and normalised.partition("?")[0].endswith(_UNFILLED_ENDINGS):
        # A script that joins a missing slug gives every page this one address. A page that is really
        # called so can still be told by an id.
        raise ArticleRefused("url", "This address ends in a value that was not filled in.")
    return ArticleRef(checked_url, normalised, checked_id)


def read_address(url: str) -> Address:
    """Take a full http or https address apart; the fragment is left out.

    Raises: ValueError with a sentence for whoever wrote the address.
    """
    address = _read(url.strip().partition("#")[0])
    if not address.scheme:
        raise ValueError(_NO_SCHEME)
    return address


def normalise_url(url: str) -> str:
    """Bring an address to the one form "//host/path?query" that all its spellings share.

    Idempotent. Raises: ValueError when the text is no address at all.
    """
    return _normal_form(_read(url))


def same_origin(origin: str, allowed: Sequence[str]) -> bool:
    """Tell whether an origin is among a site's; http counts as https and a leading "www." as none."""
    try:
        wanted = _comparable(origin)
    except ValueError:
        return False
    return any(wanted == other for other in map(_comparable_or_none, allowed))


def parse_origin(text: str) -> str:
    """Read an origin as a person may write it and give "https://host[:port]".

    Raises: ValueError with a sentence for that person.
    """
    return f"https://{_read_origin(text).authority}"


def suggested_origin(text: str) -> str | None:
    """What somebody may have meant by a text that is no origin: its host, over https."""
    host = re.split("[/?#]", text.strip().rpartition("://")[2])[0].rpartition("@")[2]
    try:
        return parse_origin(f"https://{host}") if "." in host else None
    except ValueError:
        return None


def _checked_url(url: str) -> str:
    stripped = url.strip()
    if not stripped or stripped in _NO_VALUES:
        raise ArticleRefused("url", "The address of the article is missing.")
    if len(stripped) > MAX_URL_CHARACTERS:
        raise ArticleRefused("url", _TOO_LONG)
    _refuse_unreadable("url", stripped)
    return stripped.partition("#")[0]


def _checked_id(explicit_id: str) -> str:
    stripped = explicit_id.strip()
    if not stripped or stripped in _NO_VALUES:
        raise ArticleRefused("id", "The id of the article was not filled in.")
    if len(stripped) > MAX_ARTICLE_ID_CHARACTERS:
        raise ArticleRefused("id", f"This id is longer than {MAX_ARTICLE_ID_CHARACTERS} characters.")
    _refuse_unreadable("id", stripped)
    return stripped


def _refuse_unreadable(field: str, text: str) -> None:
    if _has_unwelcome_characters(text):
        raise ArticleRefused(field, _UNWELCOME)
    decoded = unquote(text)
    if any(leftover in decoded for leftover in _LEFTOVERS):
        raise ArticleRefused(field, "A template was not filled in here.")


def _has_unwelcome_characters(text: str) -> bool:
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)


def _read_origin(text: str) -> Address:
    stripped = text.strip()
    if "://" not in stripped:
        raise ValueError(_NO_SCHEME)
    address = _read(stripped)
    if address.path not in {"", "/"} or "?" in stripped or "#" in stripped:
        raise ValueError("An origin has no path, as in https://example.org.")
    return address


def _read(url: str) -> Address:
    """Take an address apart. Its scheme may be missing, as it is in the normal form."""
    if _has_unwelcome_characters(url):
        raise ValueError(_UNWELCOME)  # urlsplit would leave some of them out in silence
    try:
        parts = urlsplit(url)
        port, host = parts.port, _canonical_host(parts.hostname or "")
    except ValueError:  # brackets, ports, look-alikes of "/" and "@": the library's words are for programmers
        raise ValueError("This cannot be read as an address.") from None
    if parts.scheme not in {"http", "https", ""}:
        raise ValueError(_NO_SCHEME)
    if "@" in parts.netloc:
        raise ValueError("There must be no user name or password in the address.")
    if not host:
        raise ValueError("The address has no host, or none that can be.")
    if port == _DEFAULT_PORTS.get(parts.scheme):
        port = None
    path = parts.path.replace("\\", "/")  # as every browser does in http addresses
    return Address(parts.scheme, host, port, path, parts.query)


def _canonical_host(host: str) -> str:
    """Give the host in ASCII, or nothing where it is no host name."""
    if ":" in host:
        return f"[{IPv6Address(host.partition('%')[0])}]"
    mapped = idna.uts46_remap(host, std3_rules=False).removesuffix(".")
    labels = [_ascii_label(label) for label in mapped.split(".")]
    joined = ".".join(labels)
    return joined if len(joined) <= 253 and all(map(_LABEL.fullmatch, labels)) else ""


def _ascii_label(label: str) -> str:
    # Not idna.alabel: it refuses what browsers resolve all the same, such as emoji and underscores.
    return label if label.isascii() else f"xn--{label.encode('punycode').decode()}"


def _normal_form(address: Address) -> str:
    host = _without_www(address.host)
    authority = host if address.port is None else f"{host}:{address.port}"
    query = _normal_query(address.query)
    return f"//{authority}{_normal_path(address.path)}{'?' if query else ''}{query}"


def _normal_path(path: str) -> str:
    segments: list[str] = []
    for segment in _percent_normal(path, _TO_REWRITE_IN_PATH).split("/")[1:]:
        if segment == "..":
            del segments[-1:]  # before empty segments go: "/a//../b" is "/a/b" (RFC 3986 §5.2.4)
        elif segment != ".":
            segments.append(segment)
    kept = [segment for segment in segments if segment]
    while kept and kept[-1].lower() in INDEX_FILES:
        kept.pop()
    return "/" + "/".join(kept)


def _normal_query(query: str) -> str:
    pairs = [_percent_normal(pair, _TO_REWRITE_IN_QUERY) for pair in query.split("&") if pair]
    named = [(pair.partition("=")[0], pair) for pair in pairs]
    kept = [(name, pair) for name, pair in named if not _is_tracking(name)]
    # Sorting is stable, and repeated names keep their order: in "tag=a&tag=b" it may mean something.
    return "&".join(pair for _, pair in sorted(kept, key=lambda named_pair: named_pair[0]))


def _is_tracking(name: str) -> bool:
    lowered = name.lower()
    return lowered in TRACKING_PARAMETERS or lowered.startswith(TRACKING_PREFIXES)


def _percent_normal(text: str, to_rewrite: re.Pattern[str]) -> str:
    """RFC 3986 §6.2.2: needless triplets decoded, the others in capitals, the rest encoded."""
    return to_rewrite.sub(_rewrite, text)


def _rewrite(found: re.Match[str]) -> str:
    text = found[0]
    if len(text) == 1:
        return "".join(f"%{byte:02X}" for byte in text.encode(errors="surrogatepass"))
    character = chr(int(text[1:], 16))
    return character if character in _UNRESERVED else text.upper()


def _without_www(host: str) -> str:
    # All of them, or the normal form of "www.www.example.org" would have another normal form. "www.org"
    # is a name of its own.
    while host.startswith("www.") and "." in host[4:]:
        host = host[4:]
    return host


def _comparable(origin: str) -> str:
    return _normal_form(_read_origin(origin))


def _comparable_or_none(origin: str) -> str | None:
    try:
        return _comparable(origin)
    except ValueError:
        return None

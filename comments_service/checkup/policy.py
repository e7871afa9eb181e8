"""Content security policies of a host's page: do they let our script in, and let it ask us for comments?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

SCRIPT = ("script-src-elem", "script-src", "default-src")
CONNECT = ("connect-src", "default-src")
HEADER = "Content-Security-Policy"

_SOURCE = re.compile(r"(?:([a-z][a-z0-9+.-]*)://)?([^/:]+|\[[^\]]+\])(?::(\d+|\*))?(/.*)?", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(frozen=True)
class Policy:
    """One policy: its directives with their sources, and the page it is about. The first of twins counts."""

    directives: Mapping[str, tuple[str, ...]]
    page_url: str

    def governing(self, names: Sequence[str]) -> str | None:
        """The directive that decides, as browsers fall back from one to the next; None where none does."""
        return next((name for name in names if name in self.directives), None)

    def lets(self, url: str, names: Sequence[str], *, nonce: str = "", integrity: str = "") -> bool:
        """Whether something may be loaded from this address."""
        name = self.governing(names)
        if name is None:
            return True
        sources = self.directives[name]
        if names is SCRIPT and _is_known(sources, nonce, integrity):
            return True
        if names is SCRIPT and _has(sources, "'strict-dynamic'"):
            return False  # then hosts count for nothing
        return any(_matches(source, url, self.page_url) for source in sources)

    def with_source(self, names: Sequence[str], source: str) -> str:
        """The governing directive as it has to be, so that this source gets in too."""
        name = self.governing(names) or names[-1]
        kept = [one for one in self.directives.get(name, ()) if one.lower() != "'none'"]
        wanted = names[-2] if name == "default-src" else name
        return " ".join((wanted, *kept, source))

    @property
    def is_strict_dynamic(self) -> bool:
        """Whether scripts get in by a nonce or hash alone."""
        name = self.governing(SCRIPT)
        return name is not None and _has(self.directives[name], "'strict-dynamic'")

    @property
    def refuses_our_markup(self) -> bool:
        """Whether HTML may be put into the page through named policies alone, and ours is not among them."""
        listed = self.directives.get("trusted-types")
        needed = self.directives.get("require-trusted-types-for", ())
        return _has(needed, "'script'") and listed is not None and not {"comments", "*"} & set(listed)

    @property
    def forbids_scripts(self) -> bool:
        """Whether the whole page is in a sandbox without scripts."""
        sandbox = self.directives.get("sandbox")
        return sandbox is not None and "allow-scripts" not in sandbox


def read_policies(values: Iterable[str], page_url: str) -> list[Policy]:
    """The policies in header values, where commas part them, or in meta tags."""
    texts = [text for value in values for text in value.split(",") if text.strip()]
    return [Policy(found, page_url) for text in texts if (found := _directives(text))]


def _directives(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for part in text.split(";"):
        name, *sources = part.split() or [""]
        if name:
            found.setdefault(name.lower(), tuple(sources))
    return found


def _has(sources: Sequence[str], keyword: str) -> bool:
    return any(source.lower() == keyword for source in sources)


def _is_known(sources: Sequence[str], nonce: str, integrity: str) -> bool:
    hashes = {f"'{one}'" for one in integrity.split()}
    return (bool(nonce) and f"'nonce-{nonce}'" in sources) or bool(hashes & set(sources))


def _matches(source: str, url: str, page_url: str) -> bool:
    """CSP Level 3 §6.7.2.8, as far as hosts go."""
    asked, page = urlsplit(url), urlsplit(page_url)
    if source == "*":
        return asked.scheme in ("http", "https")
    if source.lower() == "'self'":
        return _covers(page.scheme, asked.scheme) and asked.netloc == page.netloc
    if re.fullmatch(r"[a-z][a-z0-9+.-]*:", source, re.IGNORECASE):
        return _covers(source[:-1].lower(), asked.scheme)
    parts = _SOURCE.fullmatch(source)
    if parts is None or source.startswith("'"):
        return False
    scheme, host, port, path = parts.groups()
    return (
        _covers((scheme or page.scheme).lower(), asked.scheme)
        and _is_host(host.lower(), asked.hostname or "")
        and _is_port(port, asked.scheme, asked.port)
        and _is_path(path or "", asked.path)
    )


def _covers(allowed: str, scheme: str) -> bool:
    return allowed == scheme or (allowed, scheme) == ("http", "https")


def _is_host(pattern: str, host: str) -> bool:
    if pattern.startswith("*"):
        return host.endswith(pattern[1:])
    return pattern.strip("[]") == host


def _is_port(pattern: str | None, scheme: str, port: int | None) -> bool:
    asked = port or _DEFAULT_PORTS.get(scheme)
    if pattern is None:
        return asked == _DEFAULT_PORTS.get(scheme)
    return pattern in ("*", str(asked)) or (pattern, asked) == ("80", 443)


def _is_path(pattern: str, path: str) -> bool:
    if not pattern or pattern == "/":
        return True
    return path.startswith(pattern) if pattern.endswith("/") else path == pattern

"""The owner's script tag on the page: there or not, once or twice, and with what written in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from urllib.parse import urlsplit

from comments_service.checkup.findings import Finding, Visit, attention, bad, good
from comments_service.checkup.host_page import HostPage, Tag
from comments_service.options import Asking
from comments_service.sites import owner_lines

KNOWN = frozenset(
    f"data-{name}"
    for name in (
        "site",
        "article-id",
        "article-url",
        "article-title",
        "target",
        "lang",
        "style",
        "theme",
        "sort",
        "user",
    )
)
# What is written in their place: small letters are all that HTML keeps of a name
MEANT = {name.replace("-", ""): name for name in KNOWN} | {
    "dataid": "data-article-id",
    "dataurl": "data-article-url",
    "datatitle": "data-article-title",
    "datalanguage": "data-lang",
}
SCRIPT_TYPES = frozenset({"", "text/javascript", "application/javascript", "text/ecmascript", "module"})
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_FILE = re.compile(r"/(embed|count)(\.[0-9a-f]{16})?\.js")


def tags_of(visit: Visit, name: str = "embed") -> list[Tag]:
    """The tags that are meant for us: by our address, or by `data-site` with a file of our name."""
    return [tag for tag in visit.page.scripts if _is_meant(visit, tag, name)]


def tag_line(visit: Visit, tag: Tag | None, *, without: str = "", **changed: str) -> str:
    """The tag as it should be written: our address and the site's key, the owner's attributes kept."""
    kept = {"src": f"{visit.service}/embed.js", "data-site": visit.site.key}
    given = {_meant(name): value for name, value in (tag.attributes if tag else {}).items()}
    gone = {"type", "nomodule", "integrity", "src", "data-site", without}
    attributes = kept | {name: value for name, value in given.items() if name not in gone} | changed
    if not {"async", "defer"} & set(attributes):
        attributes["async"] = ""
    written = (f'{name}="{escape(value)}"' if value else name for name, value in attributes.items())
    return f"<script {' '.join(written)}></script>"


def script_findings(visit: Visit) -> Iterator[Finding]:
    """What is to say of the tag."""
    tags = tags_of(visit)
    live = [tag for tag in tags if not tag.inside]
    if not live:
        yield from _without_tag(visit, tags)
        return
    yield from _about(visit, live[0])
    if len({tuple(sorted(tag.attributes.items())) for tag in live}) < len(live):
        yield attention("script-twice", found=live[-1].written)
    elif len(live) > 1:
        yield attention("script-several", found=live[1].written)


def _about(visit: Visit, tag: Tag) -> Iterator[Finding]:
    troubles = [*_where_from(visit, tag), *_attributes(visit, tag)]
    yield from troubles
    if not troubles:
        yield good("script")


def _where_from(visit: Visit, tag: Tag) -> Iterator[Finding]:
    address = visit.page.resolved(tag.get("src") or "")
    line = tag_line(visit, tag)
    if not _is_ours(visit, tag, "embed"):
        is_insecure = _without_scheme(address) == _without_scheme(f"{visit.service}/embed.js")
        yield bad("mixed-content" if is_insecure else "script-elsewhere", found=tag.written, line=line)
    elif _is_pinned(address):
        yield attention("script-pinned", found=tag.written, line=line)
    if tag.attributes.get("type", "").strip().lower() not in SCRIPT_TYPES or "nomodule" in tag.attributes:
        yield bad("script-type", found=tag.written, line=line)


def _attributes(visit: Visit, tag: Tag) -> Iterator[Finding]:
    line = tag_line(visit, tag)
    if tag.get("data-site") is None:
        yield bad("site-missing", found=tag.written, line=line)
    elif tag.get("data-site") != visit.site.key:
        yield bad("site-other", found=tag.written, line=line, key=tag.get("data-site"))
    if misspelt := [name for name in tag.attributes if _meant(name) != name]:
        yield attention("attribute-unknown", found=tag.written, line=line, name=misspelt[0])
    if not {"async", "defer"} & set(tag.attributes) and tag.get("type") != "module":
        yield attention("script-blocks", found=tag.written, line=line)
    target = tag.get("data-target") or ""
    if re.fullmatch(r"#[\w-]+", target) and target[1:] not in visit.page.ids:
        without = tag_line(visit, tag, without="data-target")
        yield bad("target-missing", found=tag.written, line=without, target=target)


def _without_tag(visit: Visit, inert: list[Tag]) -> Iterator[Finding]:
    lines = owner_lines(visit.site.key, public_url=visit.service)
    if inert:
        yield bad("script-inert", found=inert[0].written, line=lines, element=min(inert[0].inside))
    elif visit.page.is_in_script or visit.page.threads:
        yield attention("script-by-script", line=lines)
    elif visit.page.is_in_comment:
        yield bad("script-in-comment", line=lines)
    elif tags_of(visit, "count"):
        yield attention("script-counts-only", line=lines)
    else:
        yield bad("script-missing", line=lines)


def service_findings(visit: Visit) -> Iterator[Finding]:
    """Whether readers of this page can reach the service at all."""
    service, page = urlsplit(visit.service), urlsplit(visit.page.url)
    wanted = f"COMMENTS_PUBLIC_URL=https://{service.netloc}{service.path}"
    if service.hostname in LOCAL_HOSTS and page.hostname not in LOCAL_HOSTS:
        yield bad("service-local", found=f"COMMENTS_PUBLIC_URL={visit.service}")
    elif service.scheme == "http" and page.scheme == "https":
        yield bad("service-insecure", found=f"COMMENTS_PUBLIC_URL={visit.service}", line=wanted)
    # Elsewhere browsers have no way to do it
    is_able = page.scheme == "https" or page.hostname in LOCAL_HOSTS
    if visit.site.options.proof == Asking.ALWAYS and not is_able:
        yield attention("proof-insecure", line=f"comments site set {visit.site.key} --proof suspicion")


def ours(page: HostPage, service: str, tag: Tag) -> str:
    """The file of ours that a tag loads, such as "embed.js"; empty for any other."""
    address = page.resolved(tag.get("src") or "").partition("?")[0].partition("#")[0]
    found = _FILE.fullmatch(address.removeprefix(service)) if address.startswith(service) else None
    return f"{found[1]}.js" if found else ""


def _is_ours(visit: Visit, tag: Tag, name: str) -> bool:
    return ours(visit.page, visit.service, tag) == f"{name}.js"


def _is_meant(visit: Visit, tag: Tag, name: str) -> bool:
    try:
        address = urlsplit(visit.page.resolved(tag.get("src") or ""))
    except ValueError:
        return False
    if not re.search(rf"(^|/){name}(\.[0-9a-f]{{16}})?\.js$", address.path):
        return False
    is_our_host = address.netloc == urlsplit(visit.service).netloc
    return _is_ours(visit, tag, name) or "data-site" in tag.attributes or is_our_host


def _is_pinned(address: str) -> bool:
    return re.search(r"\.[0-9a-f]{16}\.js", address) is not None


def _meant(name: str) -> str:
    return MEANT.get(re.sub("[-_]", "", name), name)


def _without_scheme(address: str) -> str:
    return address.partition("?")[0].partition("://")[2]

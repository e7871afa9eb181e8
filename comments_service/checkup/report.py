"""The embed check-up: fetches one page of a site, and says what keeps comments from working on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlsplit

from comments_service.article_url import read_address, same_origin
from comments_service.checkup.article import article_findings, count_findings, plain_findings
from comments_service.checkup.findings import Finding, State, Visit, attention, bad, good
from comments_service.checkup.host_page import read_page
from comments_service.checkup.policy import CONNECT, HEADER, SCRIPT, Policy, read_policies
from comments_service.checkup.scripts import script_findings, service_findings, tag_line, tags_of
from comments_service.outbound import Door, Fetched, NotFetched
from comments_service.vocabulary import SiteView

PAGE_TYPES = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True)
class Report:
    """What was found on the page that was asked for, the worst first."""

    url: str
    findings: tuple[Finding, ...]

    def count(self, state: State) -> int:
        """How many findings are in this state."""
        return sum(finding.state == state for finding in self.findings)


def ports_of(site: SiteView) -> frozenset[int]:
    """The ports on which the site's own pages are."""
    found = (urlsplit(origin).port for origin in site.origins)
    return frozenset(port for port in found if port is not None)


def check_up(url: str, site: SiteView, *, door: Door, service: str) -> Report:
    """Look at one page as a browser would get it. `service` is our own public address.

    Raises: ValueError for what is no address at all.
    """
    address = read_address(url)
    if not same_origin(address.origin, site.origins):
        line = f"https://{address.authority}"
        return Report(url, (bad("origin", line=line, origin=address.origin),))
    try:
        fetched = door.fetch(url)
    except NotFetched as error:
        return Report(url, (bad(f"unreachable.{error.reason}", url=error.url),))
    order = list(State)
    findings = sorted(_findings(fetched, site, service), key=lambda finding: order.index(finding.state))
    return Report(url, tuple(findings))


def _findings(fetched: Fetched, site: SiteView, service: str) -> Iterator[Finding]:
    yield from _of_answer(fetched, site)
    kind = fetched.header("Content-Type").partition(";")[0].strip().lower()
    if kind and kind not in PAGE_TYPES:
        yield bad("not-a-page", type=kind)
        return
    visit = Visit(site, service, fetched, read_page(fetched))
    yield from chain(
        service_findings(visit),
        script_findings(visit),
        article_findings(visit),
        _of_policies(visit),
        plain_findings(visit),
        count_findings(visit),
    )


def _of_answer(fetched: Fetched, site: SiteView) -> Iterator[Finding]:
    address = read_address(fetched.url)
    if not 200 <= fetched.status < 300:
        yield bad("status", status=fetched.status)
    if fetched.hops:
        yield attention("redirected", url=fetched.url)
    if same_origin(address.origin, site.origins):
        yield good("origin-known", origin=address.origin)
    else:
        yield bad("origin", line=f"https://{address.authority}", origin=address.origin)
    if fetched.is_cut:
        yield attention("page-cut")


def _of_policies(visit: Visit) -> Iterator[Finding]:
    headers = [value for name, value in visit.fetched.headers if name.lower() == HEADER.lower()]
    metas = [tag.get("content") or "" for tag in visit.page.policies if not tag.inside]
    policies = read_policies(headers, visit.fetched.url)
    troubles = [finding for policy in policies for finding in _of_policy(visit, policy, f"{HEADER}: ")]
    for policy in (from_meta := read_policies(metas, visit.fetched.url)):
        troubles += _of_policy(visit, policy, f'<meta http-equiv="{HEADER}"> ')
    yield from troubles
    if not troubles:
        yield good("csp" if policies or from_meta else "csp-none")


def _of_policy(visit: Visit, policy: Policy, stands_in: str) -> Iterator[Finding]:
    service = urlsplit(visit.service)
    origin = f"{service.scheme}://{service.netloc}"
    tag = next(iter(tags_of(visit)), None)
    known = {"nonce": tag.get("nonce") or "", "integrity": tag.get("integrity") or ""} if tag else {}

    def found(name: str | None) -> str:
        return stands_in + " ".join((name or "", *policy.directives.get(name or "", ())))

    if policy.forbids_scripts:
        yield bad("csp-sandbox", found=found("sandbox"), line="sandbox allow-scripts allow-same-origin")
    if not policy.lets(f"{visit.service}/embed.js", SCRIPT, **known):
        is_by_nonce = policy.is_strict_dynamic
        line = tag_line(visit, tag, nonce="…") if is_by_nonce else policy.with_source(SCRIPT, origin)
        yield bad(
            "csp-nonce" if is_by_nonce else "csp-script", found=found(policy.governing(SCRIPT)), line=line
        )
    if not policy.lets(f"{visit.service}/api/v1/", CONNECT):
        line = policy.with_source(CONNECT, origin)
        yield bad("csp-connect", found=found(policy.governing(CONNECT)), line=line)
    if policy.refuses_our_markup:
        line = policy.with_source(("trusted-types",), "comments")
        yield attention("csp-trusted-types", found=found("trusted-types"), line=line)

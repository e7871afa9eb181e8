"""The embed check-up: what it finds on host pages of all kinds, and the very line that mends each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from flask import Flask

from comments_service.checkup.findings import Finding, State
from comments_service.checkup.policy import CONNECT, SCRIPT, read_policies
from comments_service.checkup.report import Report, check_up
from comments_service.checkup.tags import Start, read_tags
from comments_service.outbound import Door, Fetched, Hop, NotFetched, Reason
from comments_service.settings import Settings
from comments_service.texts import Catalogue
from comments_service.vocabulary import SiteView
from comments_service.web.checkup import PER_PERSON
from tests.doors import OWN_ORIGIN, csrf_token, dangers, sign_in
from tests.factories import ARTICLE, ORIGIN, a_comment, a_site
from tests.servers import HostPage

SERVICE = "https://comments.example.org"
TAG = f'<script src="{SERVICE}/embed.js" data-site="demo" async></script>'
PLAIN = (
    f'<noscript><a href="{SERVICE}/sites/demo/thread" '
    'referrerpolicy="no-referrer-when-downgrade">Comments</a></noscript>'
)
CANONICAL = f'<link rel="canonical" href="{ARTICLE}">'
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Canned(Door):
    """A door behind which one page stands."""

    html: str = ""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=utf-8"),)
    status: int = 200
    ends_at: str = ""
    error: Reason | None = None

    def fetch(self, url: str) -> Fetched:
        """The page, as if from there."""
        if self.error:
            raise NotFetched(self.error, url)
        hops = (Hop(301, url, self.ends_at),) if self.ends_at else ()
        return Fetched(self.ends_at or url, self.status, self.headers, self.html.encode(), False, hops)


def looked_at(
    site: SiteView, html: str, *, url: str = ARTICLE, service: str = SERVICE, csp: str = "", **door: object
) -> Report:
    """What the check-up says of a page."""
    headers = (("Content-Type", "text/html"), *((("Content-Security-Policy", csp),) if csp else ()))
    canned = Canned("test", **{"html": html, "headers": headers} | door)  # type: ignore[arg-type]
    return check_up(url, site, door=canned, service=service)


def states(report: Report) -> dict[str, State]:
    """The codes found, with their states."""
    return {finding.code: finding.state for finding in report.findings}


def the(report: Report, code: str) -> Finding:
    """The finding of this code."""
    found = [finding for finding in report.findings if finding.code == code]
    assert found, f"no {code} in {states(report)}"
    return found[0]


@pytest.fixture
def inside(app_context: Flask, site: SiteView) -> SiteView:
    """The site, with the database at hand."""
    return site


@on_sqlite
def test_nothing_is_to_mend_on_a_page_with_the_owners_lines(inside: SiteView) -> None:
    report = looked_at(inside, f"<!doctype html><head>{CANONICAL}</head><body>{TAG}{PLAIN}")
    assert set(states(report).values()) == {State.GOOD}
    assert {"origin-known", "script", "canonical", "thread-new", "noscript", "csp-none"} == set(
        states(report)
    )


def test_the_thread_and_its_count_are_told(app: Flask, inside: SiteView) -> None:
    a_comment(app, inside, url=ARTICLE)
    found = the(looked_at(inside, TAG), "thread")
    assert (found.count, found.values["title"]) == (1, "A bridge for the harbour")


RIGHT_WITH_ID = TAG.replace(" async", ' data-article-id="7" async')
SCRIPTS = {
    "<p>nothing</p>": ("script-missing", f"{TAG}\n{PLAIN}"),
    f"<!-- {TAG} -->": ("script-in-comment", TAG),
    f"<noscript>{TAG}</noscript>": ("script-inert", TAG),
    f"<template>{TAG}</template>": ("script-inert", TAG),
    f"<script>document.write('<script src={SERVICE}/embed.js>')</script>": ("script-by-script", TAG),
    "<comment-thread></comment-thread>": ("script-by-script", TAG),
    TAG.replace(SERVICE, "https://old.example.org"): ("script-elsewhere", TAG),
    TAG.replace("https:", "http:"): ("mixed-content", TAG),
    TAG.replace("https:", "//comments.example.org/x//"): ("script-elsewhere", TAG),
    TAG.replace("demo", "other"): ("site-other", TAG),
    TAG.replace("demo", "{{ site.key }}"): ("site-other", TAG),
    TAG.replace(' data-site="demo"', ""): ("site-missing", TAG),
    TAG.replace(" async", ""): ("script-blocks", TAG),
    TAG.replace(" async", ' type="text/plain" async'): ("script-type", TAG),
    TAG.replace(" async", " nomodule async"): ("script-type", TAG),
    TAG.replace("embed.js", "embed.0123456789abcdef.js"): ("script-pinned", TAG),
    TAG.replace(" async", ' data-articleid="7" async'): ("attribute-unknown", RIGHT_WITH_ID),
    TAG.replace(" async", ' data-target="#here" async'): ("target-missing", TAG),
    TAG + TAG: ("script-twice", ""),
    TAG + RIGHT_WITH_ID: ("script-several", ""),
    f'<script src="{SERVICE}/count.js" data-site="demo"></script>': ("script-counts-only", TAG),
}


@on_sqlite
def test_whatever_is_wrong_with_the_tag_comes_with_the_line_as_it_should_be(inside: SiteView) -> None:
    for html, (code, line) in SCRIPTS.items():
        found = the(looked_at(inside, html), code)
        assert line in found.line
        assert found.state is not State.GOOD


@on_sqlite
def test_what_is_no_tag_of_ours_is_left_alone(inside: SiteView) -> None:
    others = '<script src="https://x.disqus.com/embed.js"></script><script src="http://["></script>'
    assert "script" in states(looked_at(inside, others + TAG))
    assert "script-missing" in states(looked_at(inside, others))
    with_target = TAG.replace(" async", ' data-target="#here" data-cfasync="false" async')
    assert "script" in states(looked_at(inside, f'<p id="here"></p>{with_target}'))
    relative = looked_at(inside, '<script src="/c/embed.js" data-site=demo defer>', service=f"{ORIGIN}/c")
    assert "script" in states(relative)


ARTICLES = {
    f"{TAG}": ("canonical-missing", CANONICAL),
    f'<link rel="canonical" href="{{{{ page.url }}}}">{TAG}': ("canonical-refused", CANONICAL),
    f'<link rel="canonical" href="https://elsewhere.example.org/">{TAG}': ("canonical-refused", CANONICAL),
    f'<link rel="canonical" href="/other">{TAG}': ("canonical-other", CANONICAL),
    f'{CANONICAL}<link rel="canonical" href="/other">{TAG}': ("canonical-several", ""),
    f'<base href="/deep/"><link rel="CANONICAL" href="../article/?utm_source=x">{TAG}': ("canonical", ""),
    TAG.replace("async", 'data-article-id="{{ page.id }}" async'): ("id-refused", TAG),
    TAG.replace("async", 'data-article-id="null" async'): ("id-refused", TAG),
    TAG.replace("async", 'data-article-id="" async'): ("id-refused", TAG),
    TAG.replace("async", 'data-article-id="7" async'): ("id", ""),
    TAG.replace("async", 'data-article-url="undefined" async'): ("article-url-refused", TAG),
    TAG.replace("async", 'data-article-url="/article" async'): ("article-url-refused", TAG),
    TAG.replace("async", f'data-article-url="{ORIGIN}/other" async'): ("article-url-other", TAG),
    TAG.replace("async", f'data-article-url="{ARTICLE}" async'): ("article-url", ""),
    TAG.replace("async", 'data-article-title="{{ title }}" async'): ("title-unfilled", TAG),
    TAG.replace("async", 'data-article-title="undefined" async'): ("title-unfilled", TAG),
    RIGHT_WITH_ID + PLAIN: ("noscript-id", PLAIN.replace("thread", "thread?id=7")),
    RIGHT_WITH_ID + PLAIN.replace("thread", "thread?id=7"): ("noscript", ""),
    TAG + PLAIN.replace("no-referrer-when-downgrade", ""): ("noscript-referrer", PLAIN),
    TAG + PLAIN.replace("demo", "other"): ("noscript-missing", PLAIN),
}


@on_sqlite
def test_what_leads_to_the_article_is_held_to_its_rules(inside: SiteView) -> None:
    for html, (code, line) in ARTICLES.items():
        assert the(looked_at(inside, html), code).line == line


@on_sqlite
def test_links_with_counts_need_a_script_and_an_article(inside: SiteView) -> None:
    link = '<a data-comments-count href="/other">Comments</a>'
    assert the(looked_at(inside, link + TAG), "counts").count == 1
    assert "count.js" in the(looked_at(inside, link), "counts-script").line
    foreign = '<a data-comments-count href="https://elsewhere.example.org/">Comments</a>'
    assert "elsewhere" in the(looked_at(inside, foreign + TAG), "counts-refused").found
    both = f'{link}{TAG}<script src="{SERVICE}/count.js" data-site="demo" async></script>'
    assert "count.js" in the(looked_at(inside, both), "counts-twice").found


POLICIES = {
    "default-src 'self'": {
        "csp-script": f"script-src 'self' {SERVICE}",
        "csp-connect": f"connect-src 'self' {SERVICE}",
    },
    "script-src 'none'; connect-src *": {"csp-script": f"script-src {SERVICE}"},
    f"script-src {SERVICE}; connect-src 'self' https://*.example.com": {
        "csp-connect": f"connect-src 'self' https://*.example.com {SERVICE}"
    },
    f"script-src-elem 'self'; script-src {SERVICE}": {"csp-script": f"script-src-elem 'self' {SERVICE}"},
    f"script-src 'strict-dynamic' 'nonce-abc' {SERVICE}": {
        "csp-nonce": TAG.replace(" async", ' async nonce="…"')
    },
    f"script-src {SERVICE}/other/ 'unsafe-inline'": {
        "csp-script": f"{SERVICE}/other/ 'unsafe-inline' {SERVICE}"
    },
    f"script-src {SERVICE}:8443; connect-src {SERVICE}": {"csp-script": SERVICE},
    "sandbox": {"csp-sandbox": "sandbox allow-scripts allow-same-origin"},
    f"default-src {SERVICE}; require-trusted-types-for 'script'; trusted-types one": {
        "csp-trusted-types": "trusted-types one comments"
    },
    f"default-src https: ; script-src {SERVICE}, connect-src 'none'": {
        "csp-connect": f"connect-src {SERVICE}"
    },
}
GOOD_POLICIES = (
    "img-src 'none'",
    "default-src https:",
    "script-src *; connect-src *",
    "script-src *.example.org; connect-src https://*.example.org:443",
    f"SCRIPT-SRC {SERVICE}/embed.js; connect-src {SERVICE}/api/",
    "script-src http://comments.example.org; connect-src http://comments.example.org:80",
    f"default-src 'self' {SERVICE}; require-trusted-types-for 'script'; trusted-types a comments",
    f"default-src {SERVICE}; sandbox allow-scripts",
)


@on_sqlite
def test_a_policy_that_is_in_the_way_is_shown_as_it_must_be(inside: SiteView) -> None:
    for policy, wanted in POLICIES.items():
        report = looked_at(inside, TAG, csp=policy)
        assert {code for code in states(report) if code.startswith("csp")} == set(wanted)
        assert all(the(report, code).line.endswith(line) for code, line in wanted.items())
    in_page = looked_at(inside, f'<meta http-equiv=content-security-policy content="default-src x">{TAG}')
    assert the(in_page, "csp-script").found.startswith("<meta ")


@on_sqlite
def test_a_policy_that_lets_us_in_is_good(inside: SiteView) -> None:
    for policy in GOOD_POLICIES:
        assert states(looked_at(inside, TAG, csp=policy))["csp"] is State.GOOD
    with_nonce = TAG.replace("async", 'nonce="abc" async')
    strict = "script-src 'strict-dynamic' 'nonce-abc'"
    assert "csp" in states(looked_at(inside, with_nonce, csp=strict))


def test_a_host_in_a_policy_is_no_pattern_and_hostile_ones_are_read() -> None:
    for text in (
        "script-src " + "a" * 90_000,
        "script-src https://x:" + "9" * 9_000,
        "script-src [ ' :",
    ):
        (policy,) = read_policies([text, ";;;,,, ;"], ARTICLE)
        assert not policy.lets(f"{SERVICE}/embed.js", SCRIPT)
        assert policy.lets(f"{SERVICE}/api/", CONNECT)


@on_sqlite
def test_a_page_of_another_origin_is_not_fetched_and_the_line_to_add_is_shown(inside: SiteView) -> None:
    report = looked_at(inside, "", url="http://blog.example.org:8080/x", error=Reason.BROKEN)
    assert states(report) == {"origin": State.BAD}
    assert the(report, "origin").line == "https://blog.example.org:8080"


@on_sqlite
def test_a_redirect_out_of_the_site_and_a_wrong_status_are_told(inside: SiteView) -> None:
    moved = looked_at(inside, TAG, ends_at="https://www.elsewhere.example.org/a")
    assert the(moved, "origin").line == "https://www.elsewhere.example.org"
    assert states(moved)["redirected"] is State.ATTENTION
    assert the(looked_at(inside, TAG, status=404), "status").values["status"] == 404
    picture = looked_at(inside, "", headers=(("Content-Type", "image/png"),))
    assert states(picture) == {"origin-known": State.GOOD, "not-a-page": State.BAD}


@on_sqlite
def test_a_service_that_readers_cannot_reach_is_told(inside: SiteView) -> None:
    insecure = looked_at(inside, TAG, service="http://comments.example.org/c")
    assert the(insecure, "service-insecure").line == "COMMENTS_PUBLIC_URL=https://comments.example.org/c"
    assert "service-local" in states(looked_at(inside, TAG, service="http://localhost:8000"))


@on_sqlite
@pytest.mark.parametrize(
    ("proof", "url", "is_told"),
    [
        ("always", "http://news.example.org/article", True),
        ("always", ARTICLE, False),
        ("suspicion", "http://news.example.org/article", False),
        ("always", "http://localhost:4000/article", False),
    ],
)
def test_work_that_no_browser_can_do_on_the_page_is_told(
    app_context: Flask, proof: str, url: str, is_told: bool
) -> None:
    origins = ["http://news.example.org", ARTICLE.rpartition("/")[0], "http://localhost:4000"]
    asking = a_site(app_context, key="asking", origins=origins, options={"proof": proof})
    assert ("proof-insecure" in states(looked_at(asking, TAG, url=url))) is is_told


def test_a_closed_site_or_article_is_told(app: Flask, inside: SiteView) -> None:
    closed = a_site(app, key="closed", is_open=False)
    assert "site-closed" in states(looked_at(closed, TAG))


@on_sqlite
def test_every_finding_has_a_sentence(inside: SiteView) -> None:
    reports = [looked_at(inside, html) for html in (*SCRIPTS, *ARTICLES)]
    reports += [looked_at(inside, TAG, csp=policy) for policy in POLICIES]
    reports += [looked_at(inside, TAG, error=reason) for reason in Reason]
    texts = Catalogue.load()
    for finding in (finding for report in reports for finding in report.findings):
        key, values = f"checkup.{finding.code}", dict[str, Any](finding.values)
        is_counted = finding.count is not None
        said = texts.plural(key, finding.count or 0, lang="en", **values) if is_counted else ""
        assert "{" not in (said or texts.text("en", key, **values)).replace("{{", "")


NASTY = (
    "<!--",
    "<a",
    "<a ",
    "<",
    "</",
    "<![",
    "<a b=",
    '<a b="',
    "<a/",
    "<div><",
    "<title>",
    "<a =",
    "</scrip",
)


def test_broken_pages_are_read_in_a_time_that_grows_with_their_length() -> None:
    for unit in NASTY:
        began = time.process_time()
        assert sum(1 for _ in read_tags(unit * 20_000)) <= 40_000
        assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("html", "attributes"),
    [
        ("<script SRC='a&amp;b' async>", {"src": "a&b", "async": ""}),
        ('<a href=x/y title="a>b" href=z>', {"href": "x/y", "title": "a>b"}),
        ("<p =x / y = 'z'>", {"=x": "", "y": "z"}),
        ("<!-- <b> --><i a>", {"a": ""}),
        ("<![CDATA[<b>]]><i a>", {"a": ""}),
        ("<style><b c></style><i a>", {}),
        ("<x y='never ends><b c>", None),
    ],
)
def test_tags_are_read_as_browsers_do(html: str, attributes: dict[str, str] | None) -> None:
    found = next((piece for piece in read_tags(html) if isinstance(piece, Start)), None)
    assert (found.attributes if found else None) == attributes


@pytest.fixture
def allowing(settings: Settings, make_app: Callable[[Settings], Flask]) -> Flask:
    """The app, allowed to call this machine."""
    return make_app(Settings(**dict(settings) | {"outbound_allow": "127.0.0.0/8"}))


def asked(app: Flask, urls: list[str]) -> Iterator[str]:
    """The pages that a moderator gets for these addresses."""
    browser = sign_in(app)
    token = csrf_token(browser.get("/settings/demo/embed"))
    for url in urls:
        form = {"csrf_token": token, "url": url}
        yield browser.post("/settings/demo/embed", data=form, headers={"Origin": OWN_ORIGIN}).text


@on_sqlite
def test_a_moderator_gets_the_report_as_a_page(allowing: Flask, host_page: HostPage) -> None:
    a_site(allowing, origins=(host_page.origin,))
    host_page.embed("http://localhost:8000", attributes='data-article-id="<b>{{ id }}"')
    (page,) = asked(allowing, [host_page.url("/new")])
    assert "One thing keeps comments from working." in page
    assert "The id “<b>{{ id }}” was not filled in" in unescape(page)
    assert not dangers(page)
    assert host_page.asked == ["/new"]


@on_sqlite
def test_without_the_setting_this_machine_is_not_called(app: Flask, host_page: HostPage) -> None:
    a_site(app, origins=(host_page.origin,))
    (page,) = asked(app, [host_page.url()])
    assert "is not on the public internet" in page
    assert host_page.asked == []


@on_sqlite
def test_what_is_no_address_is_told_at_the_field(app: Flask, site: SiteView) -> None:
    for page in asked(app, ["", "news", "javascript:alert(1)", "http://[", "\0", "https://" + "a" * 5000]):
        assert "This cannot be read as the address of a page." in page


@on_sqlite
def test_one_person_may_look_only_so_often(app: Flask, site: SiteView) -> None:
    *_, last, refused = asked(app, ["news"] * (PER_PERSON.amount + 1))
    assert "Those were many" not in last
    assert "The next one is possible in 10 minutes." in refused

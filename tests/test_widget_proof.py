"""The widget does the work that is asked for: unseen, beside the page, never in the way of a comment."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, Request, Route, expect

from comments_service import bundle
from tests.browser import Console
from tests.doors import change_site
from tests.factories import a_comment
from tests.servers import HostPage, LiveService, wait_until
from tests.test_owner_tag import over_plain_http
from tests.test_proof import OPEN
from tests.test_signed_names import signed

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

SCRIPT = f"proof.{bundle.later('proof').hash}.js"
WAITING = "Your comment is awaiting moderation"
PUBLISHED = "Your comment is published."
LONG_TASK_MS = 50
WORK = """
async ([script, ticket]) => {
  const { prove } = await import(script);
  const { challenge } = await (await fetch(ticket)).json();
  let longest = 0;
  const note = (entries) => (longest = Math.max(longest, ...entries.map(({ duration }) => duration)));
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ type: "longtask" });
  const proof = await prove(challenge, new AbortController().signal);
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  note(observer.takeRecords());
  return [longest, proof];
}
"""
COUNT_TRIES = """
window.tries = 0;
const before = SubtleCrypto.prototype.deriveBits;
SubtleCrypto.prototype.deriveBits = function (...more) {
  window.tries += 1;
  return before.apply(this, more);
};
"""
UNTIL_QUIET = """
() => new Promise((resolve, reject) => {
  let known = 0, quiet = 0, frames = 0;
  const look = () => {
    quiet = window.tries === known ? quiet + 1 : 0;
    known = window.tries;
    if (quiet > 20) resolve();
    else if (++frames > 600) reject(new Error("it goes on"));
    else requestAnimationFrame(look);
  };
  look();
})
"""


@pytest.fixture
def service(live_service: LiveService) -> LiveService:
    """A site that publishes at once, and asks everybody for work."""
    change_site(live_service.app, live_service.site, rules=OPEN, options={"proof": "always"})
    return live_service


@pytest.fixture
def asked(page: Page) -> list[Request]:
    """What the page has asked for."""
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))  # noqa: PLW0108 -- Playwright writes on it
    return requests


def open_it(page: Page, host: HostPage, path: str = "/article") -> None:
    """Open an article, up to its form."""
    page.goto(host.url(path))
    expect(page.get_by_role("textbox", name="Comment", exact=True)).to_be_visible()


def write(page: Page) -> None:
    """Type a comment."""
    for name, value in {"Comment": "A *fine* bridge.", "Name": "Dora", "Email": "dora@example.org"}.items():
        page.get_by_role("textbox", name=name, exact=True).fill(value)


def post(page: Page) -> None:
    """Send it."""
    page.get_by_role("button", name="Post Comment").click()


def sent(requests: list[Request]) -> list[dict[str, Any]]:
    """The comments that were sent."""
    bodies = [request.post_data for request in requests if request.method == "POST"]
    return [json.loads(body or "") for body in bodies]


def works(requests: list[Request]) -> bool:
    """Whether the script for work came."""
    return any(request.url.endswith(SCRIPT) for request in requests)


def test_work_is_done_while_a_reader_types_on_a_strict_page_and_the_comment_is_published(
    page: Page, console: Console, asked: list[Request], service: LiveService, host_page: HostPage
) -> None:
    open_it(page, host_page)
    assert not works(asked)
    with page.expect_response(lambda response: response.url.endswith(SCRIPT)):
        page.get_by_role("textbox", name="Comment", exact=True).focus()
    write(page)
    post(page)
    expect(page.get_by_role("article")).to_contain_text("fine")
    expect(page.get_by_role("status").last).to_have_text(PUBLISHED)
    assert len(sent(asked)[0]["proof"]) > 100
    assert console.unexpected == []


def test_nothing_comes_where_no_work_is_asked_for(
    page: Page, asked: list[Request], service: LiveService, host_page: HostPage
) -> None:
    change_site(service.app, service.site, options={})
    a_comment(service.app, service.site, url=host_page.url(), network="127.0.0.0/24", now=datetime.now(UTC))
    open_it(page, host_page)
    write(page)
    post(page)
    expect(page.get_by_role("status").last).to_have_text(PUBLISHED)
    assert not works(asked)
    assert "proof" not in sent(asked)[0]
    write(page)  # the third one of this network within an hour
    page.get_by_role("textbox", name="Comment", exact=True).fill("Another one.")
    post(page)
    expect(page.get_by_role("article")).to_have_count(3)
    assert sent(asked)[1]["proof"]


def work(page: Page, host: HostPage, service: LiveService) -> tuple[float, str]:
    """Let an open page work for a form, four times slower than it is: its longest task, and what it made."""
    ticket = f"{service.url}/api/v1/sites/demo/ticket?{urlencode({'url': host.url()})}"
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    longest, proof = page.evaluate(WORK, [f"{service.url}/{SCRIPT}", ticket])
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return longest, proof


def test_a_slow_page_never_stands_still_for_work(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    open_it(page, host_page)
    worked = [work(page, host_page, service) for _ in range(3)]
    assert all(proof for _, proof in worked)
    # What else this machine has to do may stop any page for a moment, but not each time
    assert min(longest for longest, _ in worked) <= LONG_TASK_MS


def test_work_ends_when_the_form_goes_away(page: Page, service: LiveService, host_page: HostPage) -> None:
    def never(route: Route) -> None:
        answer = route.fetch().json()
        answer["challenge"]["parameters"]["keyPrefix"] = "00" * 32
        route.fulfill(json=answer)

    page.route("**/ticket?*", never)
    page.add_init_script(COUNT_TRIES)
    open_it(page, host_page)
    page.get_by_role("textbox", name="Comment", exact=True).focus()
    wait_until(lambda: int(page.evaluate("window.tries")) > 100, "work")
    page.evaluate("document.querySelector('comment-thread').remove()")
    page.evaluate(UNTIL_QUIET)


def test_a_comment_is_sent_without_work_that_takes_too_long(
    page: Page, asked: list[Request], service: LiveService, host_page: HostPage
) -> None:
    page.clock.install()
    page.route(f"**/{SCRIPT}", lambda _route: None)  # it never comes
    open_it(page, host_page)
    write(page)
    post(page)
    expect(page.get_by_role("button", name="Posting")).to_be_visible()
    assert sent(asked) == []
    page.clock.run_for(5_000)
    expect(page.get_by_role("article")).to_contain_text(WAITING)
    assert "proof" not in sent(asked)[0]
    page.unroute_all(behavior="ignoreErrors")


def test_a_ticket_that_is_refused_is_followed_by_work_for_the_next(
    page: Page, asked: list[Request], service: LiveService, host_page: HostPage
) -> None:
    def refused(route: Route) -> None:
        answer = route.fetch().json()
        route.fulfill(json=answer | {"ticket": answer["ticket"][:-1]})

    page.route("**/ticket?*", refused, times=1)
    open_it(page, host_page)
    write(page)
    post(page)
    expect(page.get_by_role("status").last).to_have_text(PUBLISHED)
    first, second = sent(asked)
    assert first["proof"] != second["proof"]


def test_a_page_over_plain_http_cannot_work_and_its_comment_waits(
    page: Page, asked: list[Request], service: LiveService, host_page: HostPage
) -> None:
    over_plain_http(page, service, host_page)
    write(page)
    post(page)
    expect(page.get_by_role("article")).to_contain_text(WAITING)
    assert "proof" not in sent(asked)[0]
    page.unroute_all(behavior="wait")  # what the page still fetches must not outlive it


def test_who_is_known_to_the_page_works_for_nothing(
    page: Page, asked: list[Request], service: LiveService, host_page: HostPage
) -> None:
    change_site(service.app, service.site, options={"proof": "always", "signed_names": 1})
    user = signed(ends_at=datetime.now(UTC) + timedelta(hours=1))
    host_page.embed(service.url, attributes=f'data-user="{user}"')
    open_it(page, host_page)
    page.get_by_role("textbox", name="Comment", exact=True).fill("It will be a fine bridge.")
    post(page)
    expect(page.get_by_role("status").last).to_have_text(PUBLISHED)
    assert not works(asked)

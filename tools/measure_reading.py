"""Measure what a reader of an article meets: what is loaded, when comments are painted, scrolling, sending.

    python -m tools.measure_reading [--loads 15] [--submissions 120]

The real service runs in a process of its own, the article on a page of another site, and both are read in a
headless Chromium on this machine. Prints each figure beside its limit, and how much of it was used.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, Request, expect

from tools.reading_stage import Stage, a_browser, reading_stage, words_of
from tools.service_process import SITE

COMMENTS, MANY, USUAL_PAGE = 100, 300, 20
SLOWED = 4  # times: as a cheap telephone beside the machine that measures
LATENCY_MS = {1: 40, SLOWED: 150}  # as Lighthouse has it for a desktop and for a telephone
A_LONG_TASK_MS, A_WINDOW_PX, SPEED_PX_PER_SECOND = 50, 900, 3_000
PATIENCE_MS = 120_000
# When the JSON had come, and when the first comment had been painted: the timer runs after that frame
WATCH_PAINT = """
window.firstComment = new Promise((resolve) => addEventListener("comments:ready", ({ target }) => {
  const look = () => {
    if (!target.shadowRoot.querySelector("article")) return requestAnimationFrame(look);
    setTimeout(() => {
      const painted = performance.now();
      const answer = performance.getEntriesByType("resource").find(({ name }) => name.includes("/thread?"));
      resolve(painted - answer.responseEnd);
    });
  };
  requestAnimationFrame(look);
}));
"""
WATCH_TASKS = """
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) window.longTasks.push([startTime, duration]);
}).observe({ type: "longtask", buffered: true });
"""
# From the press of the button to the frame that shows the comment and says what becomes of it
WATCH_SENDING = """
addEventListener("click", (event) => {
  if (event.composedPath()[0].type !== "submit") return;
  window.sending = new Promise((resolve) => addEventListener("comments:posted", () => {
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - event.timeStamp)));
  }, { once: true }));
}, { capture: true });
"""


@dataclass(frozen=True)
class Figure:
    """One thing that was measured; without a limit it is told only to be known."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def is_missed(self) -> bool:
        """Whether it is over its limit."""
        return self.limit is not None and self.value > self.limit

    def __str__(self) -> str:
        told = f"{self.name:<66}{self.value:>9,.0f} {self.unit:<8}"
        if self.limit is None:
            return told.rstrip()
        used = f"limit {self.limit:>6,.0f}" + (f"  {self.value / self.limit:6.2f}" if self.limit else "")
        return f"{told} {used}{'  MISSED' if self.is_missed else ''}"


def main() -> int:
    """Print every figure, and which limits are missed; always 0, for machines differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--loads", type=int, default=15)
    parser.add_argument("--submissions", type=int, default=120)
    asked = parser.parse_args()
    figures, busy = [], os.getloadavg()[0]
    for figure in measure(asked.loads, asked.submissions):
        print(figure, flush=True)
        figures.append(figure)
    missed = [figure.name for figure in figures if figure.is_missed]
    print(f"\n{len(missed)} limits missed" + "".join(f"\n  {name}" for name in missed))
    print(f"this machine has {os.cpu_count()} cores, and had work for {busy:.1f} before this began")
    return 0


def measure(loads: int, submissions: int) -> Iterator[Figure]:
    """All figures, one after the other."""
    with a_browser() as browser:
        # So much from one network would be asked for work, which `make proof-figures` measures
        with reading_stage(page_size=USUAL_PAGE, site_options=("--proof", "off")) as stage:
            article = stage.add_article("/hundred", COMMENTS)
            yield from loading(browser, stage, article, "")
            for rate in (1, SLOWED):
                yield from painting(browser, article, rate, loads, "")
            yield from sending(browser, article, submissions)
            many = stage.add_article("/many", MANY)
            for rate in (1, SLOWED):
                yield from scrolling(browser, many, rate)
            if (done := stage.service.run("site", "set", SITE, "--votes", "both")).returncode:
                raise RuntimeError(done.stderr)
            yield from loading(browser, stage, article, ", with votes")
        with reading_stage(page_size=COMMENTS) as stage:
            article = stage.add_article("/hundred", COMMENTS)
            for rate in (1, SLOWED):
                yield from painting(browser, article, rate, loads, ", all on one page")


def loading(browser: Browser, stage: Stage, article: str, when: str) -> Iterator[Figure]:
    """What the page loads beside itself, for somebody who comes for the first time."""
    page = browser.new_page()
    requests: list[Request] = []
    page.on("requestfinished", lambda request: requests.append(request))  # noqa: PLW0108 -- Playwright writes on it
    open_article(page, article)
    page.wait_for_load_state("networkidle")
    ours = [request for request in requests if not request.url.startswith(stage.pages.origin)]
    scripts = [request for request in ours if request.resource_type in ("script", "stylesheet")]
    foreign = [request for request in ours if not request.url.startswith(stage.service_url)]
    yield Figure(f"requests of a page with {COMMENTS} comments{when}", len(ours), "", 3)
    yield Figure(f"bytes of scripts and styles{when}", transferred(scripts), "bytes", 15_000)
    yield Figure(f"bytes of the comments themselves{when}", transferred(set(ours) - set(scripts)), "bytes")
    yield Figure(f"requests to anybody else{when}", len(foreign), "", 0.0)
    page.close()


def transferred(requests: Iterable[Request]) -> int:
    """How long the bodies were on the wire."""
    return sum(request.sizes()["responseBodySize"] for request in requests)


def painting(browser: Browser, article: str, rate: int, loads: int, when: str) -> Iterator[Figure]:
    """How soon the first of all comments is painted, with cold caches each time."""
    times = []
    for _ in range(loads):
        page = browser.new_page()
        session = slow(page, rate)
        session.send("Network.enable")
        line = {
            "latency": LATENCY_MS[rate],
            "downloadThroughput": -1,
            "uploadThroughput": -1,
            "offline": False,
        }
        session.send("Network.emulateNetworkConditions", line)
        page.add_init_script(WATCH_PAINT)
        page.goto(article)
        times.append(float(page.evaluate("window.firstComment")))
        page.close()
    name = f"first of {COMMENTS} comments painted{when}{at(rate)}"
    yield Figure(f"{name}, median", median(times), "ms", 200)
    yield Figure(f"{name}, quickest of {loads}", min(times), "ms")


def sending(browser: Browser, article: str, submissions: int) -> Iterator[Figure]:
    """From the press of the button to the comment on the screen, ten comments by each reader."""
    times: list[float] = []
    while len(times) < submissions:
        page = browser.new_page()
        page.add_init_script(WATCH_SENDING)
        open_article(page, article)
        for _ in range(10):
            page.get_by_role("textbox", name="Comment", exact=True).fill(words_of(-1 - len(times)))
            page.get_by_role("textbox", name="Name", exact=True).fill("Ana Ferreira")
            page.get_by_role("textbox", name="Email", exact=True).fill("ana@example.org")
            page.get_by_role("button", name="Post Comment").click()
            times.append(float(page.evaluate("window.sending")))
        page.close()
    name = f"from the button to the comment on the screen, {len(times)} times"
    yield Figure(f"{name}, median", median(times), "ms")
    yield Figure(f"{name}, p95", quantiles(times, n=20)[-1], "ms", 150)
    yield Figure(f"{name}, slowest", max(times), "ms")


def scrolling(browser: Browser, article: str, rate: int) -> Iterator[Figure]:
    """The longest tasks while comments are fetched page by page, and while they are scrolled through."""
    page = browser.new_page(viewport={"width": 1280, "height": A_WINDOW_PX})
    session = slow(page, rate)
    page.add_init_script(WATCH_TASKS)
    open_article(page, article)
    opened = now(page)
    more = page.get_by_role("button", name="More comments")
    while more.is_visible():
        known = page.locator("article.comment").count()
        more.click()
        expect(page.locator("article.comment")).not_to_have_count(known, timeout=PATIENCE_MS)
    shown = page.locator("article.comment").count()
    fetched = now(page)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    begun, height = now(page), int(page.evaluate("document.documentElement.scrollHeight"))
    gesture = {"x": 600, "y": 450, "yDistance": A_WINDOW_PX - height, "speed": SPEED_PX_PER_SECOND}
    session.send("Input.synthesizeScrollGesture", gesture | {"gestureSourceType": "mouse"})
    page.wait_for_timeout(500)
    if float(page.evaluate("scrollY")) < height - 2 * A_WINDOW_PX or shown < MANY:
        raise RuntimeError(f"of {MANY} comments {shown} were there, and the end was not reached")
    tasks = page.evaluate("window.longTasks")
    parts = (("opened", 0, opened), ("fetched page by page", opened, fetched))
    for what, since, until in parts:
        yield Figure(f"longest task, {MANY} comments {what}{at(rate)}", longest(tasks, since, until), "ms")
    name = f"longest task, {MANY} comments scrolled through{at(rate)}"
    yield Figure(name, longest(tasks, begun, float("inf")), "ms", A_LONG_TASK_MS)
    page.close()


def longest(tasks: list[list[float]], since: float, until: float) -> float:
    """How long the longest task took that began then; nothing below 50 ms is told by browsers."""
    return max((duration for began, duration in tasks if since <= began < until), default=0.0)


def open_article(page: Page, article: str) -> None:
    """Load an article, and wait for its comments and the form."""
    page.goto(article)
    expect(page.get_by_role("heading", name="Leave a Reply")).to_be_visible(timeout=PATIENCE_MS)


def slow(page: Page, rate: int) -> CDPSession:
    """Let the page's processor be so many times slower."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": rate})
    return session


def now(page: Page) -> float:
    """The page's own clock."""
    told: Any = page.evaluate("performance.now()")
    return float(told)


def at(rate: int) -> str:
    """The words for a slower processor."""
    return f", processor slowed {rate}×" if rate > 1 else ""


if __name__ == "__main__":
    sys.exit(main())

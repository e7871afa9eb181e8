"""Measure the work that browsers are asked for: deciding on it, checking it, and doing it in a browser.

    python -m tools.measure_proof [--comments 20000] [--rounds 200] [--only sqlite|postgresql]

Deciding is measured on both databases, for a network that has sent more than is looked at. The browser is a
headless Chromium; slowing it four times slows the page's own thread, while what is tried beside it goes on.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from statistics import median, quantiles
from typing import Any

import altcha
from flask import Flask
from playwright.sync_api import Page, Route
from sqlalchemy import make_url, select, update

from comments_service import bundle
from comments_service.article_url import identify
from comments_service.privacy import Keyring
from comments_service.proof import challenge_for, is_solved
from comments_service.settings import Settings
from comments_service.spam.history import OF_NETWORK
from comments_service.spam.suspicion import asks_proof
from comments_service.storage.database import connect_app, migrate, transaction
from comments_service.storage.models import Comment, Site
from comments_service.tokens import Ticket, new_ticket
from comments_service.vocabulary import ArticleRef
from tools.both_databases import SECRET_KEY, on_both
from tools.measure_reading import SLOWED, WATCH_TASKS, longest, slow
from tools.reading_stage import a_browser
from tools.thread_load import BEGAN, add

ORIGIN = "https://news.example.org"
KEYS = Keyring.parse(SECRET_KEY)
SOLUTIONS = 60
MAX_DECIDING_MS, MAX_CHECKING_MS, MAX_SOLVING_MS, MAX_TASK_MS = 1, 3, 1_000, 50
WATCH_FRAMES = """
window.frames = [];
let last = performance.now();
const look = (now) => { window.frames.push(now - last); last = now; requestAnimationFrame(look); };
requestAnimationFrame(look);
"""
SOLVE = """
async ([script, challenge]) => {
  const { prove } = await import(script);
  const begun = performance.now();
  const proof = await prove(challenge, new AbortController().signal);
  return [performance.now() - begun, proof];
}
"""


def main() -> int:
    """Print every figure; 1 where a limit was missed."""
    failed = on_both(deciding, "proof", comments=20_000, description=__doc__ or "")
    kept = [checking(), solving()]
    print(f"proof.js: {len(bundle.later('proof').brotli):,} bytes (brotli), where work is asked for")
    print(f"this machine has {os.cpu_count()} cores, and had work for {os.getloadavg()[0]:.1f}")
    return failed or int(not all(kept))


def deciding(url: str, comments: int, rounds: int) -> bool:
    """How long the ticket's door takes to find out that nothing is suspicious."""
    settings = Settings(database_url=url)
    migrate(settings)
    app = Flask("measure", static_folder=None)
    connect_app(app, settings)
    article = identify(f"{ORIGIN}/article", None, origins=[ORIGIN])
    name = make_url(url).get_backend_name()
    with app.app_context():
        with transaction() as session:
            row = Site(key="demo", name="Demo", origins=[ORIGIN], created_at=BEGAN)
            session.add(row)
            session.flush()
            site = row.view()
            ids = add(session, site.id, article, comments)
            busy = KEYS.network_hash("busy", site_id=site.id)
            theirs = update(Comment).where(Comment.id.in_(ids[: OF_NETWORK * 2]))
            session.execute(theirs.values(network_hash=busy))
            now = session.scalars(select(Comment.created_at).where(Comment.id == ids[-1])).one()
        now += timedelta(days=1)
        found = []
        for network in ("new", "busy"):
            hashes = KEYS.network_hashes(network, site_id=site.id)
            times = timed(partial(asks_proof, site, article, hashes, now=now), rounds)
            found.append(tell(f"{name}: deciding, {network} network", times, MAX_DECIDING_MS))
    return all(found)


def checking() -> bool:
    """How long a challenge takes to make, and what came back to be checked."""
    ticket = a_ticket()
    challenge = altcha.Challenge.from_dict(challenge_for(KEYS, ticket))
    solution = altcha.solve_challenge(challenge)
    if solution is None:
        raise RuntimeError("a challenge could not be solved")
    right = altcha.Payload(challenge, solution).to_base64()
    solution.counter += 1
    wrong = altcha.Payload(challenge, solution).to_base64()
    if not is_solved(KEYS, right, ticket) or is_solved(KEYS, wrong, ticket):
        raise RuntimeError("a solution was not checked rightly")
    found = [
        tell("making a challenge", timed(lambda: challenge_for(KEYS, ticket)), MAX_CHECKING_MS),
        tell("checking a right solution", timed(lambda: is_solved(KEYS, right, ticket)), MAX_CHECKING_MS),
        tell("checking a wrong one", timed(lambda: is_solved(KEYS, wrong, ticket)), MAX_CHECKING_MS),
    ]
    return all(found)


def solving() -> bool:
    """How long a browser works, and for how long the page stands still meanwhile."""
    kept = []
    with a_browser() as browser:
        for rate in (1, SLOWED):
            page = browser.new_page()
            page.route(f"{ORIGIN}/**", answer)
            page.goto(ORIGIN)
            page.evaluate(f"{{ {WATCH_TASKS} {WATCH_FRAMES} }}")
            slow(page, rate)
            times = [solved(page) for _ in range(SOLUTIONS)]
            kept.append(tell(f"solving, page slowed {rate}×", times, MAX_SOLVING_MS))
            tasks = longest(page.evaluate("window.longTasks"), 0, float("inf"))
            frame = max(page.evaluate("window.frames"))
            missed = "" if tasks <= MAX_TASK_MS else "  MISSED"
            print(f"  longest task {tasks:.0f} ms (0: none over 50){missed}, longest frame {frame:.0f} ms")
            page.close()
    return all(kept)


def answer(route: Route) -> None:
    """An empty page over https, and the script beside it."""
    if route.request.url.endswith("/proof.js"):
        route.fulfill(content_type="text/javascript", body=bundle.later("proof").content)
    else:
        route.fulfill(content_type="text/html", body="<!doctype html><title>Work</title>")


def solved(page: Page) -> float:
    """Milliseconds for one challenge, which is checked."""
    ticket = a_ticket()
    told: Any = page.evaluate(SOLVE, [f"{ORIGIN}/proof.js", challenge_for(KEYS, ticket)])
    if not is_solved(KEYS, told[1], ticket):
        raise RuntimeError("the browser sent a wrong solution")
    return float(told[0])


def a_ticket() -> Ticket:
    """A ticket that asks for work."""
    article = ArticleRef(f"{ORIGIN}/article", "//news.example.org/article")
    return new_ticket(site="demo", article=article, now=BEGAN, asks_proof=True)


def timed(call: Callable[[], object], rounds: int = 200) -> list[float]:
    """Milliseconds of each call, after some to warm up."""
    for _ in range(10):
        call()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append((time.perf_counter() - begun) * 1000)
    return times


def tell(what: str, times: Sequence[float], limit_ms: float) -> bool:
    """Print the usual and the slow; whether the usual is within the limit."""
    kept = median(times) <= limit_ms
    figures = f"p50 {median(times):7.2f} ms, p95 {quantiles(times, n=20)[-1]:7.2f} ms"
    print(f"{what:<40}{figures}, limit {limit_ms:,} ms{'' if kept else '  MISSED'}", flush=True)
    return kept


if __name__ == "__main__":
    sys.exit(main())

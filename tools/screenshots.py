"""Take the pictures of `docs/screenshots/` from a running demo (`make screenshots`).

The demo runs on free ports in a folder of its own, so nothing of `var/` is touched. Some readers have written
before the pictures are taken, because an empty queue says little.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from comments_service.article_url import identify
from comments_service.decisions.decide import decide_all
from comments_service.decisions.verbs import Change
from comments_service.people.accounts import list_moderators
from comments_service.submit import submit
from comments_service.vocabulary import SiteView, Status, Submission
from demo.run import ARTICLE_ID, HEADLINE, MODERATOR, SITE
from tools.demo_process import DemoProcess, running_demo
from tools.pictures import FOLDER, MAX_BYTES, inside, take
from tools.reader_pictures import (
    OWN_TEXT,
    take_pictures_of_a_long_thread,
    take_pictures_of_states,
    take_readers_pictures,
)
from tools.setup import find_browser

# Who, what, how long ago; a number is the comment that is answered
WAITING: tuple[tuple[str, str, int, int | None], ...] = (
    ("Ana Ferreira", "Is there a way to help the families who had to leave?", 4, 1),
    (
        "Jonas Weber",
        """Two additions, if I may:\n
- the first war ended in **1994**
- the ceasefire of 2020 was signed in November\n
Both are told well [in this overview](https://history.example.org/caucasus).""",
        11,
        None,
    ),
    ("Priya", "Could you add a timeline? I lose track of the dates.", 38, None),
    ("Lucky Winner", "Earn from home!!! https://prizes.example.com https://prizes.example.net", 95, None),
)


DAYS = 29  # as far as the dashboard looks back
NAMES = ("Ines", "Kofi Mensah", "Lars", "Mei", "Ruth Adler", "Samir", "Tove", "Wanjiru")
ARTICLES = (
    ("A bridge for the harbour", "harbour-bridge"),
    ("The night train returns", "night-train"),
    ("Who waters the city’s trees?", "city-trees"),
)
EARLIER = (
    "Cheap watches, best price, look at https://watches.example.com",
    "I cross there every morning, and the old one was faster on foot.",
    "What does the council say about the costs?",
    "Thank you for the map. It answers what I asked last week.",
    "My grandmother told the same story, with another ending.",
    "Is there a date for the second part?",
)


def main() -> int:
    """Take all pictures; 1 if one is too large for a README."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comments-pictures-"))
        demo = stack.enter_context(running_demo(Path(folder)))
        chromium = stack.enter_context(sync_playwright()).chromium
        browser = chromium.launch(executable_path=find_browser(), chromium_sandbox=False)
        take_readers_pictures(browser, demo)
        take_pictures_of_a_long_thread(browser, demo)
        take_pictures_of_states(browser, demo)
        send_comments(demo)
        take_moderators_pictures(browser, demo)
        browser.close()
    pictures = sorted(FOLDER.glob("*.png"))
    for picture in pictures:
        print(f"{picture.stat().st_size:>8,} bytes  {picture.relative_to(FOLDER.parent.parent)}")
    return int(any(picture.stat().st_size > MAX_BYTES for picture in pictures))


def take_moderators_pictures(browser: Browser, demo: DemoProcess) -> None:
    """The sign-in, what waits behind it, and rules that are tried."""
    page = browser.new_page(timezone_id="UTC")
    page.goto(f"{demo.service}/queue")
    take(page, "login")
    page.get_by_label("Name").fill(MODERATOR)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(OWN_TEXT)).to_be_visible()
    expect(page.locator(".bulk--idle")).to_be_visible()  # its script has run
    take(page, "queue")
    take_rules_pictures(page, demo)
    take_check_up_picture(page, demo)
    moderate_for_weeks(demo)
    page.goto(f"{demo.service}/settings/{SITE}/spam")
    take(page, "thresholds", part="section:has(.chart)")
    for name in ("dashboard", "audit"):
        page.goto(f"{demo.service}/{name}")
        take(page, name)


def take_check_up_picture(page: Page, demo: DemoProcess) -> None:
    """What an owner is told of the newspaper's own page."""
    page.goto(f"{demo.service}/settings/{SITE}/embed")
    page.get_by_role("textbox", name="Address of an article").fill(demo.newspaper)
    page.get_by_role("button", name="Check this page").click()
    page.wait_for_load_state()
    take(page, "check-up")


def take_rules_pictures(page: Page, demo: DemoProcess) -> None:
    """Rules that are not saved yet, and what they would make of the comments there are."""
    page.goto(f"{demo.service}/settings/{SITE}/rules")
    page.get_by_role("checkbox", name="Every comment waits").uncheck()
    page.get_by_role("checkbox", name="A comment by somebody who has none approved").uncheck()
    page.get_by_role("textbox", name="Words to refuse").fill("earn from home\n*prizes*")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("heading", name="would have been treated otherwise")).to_be_visible()
    take(page, "rehearsal", part="#rehearsal")
    take(page, "rules")


def send_comments(demo: DemoProcess) -> None:
    """Let some readers write, each from a network of its own."""
    with inside(demo) as (parts, site):
        now = datetime.now(UTC)
        for number, (name, text, minutes, parent_id) in enumerate(WAITING):
            written = replace(
                a_submission(demo, site, f"picture-{number}", text), name=name, parent_id=parent_id
            )
            submit(written, settings=parts.settings, keys=parts.keys, now=now - timedelta(minutes=minutes))


def moderate_for_weeks(demo: DemoProcess) -> None:
    """Let other articles be commented on, and most of it be decided: something to look back on."""
    with inside(demo) as (parts, site):
        moderator = next(one for one in list_moderators() if one.name == MODERATOR)
        now = datetime.now(UTC)
        for day in range(DAYS, 0, -1):
            came = now - timedelta(days=day)
            receipts = [
                submit(
                    a_submission(demo, site, f"picture-{day}-{number}", f"{text} ({day})"),
                    settings=parts.settings,
                    keys=parts.keys,
                    now=came + timedelta(minutes=number),
                )
                for number, text in enumerate(EARLIER[: 2 + day * 7 % 5])
            ]
            good = [Change(receipt.comment_id, 1, Status.APPROVED) for receipt in receipts[1:]]
            adverts = [Change(receipt.comment_id, 1, Status.SPAM) for receipt in receipts[:1]]
            decide_all(good, by=moderator, now=came + timedelta(minutes=10 + day))
            decide_all(adverts, by=moderator, now=came + timedelta(minutes=15 + day))


def a_submission(demo: DemoProcess, site: SiteView, key: str, text: str) -> Submission:
    """A comment of a reader whom no limit knows; one with a day in its key is on another article."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:2], "big")
    name, (title, path) = NAMES[number % len(NAMES)], ARTICLES[number % len(ARTICLES)]
    is_earlier = key.count("-") > 1
    return Submission(
        site=site,
        article=identify(
            f"{demo.newspaper}/{path}" if is_earlier else demo.newspaper,
            None if is_earlier else ARTICLE_ID,
            origins=site.origins,
        ),
        title=title if is_earlier else HEADLINE,
        parent_id=None,
        name=name,
        email=f"reader-{number}@example.org",
        website=None,
        text=text,
        network=f"10.{number >> 8}.{number & 255}.0/24",
        idempotency_key=key,
    )


if __name__ == "__main__":
    sys.exit(main())

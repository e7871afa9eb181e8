"""Take the pictures of `docs/screenshots/` from a running demo (`make screenshots`).

The demo runs on free ports in a folder of its own, so nothing of `var/` is touched. Some readers have written
before the pictures are taken, because an empty queue says little.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, FloatRect, Locator, Page, expect, sync_playwright

from comments_service import create_app
from comments_service.article_url import identify
from comments_service.sites import list_sites
from comments_service.submit import submit
from comments_service.vocabulary import Submission
from comments_service.web.wiring import Wiring
from demo.run import ARTICLE_ID, HEADLINE, MODERATOR, SITE, Place
from tools.demo_process import DemoProcess, running_demo
from tools.setup import find_browser

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
WIDTHS = {360: 780, 1280: 960}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MAX_BYTES = 300_000
MARGIN = 32
OWN_TEXT = "I studied in Yerevan and have friends on both sides. Articles like this one help us to talk."
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


def main() -> int:
    """Take all pictures; 1 if one is too large for a README."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comments-pictures-"))
        demo = stack.enter_context(running_demo(Path(folder)))
        chromium = stack.enter_context(sync_playwright()).chromium
        browser = chromium.launch(executable_path=find_browser(), chromium_sandbox=False)
        take_readers_pictures(browser, demo)
        send_comments(demo)
        take_moderators_pictures(browser, demo)
        browser.close()
    pictures = sorted(FOLDER.glob("*.png"))
    for picture in pictures:
        print(f"{picture.stat().st_size:>8,} bytes  {picture.relative_to(FOLDER.parent.parent)}")
    return int(any(picture.stat().st_size > MAX_BYTES for picture in pictures))


def take_readers_pictures(browser: Browser, demo: DemoProcess) -> None:
    """The whole host page, then the thread with a comment that waits."""
    page = browser.new_page(timezone_id="UTC")
    open_article(page, demo)
    take(page, "host", part="html")
    page.get_by_role("textbox", name="Comment", exact=True).fill(OWN_TEXT)
    page.get_by_role("textbox", name="Name", exact=True).fill("Elena Novak")
    page.get_by_role("textbox", name="Email", exact=True).fill("elena@example.org")
    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_text(OWN_TEXT)).to_be_visible()
    open_article(page, demo)
    expect(page.get_by_text(OWN_TEXT)).to_be_visible()
    take(page, "widget", part="comment-thread")


def open_article(page: Page, demo: DemoProcess) -> None:
    """Load the article with its comments."""
    page.goto(demo.newspaper)
    page.locator("comment-thread").scroll_into_view_if_needed()
    expect(page.get_by_role("heading", name="Leave a Reply")).to_be_visible()


def take_moderators_pictures(browser: Browser, demo: DemoProcess) -> None:
    """The sign-in, what waits behind it, and rules that are tried."""
    page = browser.new_page(timezone_id="UTC")
    page.goto(f"{demo.service}/queue")
    take(page, "login")
    page.get_by_label("Name").fill(MODERATOR)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(OWN_TEXT)).to_be_visible()
    take(page, "queue")
    take_rules_pictures(page, demo)


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


def take(page: Page, name: str, *, part: str | None = None) -> None:
    """Four pictures of the same: two widths, light and dark; of the screen, or of one part of the page."""
    for (width, height), scheme in product(WIDTHS.items(), SCHEMES):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        frame = frame_of(page.locator(part), width) if part else None
        file = FOLDER / f"{name}-{width}-{scheme}.png"
        page.screenshot(path=file, clip=frame, full_page=part is not None, animations="disabled")


def frame_of(part: Locator, width: int) -> FloatRect:
    """A part of the page with a margin around it, as far as the page reaches."""
    box: FloatRect = part.evaluate("e => (scrollTo(0, 0), e.getBoundingClientRect().toJSON())")
    left, top = max(0, box["x"] - MARGIN), max(0, box["y"] - MARGIN)
    right, bottom = min(width, box["x"] + box["width"] + MARGIN), box["y"] + box["height"] + MARGIN
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def send_comments(demo: DemoProcess) -> None:
    """Let some readers write, each from a network of its own."""
    app = create_app(Place(demo.folder, demo.port, demo.host_port).settings)
    parts: Wiring = app.extensions["comments"]
    now = datetime.now(UTC)
    with app.app_context():
        site = list_sites()[0]
        for number, (name, text, minutes, parent_id) in enumerate(WAITING):
            submission = Submission(
                site=site,
                article=identify(demo.newspaper, ARTICLE_ID, origins=site.origins),
                title=HEADLINE,
                parent_id=parent_id,
                name=name,
                email=f"{name.split()[0].lower()}@example.org",
                website=None,
                text=text,
                network=f"10.0.{number}.0/24",
                idempotency_key=f"picture-{number}",
            )
            submit(submission, settings=parts.settings, keys=parts.keys, now=now - timedelta(minutes=minutes))


if __name__ == "__main__":
    sys.exit(main())

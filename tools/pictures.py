"""How pictures for `docs/screenshots/` are taken: in two widths, light and dark, of a demo that runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import FloatRect, Locator, Page

from comments_service import create_app
from comments_service.sites import list_sites
from comments_service.vocabulary import SiteView
from comments_service.web.wiring import Wiring
from demo.run import Place
from tools.demo_process import DemoProcess

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
WIDTHS = {360: 780, 1280: 960}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MAX_BYTES = 300_000
MARGIN = 32


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


@contextmanager
def inside(demo: DemoProcess) -> Iterator[tuple[Wiring, SiteView]]:
    """The demo's own parts and site, as a second process beside it."""
    app = create_app(Place(demo.folder, demo.port, demo.host_port).settings)
    with app.app_context():
        yield app.extensions["comments"], list_sites()[0]

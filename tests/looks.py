"""How a page must look and be used: small, magnified, from the right, by keys, in few colours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

from tests.browser import inaccessible, overflow

QUESTIONS = Path(__file__).with_name("looks.js")
WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 320, "height": 640}  # the smallest there is; phones have 360 and more
MAGNIFIED: ViewportSize = {"width": 640, "height": 400}  # what 1280 by 800 leaves at 200 %
TABLET: ViewportSize = {"width": 800, "height": 800}
SMALLEST_TARGET_PX = 44  # WCAG 2.5.5
MOST_SHIFT = 0.05  # half of what counts as good


def prepare(page: Page) -> None:
    """Make a new page one that `complaints` can judge: wide, and of somebody who wants no motion."""
    page.add_init_script(path=QUESTIONS)
    page.set_viewport_size(WIDE)
    page.emulate_media(reduced_motion="reduce")


def complaints(page: Page) -> list[str]:
    """What is wrong with a page that has been opened after `prepare`; nothing with a good one."""
    found = [
        *moving(page),
        *inaccessible(page),
        *too_wide(page, "at 1280 px"),
        *unseen_in_forced_colours(page),
        *lost_when_magnified(page),
        *not_mirrored(page),
    ]
    page.set_viewport_size(NARROW)
    page.emulate_media(color_scheme="dark")
    found += [
        *inaccessible(page),
        *too_wide(page, "at 320 px"),
        *page.evaluate("least => looks.smallTargets(least)", SMALLEST_TARGET_PX),
    ]
    page.set_viewport_size(WIDE)
    return found + unreached_by_tab(page)


def moving(page: Page) -> Iterator[str]:
    """What has jumped while the page came, or moves for those who want no motion."""
    shift = page.evaluate("looks.jumped()")
    if shift > MOST_SHIFT:
        yield f"the page jumped by {shift:.3f} while it came"
    if page.evaluate("looks.hasMoved()"):
        yield "something moves"


def too_wide(page: Page, when: str) -> Iterator[str]:
    """Whether the page must be scrolled sideways."""
    if (pixels := overflow(page)) > 0:
        yield f"{pixels} px too wide {when}"


def lost_when_magnified(page: Page) -> Iterator[str]:
    """What does not fit at 200 %, whether the page is magnified or its text alone."""
    page.set_viewport_size(MAGNIFIED)
    yield from too_wide(page, "at 200 %")
    page.set_viewport_size(TABLET)
    yield from too_wide(page, "on a tablet")
    page.set_viewport_size(WIDE)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    yield from too_wide(page, "with text of 200 %")
    page.evaluate("document.documentElement.style.fontSize = ''")


def not_mirrored(page: Page) -> Iterator[str]:
    """Which boxes stand, written from right to left, elsewhere than they would be seen in a mirror."""
    page.evaluate("scrollTo(0, 0)")
    before = page.evaluate("looks.boxes()")
    page.evaluate("looks.turn()")
    yield from too_wide(page, "from the right")
    width, after = page.evaluate("document.documentElement.clientWidth"), page.evaluate("looks.boxes()")
    for (name, left, right), (_, other_left, other_right) in zip(before, after, strict=True):
        if abs(width - right - other_left) > 2:
            yield f"not mirrored: [{left:.0f}, {right:.0f}] to [{other_left:.0f}, {other_right:.0f}] {name}"
    page.set_viewport_size(NARROW)
    yield from too_wide(page, "from the right on a phone")
    page.evaluate("looks.turn()")
    page.set_viewport_size(WIDE)


def unseen_in_forced_colours(page: Page) -> list[str]:
    """What is current, what is a box and what is a bar, where the page's own colours are needed to tell."""
    page.emulate_media(forced_colors="active")
    found: list[str] = page.evaluate("looks.unseenInForcedColours()")
    page.emulate_media(forced_colors="none")
    return found


def unreached_by_tab(page: Page) -> list[str]:
    """What Tab does not reach, or not in the order of the page, or without showing where it is."""
    for _ in range(page.evaluate("looks.watchTab()")):
        page.keyboard.press("Tab")
    found: list[str] = page.evaluate("looks.metByTab()")
    return found

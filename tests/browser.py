"""What browser tests share: a page's complaints, small screens, and the check for those who cannot see."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

AXE = Axe().axe_script
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error("policy violated: " + event.violatedDirective + " by " + event.blockedURI);
});
"""
in_both_schemes = pytest.mark.parametrize("scheme", ["light", "dark"])
REFUSED = "Failed to load resource: the server responded with a status of 4"  # the browser's own line


class Console:
    """Collects a page's complaints from now on."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        page.add_init_script(REPORT_VIOLATIONS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    @property
    def unexpected(self) -> list[str]:
        """All complaints but the browser's own line for a request that was refused with a 4xx."""
        return [complaint for complaint in self.complaints if not complaint.startswith(REFUSED)]


def inaccessible(page: Page) -> list[str]:
    """What axe finds on the page as it is now, shadow roots included: rule, place and the first reason."""
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(AXE)
    found: list[str] = page.evaluate(
        """async () => {
          const { violations } = await axe.run(document, { resultTypes: ["violations"], preload: false });
          const why = ({ any, all, none }) => [...any, ...all, ...none][0].message.replace(/\\s+/g, " ");
          return violations.flatMap(({ id, nodes }) =>
            nodes.map((node) => `${id}: ${JSON.stringify(node.target.at(-1))}: ${why(node)}`));
        }"""
    )
    return found


def assert_accessible(page: Page) -> None:
    """Let axe look at the page as it is now; name every violation."""
    violations = inaccessible(page)
    assert not violations, "\n".join(violations)


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def assert_good(page: Page) -> None:
    """The page fits the screen, and axe finds nothing."""
    assert overflow(page) <= 0
    assert_accessible(page)

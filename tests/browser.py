"""What browser tests share: a page's complaints, and the check for people who cannot see or point."""

from __future__ import annotations

import json

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error("policy violated: " + event.violatedDirective + " by " + event.blockedURI);
});
"""
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


def assert_accessible(page: Page) -> None:
    """Let axe look at the page as it is now, shadow roots included; name every violation."""
    result = Axe().run(page)
    violations = [
        {"rule": found["id"], "where": [node["target"] for node in found["nodes"]]}
        for found in result.response["violations"]
    ]
    assert not violations, json.dumps(violations, indent=1)

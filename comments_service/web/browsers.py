"""Which browser asks, in the coarse words that people know: enough to recognise the own sign-ins by."""

from __future__ import annotations

import re

from flask import request

from comments_service.people.sign_ins import Browser

# In this order: Edge and Opera say Chrome too, and Chrome says Safari; Android says Linux
_BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("Chrome", r"\b(?:Chrome|Chromium|CriOS|HeadlessChrome)/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS = (
    ("Android", r"\bAndroid\b"),
    ("iOS", r"\b(?:iPhone|iPad|iPod)\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac OS X\b|\bMacintosh\b"),
    ("Linux", r"\bLinux\b"),
)
MAX_CHARACTERS = 500  # of the header that is looked at


def browser() -> Browser:
    """The browser of this request. Nothing of the header itself is kept: only words of ours."""
    header = request.headers.get("User-Agent", "")[:MAX_CHARACTERS]
    return Browser(_first(_BROWSERS, header), _first(_SYSTEMS, header))


def _first(kinds: tuple[tuple[str, str], ...], header: str) -> str:
    return next((name for name, pattern in kinds if re.search(pattern, header)), "")

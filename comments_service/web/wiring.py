"""What every view may ask for: settings, keys, texts, the clock. Made once by `create_app`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import current_app

from comments_service import bundle
from comments_service.privacy import Keyring
from comments_service.settings import Settings
from comments_service.texts import Catalogue
from comments_service.unlock import KeySource

NAME = "comments"


def system_clock() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Wiring:
    """One app's parts. `build` is in every ETag: a new release, or a new setting, and all answers are new."""

    settings: Settings
    key_source: KeySource
    catalogue: Catalogue
    build: str
    clock: Callable[[], datetime] = system_clock

    @property
    def keys(self) -> Keyring:
        """The keys as they are now."""
        return self.key_source.ring

    def now(self) -> datetime:
        """The time of this moment."""
        return self.clock()

    def absolute(self, path: str) -> str:
        """A full address of ours, from the public URL and never from the Host header."""
        return f"{self.settings.public_url}{path}"


def build_of(settings: Settings) -> str:
    """Names what makes our answers: this release, and the settings that show in them."""
    shown = (settings.public_url, settings.thread_page_size, settings.network_retention_days)
    return hashlib.sha256(repr((bundle.release(), *shown)).encode()).hexdigest()[:16]


def wiring() -> Wiring:
    """The parts of the app that answers this request."""
    return cast(Wiring, current_app.extensions[NAME])

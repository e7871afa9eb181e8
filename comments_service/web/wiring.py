"""What every view may ask for: settings, keys, texts, the clock. Made once by `create_app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import current_app

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
    """One app's parts. `build` names this release's answers, so that a new release changes every ETag."""

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


def wiring() -> Wiring:
    """The parts of the app that answers this request."""
    return cast(Wiring, current_app.extensions[NAME])

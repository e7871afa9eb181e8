"""Counts tries and says how long to wait: in memory, and in Valkey too where it is set."""

from __future__ import annotations

import time
from typing import Any

import structlog
from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from valkey.exceptions import ValkeyError

from comments_service.settings import Settings

SHARED_WAIT_SECONDS = 0.5
SOCKET_WAITS = ("socket_timeout", "socket_connect_timeout")
REST_SECONDS = 10  # after a failure Valkey is left alone so long: its absence must not slow each sign-in
SCHEMES = {"redis": "valkey", "rediss": "valkeys", "unix": "valkey+unix"}
Tries = tuple[tuple[RateLimitItem, str], ...]
log = structlog.get_logger(__name__)


class Limiter:
    """Each process counts for itself too, so limits hold while Valkey is away."""

    def __init__(self, settings: Settings) -> None:
        """Count in memory, and in the shared store if there is one."""
        self._memory = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        self._shared_url = settings.redis_url
        self._resting_until = 0.0

    def wait(self, tries: Tries) -> float:
        """Count one try under all of these limits: seconds to wait, or 0 when it is within them."""
        return max(_hit(self._memory, tries), self._hit_shared(tries))

    def clear(self, known: Tries) -> None:
        """Forget what was counted under these."""
        for item, key in known:
            self._memory.clear(item, key)
        if self._is_shared_awake():
            try:
                for item, key in known:
                    self._shared_limiter().clear(item, key)
            except (StorageError, ValkeyError) as error:
                self._rest(error)

    def _hit_shared(self, tries: Tries) -> float:
        if not self._is_shared_awake():
            return 0.0
        try:
            return _hit(self._shared_limiter(), tries)
        except (StorageError, ValkeyError) as error:
            self._rest(error)
            return 0.0

    def _is_shared_awake(self) -> bool:
        return self._shared_url is not None and time.monotonic() >= self._resting_until

    def _shared_limiter(self) -> MovingWindowRateLimiter:
        if self._shared is None:  # connects at once, so not before it is needed
            scheme, _, rest = (self._shared_url or "").partition("://")
            url = f"{SCHEMES.get(scheme, scheme)}://{rest}"
            waits: dict[str, Any] = dict.fromkeys(SOCKET_WAITS, SHARED_WAIT_SECONDS)
            self._shared = MovingWindowRateLimiter(RedisStorage(url, key_prefix="comments", **waits))
        return self._shared

    def _rest(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + REST_SECONDS
        log.warning("valkey_away", error=type(error).__name__)


def _hit(limiter: MovingWindowRateLimiter, tries: Tries) -> float:
    """Seconds to wait; 0 when this try is within all limits. A refused one is not counted."""
    waits = [_wait(limiter, item, key) for item, key in tries if not limiter.test(item, key)]
    if waits:
        return max(waits)
    return max(0.0 if limiter.hit(item, key) else _wait(limiter, item, key) for item, key in tries)


def _wait(limiter: MovingWindowRateLimiter, item: RateLimitItem, key: str) -> float:
    return max(1.0, limiter.get_window_stats(item, key).reset_time - time.time())

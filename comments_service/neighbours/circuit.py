"""What keeps neighbours that are slow or dead from slowing everybody: rests, few at a time, one a network.

All of it is known to one process. Another one finds out by itself, in as many tries.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FAILURES = 3  # in a row, before it rests
REST = timedelta(minutes=1)
MOST_OF_NAME = 2  # one at it, and one that waits for it


@dataclass
class Circuit:
    """Which endpoints rest. After its rest one caller tries; the others wait for what comes of it."""

    _failures: Counter[str] = field(default_factory=Counter)
    _until: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lets(self, endpoint: str, *, now: datetime) -> bool:
        """Whether it may be called now."""
        with self._lock:
            until = self._until.get(endpoint)
            if until is not None and now < until <= now + REST:  # a clock that was set back ends it, too
                return False
            if until is not None:
                self._until[endpoint] = now + REST
            return True

    def answered(self, endpoint: str) -> None:
        """It did."""
        with self._lock:
            self._failures.pop(endpoint, None)
            self._until.pop(endpoint, None)

    def failed(self, endpoint: str, *, now: datetime) -> bool:
        """It did not; whether it rests now."""
        with self._lock:
            self._failures[endpoint] += 1
            if self._failures[endpoint] < FAILURES:
                return False
            self._until[endpoint] = now + REST
            return True

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._failures.clear()
            self._until.clear()


class Places:
    """How many may be at it at once; who finds no place is told so at once."""

    def __init__(self) -> None:
        """Nobody is at it."""
        self._taken, self._lock = 0, threading.Lock()

    @contextmanager
    def one_of(self, count: int) -> Iterator[bool]:
        """Take a place, if there is one left of so many."""
        with self._lock:
            is_free = self._taken < count
            self._taken += is_free
        try:
            yield is_free
        finally:
            with self._lock:
                self._taken -= is_free


class Turns:
    """One after the other, for each name: whoever sends ten at once is looked at like one who sends ten.

    No more than `MOST_OF_NAME` are in or wait: the others are told at once, so that one takes few places.
    """

    def __init__(self) -> None:
        """Nobody waits."""
        self._locks: dict[bytes, tuple[threading.Lock, int]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def of(self, name: bytes, *, at_most_seconds: float) -> Iterator[bool]:
        """Wait for the turn; whether it came, and in time."""
        with self._lock:
            lock, waiting = self._locks.get(name, (threading.Lock(), 0))
            is_in = waiting < MOST_OF_NAME
            if is_in:
                self._locks[name] = lock, waiting + 1
        if not is_in:
            yield False
            return
        has_turn = lock.acquire(timeout=at_most_seconds)
        try:
            yield has_turn
        finally:
            if has_turn:
                lock.release()
            with self._lock:
                lock, waiting = self._locks[name]
                if waiting == 1:
                    del self._locks[name]
                else:
                    self._locks[name] = lock, waiting - 1

"""How often one moderator may ask for what costs us, or somebody else's server, much: each process counts."""

from __future__ import annotations

import math
import time
from typing import cast

from flask import Flask, current_app, g
from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from comments_service.errors import CommentsError

TURNS = "comments.turns"


def init_app(app: Flask) -> None:
    """Let an app count for itself."""
    app.extensions[TURNS] = MovingWindowRateLimiter(MemoryStorage())


def take_turn(what: str, limit: RateLimitItem, refusal: type[CommentsError]) -> None:
    """Count one turn of the signed-in moderator, apart from those at other things.

    Raises: `refusal`, with `retry_after_seconds`.
    """
    limiter = cast(MovingWindowRateLimiter, current_app.extensions[TURNS])
    if not limiter.hit(limit, what, str(g.moderator.id)):
        wait = limiter.get_window_stats(limit, what, str(g.moderator.id)).reset_time - time.time()
        raise refusal(retry_after_seconds=max(1, math.ceil(wait)))

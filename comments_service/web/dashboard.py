"""The dashboard: how moderating goes, in figures and one drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import format_date, format_timedelta
from babel.numbers import format_percent
from flask import Blueprint, g, render_template, request

from comments_service.dashboard import Day, dashboard
from comments_service.web.sessions import require_moderator
from comments_service.web.wiring import wiring
from comments_service.web.words import browser_language, moderators_words

HEIGHT = 120
STEP, WIDTH = 20, 14

blueprint = Blueprint("dashboard", __name__)
blueprint.before_request(require_moderator)


@dataclass(frozen=True)
class Bar:
    """One day as drawn: from the ground up what is approved, what is spam, and to the top what came."""

    x: int
    submitted: int
    approved: int
    spam: int


@blueprint.get("/dashboard")
def show() -> str:
    """All figures of the sites that this person may see, or of one."""
    parts, locale = wiring(), browser_language().replace("-", "_")
    found = dashboard(request.args.get("site") or None, access=g.moderator.access, now=parts.now())

    def day_name(day: date) -> str:
        return format_date(day, "medium", locale=locale)

    def duration(length: timedelta) -> str:
        return format_timedelta(length, locale=locale)

    def percent(share: float) -> str:
        return format_percent(share, locale=locale)

    return render_template(
        "dashboard.html",
        **moderators_words(),
        moderator=g.moderator,
        found=found,
        site=request.args.get("site", ""),
        now=parts.now(),
        bars=_bars(found.days),
        most=max((day.submitted for day in found.days), default=0),
        width=STEP * len(found.days),
        height=HEIGHT,
        bar_width=WIDTH,
        day_name=day_name,
        duration=duration,
        percent=percent,
    )


def _bars(days: Sequence[Day]) -> list[Bar]:
    most = max((day.submitted for day in days), default=0) or 1
    heights = [
        [round(HEIGHT * count / most) for count in (day.submitted, day.approved, day.spam)] for day in days
    ]
    return [Bar(number * STEP + (STEP - WIDTH) // 2, *three) for number, three in enumerate(heights)]

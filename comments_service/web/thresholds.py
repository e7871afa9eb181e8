"""The two thresholds of a site over what its moderators decided: tried by the address, saved by a form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, g, make_response, redirect, request, session, url_for

from comments_service.decisions.act import new_batch
from comments_service.errors import ChangedMeanwhile, FieldError, FieldsRefused
from comments_service.rules.change import MAX_PERCENT, Place, change_rules
from comments_service.spam.thresholds import BIN, Bin, Thresholds, rehearse_thresholds
from comments_service.vocabulary import Role, SiteView
from comments_service.web.rules_form import sent_version
from comments_service.web.sessions import NOTICE, answer, require_moderator
from comments_service.web.site_pages import site_here, site_page
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

SAVE = "save"
HEIGHT, STEP, WIDTH = 120, 20, 16  # of the drawing, in its own units

blueprint = Blueprint("thresholds", __name__)
blueprint.before_request(require_moderator)


@dataclass(frozen=True)
class Shown:
    """What stands in the form, what is wrong with it, and whether it was only tried."""

    typed: dict[str, str]
    error: ChangedMeanwhile | FieldsRefused | None = None
    is_tried: bool = False


@dataclass(frozen=True)
class Bar:
    """Some percents as drawn: from the ground up what was approved, thrown away, called spam."""

    x: int
    approved: int
    trash: int
    spam: int


@blueprint.get("/settings/<key>/spam")
def show(key: str) -> Response:
    """The thresholds in force, or with `hold=` and `refuse=` others, and what they would have done."""
    site = site_here(key)
    typed = {name: request.args.get(name, "") for name in ("hold", "refuse")}
    if not any(typed.values()):
        return _page(site, _in_force(site))
    try:
        return _page(site, _read(typed), Shown(typed, is_tried=True))
    except FieldsRefused as error:
        return _page(site, _in_force(site), Shown(typed, error, is_tried=True))


@blueprint.post("/settings/<key>/spam")
def change(key: str) -> Response:
    """Show what others would have done, at an address of their own; or save them as rules."""
    is_tried = request.form.get("do") != SAVE
    site = site_here(key, Role.VIEWER if is_tried else Role.OWNER)
    typed = {name: request.form.get(name, "") for name in ("hold", "refuse")}
    try:
        wanted = _read(typed)
        if not is_tried:
            _save(site, wanted)
    except (ChangedMeanwhile, FieldsRefused) as error:
        now = site_here(key)
        return _page(now, _in_force(now), Shown(typed, error, is_tried))
    asked = vars(wanted) if is_tried else {}
    return make_response(redirect(url_for("thresholds.show", key=site.key, **asked), 303))


def _save(site: SiteView, wanted: Thresholds) -> None:
    if wanted == _in_force(site) and sent_version() == site.rules_version:
        session[NOTICE] = {"key": "thresholds.same"}
        return
    batch = new_batch()
    rules = {"hold_doubt_from": wanted.hold, "refuse_doubt_from": wanted.refuse}
    change_rules(
        Place(site.id), rules, version=sent_version(), by=g.moderator, now=wiring().now(), batch=batch
    )
    session[NOTICE] = {"key": "thresholds.saved", "batch": batch}


def _in_force(site: SiteView) -> Thresholds:
    return Thresholds(site.rules.hold_doubt_from, site.rules.refuse_doubt_from)


def _read(typed: dict[str, str]) -> Thresholds:
    """What was typed, as numbers.

    Raises: FieldsRefused for what is none from 0 to 100, and where spam would begin below the queue.
    """
    numbers = {name: _percent(text) for name, text in typed.items()}
    wrong = [FieldError(name, "range", "") for name, number in numbers.items() if number is None]
    hold, refuse = numbers["hold"] or 0, numbers["refuse"] or 0
    if not wrong and 0 < refuse < hold:
        wrong = [FieldError("refuse", "order", "")]
    if wrong:
        raise FieldsRefused(errors=tuple(wrong))
    return Thresholds(hold, refuse)


def _percent(text: str) -> int | None:
    text = text.strip().removesuffix("%").strip()
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else None
    return number if number is not None and number <= MAX_PERCENT else None


def _page(site: SiteView, thresholds: Thresholds, shown: Shown | None = None) -> Response:
    shown = shown or Shown({name: str(percent) for name, percent in vars(thresholds).items()})
    error = shown.error
    found = rehearse_thresholds(site.id, thresholds, by=g.moderator, all_wait=site.rules.hold_all)
    say = moderators_words()["say"]
    html = site_page(
        "settings/thresholds.html",
        site,
        tab="spam",
        found=found,
        in_force=_in_force(site),
        typed=shown.typed,
        is_tried=shown.is_tried,
        error=error,
        wrong={e.field: say(f"thresholds.error.{e.code}") for e in (error.errors if error else ())},
        bars=_bars(found.bins),
        most=max((each.total for each in found.bins), default=0),
        size={"width": STEP * 100 // BIN, "height": HEIGHT, "bar": WIDTH, "percent": STEP // BIN},
    )
    return answer(html, error)


def _bars(bins: Sequence[Bin]) -> list[Bar]:
    most = max((each.total for each in bins), default=0) or 1

    def height(count: int) -> int:
        return round(HEIGHT * count / most)

    return [
        Bar(
            place * STEP + (STEP - WIDTH) // 2,
            height(each.approved),
            height(each.trash),
            height(each.spam),
        )
        for place, each in enumerate(bins)
    ]

"""The rules of a site, or of one of its articles: a plain form, its rehearsal, the versions before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, request, session, url_for
from limits import parse

from comments_service.decisions.act import new_batch
from comments_service.errors import (
    ChangedMeanwhile,
    CommentsError,
    FieldsRefused,
    Malformed,
    PageNotFound,
    TooManyRehearsals,
)
from comments_service.rules.change import (
    MAX_ENTRIES,
    MAX_ENTRY_CHARACTERS,
    RANGES,
    Place,
    Version,
    bring_back,
    change_rules,
    versions,
)
from comments_service.rules.places import RulesHere, rules_here
from comments_service.rules.rehearsal import Rehearsal, rehearse
from comments_service.vocabulary import Role, SiteView
from comments_service.web.forms import comment_id
from comments_service.web.rules_form import NAMES, Typed, sent_version
from comments_service.web.sessions import NOTICE, answer, minutes_to_wait, require_moderator
from comments_service.web.site_pages import site_here, site_page
from comments_service.web.turns import take_turn
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

SAVE, BRING_BACK = "save", "bring_back"
PER_PERSON = parse("30 per 10 minutes")  # each opens and judges 500 comments: up to seconds for long lists
LISTED = 100  # of those that fare otherwise: enough to see what a rule does

blueprint = Blueprint("rules", __name__)
blueprint.before_request(require_moderator)


@dataclass(frozen=True)
class Shown:
    """What stands on the page besides the rules in force: what was typed, what came of it."""

    typed: Typed
    error: ChangedMeanwhile | FieldsRefused | TooManyRehearsals | None = None
    rehearsal: Rehearsal | None = None
    used: int | None = None
    is_bringing_back: bool = False


@blueprint.get("/settings/<key>/rules")
def show(key: str) -> Response:
    """The rules in force, or with `use=` those of an earlier version, to be tried and saved."""
    site = site_here(key)
    here = rules_here(_place(site))
    used = comment_id(request.args.get("use", ""))
    earlier = next((v for v in versions(here.place, upto=used) if v.version == used), None) if used else None
    typed = Typed.of(here, earlier.rules if earlier else None)
    return _page(site, here, Shown(typed, used=earlier.version if earlier else None))


@blueprint.post("/settings/<key>/rules")
def change(key: str) -> Response:
    """Save the rules, bring those of an earlier version back, or only try some on the latest comments."""
    is_tried = request.form.get("do") not in (SAVE, BRING_BACK)
    site = site_here(key, Role.MODERATOR if is_tried else Role.OWNER)  # trying tells of masked emails
    here = rules_here(_place(site))
    if request.form.get("do") == BRING_BACK:
        return _bring_back(site, here)
    typed = Typed.sent(here)
    try:
        rules = typed.rules()
        if is_tried:
            take_turn("rehearsal", PER_PERSON, TooManyRehearsals)
            tried = rehearse(here.place, rules, by=g.moderator, keys=wiring().keys)
            return _page(site, here, Shown(typed, rehearsal=tried))
        batch = new_batch()
        change_rules(
            here.place, rules, version=typed.version, by=g.moderator, now=wiring().now(), batch=batch
        )
    except (ChangedMeanwhile, FieldsRefused, TooManyRehearsals) as error:
        return _page(site, rules_here(here.place), Shown(typed, error))
    return _done(site, here, "rules.saved", batch)


def _bring_back(site: SiteView, here: RulesHere) -> Response:
    wanted, seen = comment_id(request.form.get("earlier", "")), sent_version()
    if wanted is None:
        raise Malformed
    batch = new_batch()
    try:
        bring_back(here.place, wanted, version=seen, by=g.moderator, now=wiring().now(), batch=batch)
    except ChangedMeanwhile as error:
        latest = rules_here(here.place)
        return _page(site, latest, Shown(Typed.of(latest), error, is_bringing_back=True))
    return _done(site, here, "rules.brought_back", batch)


def _done(site: SiteView, here: RulesHere, key: str, batch: str) -> Response:
    session[NOTICE] = {"key": key, "batch": batch}
    return make_response(redirect(_address(site, here.place), 303))


def _place(site: SiteView) -> Place:
    """The site, or the article that the address names."""
    text = request.args.get("article", "")
    number = comment_id(text) if text else None
    if text and number is None:
        raise PageNotFound
    return Place(site.id, number)


def _address(site: SiteView, place: Place, **more: int) -> str:
    asked: dict[str, Any] = {} if place.thread_id is None else {"article": place.thread_id}
    return url_for("rules.show", key=site.key, **asked | more)


def _page(site: SiteView, here: RulesHere, shown: Shown) -> Response:
    opened = comment_id(request.args.get("version", ""))
    html = site_page(
        "settings/rules.html",
        site,
        tab="rules",
        here=here,
        shown=shown,
        may_try=g.moderator.access.may(Role.MODERATOR, site.id),
        typed=shown.typed,
        error=shown.error,
        minutes=minutes_to_wait(shown.error),
        wrong=_wrong(shown.error),
        opened=opened,
        versions=_versions(here.place, opened),
        rule_names=NAMES,
        names_of=_names_of,
        listed=LISTED,
        address=lambda **more: _address(site, here.place, **more),
        article_address=lambda number: _address(site, Place(site.id, number)),
    )
    return answer(html, shown.error)


def _names_of(rules: frozenset[str]) -> str:
    """The names of some rules in the order of the page."""
    say = moderators_words()["say"]
    return ", ".join(say(f"rules.name.{name}") for name in NAMES if name in rules)


def _versions(place: Place, opened: int | None) -> tuple[Version, ...]:
    """The latest versions; those up to the one that is asked for, where it is older than they are."""
    latest = versions(place)
    return versions(place, upto=opened) if opened and latest and opened < latest[-1].version else latest


def _wrong(error: CommentsError | None) -> dict[str, str]:
    """The sentences for the wrong rules."""
    say = moderators_words()["say"]
    limits = {"entries": MAX_ENTRIES, "characters": MAX_ENTRY_CHARACTERS}
    found = {}
    for wrong in error.errors if error else ():
        low, high = RANGES.get(wrong.field, (0, 0))
        found[wrong.field] = say(
            f"rules.error.{wrong.code}", entry=wrong.detail, low=low, high=high, **limits
        )
    return found

"""The page of a site's own words: the common text beside the own one, changed, tried and reset one by one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, request, session, url_for

from comments_service.errors import ChangedMeanwhile, CommentsError, FieldsRefused, Malformed
from comments_service.own_texts import MAX_OWN_TEXT_CHARACTERS
from comments_service.site_words import FAMILIES, WordLine, change_of, preview, word_line, word_lines
from comments_service.vocabulary import Role, SiteView
from comments_service.web.sessions import NOTICE, answer, require_moderator
from comments_service.web.site_pages import save, site_here, site_page
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

MAX_QUERY_CHARACTERS = 200

blueprint = Blueprint("own_words", __name__)
blueprint.before_request(require_moderator)


@blueprint.get("/settings/<key>/words")
def show(key: str) -> Response:
    """Every text readers see, or those that were searched for."""
    return _page(site_here(key), request.args.get("edit", ""))


@blueprint.post("/settings/<key>/words")
def change(key: str) -> Response:
    """Save one text, show how it would look, or take the common words again."""
    site = site_here(key, Role.OWNER)
    line = word_line(site, wiring().catalogue, request.form.get("key", ""))
    typed = {form.name: request.form.get(f"form-{form.name}", "") for form in line.forms}
    match request.form.get("do"):
        case "save":
            return _saved(site, line, typed)
        case "reset":
            return _saved(site, line, {})
        case "preview":
            return _tried(site, line, typed)
    raise Malformed


def _saved(site: SiteView, line: WordLine, typed: dict[str, str]) -> Response:
    try:
        save(site.key, change_of(line, typed, site))
    except (ChangedMeanwhile, FieldsRefused) as error:
        return _page(site_here(site.key), line.key, typed=typed, error=error)
    if not typed:
        session[NOTICE] = {"key": "settings.words.reset_done"}
    return make_response(redirect(f"{_address(site)}#{line.key}", 303))


def _tried(site: SiteView, line: WordLine, typed: dict[str, str]) -> Response:
    try:
        shown = preview(line, typed, site, wiring().catalogue)
    except FieldsRefused as error:
        return _page(site, line.key, typed=typed, error=error)
    return _page(site, line.key, typed=typed, shown=shown)


def _page(
    site: SiteView,
    edited: str,
    *,
    typed: dict[str, str] | None = None,
    shown: dict[str, str] | None = None,
    error: CommentsError | None = None,
) -> Response:
    asked, catalogue = _asked(), wiring().catalogue
    lines = word_lines(site, catalogue, q=asked["q"], own_only=asked["own"] == "1")
    if edited and edited not in {line.key for line in lines}:
        lines = [word_line(site, catalogue, edited), *lines]
    values: dict[str, Any] = {
        "q": asked["q"],
        "own_only": asked["own"] == "1",
        "typed": typed,
        "shown": shown,
    }
    html = site_page(
        "settings/words.html",
        site,
        tab="words",
        lines=[(family, [line for line in lines if line.family == family]) for family in FAMILIES],
        found=len(lines),
        edited=edited,
        address=lambda **more: _address(site, **more),
        error=error,
        wrong=_wrong(site, edited, error),
        **values,
    )
    return answer(html, error)


def _asked() -> dict[str, str]:
    """Which of the texts are looked at: it comes with every form, and changes nothing."""
    return {"q": request.values.get("q", "")[:MAX_QUERY_CHARACTERS], "own": request.values.get("own", "")}


def _address(site: SiteView, **more: str) -> str:
    query = urlencode({name: value for name, value in (_asked() | more).items() if value}, errors="replace")
    return f"{url_for('own_words.show', key=site.key)}{'?' if query else ''}{query}"


def _wrong(site: SiteView, edited: str, error: CommentsError | None) -> dict[str, str]:
    if not error or not error.errors:
        return {}
    say, line = moderators_words()["say"], word_line(site, wiring().catalogue, edited)
    places = ", ".join(f"{{{place}}}" for place in line.places) or say("settings.words.no_places")
    values = {"limit": MAX_OWN_TEXT_CHARACTERS, "places": places}
    return {f"form-{e.field}": say(f"settings.error.text.{e.code}", **values) for e in error.errors}

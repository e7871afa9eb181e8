"""The settings pages: the sites a moderator may see, and what each of them is called and where it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from babel import Locale
from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session, url_for

from comments_service.errors import ChangedMeanwhile, CommentsError, FieldsRefused
from comments_service.options import MAX_EDIT_MINUTES, SORTS, Asking, Options, Voting
from comments_service.rights import require_everywhere
from comments_service.site_list import list_for
from comments_service.sites import MAX_ORIGINS, SignedNames, SiteChange, WrongOrigin, add_site, wrong_origins
from comments_service.vocabulary import Role, SiteView
from comments_service.web.sessions import NOTICE, answer, require_moderator
from comments_service.web.site_pages import save, site_here, site_page, wrong_fields
from comments_service.web.wiring import wiring
from comments_service.web.words import browser_language, moderators_words

blueprint = Blueprint("settings", __name__)
blueprint.before_request(require_moderator)


@dataclass(frozen=True)
class Typed:
    """What stands in the form of a site: as it is stored, or as somebody typed it."""

    key: str = ""
    name: str = ""
    origins: str = ""
    language: str = ""
    is_open: bool = True

    @classmethod
    def of(cls, site: SiteView) -> Typed:
        """As it is stored."""
        return cls(site.key, site.name, "\n".join(site.origins), site.language, site.is_open)

    @classmethod
    def sent(cls) -> Typed:
        """As it was sent with this request."""
        form = request.form
        texts = {name: form.get(name, "").strip() for name in ("key", "name", "origins", "language")}
        return cls(**texts, is_open=form.get("state") != "closed")

    @property
    def origin_lines(self) -> tuple[str, ...]:
        """The origins, one a line; empty lines at the end or between are nobody's mistake."""
        return tuple(line.strip() for line in self.origins.splitlines())

    @property
    def wrong(self) -> tuple[WrongOrigin, ...]:
        """The lines that are no origin."""
        return tuple(line for line in wrong_origins(self.origin_lines) if line.given)

    @property
    def change(self) -> SiteChange:
        """The same, for the room below."""
        origins = tuple(filter(None, self.origin_lines))
        return SiteChange(
            name=self.name, origins=origins, language=self.language or None, is_open=self.is_open
        )


@dataclass(frozen=True)
class TypedFields:
    """The same for the form about what readers fill in."""

    required: tuple[str, ...]
    takes_letters: bool
    signed_names: bool


@blueprint.get("/settings")
def index() -> Response:
    """The sites this moderator may see."""
    return _index(Typed())


@blueprint.post("/settings")
def add() -> Response:
    """Make a site, and show what to put on its pages."""
    typed = Typed.sent()
    require_everywhere(g.moderator, Role.OWNER)
    try:
        _refuse_wrong_lines(typed)
        change = SiteChange(name=typed.name or typed.key, origins=typed.change.origins)
        site = add_site(typed.key, change, catalogue=wiring().catalogue, now=wiring().now(), by=g.moderator)
    except FieldsRefused as error:
        return _index(typed, error)
    session[NOTICE] = {"key": "settings.added"}
    return make_response(redirect(url_for("settings.site", key=site.key), 303))


@blueprint.get("/settings/<key>")
def site(key: str) -> Response:
    """Name, language, whether it is open, and where its pages are."""
    here = site_here(key)
    return _site(here, Typed.of(here))


@blueprint.post("/settings/<key>")
def change(key: str) -> Response:
    """Change these, unless somebody else did so since the page was shown."""
    typed = Typed.sent()
    site_here(key, Role.OWNER)
    try:
        _refuse_wrong_lines(typed)
        save(key, typed.change)
    except (ChangedMeanwhile, FieldsRefused) as error:
        return _site(site_here(key), typed, error)
    return make_response(redirect(url_for("settings.site", key=key), 303))


@blueprint.get("/settings/<key>/fields")
def fields(key: str) -> Response:
    """What readers must fill in, and whether they may write to the editors alone."""
    here = site_here(key)
    return _fields(here, _fields_now(here))


@blueprint.post("/settings/<key>/fields")
def change_fields(key: str) -> Response:
    """Change these, unless somebody else changed the site since the page was shown."""
    typed = TypedFields(
        tuple(request.form.getlist("required")), "letters" in request.form, "signed" in request.form
    )
    site_here(key, Role.OWNER)
    names = SignedNames.ON if typed.signed_names else SignedNames.OFF
    if typed.signed_names and "renew" in request.form:
        names = SignedNames.RENEW
    try:
        save(
            key,
            SiteChange(
                required=frozenset(typed.required), takes_letters=typed.takes_letters, signed_names=names
            ),
        )
    except (ChangedMeanwhile, FieldsRefused) as error:
        return _fields(site_here(key), typed, error)
    return make_response(redirect(url_for("settings.fields", key=key), 303))


@blueprint.get("/settings/<key>/display")
def display(key: str) -> Response:
    """How the site's threads are shown."""
    here = site_here(key)
    return _display(here, here.options)


@blueprint.post("/settings/<key>/display")
def change_display(key: str) -> Response:
    """Change this, unless somebody else changed the site since the page was shown."""
    here = site_here(key, Role.OWNER)
    typed = Options(
        sort=request.form.get("sort", ""),
        edit_minutes=_number(request.form.get("edit_minutes"), here.options.edit_minutes),
        avatars="avatars" in request.form,
        votes=request.form.get("votes", here.options.votes),
        reports="reports" in request.form,
        hold_reported=_number(request.form.get("hold_reported"), here.options.hold_reported),
        proof=request.form.get("proof", here.options.proof),
    )
    try:
        names = ("sort", "edit_minutes", "avatars", "votes", "reports", "hold_reported", "proof")
        save(key, SiteChange(**{name: getattr(typed, name) for name in names}))
    except (ChangedMeanwhile, FieldsRefused) as error:
        return _display(site_here(key), typed, error)
    return make_response(redirect(url_for("settings.display", key=key), 303))


def _number(given: str | None, known: int) -> int:
    """A number that was typed; what is none is out of every range."""
    if given is None:
        return known
    return int(given) if re.fullmatch("[0-9]{1,6}", given.strip()) else -1


def _refuse_wrong_lines(typed: Typed) -> None:
    if typed.wrong:
        raise FieldsRefused


def _index(typed: Typed, error: FieldsRefused | None = None) -> Response:
    html = render_template(
        "settings/index.html",
        **moderators_words(),
        moderator=g.moderator,
        lines=list_for(g.moderator.access),
        may_add=g.moderator.access.sites(Role.OWNER) is None,
        typed=typed,
        error=error,
        wrong=_wrong(typed, error),
        notice=session.pop(NOTICE, None),
    )
    return answer(html, error)


def _site(site: SiteView, typed: Typed, error: ChangedMeanwhile | FieldsRefused | None = None) -> Response:
    values: dict[str, Any] = {"typed": typed, "error": error, "wrong": _wrong(typed, error)}
    languages = _languages()
    html = site_page(
        "settings/site.html", site, tab="site", languages=languages, now=Typed.of(site), **values
    )
    return answer(html, error)


def _fields(
    site: SiteView, typed: TypedFields, error: ChangedMeanwhile | FieldsRefused | None = None
) -> Response:
    is_owner = g.moderator.access.may(Role.OWNER, site.id)
    edition = site.options.signed_names if is_owner else 0
    html = site_page(
        "settings/fields.html",
        site,
        tab="fields",
        typed=typed,
        now=_fields_now(site),
        secret=wiring().keys.site_secrets(site.key, edition)[0] if edition else None,
        error=error,
        wrong={},
    )
    return answer(html, error)


def _fields_now(site: SiteView) -> TypedFields:
    return TypedFields(site.required, site.takes_letters, bool(site.options.signed_names))


def _display(
    site: SiteView, typed: Options, error: ChangedMeanwhile | FieldsRefused | None = None
) -> Response:
    html = site_page(
        "settings/display.html",
        site,
        tab="display",
        sorts=SORTS,
        votings=tuple(Voting),
        askings=tuple(Asking),
        typed=typed,
        given=lambda name: request.form.get(name, getattr(typed, name)),
        now=site.options,
        error=error,
        wrong=wrong_fields(error, limit=MAX_EDIT_MINUTES),
    )
    return answer(html, error)


def _wrong(typed: Typed, error: CommentsError | None) -> dict[str, str]:
    wrong = wrong_fields(error, limit=MAX_ORIGINS)
    if error and typed.wrong:
        wrong["origins"] = " ".join(_about(line) for line in typed.wrong)
    return wrong


def _about(line: WrongOrigin) -> str:
    say = moderators_words()["say"]
    key = "settings.error.origins.meant" if line.meant else "settings.error.origins.line"
    return str(say(key, line=line.number, given=line.given, meant=line.meant))


def _languages() -> dict[str, str]:
    """The languages there are texts in, each by its name for this browser."""
    shown = Locale.parse(browser_language(), sep="-")
    tags = sorted(wiring().catalogue.languages)
    return {tag: Locale.parse(tag, sep="-").get_display_name(shown) or tag for tag in tags}

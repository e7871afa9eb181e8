"""The operator's verbs for sites: add one, change one, list them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from comments_service.article_url import parse_origin
from comments_service.errors import FieldsRefused, SiteNotFound
from comments_service.storage.database import reading, transaction
from comments_service.storage.models import Site
from comments_service.storage.sites import find_site
from comments_service.texts import SOURCE_LANGUAGE, Catalogue
from comments_service.vocabulary import SiteView

MAX_ORIGINS = 100
MAX_NAME_CHARACTERS = 200
MAX_OWN_TEXT_CHARACTERS = 1_000
MAX_DEPTH = 20
OPTIONAL_FIELDS = frozenset({"name", "email"})

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PLACE = re.compile(r"\{(\w+)\}")
_FORM = re.compile(r"zero|one|two|few|many|other|=[0-9]{1,9}")


@dataclass(frozen=True)
class OwnText:
    """A site's own words for one text of the catalogue, or for one of its plural forms."""

    key: str
    form: str | None
    text: str

    @classmethod
    def parse(cls, given: str) -> OwnText:
        """Read "KEY=TEXT" or "KEY.FORM=TEXT", as in "count.heading.one=…" and "count.heading.=2=…".

        Raises: FieldsRefused.
        """
        found = re.fullmatch(rf"([a-z0-9_.-]+?)(?:\.({_FORM.pattern}))?=(.*)", given, re.DOTALL)
        if found is None:
            raise FieldsRefused(f"“{given}” is not of the form KEY=TEXT or KEY.FORM=TEXT.")
        return cls(found[1], found[2], found[3])


@dataclass(frozen=True)
class SiteChange:
    """What shall be otherwise from now on; None leaves a thing as it is."""

    name: str | None = None
    origins: tuple[str, ...] | None = None
    added_origins: tuple[str, ...] = ()
    removed_origins: tuple[str, ...] = ()
    language: str | None = None
    own_texts: tuple[OwnText, ...] = ()
    dropped_texts: tuple[str, ...] = ()
    required: frozenset[str] | None = None
    is_open: bool | None = None
    publishes_known_authors: bool | None = None
    max_depth: int | None = None


def add_site(key: str, change: SiteChange, *, catalogue: Catalogue, now: datetime) -> SiteView:
    """Make a site; what the change leaves out is as for every new site.

    Raises: FieldsRefused with a sentence for the operator; nothing is stored then.
    """
    if not _KEY.fullmatch(key):
        raise FieldsRefused(
            f"“{key}” cannot be a key: take at most 64 small letters, digits, - and _, "
            "and begin with a letter or digit."
        )
    with transaction() as session:
        if session.scalars(select(Site.id).where(Site.key == key)).first() is not None:
            raise FieldsRefused(f"There is a site with the key “{key}” already.")
        site = Site(key=key, name=key, origins=[], texts={}, created_at=now)
        _apply(site, change, catalogue)
        session.add(site)
        session.flush()
        return site.view()


def change_site(key: str, change: SiteChange, *, catalogue: Catalogue) -> SiteView:
    """Change a site; its version grows, so that no cached answer outlives the change.

    Raises: SiteNotFound; FieldsRefused with a sentence for the operator, and nothing is changed.
    """
    with transaction() as session:
        try:
            site = find_site(session, key)
        except SiteNotFound:
            raise SiteNotFound(f"There is no site with the key “{key}”.") from None
        session.refresh(site, with_for_update=True)
        _apply(site, change, catalogue)
        site.version += 1
        session.flush()
        return site.view()


def list_sites() -> list[SiteView]:
    """All sites, by key."""
    with reading() as session:
        return [site.view() for site in session.scalars(select(Site).order_by(Site.key))]


def owner_lines(key: str, *, public_url: str) -> str:
    """The two lines that a site's owner pastes below an article."""
    return (
        f'<script src="{public_url}/embed.js" data-site="{key}" async></script>\n'
        f'<noscript><a href="{public_url}/sites/{key}/thread" '
        'referrerpolicy="no-referrer-when-downgrade">Comments</a></noscript>'
    )


def _apply(site: Site, change: SiteChange, catalogue: Catalogue) -> None:
    if change.name is not None:
        site.name = _checked_line(change.name, "name", MAX_NAME_CHARACTERS)
    site.origins = _new_origins(site.origins, change)
    if change.language is not None:
        site.language = _checked_language(change.language, catalogue)
    site.texts = _new_texts(site.texts, change, catalogue)
    if change.required is not None:
        if unknown := change.required - OPTIONAL_FIELDS:
            raise FieldsRefused(f"“{min(unknown)}” cannot be required; name and email can, text always is.")
        site.name_required, site.email_required = "name" in change.required, "email" in change.required
    if change.is_open is not None:
        site.is_open = change.is_open
    if change.publishes_known_authors is not None:
        site.publishes_known_authors = change.publishes_known_authors
    if change.max_depth is not None:
        if not 1 <= change.max_depth <= MAX_DEPTH:
            raise FieldsRefused(f"Replies can be shown 1 to {MAX_DEPTH} deep.")
        site.max_depth = change.max_depth


def _new_origins(origins: list[str], change: SiteChange) -> list[str]:
    kept = list(origins) if change.origins is None else _checked_origins(change.origins)
    removed = _checked_origins(change.removed_origins)
    if missing := [origin for origin in removed if origin not in kept]:
        raise FieldsRefused(f"{missing[0]} is none of the site's origins.")
    kept = [origin for origin in kept if origin not in removed]
    kept = list(dict.fromkeys([*kept, *_checked_origins(change.added_origins)]))
    if not 1 <= len(kept) <= MAX_ORIGINS:
        raise FieldsRefused(f"A site has 1 to {MAX_ORIGINS} origins, such as https://example.org.")
    return kept


def _checked_origins(given: Iterable[str]) -> list[str]:
    found = []
    for text in given:
        try:
            found.append(parse_origin(text))
        except ValueError as error:
            raise FieldsRefused(f"“{text}” is no origin. {error}") from None
    return list(dict.fromkeys(found))


def _checked_language(tag: str, catalogue: Catalogue) -> str:
    spoken = catalogue.language(tag, SOURCE_LANGUAGE)
    if spoken.partition("-")[0] != tag.replace("_", "-").partition("-")[0].lower():
        known = ", ".join(sorted(catalogue.languages))
        raise FieldsRefused(f"There are no texts in the language “{tag}”; there are: {known}.")
    return spoken


def _new_texts(
    texts: Mapping[str, str | Mapping[str, str]], change: SiteChange, catalogue: Catalogue
) -> dict[str, str | dict[str, str]]:
    new = {key: own if isinstance(own, str) else dict(own) for key, own in texts.items()}
    for key in change.dropped_texts:
        if new.pop(key, None) is None:
            raise FieldsRefused(f"The site has no text of its own for “{key}”.")
    for own in change.own_texts:
        base = catalogue.languages[SOURCE_LANGUAGE].get(own.key)
        if base is None:
            raise FieldsRefused(f"There is no text with the key “{own.key}”.")
        _check_own_text(own, base)
        new[own.key] = own.text if own.form is None else _with_form(new.get(own.key), own, base)
    return new


def _check_own_text(own: OwnText, base: str | Mapping[str, str]) -> None:
    if own.form is not None and isinstance(base, str):
        raise FieldsRefused(f"The text “{own.key}” has no plural forms.")
    if own.text:
        _checked_line(own.text, own.key, MAX_OWN_TEXT_CHARACTERS)
    forms = [base] if isinstance(base, str) else [*base.values(), "{count}"]
    known = {place for form in forms for place in _PLACE.findall(form)}
    if unknown := set(_PLACE.findall(own.text)) - known:
        places = ", ".join(f"{{{place}}}" for place in sorted(known)) or "no places to fill in"
        raise FieldsRefused(f"Nothing fills in {{{min(unknown)}}} in “{own.key}”; it has {places}.")


def _with_form(
    earlier: str | dict[str, str] | None, own: OwnText, base: str | Mapping[str, str]
) -> dict[str, str]:
    forms: dict[str, str] = {}
    if isinstance(earlier, str):  # one text for every count until now: it stays so for the other forms
        forms = dict.fromkeys((form for form in base if not form.startswith("=")), earlier)
    elif earlier:
        forms = dict(earlier)
    return forms | {str(own.form): own.text}


def _checked_line(text: str, what: str, limit: int) -> str:
    line = text.strip()
    if not 1 <= len(line) <= limit or any(unicodedata.category(c) in {"Cc", "Cs"} for c in line):
        raise FieldsRefused(f"The {what} must be one line of 1 to {limit} characters.")
    return line

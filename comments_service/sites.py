"""The verbs for sites: add one, change one, list them. Each change leaves a line in the journal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from comments_service.article_url import parse_origin, suggested_origin
from comments_service.errors import ChangedMeanwhile, FieldError, FieldsRefused, SiteNotFound
from comments_service.neighbours.change import NO_CHANGE, NeighbourChange, carry_out
from comments_service.options import (
    AKISMET,
    MAX_EDIT_MINUTES,
    MAX_HOLD_REPORTS,
    SORTS,
    Asking,
    Neighbour,
    Voting,
)
from comments_service.own_texts import OwnText, checked_line, new_texts
from comments_service.privacy import KeyHolder
from comments_service.rights import require, require_everywhere
from comments_service.rules.change import MAX_DEPTH, Place, RuleChange, put_in_force, record
from comments_service.storage.database import reading, transaction
from comments_service.storage.journal import JournalRow
from comments_service.storage.models import Site
from comments_service.storage.sites import find_site
from comments_service.texts import SOURCE_LANGUAGE, Catalogue
from comments_service.vocabulary import ModeratorView, Role, Rules, SiteView

MAX_ORIGINS = 100
MAX_NAME_CHARACTERS = 200
OPTIONAL_FIELDS = frozenset({"name", "email"})
ADDED = "site-added"
CHANGED = "site-changed"
RESERVED_KEYS = frozenset({"people"})  # /settings/people is a page of ours

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class SignedNames(StrEnum):
    """What shall be with names that the owner's site signs: taken, no more, or only under another secret."""

    ON = "on"
    OFF = "off"
    RENEW = "renew"


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
    takes_letters: bool | None = None
    sort: str | None = None
    avatars: bool | None = None
    signed_names: SignedNames | None = None
    edit_minutes: int | None = None
    votes: str | None = None
    reports: bool | None = None
    hold_reported: int | None = None
    neighbours: NeighbourChange = NO_CHANGE
    proof: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What of it is a change of options, in their stored form, but for what depends on those before."""
        names = ("sort", "avatars", "edit_minutes", "votes", "reports", "hold_reported", "proof")
        wanted = {name: getattr(self, name) for name in names}
        given = {name: value for name, value in wanted.items() if value is not None}
        return given | self.neighbours.options

    @property
    def rules(self) -> dict[str, Any]:
        """What of it is a change of rules, in their stored form."""
        known = {} if self.publishes_known_authors is None else {"hold_all": not self.publishes_known_authors}
        if self.publishes_known_authors:
            known["hold_newcomers"] = True
        return known | ({} if self.max_depth is None else {"max_depth": self.max_depth})


@dataclass(frozen=True)
class WrongOrigin:
    """A line of a list of origins that is none; `meant` is what it may have been meant to be."""

    number: int
    given: str
    meant: str | None


def wrong_origins(lines: Iterable[str]) -> tuple[WrongOrigin, ...]:
    """The lines, counted from 1, that no site can have as an origin."""
    found = []
    for number, given in enumerate(lines, 1):
        try:
            parse_origin(given)
        except ValueError:
            found.append(WrongOrigin(number, given.strip(), suggested_origin(given)))
    return tuple(found)


def add_site(
    key: str, change: SiteChange, *, catalogue: Catalogue, now: datetime, by: ModeratorView | None = None
) -> SiteView:
    """Make a site; what the change leaves out is as for every new site.

    Raises: NotAllowed; FieldsRefused with a sentence, and nothing is stored then.
    """
    require_everywhere(by, Role.OWNER)
    if not _KEY.fullmatch(key):
        detail = (
            f"“{key}” cannot be a key: take at most 64 small letters, digits, - and _, "
            "and begin with a letter or digit."
        )
        raise _refusal("key", "characters", detail)
    if key in RESERVED_KEYS:
        raise _refusal("key", "taken", f"“{key}” is the address of a page of the service.")
    with transaction() as session:
        if session.scalars(select(Site.id).where(Site.key == key)).first() is not None:
            raise _refusal("key", "taken", f"There is a site with the key “{key}” already.")
        site = Site(key=key, name=key, origins=[], texts={}, options={}, created_at=now)
        site.rules, site.rules_version = Rules().with_own(change.rules).stored(), 1
        _apply(site, change, catalogue)
        session.add(site)
        session.flush()
        record(session, Place(site.id), site, by=by, now=now)
        session.add(_line(site, ADDED, {}, by=by, now=now))
        return site.view()


def change_site(
    key: str,
    change: SiteChange,
    *,
    catalogue: Catalogue,
    now: datetime,
    by: ModeratorView | None = None,
    version: int | None = None,
    batch: str | None = None,
    keys: KeyHolder | None = None,
) -> SiteView:
    """Change a site; its version grows, so that no cached answer outlives the change.

    With a `version`, only the site as it was then is changed. What is the same already changes nothing.
    `batch` names the change, to take it back by. `keys` seal the secrets of neighbours, if any are given.

    Raises: SiteNotFound; NotAllowed; ChangedMeanwhile; FieldsRefused. Nothing is changed then.
    """
    with transaction() as session:
        site = _site_of(session, key, by)
        if version not in (None, site.version):
            raise ChangedMeanwhile
        if change.rules:
            put_in_force(session, Place(site.id), change.rules, RuleChange(by, now, batch), version=None)
        before = site.view()
        _apply(site, change, catalogue)
        if change.neighbours != NO_CHANGE:
            _settle_neighbours(session, site, change.neighbours, keys, by=by, now=now)
        if changes := changes_between(before, site.view()):
            site.version += 1
            session.add(_line(site, CHANGED, {"changes": changes}, by=by, now=now, batch=batch))
        session.flush()
        return site.view()


def _settle_neighbours(
    session: Session,
    site: Site,
    change: NeighbourChange,
    keys: KeyHolder | None,
    *,
    by: ModeratorView | None,
    now: datetime,
) -> None:
    """Keep and forget secrets, each with its line; a secret comes back by no undo, so it has no batch."""
    for who, done in carry_out(session, site, change, keys.ring if keys else None).items():
        line = _line(site, done, {}, by=by, now=now)
        line.subject = AKISMET if who is Neighbour.AKISMET else site.view().options.service_name
        session.add(line)


def changes_between(before: SiteView, after: SiteView) -> dict[str, list[Any]]:
    """What differs, each as the old and the new value; of the own texts only those that changed."""
    old, new = _settings(before), _settings(after)
    for key in old["texts"].keys() & new["texts"].keys():
        if old["texts"][key] == new["texts"][key]:
            del old["texts"][key], new["texts"][key]
    return {name: [old[name], new[name]] for name in old if name != "version" and old[name] != new[name]}


def _settings(site: SiteView) -> dict[str, Any]:
    """Everything that can be set, the options one by one."""
    values = asdict(site)
    options: dict[str, Any] = values.pop("options")
    return values | options


def list_sites() -> list[SiteView]:
    """All sites, by key."""
    with reading() as session:
        return [site.view() for site in session.scalars(select(Site).order_by(Site.key))]


def owner_lines(key: str, *, public_url: str) -> str:
    """The two lines that a site's owner pastes below an article."""
    return (
        f'<script src="{public_url}/embed.js" data-site="{key}" async></script>\n'
        f"{noscript_line(key, public_url=public_url)}"
    )


def counts_lines(key: str, *, public_url: str, origin: str) -> str:
    """What a page without comments needs to show the numbers of comments of the articles it links."""
    return (
        f'<a data-comments-count href="{origin}/article">Comments</a>\n'
        f'<script src="{public_url}/count.js" data-site="{key}" async></script>'
    )


def noscript_line(key: str, *, public_url: str, article_id: str | None = None) -> str:
    """The second of the two, for readers without JavaScript; with the owner's id where there is one."""
    query = f"?id={quote(article_id, safe='')}" if article_id else ""
    return (
        f'<noscript><a href="{public_url}/sites/{key}/thread{query}" '
        'referrerpolicy="no-referrer-when-downgrade">Comments</a></noscript>'
    )


def _site_of(session: Session, key: str, by: ModeratorView | None) -> Site:
    try:
        site = find_site(session, key)
        require(by, Role.OWNER, site.id, unseen=SiteNotFound)
    except SiteNotFound:
        raise SiteNotFound(f"There is no site with the key “{key}”.") from None
    session.refresh(site, with_for_update=True)
    return site


def _line(
    site: Site,
    action: str,
    details: dict[str, Any],
    *,
    by: ModeratorView | None,
    now: datetime,
    batch: str | None = None,
) -> JournalRow:
    return JournalRow(
        happened_at=now,
        moderator_id=by.id if by else None,
        action=action,
        site_id=site.id,
        subject=site.key,
        details=details,
        batch=batch,
    )


def _refusal(field: str, code: str, detail: str) -> FieldsRefused:
    return FieldsRefused(detail, errors=(FieldError(field, code, detail),))


def _apply(site: Site, change: SiteChange, catalogue: Catalogue) -> None:
    if change.name is not None:
        site.name = checked_line(change.name, "name", MAX_NAME_CHARACTERS, field="name")
    site.origins = _new_origins(site.origins, change)
    if change.language is not None:
        site.language = _checked_language(change.language, catalogue)
    site.texts = new_texts(
        site.texts, dropped=change.dropped_texts, given=change.own_texts, catalogue=catalogue
    )
    if change.required is not None:
        if unknown := change.required - OPTIONAL_FIELDS:
            raise FieldsRefused(f"“{min(unknown)}” cannot be required; name and email can, text always is.")
        site.name_required, site.email_required = "name" in change.required, "email" in change.required
    if change.is_open is not None:
        site.is_open = change.is_open
    if change.takes_letters is not None:
        site.takes_letters = change.takes_letters
    _refuse_unknown_options(change)
    site.options = {**site.options, **change.options, **_signed_names(site, change.signed_names)}
    if change.max_depth is not None and not 1 <= change.max_depth <= MAX_DEPTH:
        raise FieldsRefused(f"Replies can be shown 1 to {MAX_DEPTH} deep.")


def _refuse_unknown_options(change: SiteChange) -> None:
    change.neighbours.refuse_wrong()
    if change.sort not in (None, *SORTS):
        raise _refusal("sort", "unknown", f"Comments come in one of these orders: {', '.join(SORTS)}.")
    if change.votes not in (None, *Voting):
        raise _refusal("votes", "unknown", f"Votes are one of these: {', '.join(Voting)}.")
    if change.proof not in (None, *Asking):
        raise _refusal("proof", "unknown", f"Work is asked for at one of these times: {', '.join(Asking)}.")
    if change.edit_minutes is not None and not 0 <= change.edit_minutes <= MAX_EDIT_MINUTES:
        detail = f"Authors can change what they wrote for 0 to {MAX_EDIT_MINUTES} minutes."
        raise _refusal("edit_minutes", "range", detail)
    if change.hold_reported is not None and not 0 <= change.hold_reported <= MAX_HOLD_REPORTS:
        detail = f"0 to {MAX_HOLD_REPORTS} reports can take a comment off the page."
        raise _refusal("hold_reported", "range", detail)


def _signed_names(site: Site, wanted: SignedNames | None) -> dict[str, Any]:
    """The option's number. It never comes back: who had an earlier secret does not get to sign again."""
    now, last = site.options.get("signed_names", 0), site.options.get("last_signed_names", 0)
    if wanted is None or (wanted is SignedNames.OFF and not now) or (wanted is SignedNames.ON and now):
        return {}
    if wanted is SignedNames.OFF:
        return {"signed_names": 0}
    return {"signed_names": last + 1, "last_signed_names": last + 1}


def _new_origins(origins: list[str], change: SiteChange) -> list[str]:
    kept = list(origins) if change.origins is None else _checked_origins(change.origins)
    removed = _checked_origins(change.removed_origins)
    if missing := [origin for origin in removed if origin not in kept]:
        raise FieldsRefused(f"{missing[0]} is none of the site's origins.")
    kept = [origin for origin in kept if origin not in removed]
    kept = list(dict.fromkeys([*kept, *_checked_origins(change.added_origins)]))
    if not 1 <= len(kept) <= MAX_ORIGINS:
        detail = f"A site has 1 to {MAX_ORIGINS} origins, such as https://example.org."
        raise _refusal("origins", "count", detail)
    return kept


def _checked_origins(given: Iterable[str]) -> list[str]:
    found = []
    for text in given:
        try:
            found.append(parse_origin(text))
        except ValueError as error:
            raise _refusal("origins", "refused", f"“{text}” is no origin. {error}") from None
    return list(dict.fromkeys(found))


def _checked_language(tag: str, catalogue: Catalogue) -> str:
    spoken = catalogue.language(tag, SOURCE_LANGUAGE)
    if spoken.partition("-")[0] != tag.replace("_", "-").partition("-")[0].lower():
        known = ", ".join(sorted(catalogue.languages))
        detail = f"There are no texts in the language “{tag}”; there are: {known}."
        raise _refusal("language", "unknown", detail)
    return spoken

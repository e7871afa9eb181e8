"""What the settings pages of one site share: who may be here, the tabs on top, what came of a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, g, render_template, request, session, url_for

from comments_service.decisions.act import new_batch
from comments_service.errors import CommentsError, SiteNotFound
from comments_service.rights import require
from comments_service.sites import SiteChange, change_site
from comments_service.storage.database import reading
from comments_service.storage.sites import find_site
from comments_service.vocabulary import Role, SiteView
from comments_service.web.forms import comment_id
from comments_service.web.sessions import NOTICE
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

# In the order of the tabs. Each endpoint takes the site's `key`; a page that is not there has no tab
TABS = {
    "site": "settings.site",
    "words": "own_words.show",
    "fields": "settings.fields",
    "display": "settings.display",
    "rules": "rules.show",
    "spam": "thresholds.show",
    "neighbours": "neighbours.show",
    "blocklists": "blocklists.show",
    "people": "people.show",
    "embed": "checkup.show",
}

OWNERS = frozenset({"neighbours", "people"})  # the others cannot even look at these


@dataclass(frozen=True)
class Tab:
    """One page of a site's settings."""

    name: str
    address: str


def site_here(key: str, role: Role = Role.VIEWER) -> SiteView:
    """The site in the address, for a moderator who has at least this role there.

    Raises: SiteNotFound, also for a site that is none of theirs; NotAllowed.
    """
    with reading() as found:
        site = find_site(found, key).view()
    require(g.moderator, role, site.id, unseen=SiteNotFound)
    return site


def site_page(template: str, site: SiteView, *, tab: str, **values: Any) -> str:
    """A page of the settings of a site. `may_change` says whether this moderator owns it."""
    words = {**moderators_words(), "moderator": g.moderator, "notice": session.pop(NOTICE, None)}
    words["back"] = request.full_path.rstrip("?")  # where an undo from the notice leads
    may_change = g.moderator.access.may(Role.OWNER, site.id)
    return render_template(
        template,
        **words
        | {"site": site, "tabs": _tabs(site, may_change), "tab": tab, "may_change": may_change}
        | values,
    )


def save(key: str, change: SiteChange) -> SiteView:
    """Change a site as a form of the version it names asks for, and say so on the next page.

    Raises: SiteNotFound; NotAllowed; ChangedMeanwhile; FieldsRefused.
    """
    parts, version, batch = wiring(), comment_id(request.form.get("version", "")), new_batch()
    site = change_site(
        key,
        change,
        catalogue=parts.catalogue,
        now=parts.now(),
        by=g.moderator,
        version=version or 0,
        batch=batch,
        keys=parts.key_source,
    )
    is_changed = site.version != version
    session[NOTICE] = {"key": "settings.saved"} | ({"batch": batch} if is_changed else {})
    return site


def wrong_fields(error: CommentsError | None, **values: object) -> dict[str, str]:
    """The sentences for the wrong fields, by their names."""
    say = moderators_words()["say"]
    errors = error.errors if error else ()
    return {e.field: say(f"settings.error.{e.field}.{e.code}", **values) for e in errors}


def _tabs(site: SiteView, may_change: bool) -> list[Tab]:
    known = current_app.view_functions
    shown = {name: end for name, end in TABS.items() if may_change or name not in OWNERS}
    return [Tab(name, url_for(end, key=site.key)) for name, end in shown.items() if end in known]

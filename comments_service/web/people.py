"""The people of a site, and of every site: what each may do, and the invitations that are open."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session, url_for

from comments_service.decisions.act import new_batch
from comments_service.errors import CommentsError, FieldsRefused, Malformed
from comments_service.people import invitations
from comments_service.people.accounts import remove_person
from comments_service.people.invitations import MAX_DAYS, Offer
from comments_service.people.roles import change_role
from comments_service.people.roster import everybody, people_of
from comments_service.rights import require_everywhere
from comments_service.site_list import list_for
from comments_service.vocabulary import Role, SiteView
from comments_service.web.forms import comment_id
from comments_service.web.sessions import NOTICE, answer, require_moderator
from comments_service.web.site_pages import site_here, site_page
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

DAYS = 7
EVERYWHERE = "*"  # no site has this key

blueprint = Blueprint("people", __name__)
blueprint.before_request(require_moderator)


@dataclass(frozen=True)
class Sent:
    """What a form about people asks for."""

    do: str
    person: int
    invitation: int
    role: Role | None
    days: int
    site_keys: tuple[str, ...]

    @classmethod
    def here(cls) -> Sent:
        """The form of this request.

        Raises: Malformed for a role that there is not.
        """
        form = request.form
        role = form.get("role", "")
        if role and role not in list(Role):
            raise Malformed
        return cls(
            do=form.get("do", ""),
            person=comment_id(form.get("person", "")) or 0,
            invitation=comment_id(form.get("invitation", "")) or 0,
            role=Role(role) if role else None,
            days=comment_id(form.get("days", "")) or 0,
            site_keys=tuple(form.getlist("site")),
        )

    @property
    def wanted(self) -> Role:
        """The role that is to be given.

        Raises: Malformed where none was chosen.
        """
        if self.role is None:
            raise Malformed
        return self.role


@blueprint.get("/settings/<key>/people")
def show(key: str) -> Response:
    """Who may do what on the site."""
    return _site(site_here(key, Role.OWNER))


@blueprint.post("/settings/<key>/people")
def change(key: str) -> Response:
    """Give, change or withdraw a role on the site; make an invitation to it or withdraw one."""
    site, sent = site_here(key, Role.OWNER), Sent.here()
    try:
        link = _do(sent, (site.id,))
    except FieldsRefused as error:
        return _site(site, sent=sent, error=error)
    if link:
        return _site(site, link=link)
    return make_response(redirect(url_for("people.show", key=key), 303))


@blueprint.get("/settings/people")
def everywhere() -> Response:
    """Everybody who may sign in: for those who own every site."""
    require_everywhere(g.moderator, Role.OWNER)
    return _everywhere()


@blueprint.post("/settings/people")
def change_everywhere() -> Response:
    """The same for any site, or for every site; or let somebody in no more."""
    require_everywhere(g.moderator, Role.OWNER)
    sent = Sent.here()
    try:
        link = _do(sent, _places(sent))
    except FieldsRefused as error:
        return _everywhere(sent=sent, error=error)
    if link:
        return _everywhere(link=link)
    return make_response(redirect(url_for("people.everywhere"), 303))


def _do(sent: Sent, places: tuple[int | None, ...]) -> str | None:
    """Do it, and say so on the next page; returns the link of a new invitation."""
    now, batch, is_undoable = wiring().now(), new_batch(), False
    if sent.do == "invite":
        sites = tuple(site_id for site_id in places if site_id is not None)
        token = invitations.invite(Offer(sent.wanted, sites, sent.days), by=g.moderator, now=now)
        return wiring().absolute(f"/invite/{token}")
    if sent.do == "take_back":
        invitations.withdraw(sent.invitation, by=g.moderator, now=now)
    elif sent.do == "remove":
        remove_person(sent.person, by=g.moderator, now=now)
    elif sent.do in ("give", "withdraw") and len(places) == 1:
        role = sent.wanted if sent.do == "give" else None
        is_undoable = change_role(sent.person, role, places[0], by=g.moderator, now=now, batch=batch)
    else:
        raise Malformed
    session[NOTICE] = {"key": f"people.done.{sent.do}"} | ({"batch": batch} if is_undoable else {})
    return None


def _places(sent: Sent) -> tuple[int | None, ...]:
    """The sites that were chosen. Every site is a choice of its own: nothing chosen is nothing."""
    if sent.do in ("take_back", "remove"):
        return ()
    if EVERYWHERE in sent.site_keys:
        return (None,)
    known = {line.site.key: line.site.id for line in list_for(g.moderator.access)}
    if not sent.site_keys or not set(sent.site_keys) <= known.keys():
        raise FieldsRefused
    return tuple(known[key] for key in sent.site_keys)


def _site(
    site: SiteView, *, link: str = "", sent: Sent | None = None, error: CommentsError | None = None
) -> Response:
    open_now = invitations.open_invitations(by=g.moderator, site_id=site.id, now=wiring().now())
    html = site_page(
        "people/site.html",
        site,
        tab="people",
        people=people_of(site.id),
        invitations=open_now,
        link=link,
        wrong=_wrong(error),
        error=error,
        typed=sent,
        **_choices(),
    )
    return answer(html, error)


def _everywhere(*, link: str = "", sent: Sent | None = None, error: CommentsError | None = None) -> Response:
    open_now = invitations.open_invitations(by=g.moderator, site_id=None, now=wiring().now())
    html = render_template(
        "people/everywhere.html",
        **moderators_words(),
        moderator=g.moderator,
        people=everybody(),
        sites=[line.site for line in list_for(g.moderator.access)],
        invitations=open_now,
        link=link,
        wrong=_wrong(error),
        error=error,
        typed=sent,
        notice=session.pop(NOTICE, None),
        back=request.path,
        **_choices(),
    )
    return answer(html, error)


def _choices() -> dict[str, object]:
    return {"roles": list(Role), "days": DAYS, "most_days": MAX_DAYS, "everywhere_key": EVERYWHERE}


def _wrong(error: CommentsError | None) -> dict[str, str]:
    say = moderators_words()["say"]
    if error is None:
        return {}
    if not error.errors:
        return {"site": say("account.error.site.required")}
    return {e.field: say(f"account.error.{e.field}.{e.code}", limit=MAX_DAYS) for e in error.errors}

"""The page of a site's neighbours: who else looks at comments, by which secret, and whether they answer."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from flask import Blueprint, Response, make_response, redirect, request, session, url_for
from limits import parse

from comments_service.errors import (
    ChangedMeanwhile,
    CommentsError,
    FieldError,
    FieldsRefused,
    Malformed,
    TooManyCheckups,
)
from comments_service.neighbours.akismet import Akismet
from comments_service.neighbours.change import MAX_SERVICE_NAME, NeighbourChange
from comments_service.neighbours.heard import Unheard
from comments_service.neighbours.keeping import secret_of, states_of
from comments_service.neighbours.question import Question
from comments_service.neighbours.webhook import Service, new_secret
from comments_service.options import Neighbour, Options
from comments_service.sites import SiteChange
from comments_service.storage.database import reading
from comments_service.vocabulary import Role, SiteView
from comments_service.web.sessions import NOTICE, answer, minutes_to_wait, require_moderator
from comments_service.web.site_pages import save, site_here, site_page, wrong_fields
from comments_service.web.turns import take_turn
from comments_service.web.wiring import wiring

SAVE, MAKE_SECRET, TEST, FORGET = "save", "make_secret", "test_", "forget_"
SECRET_KEPT, SECRET_ALONE = "settings.neighbours.secret.kept", "settings.neighbours.secret.alone"
PER_PERSON = parse("30 per 10 minutes")  # enough to set things up, too few to use us against somebody
TEST_SECONDS = 5.0  # a person waits for the answer
EXAMPLE = "An example, to see whether you answer. Nobody wrote it."

blueprint = Blueprint("neighbours", __name__)
blueprint.before_request(require_moderator)


@dataclass(frozen=True)
class Typed:
    """What stands in the form, but for the secrets: these are never shown."""

    akismet: bool
    akismet_email: bool
    service: bool
    service_name: str
    service_url: str
    service_email: bool

    @classmethod
    def of(cls, options: Options) -> Typed:
        """As it is stored."""
        return cls(**{field.name: getattr(options, field.name) for field in fields(cls)})

    @classmethod
    def sent(cls) -> Typed:
        """As it was sent with this request."""
        form = request.form
        return cls(
            akismet="akismet" in form,
            akismet_email="akismet_email" in form,
            service="service" in form,
            service_name=form.get("service_name", "").strip(),
            service_url=form.get("service_url", "").strip(),
            service_email="service_email" in form,
        )

    @property
    def change(self) -> NeighbourChange:
        """The same for the room below, with the secrets that were typed."""
        return replace(NeighbourChange(**vars(self)), **_secrets())


@dataclass(frozen=True)
class Shown:
    """What stands on the page besides: what came of a form, of a test, and a secret, this once."""

    typed: Typed
    error: CommentsError | None = None
    tested: str = ""
    told: str = ""
    is_bad: bool = False
    secret: str = ""


@blueprint.get("/settings/<key>/neighbours")
def show(key: str) -> Response:
    """Who is asked about the comments of the site."""
    site = site_here(key, Role.OWNER)
    return _page(site, Shown(Typed.of(site.options)))


@blueprint.post("/settings/<key>/neighbours")
def change(key: str) -> Response:
    """Save this; make a new secret, forget one; or only see whether somebody answers."""
    site, typed, wish = site_here(key, Role.OWNER), Typed.sent(), request.form.get("do", "")
    try:
        if wish == SAVE:
            save(key, SiteChange(neighbours=typed.change))
        elif wish == MAKE_SECRET:
            secret = new_secret()
            kept = save(key, SiteChange(neighbours=NeighbourChange(service_secret=secret)))
            session[NOTICE] = {"key": SECRET_KEPT if _is_all(typed, kept) else SECRET_ALONE}
            return _page(kept, Shown(typed, secret=secret))
        elif wish.startswith(TEST):
            return _page(site, _tested(site, typed, _neighbour(wish.removeprefix(TEST))))
        else:
            who = _neighbour(wish.removeprefix(FORGET))
            save(key, SiteChange(neighbours=NeighbourChange(forgets=frozenset({who}))))
    except (ChangedMeanwhile, FieldsRefused, TooManyCheckups) as error:
        return _page(site_here(key, Role.OWNER), Shown(typed, error))
    return make_response(redirect(url_for("neighbours.show", key=key), 303))


def _secrets() -> dict[str, Any]:
    names = ("akismet_key", "service_secret")
    return {name: request.form.get(name, "").strip() or None for name in names}


def _is_all(typed: Typed, kept: SiteView) -> bool:
    """Whether nothing was typed besides what is kept."""
    return typed == Typed.of(kept.options) and not any(_secrets().values())


def _neighbour(name: str) -> Neighbour:
    if name not in list(Neighbour):
        raise Malformed
    return Neighbour(name)


def _tested(site: SiteView, typed: Typed, who: Neighbour) -> Shown:
    """Ask once, as the form has it; an empty secret is the one that is kept."""
    take_turn("neighbour", PER_PERSON, TooManyCheckups)
    typed.change.refuse_wrong()
    name = "akismet_key" if who is Neighbour.AKISMET else "service_secret"
    secret = _secrets()[name] or _kept(site, who)
    if secret is None:
        raise FieldsRefused(errors=(FieldError(name, "missing", ""),))
    try:
        came = _asked(site, typed, who, secret)
    except Unheard as error:
        return Shown(typed, tested=f"settings.neighbours.why.{error.why}", told=error.told, is_bad=True)
    return Shown(typed, tested=f"settings.neighbours.tested.{came[0]}", told=came[1])


def _asked(site: SiteView, typed: Typed, who: Neighbour, secret: str) -> tuple[str, str]:
    """What came back, in a word, and in words of the neighbour's own."""
    settings, now = wiring().settings, wiring().now()
    question = Question(site, site.origins[0], "Test", None, None, EXAMPLE, now)
    if who is Neighbour.AKISMET:
        Akismet(secret, False, settings).verify(question.home, seconds=TEST_SECONDS)
        return "key", ""
    if not typed.service_url:
        raise FieldsRefused(errors=(FieldError("service_url", "missing", ""),))
    service = Service(typed.service_url, typed.service_name, secret, False, settings)
    said = service.ask(question, seconds=TEST_SECONDS, is_test=True)
    return str(said.opinion), " ".join(signal.what for signal in said.signals)


def _kept(site: SiteView, who: Neighbour) -> str | None:
    with reading() as found:
        return secret_of(found, site.id, who, wiring().keys)


def _page(site: SiteView, shown: Shown) -> Response:
    with reading() as found:
        states = {who: row for (_, who), row in states_of(found, [site.id]).items()}
        found.expunge_all()
    html = site_page(
        "settings/neighbours.html",
        site,
        tab="neighbours",
        typed=shown.typed,
        now=Typed.of(site.options),
        shown=shown,
        states={str(who): row for who, row in states.items()},
        error=shown.error,
        minutes=minutes_to_wait(shown.error),
        wrong=wrong_fields(shown.error, limit=MAX_SERVICE_NAME),
    )
    return answer(html, shown.error)

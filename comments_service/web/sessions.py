"""Moderators come in and go: the session cookie, what guards every page of theirs, sign-in and sign-out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import (
    Blueprint,
    Flask,
    Request,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.csrf import CSRFError
from itsdangerous import URLSafeTimedSerializer
from wtforms import PasswordField, StringField

from comments_service.article_url import same_origin
from comments_service.errors import (
    CodeRefused,
    CommentsError,
    FormRefused,
    InsecureConnection,
    Malformed,
    SignInRefused,
    TooManyGuesses,
)
from comments_service.guesses import Guesses
from comments_service.people import passwords, sign_ins
from comments_service.privacy import network_of
from comments_service.settings import Settings
from comments_service.unlock import KeySource
from comments_service.vocabulary import ModeratorView
from comments_service.web import problems
from comments_service.web.browsers import browser
from comments_service.web.headers import SAFE_METHODS
from comments_service.web.wiring import wiring
from comments_service.web.words import moderators_words

COOKIE = "__Host-comments"
GUESSES = "comments.guesses"
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})  # browsers keep their secrets without https
LANDINGS = frozenset({"/queue", "/account", "/account/letters", "/dashboard", "/audit", "/settings"})
DEEPER_LANDINGS = re.compile(r"/queue/comments/[0-9]{1,10}")  # where a letter's "approve and reply" leads
PAGES = LANDINGS | {"/", "/login", "/logout"}
FOLDERS = ("/queue/", "/account/", "/dashboard/", "/audit/", "/settings/", "/invite/", "/login/")
LETTERS = ("/confirm/", "/letters/")  # where links in letters lead: their addresses are secrets
TOKEN = "token"  # noqa: S105 -- the name of a field
HALF = "half"  # the sign-in that waits for its code
NOTICE = "notice"  # what the next page tells: a key of the catalogue, never a text from the address

blueprint = Blueprint("sessions", __name__)
csrf = CSRFProtect()


class SigningKeys:
    """The keys of one purpose, as they are at each use: a rotated key counts without a restart."""

    def __init__(self, source: KeySource, purpose: str) -> None:
        """Take the keys from `source`."""
        self._source, self._purpose = source, purpose

    def __iter__(self) -> Iterator[bytes]:
        """The keys, the oldest first: itsdangerous signs with the last and accepts all."""
        return iter(self._source.ring.signing_keys(self._purpose))


class ModeratorSessions(SecureCookieSessionInterface):
    """Flask's signed cookie on moderators' pages; everywhere else no cookie is read or set."""

    salt = "moderators-session"
    digest_method = staticmethod(sha256)

    def __init__(self, keys: KeySource) -> None:
        """Sign with the installation's keys."""
        self._keys = SigningKeys(keys, "session")

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:
        """Sign with the newest key, and open what any of them signed."""
        how = {"key_derivation": self.key_derivation, "digest_method": self.digest_method}
        return URLSafeTimedSerializer(
            list(self._keys), salt=self.salt, serializer=self.serializer, signer_kwargs=how
        )

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of a moderator's page; None for readers, who have none."""
        return super().open_session(app, request) if is_moderators(request.path) else None


class SignInForm(FlaskForm):
    """Name and password."""

    name = StringField()
    password = PasswordField()


def init_app(app: Flask, settings: Settings, keys: KeySource) -> None:
    """Give moderators their session, and guard their pages."""
    app.session_interface = ModeratorSessions(keys)
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",  # Strict would show the sign-in to whoever follows a link to the queue
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=settings.session_lifetime_seconds,
        WTF_CSRF_SECRET_KEY=SigningKeys(keys, "csrf"),
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session it is bound to
        WTF_CSRF_SSL_STRICT=False,  # `_refuse_foreign_forms` asks more, and does not believe the Host header
    )
    app.extensions[GUESSES] = Guesses(settings)
    app.before_request(_guard)  # before Flask-WTF's own, so that the reason that helps is the one shown
    app.after_request(_keep_nowhere)
    csrf.init_app(app)
    app.register_error_handler(CSRFError, lambda _error: problems.show(FormRefused()))
    passwords.prepare()


def is_moderators(path: str) -> bool:
    """Whether this is one of the moderators' pages."""
    return path in PAGES or path.startswith(FOLDERS)


def require_moderator() -> Response | None:
    """Let signed-in moderators pass, as `g.moderator`; lead everybody else to the sign-in."""
    moderator = signed_in()
    if moderator is None:
        wanted = request.full_path if request.method == "GET" else "/queue"
        return make_response(redirect(url_for("sessions.login", next=wanted.rstrip("?")), 303))
    g.moderator = moderator
    return None


@contextmanager
def guess(name: str, *, person: ModeratorView | None = None, what: str = "person") -> Iterator[None]:
    """Around whatever checks a password: counts the try first, and forgives it when nothing is raised.

    With a person, tries from all networks count together: codes as those of the `person`, and apart from
    them the own `password`, so that a right one does not forgive wrong codes.

    Raises: TooManyGuesses.
    """
    keys, guesses = wiring().keys, cast(Guesses, current_app.extensions[GUESSES])
    network = keys.digest("guess", network_of(request.remote_addr or "").encode()).hex()
    who = keys.digest("guess", name.strip().encode("utf-8", "replace")).hex()
    whose = keys.digest("guess", f"/{what}/{person.id}".encode()).hex() if person else None
    guesses.take(network, who, person=whose)
    yield
    guesses.forgive(network, who, person=whose)


def minutes_to_wait(error: CommentsError | None) -> int:
    """How long to wait after too many tries, for people; 0 when there is no need to."""
    return -(-error.retry_after_seconds // 60) if error and error.retry_after_seconds else 0


def answer(html: str, error: CommentsError | None) -> Response:
    """A form as a page, with the status of what was wrong with it."""
    response = make_response(html, error.status if error else 200)
    if error and error.retry_after_seconds:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


@blueprint.get("/login")
def login() -> Response:
    """The sign-in, or on to the queue for whoever is in already."""
    if signed_in():
        return make_response(redirect(_landing(), 303))
    return _login_page()


@blueprint.post("/login")
def sign_in() -> Response:
    """Check name and password; a right pair begins a new session."""
    form = SignInForm()  # type: ignore[no-untyped-call]
    name, password = form.name.data or "", form.password.data or ""
    try:
        with guess(name):
            begun = sign_ins.sign_in(
                name, password, browser=browser(), settings=wiring().settings, now=wiring().now()
            )
    except (SignInRefused, TooManyGuesses) as error:
        return _login_page(name=name, error=error)
    return _open(begun.token, HALF if begun.needs_code else TOKEN)


@blueprint.get("/login/code")
def code() -> Response:
    """The second step: asked for a code, where the password was right and a second factor is set up."""
    return _code_page() if _half_signed_in() else make_response(redirect(url_for("sessions.login"), 303))


@blueprint.post("/login/code")
def check_code() -> Response:
    """Check the code; a right one begins a new session."""
    half, typed, parts = session.get(HALF, ""), request.form.get("code", ""), wiring()
    moderator = _half_signed_in()
    try:
        if moderator is None:
            raise SignInRefused
        with guess(f"/code/{moderator.id}", person=moderator):
            token = sign_ins.complete(
                half, typed, browser=browser(), keys=parts.keys, settings=parts.settings, now=parts.now()
            )
    except (CodeRefused, TooManyGuesses) as error:
        return _code_page(error)
    except SignInRefused:
        session.clear()
        return make_response(redirect(url_for("sessions.login", ended=1, next=_wanted()), 303))
    return _open(token, TOKEN)


@blueprint.post("/logout")
def logout() -> Response:
    """End this sign-in."""
    sign_ins.sign_out(session.get(TOKEN, ""), now=wiring().now())
    session.clear()
    return make_response(redirect(url_for("sessions.login", left=1), 303))


def _open(token: str, kind: str) -> Response:
    session.clear()  # whatever was in the cookie before, perhaps put there by somebody else
    session.permanent = True
    session[kind] = token
    landing = _landing() if kind == TOKEN else url_for("sessions.code", next=_wanted() or None)
    return make_response(redirect(landing, 303))


def _code_page(error: CommentsError | None = None) -> Response:
    html = render_template(
        "login_code.html", **moderators_words(), error=error, minutes=minutes_to_wait(error), next=_wanted()
    )
    return answer(html, error)


def _half_signed_in() -> ModeratorView | None:
    return sign_ins.half_signed_in(session.get(HALF, ""), now=wiring().now()) if HALF in session else None


def _login_page(*, name: str = "", error: CommentsError | None = None) -> Response:
    html = render_template(
        "login.html",
        **moderators_words(),
        name=name,
        error=error,
        minutes=minutes_to_wait(error),
        next=_wanted(),
        told=next((word for word in ("left", "left_all", "ended", "joined") if word in request.args), None),
    )
    return answer(html, error)


def signed_in() -> ModeratorView | None:
    """Whose browser this is, if somebody is signed in."""
    token = session.get(TOKEN)
    parts = wiring()
    return sign_ins.current_moderator(token, settings=parts.settings, now=parts.now()) if token else None


def _wanted() -> str:
    return request.values.get("next", "")


def _landing() -> str:
    """Where to go after the sign-in: a page of ours, never an address that somebody wrote into a link."""
    parts = urlsplit(_wanted()) if _wanted().isprintable() else urlsplit("")
    if parts.scheme or parts.netloc or not _is_landing(parts.path):
        return url_for("queue.show")
    query = urlencode(parse_qsl(parts.query))
    return f"{wiring().settings.public_path}{parts.path}{'?' if query else ''}{query}"


def _is_landing(path: str) -> bool:
    return path in LANDINGS or DEEPER_LANDINGS.fullmatch(path) is not None


def _guard() -> None:
    if not is_moderators(request.path):
        return
    if not request.is_secure and _host() not in LOCAL_HOSTS:
        raise InsecureConnection
    _refuse_nul()
    if request.method not in SAFE_METHODS:
        _refuse_foreign_forms()


def _keep_nowhere(response: Response) -> Response:
    """Whatever moderators get, tables and redirects too, stays in no cache; nor does what letters lead to."""
    if is_moderators(request.path) or request.path.startswith(LETTERS):
        response.headers["Cache-Control"] = "no-store"
    return response


def _host() -> str:
    host, _, port = request.host.rpartition(":")
    return host if host and port.isdigit() else request.host


def _refuse_nul() -> None:
    """Nothing that an address may ask for has a NUL in it, and PostgreSQL fails wherever it compares one."""
    asked = request.query_string  # as it came: what is no UTF-8 either is told later, in its own words
    if b"%00" in asked or b"\0" in asked:
        raise Malformed


def _refuse_foreign_forms() -> None:
    """Let our own pages alone send forms here, before their token is looked at.

    Browsers say where a form comes from; Fetch Metadata where they have it, else Origin or Referer.
    """
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        if fetch_site != "same-origin":
            raise FormRefused
        return
    sender = request.headers.get("Origin") or request.headers.get("Referer")
    if sender is None:
        if request.is_secure:
            raise FormRefused
        return
    scheme, _, rest = sender.partition("://")
    if not same_origin(f"{scheme}://{rest.partition('/')[0]}", (wiring().settings.public_origin,)):
        raise FormRefused

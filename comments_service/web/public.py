"""The door without JavaScript: the thread as a page with its form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, redirect, render_template, request

from comments_service import tokens, votes
from comments_service.article_url import same_origin
from comments_service.errors import (
    ArticleRefused,
    CommentNotFound,
    CommentsError,
    DuplicateComment,
    FieldsRefused,
    Malformed,
    OriginRefused,
    StoreUnavailable,
    ThreadClosed,
    TicketRefused,
    TooManyComments,
)
from comments_service.faces import face_of
from comments_service.opinions import Choice
from comments_service.privacy import network_of
from comments_service.snapshot.question import Question
from comments_service.vocabulary import CommentView, SiteView
from comments_service.web.asked import article_of, page_of, published_of, question_of, site_of
from comments_service.web.forms import FIELD_NAMES, CommentForm, comment_id
from comments_service.web.hurry import count_preview, count_vote
from comments_service.web.intake import Sent, giving_context, preview_of, take_in, tokens_for, words_for
from comments_service.web.own_forms import read_form
from comments_service.web.wiring import wiring
from comments_service.web.words import page_words

KEPT_ERRORS = (
    DuplicateComment,
    ThreadClosed,
    TicketRefused,
    TooManyComments,
    FieldsRefused,
    StoreUnavailable,
)

blueprint = Blueprint("public", __name__)


@dataclass(frozen=True)
class Typed:
    """What a reader typed and what was wrong with it, to be shown again."""

    fields: dict[str, str]
    errors: dict[str, str]
    message: str = ""
    html: str = ""  # the preview, safe


@blueprint.url_value_preprocessor
def load_site(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Put the site into `g` before any view runs."""
    if values and "site_key" in values:
        g.site = site_of(values.pop("site_key"))


@blueprint.get("/sites/<site_key>/thread")
def thread() -> Response:
    """An article's comments and the form, as a page that needs no JavaScript."""
    if "url" not in request.args:
        return _from_referrer(g.site)
    return _page(question_of(g.site), Typed({"parent": request.args.get("reply", "")}, {}))


@blueprint.post("/sites/<site_key>/thread")
def post_comment() -> Response:
    """Take the form in: 303 to the status page, or the page again with everything typed."""
    site: SiteView = g.site
    _refuse_foreign_form()
    fields = read_form((*FIELD_NAMES, "do"))
    question = question_of(site)
    if fields.pop("do", "") == "preview":
        return _preview(question, fields)
    fields |= {"url": question.article.url} | _only(id=question.article.explicit_id, title=question.title)
    try:
        ticket = tokens.read_ticket(
            wiring().keys,
            fields.get("ticket", ""),
            site=site.key,
            article=question.article,
            now=wiring().now(),
            lifetime_seconds=wiring().settings.ticket_lifetime_seconds,
        )
        receipt = take_in(site, Sent(fields, [], ticket.nonce, by_page=True), lang=page_language(question))
    except KEPT_ERRORS as error:
        return _again(question, fields, error)
    _, status_url = tokens_for(site, receipt)
    return make_response(redirect(status_url, 303))


@blueprint.post("/sites/<site_key>/thread/votes")
def vote() -> Response:
    """Count a vote of a page's form, and lead back to the comment: there it can be taken back."""
    _refuse_foreign_form()
    count_vote()
    fields = read_form(("comment", "vote"))
    found = published_of(fields.get("comment", ""))
    if found.site.id != g.site.id:
        raise CommentNotFound
    if fields.get("vote") not in list(Choice):
        raise Malformed
    choice, number, parts = Choice(fields["vote"]), found.view.id, wiring()
    ballot = votes.Ballot(number, choice, network_of(request.remote_addr or ""))
    votes.cast(ballot, keys=parts.keys, now=parts.now())
    question = question_of(g.site)
    voted = number if choice is not Choice.NONE else None
    back = thread_address(question, **_place(question), voted=voted)
    return make_response(redirect(f"{back}#comment-{number}", 303))


def _from_referrer(site: SiteView) -> Response:
    """The owner's noscript line names no address: the page it stands on does. What else it says is kept."""
    referrer = request.headers.get("Referer", "")
    try:
        article = article_of(site, referrer, None)
    except ArticleRefused as error:
        catalogue = wiring().catalogue
        lang = catalogue.language(request.args.get("lang"), site.language)
        raise FieldsRefused(catalogue.text(lang, "page.error.no-referrer", overrides=site.texts)) from error
    more = _only(**{name: request.args.get(name) for name in ("id", "title", "lang", "sort")})
    query = urlencode({"url": article.url} | more)
    return make_response(redirect(wiring().absolute(f"/sites/{site.key}/thread?{query}"), 303))


def _page(question: Question, typed: Typed, status: int = 200) -> Response:
    site = question.site
    if typed.fields.get("parent") and not (question.cursor or question.comment):
        question = replace(question, comment=comment_id(typed.fields["parent"]))
    page = page_of(question)
    html = render_template(
        "public/thread.html",
        **_words(site, page_language(question)),
        site=site,
        page=page,
        typed=typed,
        ticket=_fresh_ticket(question, typed),
        parent=_parent(page.comments, typed.fields.get("parent", "")),
        shown={comment.id: comment for comment in page.comments},
        sorts=site.options.sorts,
        face_of=face_of,
        at=lambda **more: thread_address(question, **more),
        here=lambda **more: thread_address(question, **_place(question), **more),
        place_of=lambda comment: f"{thread_address(question, comment=comment.id)}#comment-{comment.id}",
        answered_at=lambda comment: f"#comment-{comment.id}",
        is_first=not (question.cursor or question.comment),
        votes_at=thread_address(question, "/votes", **_place(question)),
        report_at=lambda comment: _report_address(comment.id),
        voted=comment_id(request.args.get("voted", "")),
    )
    response = make_response(html, status)
    response.headers["Cache-Control"] = "private, no-cache"  # no-store would empty the form on "back"
    return response


def _fresh_ticket(question: Question, typed: Typed) -> str:
    context = giving_context(question.site, question.article, earlier=typed.fields.get("ticket", ""))
    return CommentForm(None, context).fresh_ticket


def _again(question: Question, fields: dict[str, str], error: CommentsError) -> Response:
    """The form once more: the text, the wrong fields, a fresh ticket."""
    wrong = {e.field: e.detail for e in error.errors}
    lang = page_language(question)
    if isinstance(error, FieldsRefused):
        other = [text for field, text in wrong.items() if field not in ("text", "name", "email", "website")]
        count = wiring().catalogue.plural(
            "error.summary", len(wrong), lang=lang, overrides=question.site.texts
        )
        message = " ".join(other) or count
    else:
        message = words_for(error, question.site, lang)
    response = _page(question, Typed(_kept(fields), wrong, message), error.status)
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _preview(question: Question, fields: dict[str, str]) -> Response:
    """The form once more, with the text above it as it will look; nothing is stored."""
    count_preview()
    try:
        html = preview_of(question.site, fields, [], lang=page_language(question))
    except FieldsRefused as error:
        return _again(question, fields, error)
    return _page(question, Typed(_kept(fields), {}, html=html))


def _kept(fields: dict[str, str]) -> dict[str, str]:
    """The email is asked for again: a page stays in the browser's cache, for whoever sits there next."""
    return {name: value for name, value in fields.items() if name != "email"}


def _refuse_foreign_form() -> None:
    origin = request.headers.get("Origin")
    if origin is None and request.headers.get("Sec-Fetch-Site") == "same-origin":
        return
    if origin is None or not same_origin(origin, (wiring().settings.public_origin,)):
        raise OriginRefused("This form can be sent from our own page only.")


def thread_address(question: Question, below: str = "", /, **more: object) -> str:
    """The address of a thread's page, with something added: which comment to answer, which part to show."""
    known = {"url": question.article.url, "id": question.article.explicit_id, "title": question.title}
    known |= {"lang": request.args.get("lang"), "sort": request.args.get("sort")}
    query = urlencode(_only(**known) | {name: str(value) for name, value in more.items() if value})
    return wiring().absolute(f"/sites/{question.site.key}/thread{below}?{query}")


def _report_address(number: int) -> str:
    query = urlencode(_only(lang=request.args.get("lang")))
    return wiring().absolute(f"/comments/{number}/report{'?' if query else ''}{query}")


def _place(question: Question) -> dict[str, str | None]:
    """Which part of the thread is asked for, as the address says it."""
    return {"cursor": question.cursor, "comment": str(question.comment) if question.comment else None}


def _only(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _parent(comments: tuple[CommentView, ...], text: str) -> CommentView | None:
    number = comment_id(text)
    return next((c for c in comments if c.id == number and not c.is_removed), None)


def page_language(question: Question) -> str:
    """The language that a page for this question speaks."""
    return wiring().catalogue.language(question.lang, question.site.language)


def _words(site: SiteView, lang: str) -> dict[str, Any]:
    """What a page of this site needs to speak, and the line about privacy."""
    parts = wiring()
    days = parts.settings.network_retention_days
    told = site.options.told_neighbours
    privacy = parts.catalogue.privacy_note(lang, site.texts, network_days=days, neighbours=told)
    return page_words(lang, site.texts) | {"privacy": privacy}

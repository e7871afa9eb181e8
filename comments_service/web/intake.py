"""What both public doors do with a form: make it a submission, hand it down, word the errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import request

from comments_service import tokens
from comments_service.errors import (
    ArticleRefused,
    CommentsError,
    FieldError,
    FieldsRefused,
    SignedNameRefused,
)
from comments_service.markup import render
from comments_service.privacy import network_of
from comments_service.proof import is_solved
from comments_service.sending import Proof, Sending
from comments_service.signed_names import read_signed_name
from comments_service.spam.history import is_spent
from comments_service.spam.suspicion import asks_proof
from comments_service.submit import submit
from comments_service.vocabulary import ArticleRef, Receipt, SignedName, SiteView, Submission
from comments_service.web.asked import article_of
from comments_service.web.forms import (
    EDITORS,
    TRAP,
    CommentForm,
    TextForm,
    TicketContext,
    clean_title,
    comment_id,
    refuse_wrong_fields,
)
from comments_service.web.wiring import wiring
from comments_service.web.worded import worded

MAX_HEADER_CHARACTERS = 1_000


@dataclass(frozen=True)
class Sent:
    """What came in by a door: the fields that are text, the errors so far, and the key of this sending."""

    fields: Mapping[str, str]
    errors: list[FieldError]
    idempotency_key: str
    by_page: bool = False


def ticket_context(site: SiteView, article: ArticleRef) -> TicketContext:
    """What a ticket of this site and article is held against."""
    parts = wiring()
    return TicketContext(site, article, parts.keys, parts.now(), parts.settings.ticket_lifetime_seconds)


def giving_context(site: SiteView, article: ArticleRef, *, earlier: str) -> TicketContext:
    """The same for a form that is about to be shown: whether its browser is asked for work.

    `earlier` is the ticket that the form had until now, if any: it proves since when it has been open.
    """
    context = ticket_context(site, article)
    network = network_of(request.remote_addr or "")
    hashes = context.keys.network_hashes(network, site_id=site.id)
    asks = asks_proof(site, article, hashes, now=context.now)
    return replace(context, asks_proof=asks, first=_opening(site, article, earlier))


def _opening(site: SiteView, article: ArticleRef, earlier: str) -> tokens.Opening | None:
    """When the form with this ticket was first shown; after it has brought a comment the next is new."""
    parts = wiring()
    opening = tokens.opening_of(parts.keys, earlier, site=site.key, article=article, now=parts.now())
    return None if opening is None or is_spent(site.id, opening.nonce) else opening


def take_in(site: SiteView, sent: Sent, *, lang: str) -> Receipt:
    """Check the form and submit it.

    Raises: TicketRefused, FieldsRefused with sentences in `lang`, StoreUnavailable, and what `submit` raises.
    """
    with worded(site, lang):
        return _take_in(site, sent)


def _take_in(site: SiteView, sent: Sent) -> Receipt:
    parts = wiring()
    article = _article(site, sent)
    signed = _signed(site, sent)
    if signed is not None:
        sent = replace(sent, fields={**sent.fields, "name": signed.name})
    form = CommentForm(sent.fields, ticket_context(site, article))
    refuse_wrong_fields(form, sent.errors)
    submission = Submission(
        site=site,
        article=article,
        title=clean_title(sent.fields.get("title", "")),
        parent_id=comment_id(form.parent.data) if form.parent.data else None,
        name=form.name.data or "",
        email=form.email.data or None,
        website=form.website.data or None,
        text=form.text.data or "",
        network=network_of(request.remote_addr or ""),
        idempotency_key=sent.idempotency_key,
        previous=sent.fields.get("previous"),
        is_letter=form.audience.data == EDITORS,
        signed=signed,
        sending=_sending(form, sent, is_signed=signed is not None),
    )
    return submit(submission, settings=parts.settings, keys=parts.key_source, now=parts.now())


def _sending(form: CommentForm, sent: Sent, *, is_signed: bool) -> Sending:
    """How it came: what its ticket tells, and the field that no person sees."""
    ticket, now = form.read_ticket, wiring().now()
    return Sending(
        seconds=max(0, int((now - ticket.opening.at).total_seconds())),
        nonce=ticket.opening.nonce,
        by_page=sent.by_page,
        is_trapped=bool(sent.fields.get(TRAP)),
        agent=header("User-Agent"),
        referrer=header("Referer"),
        proof=Proof.NOT_ASKED if is_signed else _proof(ticket, sent.fields.get("proof", "")),
    )


def _proof(ticket: tokens.Ticket, sent: str) -> Proof:
    """What is wrong with the work that came is told to nobody; the comment waits as if there were none."""
    if not ticket.asks_proof:
        return Proof.NOT_ASKED
    return Proof.GIVEN if is_solved(wiring().keys, sent, ticket) else Proof.MISSING


def header(name: str) -> str:
    """What the browser says of itself under this name, as far as anybody needs it."""
    return request.headers.get(name, "")[:MAX_HEADER_CHARACTERS]


def preview_of(site: SiteView, fields: Mapping[str, str], errors: list[FieldError], *, lang: str) -> str:
    """A text as it would be shown as a comment: safe HTML.

    Raises: FieldsRefused with sentences in `lang`.
    """
    form = TextForm(fields, site)
    with worded(site, lang):
        refuse_wrong_fields(form, [error for error in errors if error.field == "text"])
    return render(form.text.data or "")


def _signed(site: SiteView, sent: Sent) -> SignedName | None:
    """Who the owner's page says is writing, if it says so.

    Raises: SignedNameRefused, also where the site takes no signed names: nobody writes under another one.
    """
    told, edition = sent.fields.get("user"), site.options.signed_names
    if not told:
        return None
    if not edition:
        raise SignedNameRefused
    parts = wiring()
    return read_signed_name(parts.keys.site_secrets(site.key, edition), told, now=parts.now())


def _article(site: SiteView, sent: Sent) -> ArticleRef:
    """The article, or all wrong fields: without an article no ticket fits, so the form is asked apart."""
    try:
        wrong_types = {error.field for error in sent.errors}
        if wrong_types & {"url", "id"}:
            raise FieldsRefused(errors=tuple(sent.errors))
        return article_of(site, sent.fields.get("url"), sent.fields.get("id"))
    except ArticleRefused as error:
        raise FieldsRefused(errors=(*sent.errors, *error.errors)) from error


def tokens_for(site: SiteView, receipt: Receipt) -> tuple[str, str]:
    """The author's receipt and the address of the status page: the same for every repetition."""
    parts = wiring()
    name = tokens.receipt(parts.keys, site=site.key, comment_id=receipt.comment_id)
    page = tokens.status_token(
        parts.keys, site=site.key, comment_id=receipt.comment_id, created_at=receipt.created_at
    )
    return name, parts.absolute(f"/status/{page}")


def words_for(error: CommentsError, site: SiteView, lang: str) -> str:
    """The sentence a reader sees for an error that is not about one field."""
    catalogue = wiring().catalogue
    if error.retry_after_seconds is not None and error.slug == "too-many":
        return catalogue.plural("error.too-many", error.retry_after_seconds, lang=lang, overrides=site.texts)
    return catalogue.text(lang, f"error.{error.slug}", overrides=site.texts)

"""Signed things: the form's ticket, the author's receipt, the status page's token, the links in letters.

Each has its own key and salt, so that none passes for another. All are checked before they are read.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from comments_service.errors import CommentNotFound, LinkEnded, ReceiptRefused, TicketRefused
from comments_service.privacy import Keyring
from comments_service.vocabulary import ArticleRef

STATUS_PAGE_DAYS = 30
LETTER_LINK_DAYS = 7
OPENING_LASTS = timedelta(days=7)  # so long a form may lie before it is sent
MAX_CLOCK_LEAD_SECONDS = 5  # clocks of two machines behind one address differ by less


@dataclass(frozen=True)
class Opening:
    """When a form was first shown, and the nonce of the ticket that it had then."""

    nonce: str
    at: datetime


@dataclass(frozen=True)
class Ticket:
    """What a form may be sent with: one site, one article, a nonce of its own, and a beginning.

    `asks_proof`: its browser was asked for work (proof.py). The ticket says so, for the work may be left out.
    `first` is there where the form had another ticket before: a preview is no new form.
    """

    site: str
    article: str
    nonce: str
    issued_at: datetime
    asks_proof: bool = False
    first: Opening | None = None

    @property
    def opening(self) -> Opening:
        """When its form was first shown."""
        return self.first or Opening(self.nonce, self.issued_at)


@dataclass(frozen=True)
class ConfirmLink:
    """What a letter's link may be used for: one moderator, one comment as it was in this version.

    `mark` is that of the address the letter went to: another mark there ends the link.
    """

    moderator_id: int
    comment_id: int
    version: int
    mark: str


def new_ticket(
    *,
    site: str,
    article: ArticleRef,
    now: datetime,
    asks_proof: bool = False,
    first: Opening | None = None,
) -> Ticket:
    """A fresh ticket for a form below one article. `site` is the public key."""
    return Ticket(site, _article_mark(article), secrets.token_urlsafe(16), now, asks_proof, first)


def sign_ticket(keys: Keyring, ticket: Ticket) -> str:
    """A ticket as it travels."""
    more: list[str | int] = [1] if ticket.asks_proof else []
    if ticket.first is not None:
        more = [int(ticket.asks_proof), ticket.first.nonce, _seconds(ticket.first.at)]
    return _sign(
        keys, "ticket", [ticket.site, ticket.article, ticket.nonce, _seconds(ticket.issued_at), *more]
    )


def read_ticket(
    keys: Keyring, token: str, *, site: str, article: ArticleRef, now: datetime, lifetime_seconds: int
) -> Ticket:
    """Read a ticket back, if it is ours and was given for this site and article.

    Raises: TicketRefused when it is forged, someone else's, too old, or from the future.
    """
    ticket = _ticket_for(keys, token, site, article)
    if ticket is None:
        raise TicketRefused
    age = now - ticket.issued_at
    if not timedelta(seconds=-MAX_CLOCK_LEAD_SECONDS) <= age < timedelta(seconds=lifetime_seconds):
        raise TicketRefused
    return ticket


def opening_of(keys: Keyring, token: str, *, site: str, article: ArticleRef, now: datetime) -> Opening | None:
    """When the form with this ticket was first shown; None if it is not ours for it, or was a week ago."""
    ticket = _ticket_for(keys, token, site, article)
    return ticket.opening if ticket is not None and now - ticket.opening.at < OPENING_LASTS else None


def _ticket_for(keys: Keyring, token: str, site: str, article: ArticleRef) -> Ticket | None:
    match _verified(keys, "ticket", token):
        case [str(its_site), str(mark), str(nonce), int(issued), *more]:
            ticket = Ticket(its_site, mark, nonce, _moment(issued), *_told_besides(more))
        case _:
            return None
    return ticket if (ticket.site, ticket.article) == (site, _article_mark(article)) else None


def _told_besides(more: list[Any]) -> tuple[bool, Opening | None]:
    match more:
        case [asked, nonce, at]:
            return bool(asked), Opening(nonce, _moment(at))
    return bool(more), None


def receipt(keys: Keyring, *, site: str, comment_id: int) -> str:
    """Sign the author's right to one comment. The same comment always gets the same receipt."""
    return _sign(keys, "receipt", [site, comment_id])


def read_receipt(keys: Keyring, token: str) -> tuple[str, int]:
    """Read a receipt: the site's public key and the comment's id.

    Raises: ReceiptRefused. A receipt has no end of its own.
    """
    match _verified(keys, "receipt", token):
        case [str(site), int(comment_id)]:
            return site, comment_id
    raise ReceiptRefused


def status_token(keys: Keyring, *, site: str, comment_id: int, created_at: datetime) -> str:
    """Sign the address of one comment's status page. The same comment always gets the same token."""
    return _sign(keys, "status", [site, comment_id, _seconds(created_at)])


def read_status_token(keys: Keyring, token: str, *, now: datetime) -> tuple[str, int]:
    """Read a status page's token: the site's public key and the comment's id.

    Raises: CommentNotFound when it is forged, or 30 days have gone since the comment was made.
    """
    match _verified(keys, "status", token):
        case [str(site), int(comment_id), int(created)]:
            if _seconds(now) < created + STATUS_PAGE_DAYS * 86_400:
                return site, comment_id
    raise CommentNotFound


def confirm_token(keys: Keyring, link: ConfirmLink, *, now: datetime) -> str:
    """Sign the address where one moderator may decide about one comment, for seven days."""
    about: list[str | int] = [link.moderator_id, link.comment_id, link.version, link.mark]
    return _sign(keys, "confirm", [*about, _seconds(now)])


def read_confirm_token(keys: Keyring, token: str, *, now: datetime) -> ConfirmLink:
    """Read that address back.

    Raises: LinkEnded when it is forged or too old.
    """
    match _verified(keys, "confirm", token):
        case [int(whose), int(comment_id), int(version), str(mark), int(issued)] if _is_young(issued, now):
            return ConfirmLink(whose, comment_id, version, mark)
    raise LinkEnded


def address_token(keys: Keyring, *, moderator_id: int, mark: str, now: datetime) -> str:
    """Sign the link that proves a moderator's address, for seven days. `mark` names that one address."""
    return _sign(keys, "address", [moderator_id, mark, _seconds(now)])


def read_address_token(keys: Keyring, token: str, *, now: datetime) -> tuple[int, str]:
    """Read that link back: the moderator's id and the mark.

    Raises: LinkEnded when it is forged or too old.
    """
    match _verified(keys, "address", token):
        case [int(moderator_id), str(mark), int(issued)] if _is_young(issued, now):
            return moderator_id, mark
    raise LinkEnded


def stop_token(keys: Keyring, *, moderator_id: int, site_id: int, address: str) -> str:
    """Sign the link that ends somebody's letters about a site, as long as they go to that address.

    It has no other end: letters are kept for years. `address` is a keyed hash, in hex.
    """
    return _sign(keys, "stop", [moderator_id, site_id, address])


def read_stop_token(keys: Keyring, token: str) -> tuple[int, int, str]:
    """Read that link back: the moderator's id, the site's, and what names the address.

    Raises: LinkEnded when it is forged.
    """
    match _verified(keys, "stop", token):
        case [int(moderator_id), int(site_id), str(address)]:
            return moderator_id, site_id, address
    raise LinkEnded


def _is_young(issued: int, now: datetime) -> bool:
    return _seconds(now) < issued + LETTER_LINK_DAYS * 86_400


def _sign(keys: Keyring, purpose: str, payload: list[str | int]) -> str:
    return _serializer(keys, purpose).dumps(payload)


def _verified(keys: Keyring, purpose: str, token: str) -> Any:
    """Give the payload of a token signed for this purpose, or None."""
    if not token.isascii() or not _has_canonical_signature(token):
        return None
    try:
        return _serializer(keys, purpose).loads(token)
    except BadData:
        return None


def _serializer(keys: Keyring, purpose: str) -> URLSafeSerializer:
    signer = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeSerializer(keys.signing_keys(purpose), salt=purpose, signer_kwargs=signer)


def _has_canonical_signature(token: str) -> bool:
    # 32 bytes leave two spare bits in their last base64 letter, and the decoder skips foreign letters:
    # without this several spellings of one signature would pass, and "used once" could not be kept by text.
    signature = token.rpartition(".")[2]
    try:
        return base64_encode(base64_decode(signature)) == signature.encode()
    except BadData:
        return False


def _article_mark(article: ArticleRef) -> str:
    # The owner's id comes first, as everywhere: a page that moves keeps its tickets. Hashed, since an
    # address may have 2,000 characters and the ticket travels in a form.
    name = f"url:{article.normalised_url}" if article.explicit_id is None else f"id:{article.explicit_id}"
    return base64_encode(hashlib.sha256(name.encode(errors="surrogatepass")).digest()[:16]).decode()


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

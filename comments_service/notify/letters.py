"""What a letter tells, looked up at the moment it leaves: nothing of a comment that is decided or gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from comments_service import tokens
from comments_service.blocklists.entries import MET_TEXTS
from comments_service.errors import KeyRefused
from comments_service.markup import excerpt, plain
from comments_service.notify.addresses import ADDRESS_COLUMN, address_names, is_given_as
from comments_service.notify.mail import Letter, defanged
from comments_service.notify.outbox import Claimed
from comments_service.notify.recipients import moderator_now, wish_of
from comments_service.privacy import Keyring, mask_email
from comments_service.settings import Settings
from comments_service.storage.database import reading
from comments_service.storage.models import Comment, Site, Thread
from comments_service.storage.outbox import Kind, LetterAddress, Wish
from comments_service.submit import EMAIL_COLUMN
from comments_service.texts import SOURCE_LANGUAGE, Catalogue
from comments_service.tokens import ConfirmLink
from comments_service.vocabulary import MAX_TITLE_CHARACTERS, ModeratorView, Role, Status

MAX_TEXT_CHARACTERS = 5_000  # the rest is on the page that the letter leads to
EXCERPT_CHARACTERS = 280
NAME_CHARACTERS = 80
DIGEST_LINES = 20
UNREADABLE_EMAIL = "•••"


@dataclass(frozen=True)
class Unneeded:
    """There is nothing to tell any more, and why."""

    why: str


@dataclass(frozen=True)
class Told:
    """One waiting comment as a letter tells of it: plain words, and no link but ours.

    Of an author's edit, `stands` is what stands on the page as long as it waits.
    """

    author: str
    email: str | None
    website: str | None
    title: str
    article: str
    parent: str | None
    text: str
    is_cut: bool
    excerpt: str
    reasons: tuple[str, ...]
    is_letter: bool
    stands: str | None
    created_at: datetime
    url: str


@dataclass(frozen=True)
class _Desk:
    """Who writes: the keys and settings of the moment, and the reader's language."""

    settings: Settings
    keys: Keyring
    lang: str
    now: datetime

    def say(self, key: str, /, **values: Any) -> str:
        return Catalogue.load().text(self.lang, key, **values)

    def url(self, path: str) -> str:
        return f"{self.settings.public_url}{path}"


@dataclass(frozen=True)
class _Recipient:
    """Who a letter goes to, where, and the mark that its links are good for."""

    moderator: ModeratorView
    to: str
    mark: str


def write(claimed: Claimed, *, settings: Settings, keys: Keyring, now: datetime) -> Letter | Unneeded:
    """The letter of one row of the outbox, or why there is none any more.

    Raises: KeyRefused when the address cannot be opened.
    """
    with reading() as session:
        moderator = moderator_now(session, claimed.moderator_id)
        address = session.get(LetterAddress, claimed.moderator_id)
        if moderator is None or address is None:
            return Unneeded("Nobody has this address any more.")
        to = keys.open(address.email_sealed, column=ADDRESS_COLUMN)
        if claimed.kind == Kind.ADDRESS:
            is_it = claimed.address_hash is not None and is_given_as(keys, to, claimed.address_hash)
            if not is_it or address.confirmed_at is not None:
                return Unneeded("The address was confirmed or changed meanwhile.")
            return _address_letter(moderator, address, to, settings, keys, now)
        site = session.get(Site, claimed.site_id) if claimed.site_id is not None else None
        if site is None or address.confirmed_at is None or not moderator.access.may(Role.MODERATOR, site.id):
            return Unneeded("This moderator decides nothing there any more.")
        lang = Catalogue.load().language(None, site.language)
        desk, recipient = _Desk(settings, keys, lang, now), _Recipient(moderator, to, address.mark)
        wish = wish_of(session, moderator.id, site.id)
        if claimed.kind == Kind.DIGEST:
            return _digest(session, desk, recipient, site) if wish != Wish.OFF else Unneeded(UNWANTED)
        if wish != Wish.EACH:
            return Unneeded(UNWANTED)
        return _one(session, desk, recipient, site, claimed.comment_id)


UNWANTED = "The moderator wants no such letters any more."


def _one(
    session: Session, desk: _Desk, recipient: _Recipient, site: Site, comment_id: int | None
) -> Letter | Unneeded:
    found = session.execute(_waiting(site.id).where(Comment.id == comment_id)).first()
    if found is None:
        return Unneeded("The comment was decided meanwhile.")
    told = _told(session, desk, recipient, found.Comment, found.Thread)
    return _letter(desk, recipient, site, "waiting", told=told, waiting=_count(session, site.id))


def _digest(session: Session, desk: _Desk, recipient: _Recipient, site: Site) -> Letter | Unneeded:
    page = _waiting(site.id).order_by(Comment.created_at, Comment.id).limit(DIGEST_LINES)
    rows = session.execute(page).all()
    if not rows:
        return Unneeded("Nothing waits any more.")
    told = [_told(session, desk, recipient, row.Comment, row.Thread) for row in rows]
    waiting = _count(session, site.id)
    more = {"all_told": told, "waiting": waiting, "rest": waiting - len(told), "oldest": told[0].created_at}
    return _letter(desk, recipient, site, "digest", **more)


def _address_letter(
    moderator: ModeratorView,
    address: LetterAddress,
    to: str,
    settings: Settings,
    keys: Keyring,
    now: datetime,
) -> Letter:
    token = tokens.address_token(keys, moderator_id=moderator.id, mark=address.mark, now=now)
    desk = _Desk(settings, keys, SOURCE_LANGUAGE, now)
    values = {
        "moderator": defanged(plain(moderator.name, NAME_CHARACTERS)),
        "url": desk.url(f"/letters/address/{token}"),
        "service": settings.public_url,
        "days": tokens.LETTER_LINK_DAYS,
    }
    return Letter(to, "address", desk.lang, values)


def _letter(desk: _Desk, recipient: _Recipient, site: Site, template: str, **values: object) -> Letter:
    address = address_names(desk.keys, recipient.to)[0]
    token = tokens.stop_token(
        desk.keys, moderator_id=recipient.moderator.id, site_id=site.id, address=address
    )
    stop_url = desk.url(f"/letters/stop/{token}")
    values |= {
        "site_name": defanged(plain(site.name, NAME_CHARACTERS)),
        "queue_url": desk.url(f"/queue?status=pending&site={site.key}"),
        "letters_url": desk.url("/account/letters"),
        "stop_url": stop_url,
        "days": tokens.LETTER_LINK_DAYS,
    }
    return Letter(recipient.to, template, desk.lang, values, (site.key, site.name), stop_url)


def _told(session: Session, desk: _Desk, recipient: _Recipient, comment: Comment, thread: Thread) -> Told:
    link = ConfirmLink(recipient.moderator.id, comment.id, comment.version, recipient.mark)
    token = tokens.confirm_token(desk.keys, link, now=desk.now)
    title = plain(thread.title, MAX_TITLE_CHARACTERS) or desk.say("queue.article.untitled")
    return Told(
        author=_name(comment, desk),
        email=_masked(comment, desk.keys),
        website=defanged(comment.website) if comment.website else None,
        title=defanged(title),
        article=defanged(comment.page_url),
        parent=_parent(session, desk, comment),
        text=defanged(comment.text[:MAX_TEXT_CHARACTERS]),
        is_cut=len(comment.text) > MAX_TEXT_CHARACTERS,
        excerpt=defanged(excerpt(comment.text, EXCERPT_CHARACTERS)),
        reasons=tuple(_reasons(desk, comment)),
        is_letter=comment.is_letter,
        stands=_stands(session, comment),
        created_at=comment.created_at,
        url=desk.url(f"/confirm/{token}"),
    )


def _stands(session: Session, edit: Comment) -> str | None:
    comment = session.get(Comment, edit.edits_id) if edit.edits_id else None
    return defanged(excerpt(comment.text, EXCERPT_CHARACTERS)) if comment is not None else None


def _name(comment: Comment, desk: _Desk) -> str:
    return defanged(plain(comment.name, NAME_CHARACTERS)) or desk.say("thread.anonymous")


def _masked(comment: Comment, keys: Keyring) -> str | None:
    if comment.email_sealed is None:
        return None
    try:
        return mask_email(keys.open(comment.email_sealed, column=EMAIL_COLUMN))
    except KeyRefused:
        return UNREADABLE_EMAIL


def _parent(session: Session, desk: _Desk, comment: Comment) -> str | None:
    parent = session.get(Comment, comment.parent_id) if comment.parent_id else None
    if parent is None or parent.is_purged:
        return None
    said = defanged(excerpt(parent.text, EXCERPT_CHARACTERS))
    return desk.say("letter.parent", name=_name(parent, desk), excerpt=said)


def _reasons(desk: _Desk, comment: Comment) -> Sequence[str]:
    """Why it waits, with the words that fired; codes of an earlier release may have no sentence any more."""
    known = Catalogue.load().languages[desk.lang]
    found = comment.verdict.get("reasons") or [{"code": comment.verdict_reason}]
    return [
        " ".join([desk.say(f"queue.reason.{reason['code']}"), *_words_of(reason, desk)])
        for reason in found
        if f"queue.reason.{reason['code']}" in known
    ]


def _words_of(reason: Mapping[str, Any], desk: _Desk) -> list[str]:
    met = [str(word) for word in reason.get("words") or ()]
    told = (desk.say(MET_TEXTS[word]) if word in MET_TEXTS else word for word in met)
    words = ", ".join(defanged(plain(word, NAME_CHARACTERS)) for word in told)
    return [f"({words})"] if words else []


def _waiting(site_id: int) -> Select[Comment, Thread]:
    return (
        select(Comment, Thread)
        .join(Thread, Thread.id == Comment.thread_id)
        .where(Comment.status == Status.PENDING, Comment.site_id == site_id)
        .where(Comment.is_purged.is_(False), Comment.is_quietly_declined.is_(False))
    )


def _count(session: Session, site_id: int) -> int:
    return session.scalar(select(func.count()).select_from(_waiting(site_id).subquery())) or 0

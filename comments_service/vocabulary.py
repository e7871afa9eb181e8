"""The words everybody may use: frozen values that pass between rooms. Imports only other words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from comments_service.options import Options
from comments_service.sending import Sending

MAX_NAME_CHARACTERS = 245  # WordPress' column of 255 bytes less its margin of 10: imports fit unchanged
MAX_EMAIL_CHARACTERS = 254  # RFC 5321 §4.5.3.1.3: a path has 256 octets, two of them the angle brackets
MAX_WEBSITE_CHARACTERS = 200
MAX_TEXT_BYTES = 65_525  # MySQL's TEXT less ten, so that every export can be taken home to WordPress
MAX_TITLE_CHARACTERS = 300
MAX_URL_CHARACTERS = 2_000
MAX_ARTICLE_ID_CHARACTERS = 200
MAX_NOTE_CHARACTERS = 500


class Status(StrEnum):
    """Where a comment stands; only `approved` is public and only `approved` counts."""

    PENDING = "pending"
    APPROVED = "approved"
    SPAM = "spam"
    TRASH = "trash"

    @property
    def told(self) -> str:
        """The word for it that an author gets: spam and trash are both told as "declined"."""
        return "declined" if self in (Status.SPAM, Status.TRASH) else str(self)


@dataclass(frozen=True)
class Votes:
    """How many readers voted for a comment, and against it."""

    up: int = 0
    down: int = 0


class Badge(StrEnum):
    """What readers are told of an author, because somebody vouches for it."""

    VERIFIED = "verified"  # the owner's own site signed the name
    AUTHOR = "author"
    MODERATOR = "moderator"


@dataclass(frozen=True)
class SignedName:
    """Who somebody is by the word of the owner's own site. `id` is theirs; a keyed hash of it is kept."""

    id: str
    name: str
    badge: Badge


@dataclass(frozen=True)
class ArticleRef:
    """Which article is meant: the page's own address, its normal form, and the owner's id if there is one."""

    url: str
    normalised_url: str
    explicit_id: str | None = None


@dataclass(frozen=True)
class Rules:
    """What decides about a comment before a person does. 0 switches a number off; entries are as typed."""

    hold_all: bool = True
    hold_newcomers: bool = True
    hold_links_from: int = 2  # as WordPress has it
    count_website: bool = False
    hold_words: tuple[str, ...] = ()
    refuse_words: tuple[str, ...] = ()
    trusted_pass: bool = True
    hold_surge: bool = False
    hold_imitations: bool = True
    hold_doubt_from: int = 50  # percent: as likely spam as not
    refuse_doubt_from: int = 95
    close_after_days: int = 0
    max_depth: int = 5

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Rules:
        """Rules as they are kept in the database; what is not there is as for every new site."""
        return cls().with_own(stored)

    def with_own(self, own: Mapping[str, Any]) -> Rules:
        """The same with an article's own rules in their places."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in own.items()}
        return replace(self, **values)

    def stored(self) -> dict[str, Any]:
        """All of them as they are kept in the database."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self).items()}


@dataclass(frozen=True)
class InForce:
    """The rules of one article: its site's in one version, but for those it has itself (`own`) in another."""

    rules: Rules
    version: int
    own: frozenset[str] = frozenset()
    own_version: int = 0

    def source(self, rule: str) -> tuple[str, int]:
        """Where a rule comes from, site or article, and its version there."""
        return ("article", self.own_version) if rule in self.own else ("site", self.version)

    def is_closed_by_age(self, began_at: datetime, now: datetime) -> bool:
        """Whether an article whose comments began then takes no more."""
        days = self.rules.close_after_days
        return days > 0 and now - began_at >= timedelta(days=days)


@dataclass(frozen=True)
class SiteView:
    """What the rooms need to know of a site. `version` grows with every change of it.

    `blocklist_version` grows with what is put on its blocklists; 0 where nothing ever was.
    """

    id: int
    key: str
    name: str
    origins: tuple[str, ...]
    language: str
    texts: Mapping[str, str | Mapping[str, str]]
    name_required: bool
    email_required: bool
    is_open: bool
    rules: Rules
    rules_version: int
    takes_letters: bool
    options: Options
    version: int
    blocklist_version: int = 0

    @property
    def max_depth(self) -> int:
        """How deep replies are shown where the article has no rule of its own."""
        return self.rules.max_depth

    @property
    def required(self) -> tuple[str, ...]:
        """The fields a reader must fill in, by their names on the wire."""
        names = ("name",) if self.name_required else ()
        emails = ("email",) if self.email_required else ()
        return ("text", *names, *emails)


@dataclass(frozen=True)
class Submission:
    """One comment on its way in: checked by a form, judged by nobody yet. `text` is source, never safe."""

    site: SiteView
    article: ArticleRef
    title: str
    parent_id: int | None
    name: str
    email: str | None
    website: str | None
    text: str
    network: str
    idempotency_key: str
    previous: str | None = None
    is_letter: bool = False
    signed: SignedName | None = None
    sending: Sending = field(default_factory=Sending)


@dataclass(frozen=True)
class Reason:
    """One rule that fired: its code, whose rule it is and in which version, and its entries that were met."""

    code: str
    scope: str = "site"
    version: int = 0
    words: tuple[str, ...] = ()


NOT_JUDGED = -1  # in the place of a percentage, where no signals were asked


@dataclass(frozen=True)
class Verdict:
    """What the service itself made of a submission, why, and how risky it looks (0 to 100).

    `is_quiet`: declined without telling the author, who hears "waiting" until a person decides.
    """

    status: Status
    reasons: tuple[Reason, ...]
    risk: int = 0
    is_quiet: bool = False

    @property
    def reason(self) -> str:
        """The code of the reason that counts most."""
        return self.reasons[0].code


@dataclass(frozen=True)
class Receipt:
    """What a door tells the author: the stored comment's id, its status at first, and when it came."""

    comment_id: int
    status: Status
    created_at: datetime


@dataclass(frozen=True)
class Author:
    """Who wrote a comment, as readers may know them. The email is not among it, by construction."""

    name: str
    website: str | None
    badge: str | None = None


@dataclass(frozen=True)
class Left:
    """The replies below one top-level comment that a page does not show: how many, and where they go on."""

    count: int
    cursor: str


@dataclass(frozen=True)
class CommentView:
    """One comment as shown. `html` is safe; a removed one keeps its place only for the replies below it.

    `depth` is where it is shown, at most as deep as the site wants. Of a top-level one `replies` counts all
    that readers can see below it, and `left` says which of them this page leaves out. `votes` is missing
    where the site takes none.
    """

    id: int
    parent_id: int | None
    depth: int
    author: Author | None
    html: str
    created_at: datetime
    permalink: str
    is_removed: bool = False
    status: Status = Status.APPROVED
    is_letter: bool = False
    edited_at: datetime | None = None
    is_pinned: bool = False
    is_picked: bool = False
    root_id: int | None = None
    replies: int = 0
    left: Left | None = None
    votes: Votes | None = None


@dataclass(frozen=True)
class ThreadSnapshot:
    """A page of one article's comments, the same for everybody who asks."""

    id: int | None
    url: str
    title: str
    is_open: bool
    count: int
    heading: str
    comments: tuple[CommentView, ...]
    sort: str
    previous_cursor: str | None
    next_cursor: str | None
    max_depth: int
    etag: str


@dataclass(frozen=True)
class CountView:
    """How many approved comments one address has, with the words for a link and for a heading."""

    url: str
    count: int
    label: str
    heading: str


class Role(StrEnum):
    """What somebody may do on a site: look, decide about comments, or everything."""

    VIEWER = "viewer"
    MODERATOR = "moderator"
    OWNER = "owner"

    def includes(self, other: Role) -> bool:
        """Whether this role may do all that the other may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


@dataclass(frozen=True)
class Access:
    """Where somebody may do what. A role `everywhere` holds on every site, those made later included."""

    everywhere: Role | None = None
    by_site: Mapping[int, Role] = field(default_factory=dict)

    def may(self, role: Role, site_id: int) -> bool:
        """Whether this includes the role on the site."""
        held = (self.everywhere, self.by_site.get(site_id))
        return any(one is not None and one.includes(role) for one in held)

    def role(self, site_id: int) -> Role | None:
        """The highest role on the site; None where it is none of theirs."""
        return next((role for role in reversed(Role) if self.may(role, site_id)), None)

    def sites(self, role: Role = Role.VIEWER) -> frozenset[int] | None:
        """The ids of all sites with at least this role; None means every site there is."""
        if self.everywhere is not None and self.everywhere.includes(role):
            return None
        return frozenset(site_id for site_id, held in self.by_site.items() if held.includes(role))


@dataclass(frozen=True)
class Seen:
    """How far a page saw: the last comment and the last row of the journal when it was read."""

    comment_id: int
    journal_id: int

    def __str__(self) -> str:
        """As forms carry it."""
        return f"{self.comment_id}.{self.journal_id}"


@dataclass(frozen=True)
class ModeratorView:
    """A signed-in moderator."""

    id: int
    name: str
    access: Access = Access()


@dataclass(frozen=True)
class Decision:
    """One change of status that took effect. `is_edit`: an author's edit went into the comment it changes."""

    comment_id: int
    from_status: Status
    to_status: Status
    version: int
    is_edit: bool = False

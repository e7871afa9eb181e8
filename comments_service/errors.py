"""Everything that can go wrong and that somebody outside can act on. `web/problems.py` shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One wrong field: its name on the wire, a code for programs, a sentence for people."""

    field: str
    code: str
    detail: str


class CommentsError(Exception):
    """Something the caller can act on. `slug` is public and never changes; `detail` is for people."""

    status = 500
    slug = "internal"
    title = "Something went wrong"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after_seconds: int | None = None,
    ) -> None:
        """Keep the sentence for people, the wrong fields and the wait, where there are any."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors
        self.retry_after_seconds = retry_after_seconds

    def errors_as_json(self) -> list[dict[str, str]]:
        """The wrong fields, as a problem+json lists them."""
        return [{"field": e.field, "code": e.code, "detail": e.detail} for e in self.errors]


class Malformed(CommentsError):
    """The request cannot be read at all: not JSON, not UTF-8, a cursor nobody gave out."""

    status, slug, title = 400, "malformed", "The request could not be read"


class OriginRefused(CommentsError):
    """The page that sent this is not one of the site's."""

    status, slug, title = 403, "origin-refused", "This page may not send comments to this site"


class TicketRefused(CommentsError):
    """The form's ticket is forged, too old, or belongs to another site or article."""

    status, slug, title = 403, "ticket-refused", "The form is too old or belongs to another page"


class SignedNameRefused(CommentsError):
    """The name that the page signed for its reader is forged, has ended, or is not taken by this site."""

    status, slug, title = 403, "name-refused", "The signed name on this page is not good, or has ended"


class ReceiptRefused(CommentsError):
    """The receipt is missing, forged, or belongs to another comment."""

    status, slug, title = 403, "receipt-refused", "This receipt does not open this comment"


class SignInRefused(CommentsError):
    """Name and password do not belong together; never says which of the two is wrong."""

    status, slug, title = 403, "sign-in-refused", "This name and password do not belong together"


class CodeRefused(CommentsError):
    """The code of the second factor is wrong, too old, or was used before."""

    status, slug, title = 403, "code-refused", "This code is not good"


class FormRefused(CommentsError):
    """A moderator's form came from another site, or its sign-in has ended: the CSRF token does not fit."""

    status, slug, title = 403, "form-refused", "This form is no longer good"


class NotAllowed(CommentsError):
    """Somebody who may look at this site, but whose role there does not reach as far."""

    status, slug, title = 403, "not-allowed", "Your role does not include this"


class InsecureConnection(CommentsError):
    """A moderator's page was asked for over plain http: the password would travel in clear."""

    status, slug, title = 403, "insecure-connection", "This connection is not private"


class SiteNotFound(CommentsError):
    """No site has this key."""

    status, slug, title = 404, "site-not-found", "There is no such site"


class CommentNotFound(CommentsError):
    """No such comment, or none that this caller may know of."""

    status, slug, title = 404, "comment-not-found", "There is no such comment"


class PageNotFound(CommentsError):
    """No such address."""

    status, slug, title = 404, "not-found", "There is nothing at this address"


class PersonNotFound(CommentsError):
    """No such person, or none that this caller may know of."""

    status, slug, title = 404, "person-not-found", "There is no such person"


class InvitationEnded(CommentsError):
    """The invitation was used or withdrawn, has run out, or never was; never says which."""

    status, slug, title = 404, "invitation-ended", "This invitation has ended"


class LinkEnded(CommentsError):
    """A link out of a letter is too old, was replaced by a later one, or was never ours."""

    status, slug, title = 404, "link-ended", "This link has ended"


class DuplicateComment(CommentsError):
    """The same author already said the same at the same place."""

    status, slug, title = 409, "duplicate-comment", "This comment was already sent"


class ThreadClosed(CommentsError):
    """The article or the whole site takes no comments now."""

    status, slug, title = 409, "thread-closed", "Comments are closed"


class EditWindowClosed(CommentsError):
    """The time in which authors may change a comment is over, or there is none."""

    status, slug, title = 409, "edit-window-closed", "This comment can no longer be changed"


class CommentDeclined(CommentsError):
    """A moderator declined the comment: there is nothing to change any more."""

    status, slug, title = 409, "comment-declined", "This comment was declined"


class VotesOff(CommentsError):
    """The site takes no votes, or none of this kind."""

    status, slug, title = 409, "votes-off", "There is no voting here"


class OwnVote(CommentsError):
    """Authors cannot vote on what they wrote themselves."""

    status, slug, title = 409, "own-vote", "This comment is your own"


class EnoughVotes(CommentsError):
    """As many readers of one network as may have voted on this comment."""

    status, slug, title = 409, "enough-votes", "Enough readers of your network have voted on this comment"


class ReportsOff(CommentsError):
    """Readers cannot report comments on this site."""

    status, slug, title = 409, "reports-off", "Comments cannot be reported here"


class LastOwner(CommentsError):
    """Somebody must own every site: the last one who does stays as they are."""

    status, slug, title = 409, "last-owner", "Nobody else owns every site"


class DecidedMeanwhile(CommentsError):
    """Somebody else decided, or the comment changed, after the page was shown."""

    status, slug, title = 409, "decided-meanwhile", "Somebody was faster"


class ChangedMeanwhile(CommentsError):
    """Somebody else changed the site's settings after the page with the form was shown."""

    status, slug, title = 409, "changed-meanwhile", "These settings were changed meanwhile"


class NotUndoable(CommentsError):
    """There is nothing here that could be taken back, or nothing any more."""

    status, slug, title = 409, "not-undoable", "This cannot be taken back"


class LengthRequired(CommentsError):
    """An unsafe request came without Content-Length."""

    status, slug, title = 411, "length-required", "The request does not say how long it is"


class BodyTooLarge(CommentsError):
    """The body is over the limit of the service."""

    status, slug, title = 413, "body-too-large", "The request is too large"


class TypeRefused(CommentsError):
    """The body is of another type than the door takes."""

    status, slug, title = 415, "type-refused", "The request has the wrong content type"


class FieldsRefused(CommentsError):
    """One or several fields are wrong; `errors` names all of them at once."""

    status, slug, title = 422, "fields-refused", "Some fields need another look"


class ArticleRefused(FieldsRefused):
    """The address or id does not name an article of this site. `field` is "url" or "id"."""

    def __init__(self, field: str, detail: str) -> None:
        """Keep which of the two was wrong, and why."""
        super().__init__(detail, errors=(FieldError(field, "refused", detail),))
        self.field = field


class KeyReused(FieldsRefused):
    """An idempotency key came back with another body."""

    slug, title = "key-reused", "This key was used for another comment"


class TooManyComments(CommentsError):
    """A limit was met; `retry_after_seconds` says when to come back."""

    status, slug, title = 429, "too-many", "That was too quick"


class TooManyGuesses(CommentsError):
    """Too many tries to sign in; `retry_after_seconds` says when to come back."""

    status, slug, title = 429, "too-many-guesses", "Too many tries to sign in"


class TooManyCheckups(CommentsError):
    """Too many pages looked at by one person; `retry_after_seconds` says when to come back."""

    status, slug, title = 429, "too-many-checkups", "Those were many check-ups in a short time"


class TooManyRehearsals(CommentsError):
    """Rules were tried too often by one person; `retry_after_seconds` says when to come back."""

    status, slug, title = 429, "too-many-rehearsals", "Those were many tries of rules in a short time"


class TooManyChanges(CommentsError):
    """Own comments were edited or withdrawn too often; `retry_after_seconds` says when to come back."""

    status, slug, title = 429, "too-many-changes", "Those were many changes in a short time"


class TooManyVotes(CommentsError):
    """Many votes from one network; `retry_after_seconds` says when to come back."""

    status, slug, title = 429, "too-many-votes", "Those were many votes in a short time"


class TooManyReports(CommentsError):
    """Many reports from one network; `retry_after_seconds` says when to come back."""

    status, slug, title = 429, "too-many-reports", "Those were many reports in a short time"


class StoreUnavailable(CommentsError):
    """The database cannot take this now: locked, full, read-only or away."""

    status, slug, title = 503, "store-unavailable", "The service cannot store anything right now"


class CannotStart(CommentsError):
    """The service refuses to start: a wrong setting, a wrong key, an old schema. Never shown to readers."""

    slug, title = "cannot-start", "The service cannot start"


class KeyRefused(CannotStart):
    """A key is malformed, or does not open what it should."""

    slug, title = "key-refused", "The secret key does not fit"

"""The public comment form: one for both doors, with the signed ticket in the place of a CSRF token."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import Field, StringField, TextAreaField, ValidationError
from wtforms.csrf.core import CSRF, CSRFTokenField
from wtforms.form import BaseForm

from comments_service import tokens
from comments_service.errors import FieldError, FieldsRefused, TicketRefused
from comments_service.opinions import Complaint
from comments_service.privacy import Keyring
from comments_service.texts import Catalogue
from comments_service.vocabulary import (
    MAX_EMAIL_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_NOTE_CHARACTERS,
    MAX_TEXT_BYTES,
    MAX_TITLE_CHARACTERS,
    MAX_WEBSITE_CHARACTERS,
    ArticleRef,
    SiteView,
)

TRAP = "subject"  # nobody sees this field; programs that fill in every one do not know that
FIELD_NAMES = (
    "url",
    "id",
    "title",
    "parent",
    "name",
    "email",
    "website",
    "text",
    "ticket",
    "previous",
    "audience",
    "user",
    "proof",
    TRAP,
)
LIMITS = {
    "name": MAX_NAME_CHARACTERS,
    "email": MAX_EMAIL_CHARACTERS,
    "website": MAX_WEBSITE_CHARACTERS,
    "text_bytes": MAX_TEXT_BYTES,
}
EVERYONE, EDITORS = "everyone", "editors"  # the audiences of a comment
MAX_COMMENT_ID = 2**31 - 1  # PostgreSQL's integer
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but LF and TAB
_CONTROL_IN_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BARE_HOST = re.compile(r"[\w-]+(\.[\w-]+)+(/|$)")


@dataclass(frozen=True)
class TicketContext:
    """What a ticket must have been given for, and what one that is given now says."""

    site: SiteView
    article: ArticleRef
    keys: Keyring
    now: datetime
    lifetime_seconds: int
    asks_proof: bool = False
    first: tokens.Opening | None = None

    def new_ticket(self) -> tokens.Ticket:
        """A fresh one."""
        site, article, now = self.site.key, self.article, self.now
        return tokens.new_ticket(
            site=site, article=article, now=now, asks_proof=self.asks_proof, first=self.first
        )


class TicketCSRF(CSRF):
    """Stateless: the ticket is signed for one site and article and carries its own beginning."""

    def setup_form(self, form: BaseForm) -> list[tuple[str, Any]]:
        """Take the context from the form's meta, then add the field."""
        self.context = cast(TicketContext, form.meta.csrf_context)
        return list(super().setup_form(form))

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:
        """A fresh ticket for a form that is about to be shown."""
        return tokens.sign_ticket(self.context.keys, self.context.new_ticket())

    def validate_csrf_token(self, form: BaseForm, field: CSRFTokenField) -> None:
        """Refuse what is not our ticket for this very article."""
        context = self.context
        try:
            self.ticket = tokens.read_ticket(
                context.keys,
                field.data or "",
                site=context.site.key,
                article=context.article,
                now=context.now,
                lifetime_seconds=context.lifetime_seconds,
            )
        except TicketRefused as error:
            raise ValidationError("refused") from error


def _trimmed(value: str | None) -> str:
    return (value or "").strip()


def _unix_lines(value: str | None) -> str:
    return (value or "").replace("\r\n", "\n").replace("\r", "\n").strip()


def _is_blank(value: str) -> bool:
    """Whether a person would see nothing: zero-width characters and blanks alone say nothing."""
    return all(unicodedata.category(character)[0] in "ZC" for character in value)


class CommentWords(FlaskForm):
    """What is said in a comment, and by whom. An error's text is its code: the catalogue has the sentence."""

    text = TextAreaField(filters=[_unix_lines])
    name = StringField(filters=[_trimmed])
    website = StringField(filters=[_trimmed])

    def __init__(self, site: SiteView, *arguments: Any, **more: Any) -> None:
        """Hold the fields against what the site requires."""
        self.site = site
        super().__init__(*arguments, **more)  # type: ignore[no-untyped-call]

    def validate_text(self, field: Field) -> None:
        """1 to 65,525 bytes of something visible."""
        _refuse(_is_blank(field.data), "required")
        _refuse(_CONTROL.search(field.data) or _SURROGATE.search(field.data), "characters")
        _refuse(len(field.data.encode()) > MAX_TEXT_BYTES, "too_long")

    def validate_name(self, field: Field) -> None:
        """One line, without characters that would turn the page's text around."""
        _refuse(self.site.name_required and _is_blank(field.data), "required")
        unfit = (_CONTROL_IN_LINE, _BIDI, _SURROGATE)
        _refuse(any(pattern.search(field.data) for pattern in unfit), "characters")
        _refuse(len(field.data) > MAX_NAME_CHARACTERS, "too_long")

    def validate_website(self, field: Field) -> None:
        """An http or https address; a bare host gets its scheme."""
        if not field.data:
            return
        if _BARE_HOST.match(field.data):
            field.data = f"https://{field.data}"
        _refuse(len(field.data) > MAX_WEBSITE_CHARACTERS, "too_long")
        _refuse(not is_web_address(field.data), "invalid")


class TextForm(CommentWords):
    """The text alone: of a preview, of which nothing is stored, or of an own comment, by its receipt."""

    class Meta(FlaskForm.Meta):
        """No session is asked, so there is no token of one."""

        csrf = False
        locales = False

    def __init__(self, fields: Mapping[str, str], site: SiteView) -> None:
        """Read the text out of named fields."""
        super().__init__(site, MultiDict(fields))

    def validate_name(self, field: Field) -> None:
        """Whatever it is."""

    def validate_website(self, field: Field) -> None:
        """Whatever it is."""


class ReportForm(FlaskForm):
    """Why a reader objects to a comment: one of our reasons, and a line or some of plain text."""

    class Meta(FlaskForm.Meta):
        """No session is asked, so there is no token of one."""

        csrf = False
        locales = False

    reason = StringField(filters=[_trimmed])
    note = TextAreaField(filters=[_unix_lines])

    def __init__(self, fields: Mapping[str, str]) -> None:
        """Read named fields."""
        super().__init__(MultiDict(fields))  # type: ignore[no-untyped-call]

    def validate_reason(self, field: Field) -> None:
        """One of those that moderators read in words."""
        _refuse(field.data not in list(Complaint), "required")

    def validate_note(self, field: Field) -> None:
        """As short as a note, and nothing that cannot be shown."""
        _refuse(_CONTROL.search(field.data) or _SURROGATE.search(field.data), "characters")
        _refuse(len(field.data) > MAX_NOTE_CHARACTERS, "too_long")

    def refuse_wrong(self, earlier: list[FieldError]) -> None:
        """Check everything at once.

        Raises: FieldsRefused with every wrong field, each detail a key of the catalogue.
        """
        self.validate()
        known = {error.field for error in earlier}
        found = [
            FieldError(field.name, str(field.errors[0]), f"error.{field.name}.{field.errors[0]}")
            for field in self
            if field.errors and field.name not in known
        ]
        if earlier or found:
            raise FieldsRefused(errors=(*earlier, *found))


class CommentForm(CommentWords):
    """The fields of a comment as readers send them."""

    class Meta(FlaskForm.Meta):
        """The ticket stands where the session's token stands in other forms."""

        csrf = True
        csrf_class: type[CSRF] = TicketCSRF  # type: ignore[assignment]
        csrf_field_name = "ticket"
        csrf_context: Any
        locales = False

    email = StringField(filters=[_trimmed])
    parent = StringField(filters=[_trimmed])
    audience = StringField(filters=[_trimmed])

    def __init__(self, fields: Mapping[str, str] | None, context: TicketContext) -> None:
        """Read the named fields; None makes an empty form with a fresh ticket."""
        formdata = MultiDict(fields) if fields is not None else None
        self.is_signed = bool(
            fields and fields.get("user")
        )  # known to the site: no address needs to be typed
        super().__init__(context.site, formdata, meta={"csrf_context": context})

    @property
    def read_ticket(self) -> tokens.Ticket:
        """The ticket that came with a form which was found right."""
        return cast(TicketCSRF, self._csrf).ticket  # type: ignore[attr-defined]

    @property
    def fresh_ticket(self) -> str:
        """The ticket for a form that is about to be shown."""
        return str(cast(CSRFTokenField, self["ticket"]).current_token)

    def validate_email(self, field: Field) -> None:
        """Syntax only: nobody is asked whether the address exists."""
        _refuse(self.site.email_required and not field.data and not self.is_signed, "required")
        _refuse(len(field.data) > MAX_EMAIL_CHARACTERS, "too_long")
        if field.data:
            _refuse(_SURROGATE.search(field.data), "invalid")
            try:
                validate_email(field.data, check_deliverability=False)
            except EmailNotValidError:
                raise ValidationError("invalid") from None  # its sentence quotes the address

    def validate_parent(self, field: Field) -> None:
        """An id of ours, or nothing; whether it fits the article is the room below's to say."""
        _refuse(field.data and comment_id(field.data) is None, "refused")

    def validate_audience(self, field: Field) -> None:
        """Everyone, or the editors alone where the site takes letters to them."""
        known = ("", EVERYONE, *([EDITORS] if self.site.takes_letters else []))
        _refuse(field.data not in known, "refused")


def _refuse(is_wrong: object, code: str) -> None:
    if is_wrong:
        raise ValidationError(code)


def is_web_address(value: str) -> bool:
    """Whether this is a plain http or https address: a host, no credentials, blanks, quotes or brackets."""
    if _SURROGATE.search(value) or _CONTROL_IN_LINE.search(value) or re.search(r"[\s\"'<>\\^`{|}]", value):
        return False
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def comment_id(text: str) -> int | None:
    """A comment's id as it travels: decimal digits in their one spelling; None for anything else."""
    if not re.fullmatch("[1-9][0-9]{0,9}", text):
        return None
    number = int(text)
    return number if number <= MAX_COMMENT_ID else None


def clean_title(text: str) -> str:
    """The article's title as one line of at most 300 characters; what cannot be shown becomes a blank."""
    shown = re.sub(
        "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", " ", text
    )
    return " ".join(shown.split())[:MAX_TITLE_CHARACTERS].strip()


def text_fields(
    body: Mapping[str, object], names: Collection[str] = FIELD_NAMES
) -> tuple[dict[str, str], list[FieldError]]:
    """The known fields of a JSON body that are text, and an error for each that is something else.

    null is absent; unknown fields are left behind. WTForms itself would stumble over numbers and lists.
    """
    fields: dict[str, str] = {}
    errors: list[FieldError] = []
    for name in names:
        value = body.get(name)
        if isinstance(value, str):
            fields[name] = value
        elif value is not None:
            errors.append(FieldError(name, "type", "error.type"))
    return fields, errors


def refuse_wrong_fields(form: CommentWords, earlier: list[FieldError]) -> None:
    """Check everything at once.

    Raises: TicketRefused before all else, so that a new ticket can be fetched; then FieldsRefused with
    every wrong field. A `detail` is a key of the catalogue until `in_words` has put it into words.
    """
    form.validate()
    known = {error.field for error in earlier}
    codes = {field.name: str(field.errors[0]) for field in form if field.errors and field.name not in known}
    if "ticket" in codes:
        raise TicketRefused
    found = [FieldError(name, code, f"error.{name}.{code}") for name, code in codes.items()]
    if earlier or found:
        raise FieldsRefused(errors=(*earlier, *found))


def in_words(errors: tuple[FieldError, ...], say: Callable[[str], str]) -> tuple[FieldError, ...]:
    """The same errors with sentences for people, in the order of the form."""
    order = {name: place for place, name in enumerate(("text", "name", "email", "website"))}
    ranked = sorted(errors, key=lambda e: order.get(e.field, len(order)))
    return tuple(
        FieldError(e.field, e.code, say(e.detail) if e.detail.startswith("error.") else e.detail)
        for e in ranked
    )


def sentence(catalogue: Catalogue, lang: str, site: SiteView, key: str) -> str:
    """One error's sentence in the reader's language."""
    field = key.split(".")[1]
    return catalogue.text(lang, key, overrides=site.texts, limit=LIMITS.get(field, ""))

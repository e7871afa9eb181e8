"""Letters as they travel: words from templates, nothing of a commenter's that can be clicked, headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from babel.dates import format_date, format_time
from email_validator import validate_email
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from comments_service.markup import plain
from comments_service.settings import Settings
from comments_service.texts import Catalogue

PARTS = ("subject.txt", "body.txt", "body.html")
MAX_SUBJECT_CHARACTERS = 150
MAX_LINE_CHARACTERS = 2_000
# Mail programs make links of whatever looks like one: addresses, bare host names, mail addresses
_SCHEME = re.compile(r":(?=//|\\\\)")
_DOT = re.compile(r"(?<=[^\W_])[.\u3002\uff0e\uff61](?=[^\W\d_]{2}|xn--)")
_AT = re.compile(r"(?<=\S)[@\uff20](?=\S)")
_PROTOCOL = re.compile(r"\b(mailto|tel|sms|callto|skype|xmpp|magnet|data|javascript):(?=\S)", re.IGNORECASE)
_NUMBERED_HOST = re.compile(r"\b(\d{1,3})\.(\d{1,3}\.\d{1,3}\.\d{1,3})\b")
_SHARE = re.compile(r"\\\\(?=\S)")


@dataclass(frozen=True)
class Letter:
    """One letter with its words, not on its way yet. `stop_url` ends letters like it with one click."""

    to: str
    template: str
    lang: str
    values: Mapping[str, Any]
    list_name: tuple[str, str] | None = None  # the site's key and name
    stop_url: str | None = None


def compose(
    letter: Letter, *, number: int, created_at: datetime, settings: Settings, now: datetime
) -> EmailMessage:
    """The letter as a message. The same `number` always gets the same Message-ID, so a twin can be told."""
    words = _words(letter.lang, letter.values)
    told = {part: _told(settings.template_dir, f"{letter.template}/{part}", words) for part in PARTS}
    message = EmailMessage(policy=SMTP)
    message["Subject"] = plain(told["subject.txt"], MAX_SUBJECT_CHARACTERS)
    message["From"] = _sender(settings)
    message["To"] = _recipient(letter.to)
    message["Date"] = format_datetime(now.astimezone(UTC))
    message["Message-ID"] = f"<letter.{number}.{int(created_at.timestamp())}@{_sender(settings).domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: nobody's holiday notice answers it
    message["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
    if letter.list_name is not None:
        message["List-Id"] = f"<{letter.list_name[0]}.{own_name(settings)}>"
    if letter.stop_url is not None:
        message["List-Unsubscribe"] = f"<{letter.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058 §3.1
    message.set_content(told["body.txt"])
    message.add_alternative(told["body.html"], subtype="html")
    return message


def own_name(settings: Settings) -> str:
    """The name of this service among hosts."""
    return urlsplit(settings.public_url).hostname or "localhost"


def defanged(text: str) -> str:
    """A stranger's text without anything that a mail program makes a link of: `https[:]//evil[.]example`.

    What turns the direction of writing, and what cannot be read, is taken out; lines stay lines.
    """
    lines = (plain(line, MAX_LINE_CHARACTERS) for line in text.splitlines())
    return "\n".join(_broken(line) for line in lines)


def _broken(line: str) -> str:
    line = _PROTOCOL.sub(r"\1[:]", line)
    line = _SHARE.sub(r"\\[\\]", _SCHEME.sub("[:]", line))
    return _AT.sub("[@]", _DOT.sub("[.]", _NUMBERED_HOST.sub(r"\1[.]\2", line)))


def _sender(settings: Settings) -> Address:
    name, address = parseaddr(settings.mail_from or "")
    return Address(display_name=name, addr_spec=address)


def _recipient(email: str) -> Address:
    # A domain in letters of its own travels as punycode, which every server takes
    valid = validate_email(email, check_deliverability=False)
    return Address(addr_spec=valid.ascii_email or valid.normalized)


def _words(lang: str, values: Mapping[str, Any]) -> dict[str, Any]:
    catalogue = Catalogue.load()

    def say(key: str, /, **filled: Any) -> str:
        return catalogue.text(lang, key, **filled)

    def say_count(key: str, count: int, /, **filled: Any) -> str:
        return catalogue.plural(key, count, lang=lang, **filled)

    def written(moment: datetime) -> str:
        there, locale = moment.astimezone(UTC), lang.replace("-", "_")
        date, time = format_date(there, "medium", locale=locale), format_time(there, "short", locale=locale)
        return catalogue.text(lang, "page.moment", date=date, time=time)

    return {
        "lang": lang,
        "direction": catalogue.direction(lang),
        "say": say,
        "say_count": say_count,
        "written": written,
        **values,
    }


def _told(folder: Path, name: str, words: Mapping[str, Any]) -> str:
    return _environment(folder).get_template(name).render(words).strip("\n") + "\n"


@cache
def _environment(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader(folder / "mail"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

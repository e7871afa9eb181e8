"""Settings: one frozen object, read once from COMMENTS_* variables. Nothing else reads the environment."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from email_validator import validate_email
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from comments_service.errors import CannotStart

PACKAGE = Path(__file__).resolve().parent
PREFIX = "COMMENTS_"
SMTP_PORT, SMTPS_PORT, SUBMISSION_PORT = 25, 465, 587  # RFC 5321, RFC 8314, RFC 6409
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class StartTls(StrEnum):
    """Whether a connection that begins in clear is encrypted before anything is said."""

    OFFERED = "offered"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True)
class MailServer:
    """A mail server, as COMMENTS_SMTP_URL names it. The password is in no description of it."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    is_tls: bool
    starttls: StartTls

    @classmethod
    def parse(cls, url: str) -> MailServer:
        """Read `smtp://USER:PASSWORD@HOST:PORT?starttls=always`.

        Raises: ValueError, which never quotes anything of it.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("starts with neither smtp://HOST nor smtps://HOST")
        try:
            asked, port = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query))), parts.port
            starttls = StartTls(asked.pop("starttls", "offered"))
        except ValueError:
            raise ValueError(
                "ends with something else than :PORT or ?starttls=always|offered|never"
            ) from None
        if asked or parts.path not in ("", "/") or parts.fragment:
            raise ValueError("has more in it than user, password, host, port and starttls")
        if bool(parts.username) != bool(parts.password):
            raise ValueError("names a user without a password, or a password without a user")
        is_tls = parts.scheme == "smtps"
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        usual = SMTPS_PORT if is_tls else SUBMISSION_PORT if user else SMTP_PORT
        return cls(parts.hostname, port or usual, user, password, is_tls, starttls)


class Settings(BaseSettings):
    """Everything that belongs to one installation; what belongs to one site is in the database."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str = Field("sqlite:///var/comments.sqlite3", description="Where comments are stored.")
    redis_url: str | None = Field(None, description="Valkey or Redis for limits shared by many processes.")
    secret_key: SecretStr | None = Field(None, description="Seals emails, signs tickets: `N:SECRET` entries.")
    public_url: str = Field("http://localhost:8000", description="The service's own address, path included.")
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="The port to listen on.")
    threads: int = Field(8, ge=1, le=256, description="Requests worked on at once.")
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="Networks whose X-Forwarded-For is believed; commas between them."
    )
    outbound_allow: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="Networks that may be called although they are not public; commas between them."
    )
    neighbour_seconds: float = Field(
        2.0, gt=0, le=10, description="All the time that neighbours have to say what they think of a comment."
    )
    akismet_url: str = Field("https://rest.akismet.com/1.1", description="Where Akismet is asked.")
    submission_interval_seconds: int = Field(
        10, ge=0, description="One submission of a network in this time."
    )
    submissions_per_hour: int = Field(20, ge=1, description="Submissions of a network in an hour.")
    site_submissions_per_minute: int = Field(
        300, ge=1, description="Submissions of a whole site in a minute."
    )
    previews_per_minute: int = Field(120, ge=1, description="Previews for one network in a minute.")
    votes_per_minute: int = Field(60, ge=1, description="Votes of one network in a minute.")
    reports_per_hour: int = Field(20, ge=1, description="Reports of comments by one network in an hour.")
    edits_per_hour: int = Field(60, ge=1, description="Tries of a network to edit comments, in an hour.")
    withdrawals_per_hour: int = Field(60, ge=1, description="Tries of a network to withdraw any, in an hour.")
    ticket_lifetime_seconds: int = Field(14_400, ge=60, description="How long an opened form may be sent.")
    session_idle_seconds: int = Field(
        43_200, ge=60, description="A moderator's sign-in ends when unused so long."
    )
    session_lifetime_seconds: int = Field(
        1_209_600, ge=60, description="A sign-in ends after this in any case."
    )
    network_retention_days: int = Field(30, ge=1, description="Hashes of networks are dropped after this.")
    spam_retention_days: int = Field(30, ge=1, description="Spam and trash are deleted after this.")
    journal_retention_days: int = Field(730, ge=1, description="Rows of the audit are deleted after this.")
    page_size: int = Field(50, ge=1, le=200, description="Rows on a page of the queue and of the audit.")
    thread_page_size: int = Field(20, ge=1, le=200, description="Top-level comments on a page of a thread.")
    smtp_url: SecretStr | None = Field(
        None,
        description="The mail server for letters: `smtp://` or `smtps://`, user and password.",
    )
    mail_from: str | None = Field(
        None, validate_default=True, description="The sender of letters; needed with a mail server."
    )
    smtp_timeout_seconds: float = Field(
        10.0, gt=0, le=60, description="A wait for one answer of the mail server."
    )
    letters_per_minute: int = Field(60, ge=1, description="Letters of the whole installation in a minute.")
    letters_per_hour: int = Field(20, ge=1, description="Letters to one moderator in an hour.")
    database_wait_seconds: float = Field(5.0, gt=0, le=60, description="A wait for the database before 503.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least that is logged."
    )
    log_format: Literal["json", "text"] = Field("json", description="`json` for machines, `text` for people.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments only: `load_settings` reads the environment, so that tests never do by accident."""
        return (init_settings,)

    @field_validator("trusted_proxies", "outbound_allow", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        try:
            url = make_url(value)
        except ArgumentError:
            raise ValueError("not a database URL") from None
        if url.drivername in ("postgres", "postgresql"):
            return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        if url.drivername not in ("sqlite", "postgresql+psycopg"):
            raise ValueError("starts with neither sqlite:/// nor postgresql://")
        if url.drivername == "sqlite" and url.database in (None, "", ":memory:"):
            raise ValueError("names no file; comments in memory would be lost")
        return value

    @field_validator("public_url", "akismet_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("not an http or https address such as https://comments.example.org")
        return value.rstrip("/")

    @field_validator("redis_url")
    @classmethod
    def _valkey_address(cls, value: str | None) -> str | None:
        if value and urlsplit(value).scheme not in ("redis", "rediss", "valkey", "valkeys", "unix"):
            raise ValueError("starts with none of redis:// rediss:// valkey:// valkeys:// unix://")
        return value or None

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        MailServer.parse(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not value:
            if info.data.get("smtp_url") is not None:
                raise ValueError("is missing: letters need a sender, such as Comments <comments@example.org>")
            return None
        name, address = parseaddr(value)
        try:
            validate_email(address, check_deliverability=False)
        except ValueError:  # its own words quote the address
            raise ValueError("no mail address such as Comments <comments@example.org>") from None
        if not (name + address).isprintable():
            raise ValueError("a name with characters that cannot be shown")
        return value

    @property
    def mail_server(self) -> MailServer | None:
        """Who takes our letters; None where none are sent."""
        return MailServer.parse(self.smtp_url.get_secret_value()) if self.smtp_url else None

    @property
    def template_dir(self) -> Path:
        """Where Jinja looks: inside an installed wheel, else beside the package in a checkout."""
        installed = PACKAGE / "templates"
        return installed if installed.is_dir() else PACKAGE.parent / "templates"

    @property
    def is_sqlite(self) -> bool:
        """Whether the comments are in one file on this machine."""
        return self.database_url.startswith("sqlite")

    @property
    def sqlite_file(self) -> Path | None:
        """The database's file, absolute; None on PostgreSQL."""
        database = make_url(self.database_url).database
        return Path(database).absolute() if self.is_sqlite and database else None

    @property
    def public_origin(self) -> str:
        """Scheme, host and port of `public_url`: what a browser sends as Origin from our own pages."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def public_path(self) -> str:
        """The path below which the service lives behind its proxy: empty, or "/comments"."""
        return urlsplit(self.public_url).path.rstrip("/")

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the service over https."""
        return self.public_url.startswith("https:")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read COMMENTS_* variables (or COMMENTS_*_FILE) and name every wrong one at once.

    Raises: CannotStart, with a line for each variable that is wrong or unknown.
    """
    given = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for variable in sorted(name for name in given if name.startswith(PREFIX)):
        name = variable.removeprefix(PREFIX).lower()
        try:
            values |= _one_value(name, given[variable])
        except (OSError, UnicodeDecodeError) as error:
            wrong.append(f"{variable}: cannot be read ({type(error).__name__})")
        except KeyError:
            wrong.append(f"{variable}: there is no such setting")
    try:
        settings = Settings(**values)
    except ValidationError as error:
        # One sentence a field: a union of types would complain once for each of them
        messages = {str(e["loc"][0]): e["msg"].removeprefix("Value error, ") for e in error.errors()}
        wrong += [f"{PREFIX}{name.upper()}: {message}" for name, message in messages.items()]
    if wrong:
        raise CannotStart("Wrong settings:\n  " + "\n  ".join(wrong))
    return settings


def _one_value(name: str, value: str) -> dict[str, str]:
    if name in Settings.model_fields:
        return {name: value}
    if name.endswith("_file") and name.removesuffix("_file") in Settings.model_fields:
        return {name.removesuffix("_file"): Path(value).read_text(encoding="utf-8").strip()}
    raise KeyError(name)

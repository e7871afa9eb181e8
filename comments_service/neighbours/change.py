"""What an owner wants of the neighbours of a site: who is asked, by which secret, and what each may know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from comments_service.article_url import read_address
from comments_service.errors import FieldError, FieldsRefused
from comments_service.neighbours.keeping import forget_secret, keep_secret, secrets_kept
from comments_service.neighbours.webhook import read_secret
from comments_service.options import AKISMET, Neighbour, Options
from comments_service.own_texts import checked_line
from comments_service.privacy import Keyring
from comments_service.storage.models import Site
from comments_service.vocabulary import MAX_URL_CHARACTERS

MAX_SERVICE_NAME = 60
OPTIONS = ("akismet", "akismet_email", "service", "service_name", "service_url", "service_email")
SECRETS = {Neighbour.AKISMET: "akismet_key", Neighbour.SERVICE: "service_secret"}

_AKISMET_KEY = re.compile(r"[A-Za-z0-9]{6,64}")


class SecretDone(StrEnum):
    """The journal's words for what became of a secret; the secret itself is in no journal."""

    GIVEN = "neighbour-secret-given"
    FORGOTTEN = "neighbour-secret-forgotten"


@dataclass(frozen=True)
class NeighbourChange:
    """What shall be otherwise from now on; None leaves a thing as it is.

    Whose secret is forgotten is asked no more.
    """

    akismet: bool | None = None
    akismet_key: str | None = field(default=None, repr=False)
    akismet_email: bool | None = None
    service: bool | None = None
    service_name: str | None = None
    service_url: str | None = None
    service_secret: str | None = field(default=None, repr=False)
    service_email: bool | None = None
    forgets: frozenset[Neighbour] = frozenset()

    @property
    def options(self) -> dict[str, Any]:
        """What of it is a change of the site's options, in their stored form."""
        wanted = {name: _trimmed(getattr(self, name)) for name in OPTIONS}
        off = {str(who): False for who in self.forgets}
        return {name: value for name, value in wanted.items() if value is not None} | off

    @property
    def secrets(self) -> dict[Neighbour, str]:
        """The secrets that are given."""
        given = {who: _trimmed(getattr(self, name)) for who, name in SECRETS.items()}
        return {who: secret for who, secret in given.items() if secret and who not in self.forgets}

    def refuse_wrong(self) -> None:
        """Look at what was typed, before anything is stored.

        Raises: FieldsRefused, which quotes no secret.
        """
        wrong = list(self._wrong())
        if wrong:
            raise FieldsRefused(wrong[0].detail, errors=tuple(wrong))

    def _wrong(self) -> list[FieldError]:
        wrong = []
        if self.akismet_key and not _AKISMET_KEY.fullmatch(self.akismet_key.strip()):
            wrong.append(FieldError("akismet_key", "refused", "This is no key of Akismet."))
        if self.service_secret and not _is_secret(self.service_secret.strip()):
            detail = "A secret begins with whsec_ and goes on with 24 to 64 bytes in base64."
            wrong.append(FieldError("service_secret", "refused", detail))
        if self.service_url and not is_service_url(self.service_url.strip()):
            detail = "This is not the address of a service, such as https://filter.example.org/check."
            wrong.append(FieldError("service_url", "refused", detail))
        if self.service_name and not _is_name(self.service_name):
            detail = f"A name is one line of 1 to {MAX_SERVICE_NAME} characters."
            wrong.append(FieldError("service_name", "line", detail))
        return wrong


NO_CHANGE = NeighbourChange()


def carry_out(
    session: Session, site: Site, change: NeighbourChange, keys: Keyring | None
) -> dict[Neighbour, SecretDone]:
    """Keep and forget secrets, of a site that has its new options; what was done, for the journal.

    Raises: FieldsRefused where somebody would be asked without what that takes.
    """
    kept, done = secrets_kept(session, site.id), {}
    for who in change.forgets & kept:
        forget_secret(session, site.id, who)
        done[who] = SecretDone.FORGOTTEN
    for who, secret in change.secrets.items():
        keep_secret(session, site.id, who, secret, keys)
        done[who] = SecretDone.GIVEN
    if missing := lacking(session, site.id, site.options):
        detail = "; ".join(missing.values())
        raise FieldsRefused(detail, errors=tuple(FieldError(n, "missing", d) for n, d in missing.items()))
    return done


def lacking(session: Session, site_id: int, stored: Mapping[str, Any]) -> Mapping[str, str]:
    """What it takes to ask those who are on in these options, and is not there, by the name of the field."""
    options, kept = Options.of(stored), secrets_kept(session, site_id)
    lacks = {
        "akismet_key": options.akismet and Neighbour.AKISMET not in kept,
        "service_name": options.service and not options.service_name,
        "service_url": options.service and not options.service_url,
        "service_secret": options.service and Neighbour.SERVICE not in kept,
    }
    told = {
        "akismet_key": "Akismet cannot be asked without a key.",
        "service_name": "The service needs a name that readers are told.",
        "service_url": "The service needs an address.",
        "service_secret": "The service cannot be asked without a secret.",
    }
    return {name: told[name] for name, is_missing in lacks.items() if is_missing}


def is_service_url(url: str) -> bool:
    """Whether a service may be there."""
    try:
        read_address(url)
    except ValueError:
        return False
    return len(url) <= MAX_URL_CHARACTERS and url.isprintable()


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _is_secret(text: str) -> bool:
    try:
        return bool(read_secret(text))
    except ValueError:
        return False


def _is_name(text: str) -> bool:
    try:
        name = checked_line(text, "service_name", MAX_SERVICE_NAME, field="service_name")
    except FieldsRefused:
        return False
    return name.casefold() != AKISMET.casefold()  # readers are told who it is

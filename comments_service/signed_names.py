"""Names that the owner's own site signs, for readers who are signed in there: nobody else can have them.

The page says `data-user="PAYLOAD.SIGNATURE"`: the payload is JSON in base64url, the signature its HMAC-SHA256
in hex (RFC 2104), keyed with the site's secret as it is shown to the owner. Both ends of it are documented in
`docs/owners.md`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from comments_service.errors import SignedNameRefused
from comments_service.vocabulary import MAX_NAME_CHARACTERS, Badge, SignedName

MAX_SIGNED_CHARACTERS = 2_000
MAX_ID_CHARACTERS = 200
_FORM = re.compile(r"([A-Za-z0-9_-]+)={0,2}\.([0-9a-f]{64})")
_UNFIT = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
ROLES = {None: Badge.VERIFIED, "reader": Badge.VERIFIED, "author": Badge.AUTHOR, "moderator": Badge.MODERATOR}


@dataclass(frozen=True)
class _Sent:
    id: str
    name: str
    role: str | None
    exp: int


def sign_name(secret: str, *, user_id: str, name: str, ends_at: datetime, role: str | None = None) -> str:
    """What an owner's page says of a reader; the same as the lines in the documentation do elsewhere."""
    told = {"id": user_id, "name": name, "exp": int(ends_at.timestamp())} | ({"role": role} if role else {})
    payload = base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    return f"{payload}.{_mac(secret, payload)}"


def read_signed_name(secrets: Iterable[str], signed: str, *, now: datetime) -> SignedName:
    """Read it back, if one of the secrets signed it and it has not ended.

    Raises: SignedNameRefused.
    """
    found = _FORM.fullmatch(signed) if len(signed) <= MAX_SIGNED_CHARACTERS else None
    if found is None:
        raise SignedNameRefused
    payload, mac = found.groups()
    matches = sum(hmac.compare_digest(_mac(secret, payload), mac) for secret in secrets)  # all are tried
    if not matches:
        raise SignedNameRefused
    sent = _read(payload)
    if sent.exp <= now.timestamp() or sent.role not in ROLES:
        raise SignedNameRefused
    return SignedName(sent.id, sent.name, ROLES[sent.role])


def _mac(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def _read(payload: str) -> _Sent:
    try:
        told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise SignedNameRefused from None
    match told:
        case {"id": str(id_) | int(id_), "name": str(name), "exp": int(exp)} if not isinstance(id_, bool):
            sent = _Sent(str(id_), name.strip(), told.get("role"), exp)
        case _:
            raise SignedNameRefused
    fits = 0 < len(sent.id) <= MAX_ID_CHARACTERS and 0 < len(sent.name) <= MAX_NAME_CHARACTERS
    if (
        not fits
        or _UNFIT.search(sent.name)
        or _UNFIT.search(sent.id)
        or not isinstance(sent.role, str | None)
    ):
        raise SignedNameRefused
    return sent

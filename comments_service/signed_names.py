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
from collections.abc import Iterable, Mapping
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


def read_signed_name(secrets: Iterable[str], signed: str, *, now: datetime) -> SignedName:
    """Read what the page says of its reader, if one of the secrets signed it and it has not ended.

    Raises: SignedNameRefused.
    """
    found = _FORM.fullmatch(signed) if len(signed) <= MAX_SIGNED_CHARACTERS else None
    if found is None:
        raise SignedNameRefused
    payload, mac = found.groups()
    matches = sum(hmac.compare_digest(_mac(secret, payload), mac) for secret in secrets)  # all are tried
    if not matches:
        raise SignedNameRefused
    match _json(payload):
        case {"id": str(id_) | int(id_), "name": str(name), "exp": int(ends), **more} if (
            not isinstance(id_, bool) and ends > now.timestamp()
        ):
            return SignedName(
                _line(str(id_), MAX_ID_CHARACTERS), _line(name, MAX_NAME_CHARACTERS), _badge(more)
            )
    raise SignedNameRefused


def _mac(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def _json(payload: str) -> object:
    try:
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise SignedNameRefused from None


def _line(text: str, limit: int) -> str:
    line = text.strip()
    if not 0 < len(line) <= limit or _UNFIT.search(line):
        raise SignedNameRefused
    return line


def _badge(more: Mapping[object, object]) -> Badge:
    role = more.get("role")
    if isinstance(role, str | None) and (badge := ROLES.get(role)):
        return badge
    raise SignedNameRefused

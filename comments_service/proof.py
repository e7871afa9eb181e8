"""The work that a form's browser is asked for: a challenge that fits one ticket, and what came back of it.

An ALTCHA challenge of the second form: the browser tries numbers until a key that is derived from one begins
as wanted. Which number it is was chosen here, so that a try more than `TRIES` is never needed.
"""

from __future__ import annotations

import secrets
from typing import Any

import altcha

from comments_service.privacy import Keyring
from comments_service.tokens import Ticket

ALGORITHM = "PBKDF2/SHA-256"  # every browser has it, and works at it beside the page
COST = 2_000  # rounds for one try
TRIES = range(64, 320)
MAX_PROOF_CHARACTERS = 2_000  # three times as long as it ever is

_PURPOSE = "proof"


def challenge_for(keys: Keyring, ticket: Ticket) -> dict[str, Any]:
    """A fresh challenge for the form that has this ticket; it ends with it."""
    made = altcha.create_challenge(
        ALGORITHM,
        COST,
        counter=secrets.choice(TRIES),
        data={"ticket": ticket.nonce},
        hmac_secret=keys.signing_keys(_PURPOSE)[-1],
    )
    return made.to_dict()


def is_solved(keys: Keyring, sent: str, ticket: Ticket) -> bool:
    """Whether this is the answer to a challenge of ours for this very ticket; nothing else makes an error."""
    if len(sent) > MAX_PROOF_CHARACTERS:
        return False
    try:
        payload = altcha.Payload.from_base64(sent)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    if payload.challenge.parameters.data != {"ticket": ticket.nonce}:
        return False
    newest_first = reversed(keys.signing_keys(_PURPOSE))
    return any(altcha.verify_solution(payload, key).verified for key in newest_first)

"""Any service that is asked by a signed call: JSON out, JSON or nothing back (docs/neighbours.md).

Signed as Standard Webhooks (<https://www.standardwebhooks.com/>) says: an HMAC-SHA256 over number, time and
body, so that the service knows who asks, that nothing was changed, and that it is not asked twice.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import math
import secrets
from dataclasses import dataclass, field
from typing import Any

from comments_service.neighbours.doors import one_line, post
from comments_service.neighbours.heard import Opinion, Said, Trouble, Unheard
from comments_service.neighbours.question import Question
from comments_service.options import Neighbour
from comments_service.outbound import Fetched, Message
from comments_service.settings import Settings
from comments_service.spam.signals import Signal

BOUND = 4.0  # ln of the odds: 98 %, whatever the service says of itself
PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)  # as Standard Webhooks has it
TYPE = "comment.check"


@dataclass(frozen=True)
class Service:
    """A service as one site knows it. `secret` is as `read_secret` takes it."""

    url: str
    name: str
    secret: str = field(repr=False)
    sends_email: bool
    settings: Settings
    who = Neighbour.SERVICE

    @property
    def endpoint(self) -> str:
        """Where it is asked."""
        return self.url

    def ask(self, question: Question, *, seconds: float, is_test: bool = False) -> Said:
        """How likely it says the comment is spam, if it says anything.

        Raises: Unheard.
        """
        body = json.dumps(self._body(question, is_test=is_test), ensure_ascii=False)
        message = signed(self.secret, body.encode("utf-8", "replace"), at=int(question.at.timestamp()))
        answer = post(self.url, message, settings=self.settings, seconds=seconds)
        return Said(self.who) if answer.status == 204 else self._read(answer)

    def _body(self, question: Question, *, is_test: bool) -> dict[str, Any]:
        comment = {
            "name": question.name,
            "website": question.website,
            "text": question.text,
            "is_reply": question.is_reply,
            "is_edit": question.is_edit,
        }
        if self.sends_email:
            comment["email"] = question.email
        data = {"site": question.site.key, "url": question.url, "language": question.site.language}
        came = {"network": question.network, "user_agent": question.agent, "referrer": question.referrer}
        at = question.at.isoformat(timespec="seconds")
        test = {"is_test": True} if is_test else {}
        return {"type": TYPE, "timestamp": at, "data": data | test | {"comment": comment, "came": came}}

    def _read(self, answer: Fetched) -> Said:
        try:
            told = json.loads(answer.body)
            likely, reason = told["spam"], told.get("reason", "")
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
            raise Unheard(Trouble.GARBAGE) from None
        is_number = isinstance(likely, int | float) and not isinstance(likely, bool)
        if not is_number or not 0 <= likely <= 1 or not isinstance(reason, str):
            raise Unheard(Trouble.GARBAGE)
        weight = round(weight_of(likely), 2)
        what = one_line(f"{self.name}: {reason}" if reason else self.name)
        signal = Signal("neighbour" if weight > 0 else "neighbour-honest", weight, what)
        opinion = Opinion.SPAM if weight > 0 else Opinion.HAM if weight < 0 else Opinion.NONE
        return Said(self.who, opinion, (signal,) if weight else ())


def weight_of(likely: float) -> float:
    """A probability as the logarithm of its odds, bounded."""
    if likely in (0, 1):
        return BOUND if likely else -BOUND
    return max(-BOUND, min(BOUND, math.log(likely / (1 - likely))))


def signed(secret: str, body: bytes, *, at: int) -> Message:
    """A message with the three headers of Standard Webhooks; `at` is in seconds since 1970."""
    number = f"msg_{secrets.token_urlsafe(16)}"
    mac = hmac.digest(read_secret(secret), f"{number}.{at}.".encode() + body, "sha256")
    return Message(
        body,
        "application/json",
        (
            ("webhook-id", number),
            ("webhook-timestamp", str(at)),
            ("webhook-signature", f"v1,{base64.b64encode(mac).decode()}"),
        ),
    )


def new_secret() -> str:
    """A secret that nobody has."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def read_secret(text: str) -> bytes:
    """The bytes that sign, out of `whsec_` and base64.

    Raises: ValueError, which quotes nothing of it.
    """
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(PREFIX) or len(key) not in SECRET_BYTES:
        raise ValueError("no secret of Standard Webhooks")
    return key

"""The door through which neighbours are asked: the one of `outbound`, in a hurry and for few words."""

from __future__ import annotations

from urllib.parse import urlsplit

from comments_service.neighbours.heard import Trouble, Unheard
from comments_service.outbound import WEB_PORTS, Door, Fetched, Limits, Message, NotFetched
from comments_service.settings import Settings

MAX_ANSWER_BYTES = 16 << 10
FREE_PORTS = range(1024, 65_536)  # below are other services, which a post could be meant to disturb
MAX_TOLD = 200


def post(url: str, message: Message, *, settings: Settings, seconds: float) -> Fetched:
    """Post to a neighbour, once.

    Raises: Unheard when nobody answers, or the answer is not 200 or 204.
    """
    try:
        answer = _door(url, settings, seconds).post(url, message)
    except NotFetched as error:
        raise Unheard(Trouble(error.reason.value)) from None
    if answer.status not in (200, 204):
        raise Unheard(Trouble.STATUS, str(answer.status))
    if answer.is_cut:
        raise Unheard(Trouble.GARBAGE)
    return answer


def one_line(text: str) -> str:
    """What a neighbour says, as it may be shown: one line, not too long, nothing that cannot be seen."""
    words = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(words.split())[:MAX_TOLD]


def _door(url: str, settings: Settings, seconds: float) -> Door:
    try:
        parts = urlsplit(url)
        port = parts.port or 0
    except ValueError:
        raise Unheard(Trouble.UNREADABLE) from None
    return Door(
        f"comments-service (+{settings.public_url})",
        allowed=settings.outbound_allow,
        # What readers write does not cross the internet in clear
        is_inner=parts.scheme != "https",
        ports=WEB_PORTS | ({port} if port in FREE_PORTS else set()),
        limits=Limits(seconds, seconds, seconds, MAX_ANSWER_BYTES, redirects=0),
    )

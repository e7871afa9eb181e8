"""What readers say of a comment by a click: frozen values, which import nothing of ours."""

from __future__ import annotations

from enum import StrEnum


class Choice(StrEnum):
    """What one reader thinks of a comment; `none` takes back what was said before."""

    UP = "up"
    DOWN = "down"
    NONE = "none"


class Complaint(StrEnum):
    """Why a reader reports a comment."""

    SPAM = "spam"
    ABUSE = "abuse"
    OFF_TOPIC = "off_topic"
    PRIVATE_DATA = "private_data"
    OTHER = "other"

"""The form of rules: what stands in it, and what was sent with it as rules again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from comments_service.errors import FieldError, FieldsRefused
from comments_service.rules.change import RANGES, WORDS, entries
from comments_service.rules.places import RulesHere
from comments_service.vocabulary import Rules
from comments_service.web.forms import comment_id

# In the order of the page
SWITCHES = ("hold_all", "hold_newcomers", "count_website", "trusted_pass", "hold_imitations", "hold_surge")
NAMES = tuple(vars(Rules()))
MAX_DIGITS = 9


@dataclass(frozen=True)
class Typed:
    """What stands in the form. `own` are the rules that an article has itself; for a site they are all."""

    version: int
    own: frozenset[str]
    values: Mapping[str, Any]

    @classmethod
    def of(cls, here: RulesHere, earlier: Mapping[str, Any] | None = None) -> Typed:
        """As it is stored, or as it was in an earlier version."""
        own = here.own if earlier is None else earlier
        rules = here.site.rules.with_own(own)
        shown = {name: _as_text(value) for name, value in vars(rules).items()}
        return cls(here.version, frozenset(NAMES if here.article is None else own), shown)

    @classmethod
    def sent(cls, here: RulesHere) -> Typed:
        """As it was sent with this request."""
        form = request.form
        own = NAMES if here.article is None else [name for name in form.getlist("own") if name in NAMES]
        values: dict[str, Any] = {name: form.get(name, "") for name in (*RANGES, *WORDS)}
        values |= {name: name in form for name in SWITCHES}
        return cls(sent_version(), frozenset(own), values)

    def rules(self) -> dict[str, Any]:
        """The same as rules in stored form; bounds are the room's below to hold.

        Raises: FieldsRefused for what is no number.
        """
        wrong = [
            FieldError(name, "range", "")
            for name in RANGES
            if name in self.own and self._number(name) is None
        ]
        if wrong:
            raise FieldsRefused(errors=tuple(wrong))
        values: dict[str, Any] = {name: self.values[name] for name in SWITCHES}
        values |= {name: self._number(name) for name in RANGES}
        values |= {name: entries(self.values[name]) for name in WORDS}
        return {name: value for name, value in values.items() if name in self.own}

    def count(self, name: str) -> int:
        """How many entries a list has as it stands in the form."""
        return len(entries(self.values[name]))

    def _number(self, name: str) -> int | None:
        text = str(self.values[name]).strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS else None


def sent_version() -> int:
    """The version of the rules that the page of this form showed; an article may have had none yet."""
    version = request.form.get("version", "")
    return 0 if version == "0" else comment_id(version) or -1


def _as_text(value: Any) -> Any:
    return "\n".join(value) if isinstance(value, tuple) else value

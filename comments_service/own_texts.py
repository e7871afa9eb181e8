"""A site's own words: what may stand in the place of a text of the catalogue, and what may not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from comments_service.errors import FieldError, FieldsRefused
from comments_service.texts import SOURCE_LANGUAGE, Catalogue, Texts

MAX_OWN_TEXT_CHARACTERS = 1_000

_PLACE = re.compile(r"\{(\w+)\}")
_FORM = re.compile(r"zero|one|two|few|many|other|=[0-9]{1,9}")


@dataclass(frozen=True)
class OwnText:
    """A site's own words for one text of the catalogue, or for one of its plural forms."""

    key: str
    form: str | None
    text: str

    @classmethod
    def parse(cls, given: str) -> OwnText:
        """Read "KEY=TEXT" or "KEY.FORM=TEXT", as in "count.heading.one=…" and "count.heading.=2=…".

        Raises: FieldsRefused.
        """
        found = re.fullmatch(rf"([a-z0-9_.-]+?)(?:\.({_FORM.pattern}))?=(.*)", given, re.DOTALL)
        if found is None:
            raise FieldsRefused(f"“{given}” is not of the form KEY=TEXT or KEY.FORM=TEXT.")
        return cls(found[1], found[2], found[3])


def new_texts(
    texts: Texts, *, dropped: Iterable[str], given: Iterable[OwnText], catalogue: Catalogue
) -> dict[str, str | dict[str, str]]:
    """A site's own texts after a change: some dropped, then some given.

    Raises: FieldsRefused for a key, form or place that the catalogue does not have.
    """
    new = {key: own if isinstance(own, str) else dict(own) for key, own in texts.items()}
    for key in dropped:
        if new.pop(key, None) is None:
            raise FieldsRefused(f"The site has no text of its own for “{key}”.")
    for own in given:
        base = catalogue.languages[SOURCE_LANGUAGE].get(own.key)
        if base is None:
            raise FieldsRefused(f"There is no text with the key “{own.key}”.")
        _check_own_text(own, base)
        new[own.key] = own.text if own.form is None else _with_form(new.get(own.key), own, base)
    return new


def places_of(base: str | Mapping[str, str]) -> tuple[str, ...]:
    """The names of what is filled in where a text of the catalogue stands."""
    forms = [base] if isinstance(base, str) else [*base.values(), "{count}"]
    return tuple(sorted({place for form in forms for place in _PLACE.findall(form)}))


def _check_own_text(own: OwnText, base: str | Mapping[str, str]) -> None:
    if own.form is not None and isinstance(base, str):
        raise FieldsRefused(f"The text “{own.key}” has no plural forms.")
    field = own.form or "text"
    if own.text:
        checked_line(own.text, own.key, MAX_OWN_TEXT_CHARACTERS, field=field)
    known = places_of(base)
    if unknown := set(_PLACE.findall(own.text)) - set(known):
        places = ", ".join(f"{{{place}}}" for place in known) or "no places to fill in"
        detail = f"Nothing fills in {{{min(unknown)}}} in “{own.key}”; it has {places}."
        raise FieldsRefused(detail, errors=(FieldError(field, "places", detail),))


def _with_form(
    earlier: str | dict[str, str] | None, own: OwnText, base: str | Mapping[str, str]
) -> dict[str, str]:
    forms: dict[str, str] = {}
    if isinstance(earlier, str):  # one text for every count until now: it stays so for the other forms
        forms = dict.fromkeys((form for form in base if not form.startswith("=")), earlier)
    elif earlier:
        forms = dict(earlier)
    return forms | {str(own.form): own.text}


def checked_line(text: str, what: str, limit: int, *, field: str) -> str:
    """The text without blanks around it.

    Raises: FieldsRefused, for `field`, unless it is one line of 1 to `limit` characters.
    """
    line = text.strip()
    if not 1 <= len(line) <= limit or any(unicodedata.category(c) in {"Cc", "Cs"} for c in line):
        detail = f"The {what} must be one line of 1 to {limit} characters."
        raise FieldsRefused(detail, errors=(FieldError(field, "line", detail),))
    return line

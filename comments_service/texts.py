"""Every word a reader or moderator sees: one catalogue, `locales/*.json`, shared by pages and widget.

A text is a string, or a set of forms by plural category of the Unicode CLDR ("one", "few", "other"…).
A form named by a number ("=0", "=1") beats the categories. A new language is a new file and no code: it has
all that readers see, and may have what moderators see.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.lists import format_list
from babel.numbers import format_decimal

Forms = Mapping[str, str]
Texts = Mapping[str, str | Forms]

SOURCE_LANGUAGE = "en"  # complete by definition: what another language lacks is shown in this one
WIDGET_FAMILIES = ("thread.", "form.", "error.", "note.")
BOOT_FAMILY = "boot."
READER_FAMILIES = (BOOT_FAMILY, "count.", *WIDGET_FAMILIES, "status.", "page.")
# Of the pages' words these stand on moderators' pages alone
MODERATORS_ERRORS = (
    *("changed-meanwhile", "form-refused", "insecure-connection", "invitation-ended", "last-owner"),
    *("link-ended", "not-allowed", "person-not-found", "too-many-guesses"),
)
MODERATORS_PAGE_TEXTS = frozenset(
    {"page.home", "page.newest"}
    | {f"page.error.{slug}{part}" for slug in MODERATORS_ERRORS for part in ("", ".help")}
)
NETWORK_DAYS = 30
# These go with the line about privacy, and only where somebody checks
CHECKED, EMAILED = "note.checked", "note.emailed"

NOBODY: Mapping[str, bool] = {}

_LOCALES = Path(__file__).parent / "locales"
_PLACE = re.compile(r"\{(\w+)\}")
_ISOLATE, _END = "\u2068", "\u2069"  # Unicode Standard Annex #9
_COUNTED, _EXAMPLES = 200, 5


@dataclass(frozen=True)
class Catalogue:
    """All texts by language. Overrides are a site's own texts: they replace single texts or single forms."""

    languages: Mapping[str, Texts]
    complete: frozenset[str] = frozenset({SOURCE_LANGUAGE})  # those that moderators are spoken to in

    @classmethod
    def load(cls) -> Catalogue:
        """The catalogue of this installation; the files are read once."""
        return _load()

    def language(self, wanted: str | None, fallback: str) -> str:
        """The language to speak: the wanted one, its parent ("de" for "de-AT"), else the fallback."""
        for tag in (wanted, fallback):
            for candidate in _tag_and_parents(tag or ""):
                if candidate in self.languages:
                    return candidate
        return SOURCE_LANGUAGE

    def direction(self, lang: str) -> Literal["ltr", "rtl"]:
        """Which way the language is written."""
        return "rtl" if _locale(lang).text_direction == "rtl" else "ltr"

    def text(self, lang: str, key: str, /, *, overrides: Texts | None = None, **values: object) -> str:
        """One text with its values put in literally. An unknown key is our mistake: KeyError."""
        text = self._merged(lang, key, overrides or {})
        return _fill(_as_forms(text)["other"], values)

    def plural(
        self,
        forms_or_key: str | Forms,
        count: int,
        *,
        lang: str,
        overrides: Texts | None = None,
        **values: object,
    ) -> str:
        """The form for this count; `{count}` is written the way the language writes numbers."""
        forms = forms_or_key
        if isinstance(forms, str):
            forms = _as_forms(self._merged(lang, forms, overrides or {}))
        category = _category(count, lang)
        form = forms.get(f"={count}", forms.get(category, forms["other"]))
        return _fill(form, {**values, "count": _number(count, lang)})

    def heading(self, count: int, title: str, *, lang: str, overrides: Texts | None = None) -> str:
        """The sentence above a thread: "2 thoughts on “Title”". Empty when there is nothing to count."""
        key = "count.heading" if title else "count.heading_untitled"
        if title and self.direction(lang) == "rtl":
            title = f"{_ISOLATE}{title}{_END}"  # or a title from the left would take its quotes along
        return self.plural(key, count, lang=lang, overrides=overrides, title=title)

    def widget_texts(
        self,
        lang: str,
        overrides: Texts | None = None,
        *,
        network_days: int = NETWORK_DAYS,
        neighbours: Mapping[str, bool] = NOBODY,
    ) -> dict[str, str | dict[str, str]]:
        """What the widget needs to speak this language, with the site's own texts in place."""
        keys = [key for key in self.languages[lang] if key.startswith(WIDGET_FAMILIES)]
        texts = {key: _plain(self._merged(lang, key, overrides or {})) for key in keys}
        for key in (CHECKED, EMAILED):
            del texts[key]
        texts["note.privacy"] = self.privacy_note(
            lang, overrides, network_days=network_days, neighbours=neighbours
        )
        return texts

    def privacy_note(
        self,
        lang: str,
        overrides: Texts | None = None,
        *,
        network_days: int = NETWORK_DAYS,
        neighbours: Mapping[str, bool] = NOBODY,
    ) -> str:
        """One line beside every form: what is stored, how long, and which `neighbours` look at it.

        These are names, each with whether it gets the email as well.
        """
        note = self.plural("note.privacy", network_days, lang=lang, overrides=overrides)
        emailed = [name for name, gets_email in neighbours.items() if gets_email]
        for key, names in ((CHECKED, list(neighbours)), (EMAILED, emailed)):
            if names:
                gap = "" if note.endswith("。") else " "
                note += gap + self.text(lang, key, overrides=overrides, names=self._listed(names, lang))
        return note

    def _listed(self, names: Sequence[str], lang: str) -> str:
        """Names in a row, as the language joins them."""
        if self.direction(lang) == "rtl":
            names = [f"{_ISOLATE}{name}{_END}" for name in names]
        return str(format_list(names, locale=_locale(lang)))

    def boot_texts(self) -> dict[str, dict[str, str | dict[str, str]]]:
        """The few words the widget needs before the service has answered, in every language."""
        return {
            lang: {key: _plain(text) for key, text in texts.items() if key.startswith(BOOT_FAMILY)}
            for lang, texts in self.languages.items()
        }

    @property
    def reader_keys(self) -> tuple[str, ...]:
        """The keys of all texts, in the order of the file of the source language."""
        return tuple(self.languages[SOURCE_LANGUAGE])

    def categories(self, lang: str) -> dict[str, tuple[int, ...]]:
        """The plural categories of a language, in the order of the CLDR, each with its first counts.

        A category without any is for fractions.
        """
        rule, known = _locale(lang).plural_form, ("zero", "one", "two", "few", "many", "other")
        counts: dict[str, list[int]] = {name: [] for name in known if name in {*rule.tags, "other"}}
        for count in range(_COUNTED):
            counts[rule(count)].append(count)
        return {name: tuple(examples[:_EXAMPLES]) for name, examples in counts.items()}

    def _merged(self, lang: str, key: str, overrides: Texts) -> str | Forms:
        base, own = self.languages[lang][key], overrides.get(key)
        if own is None:
            return base
        if isinstance(base, str):
            return own if isinstance(own, str) else own.get("other", base)
        if isinstance(own, str):  # one text for every count, but what is said for an exact number stays
            return {number: form for number, form in base.items() if number.startswith("=")} | {"other": own}
        return {**base, **own}


@cache
def _load() -> Catalogue:
    files = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(_LOCALES.glob("*.json"))}
    source = files[SOURCE_LANGUAGE]
    complete = frozenset(lang for lang, texts in files.items() if source.keys() <= texts.keys())
    return Catalogue({lang: {**source, **texts} for lang, texts in files.items()}, complete)


def is_readers(key: str) -> bool:
    """Whether readers see this text, so that every language must have it."""
    return key.startswith(READER_FAMILIES) and key not in MODERATORS_PAGE_TEXTS


@cache
def _locale(lang: str) -> Locale:
    try:
        return Locale.parse(lang, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale.parse(SOURCE_LANGUAGE)


@lru_cache(maxsize=4096)
def _category(count: int, lang: str) -> str:
    return str(_locale(lang).plural_form(count))


@lru_cache(maxsize=4096)  # a page of the queue writes hundreds of numbers, and most of them are small
def _number(count: int, lang: str) -> str:
    return format_decimal(count, locale=_locale(lang))


def _tag_and_parents(tag: str) -> list[str]:
    parts = tag.replace("_", "-").split("-")[:4]
    parts = [parts[0].lower(), *(part.upper() if len(part) == 2 else part.title() for part in parts[1:])]
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _as_forms(text: str | Forms) -> Forms:
    return {"other": text} if isinstance(text, str) else text


def _plain(text: str | Forms) -> str | dict[str, str]:
    return text if isinstance(text, str) else dict(text)


def _fill(text: str, values: Mapping[str, object]) -> str:
    if not values:
        return text
    # One pass, so a value that looks like a place ("{count}" in a title) is never filled in turn.
    return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), text)

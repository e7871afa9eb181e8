"""The words that a site may have of its own: each text its readers see, the common one beside its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from comments_service.errors import PageNotFound
from comments_service.own_texts import OwnText, new_texts, places_of
from comments_service.sites import SiteChange
from comments_service.texts import Catalogue, Forms
from comments_service.vocabulary import SiteView

FAMILIES = ("count", "thread", "form", "note", "error", "status", "page")
# Of the other pages' words these alone stand on pages of a site
PAGE_TEXTS = frozenset(
    {
        *("page.article", "page.comments", "page.comments_on", "page.leave_empty", "page.newer"),
        *("page.skip", "page.unreachable"),
    }
)
SINGLE = "text"  # the form of a text that has no plural forms
SAMPLES: Mapping[str, Any] = {
    "title": "A bridge for the harbour",
    "name": "Ana",
    "limit": 245,
    "names": "Akismet",
}


@dataclass(frozen=True)
class FormLine:
    """One form of a text: for which counts it stands, the common words, the own if there are any."""

    name: str
    examples: tuple[int, ...]
    common: str
    own: str | None

    @property
    def sample_count(self) -> int:
        """A count that takes this form, for a preview."""
        return self.examples[0] if self.examples else 1


@dataclass(frozen=True)
class WordLine:
    """One text of the catalogue, with the places that are filled in where it stands."""

    key: str
    forms: tuple[FormLine, ...]
    places: tuple[str, ...]

    @property
    def family(self) -> str:
        """Where it is shown."""
        return self.key.partition(".")[0]

    @property
    def is_own(self) -> bool:
        """Whether the site has words of its own here."""
        return any(form.own is not None for form in self.forms)


def word_lines(
    site: SiteView, catalogue: Catalogue, *, q: str = "", own_only: bool = False
) -> list[WordLine]:
    """The texts that say `q`, in key or words, by family; those with own words alone if so wanted."""
    lines = [word_line(site, catalogue, key) for family in FAMILIES for key in _keys(catalogue, family)]
    wanted = q.strip().casefold()
    return [line for line in lines if (line.is_own or not own_only) and _says(line, wanted)]


def word_line(site: SiteView, catalogue: Catalogue, key: str) -> WordLine:
    """One text.

    Raises: PageNotFound for a key that is no text of readers.
    """
    if key not in _keys(catalogue, key.partition(".")[0]):
        raise PageNotFound
    base, own = catalogue.languages[site.language][key], site.texts.get(key)
    if isinstance(base, str):
        text = own if own is None or isinstance(own, str) else own.get("other")
        return WordLine(key, (FormLine(SINGLE, (), base, text),), places_of(base))
    return WordLine(key, tuple(_forms(base, own, catalogue.categories(site.language))), places_of(base))


def change_of(line: WordLine, typed: Mapping[str, str], site: SiteView) -> SiteChange:
    """What saving these forms means: whatever is empty or as in the common words is no text of its own."""
    given = []
    for form in line.forms:
        text = " ".join(typed.get(form.name, "").split("\n")).replace("\r", "").strip()
        if (text and text != form.common) or (not text and form.own == ""):
            given.append(OwnText(line.key, None if form.name == SINGLE else form.name, text))
    dropped = (line.key,) if line.key in site.texts else ()
    return SiteChange(own_texts=tuple(given), dropped_texts=dropped)


def preview(line: WordLine, typed: Mapping[str, str], site: SiteView, catalogue: Catalogue) -> dict[str, str]:
    """Each form as readers would see it, nothing saved.

    Raises: FieldsRefused, as saving would.
    """
    change = change_of(line, typed, site)
    new_texts(site.texts, dropped=change.dropped_texts, given=change.own_texts, catalogue=catalogue)
    own = {given.form or SINGLE: given.text for given in change.own_texts}
    return {
        form.name: catalogue.plural(
            {"other": own.get(form.name, form.common)}, form.sample_count, lang=site.language, **SAMPLES
        )
        for form in line.forms
    }


def _forms(
    base: Forms, own: str | Forms | None, categories: Mapping[str, tuple[int, ...]]
) -> Iterator[FormLine]:
    given: Mapping[str, str] = own if own is not None and not isinstance(own, str) else {}
    for name in sorted(name for name in {**base, **given} if name.startswith("=")):
        yield FormLine(name, (int(name[1:]),), base.get(name, base["other"]), given.get(name))
    exact = {int(name[1:]) for name in {**base, **given} if name.startswith("=")}
    for name, examples in categories.items():
        shown = tuple(number for number in examples if number not in exact)[:4]
        text = own if isinstance(own, str) else given.get(name)
        yield FormLine(name, shown, base.get(name, base["other"]), text)


def _keys(catalogue: Catalogue, family: str) -> list[str]:
    source = catalogue.reader_keys
    known = [key for key in source if key.startswith(f"{family}.")]
    return [key for key in known if family != "page" or key in PAGE_TEXTS] if family in FAMILIES else []


def _says(line: WordLine, wanted: str) -> bool:
    texts = (line.key, *(text for form in line.forms for text in (form.common, form.own or "")))
    return any(wanted in text.casefold() for text in texts)

"""What every page needs to speak: a language, and `say` for each of its words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from babel.dates import format_date, format_time, format_timedelta
from flask import g, request

from comments_service.blocklists.entries import MET_TEXTS
from comments_service.snapshot.question import iso
from comments_service.texts import SOURCE_LANGUAGE, Texts
from comments_service.web.wiring import wiring

JUST_NOW = timedelta(minutes=1)
VOTE_ERRORS = ("enough-votes", "own-vote", "too-many-votes", "votes-off")
NOTED = ("late", "unfit", "rest")  # what a notice may tell besides: how many were not done, and why


def page_words(lang: str, texts: Texts | None = None) -> dict[str, Any]:
    """The variables that every template may use. `texts` are a site's own."""
    parts, catalogue = wiring(), wiring().catalogue

    def say(key: str, /, **values: object) -> str:
        return catalogue.text(lang, key, overrides=texts, **values)

    def say_count(key: str, count: int, /, **values: object) -> str:
        return catalogue.plural(key, count, lang=lang, overrides=texts, **values)

    return {
        "lang": lang,
        "direction": catalogue.direction(lang),
        "say": say,
        "say_count": say_count,
        "forms": lambda key: catalogue.languages[lang][key],  # for scripts, which count by themselves
        "written": lambda moment: written(moment, lang),
        "age": lambda moment: _age(parts.now() - moment, lang),
        "iso": iso,
        "met": lambda word: say(MET_TEXTS[word]) if word in MET_TEXTS else word,
        "notice_text": lambda notice: _told(notice, say, say_count),
    }


def moderators_words() -> dict[str, Any]:
    """The same in the language of the browser that asks: for pages of no site, which are never cached."""
    return page_words(browser_language())


def browser_language() -> str:
    """The language, of those that moderators are spoken to in, that this browser likes best."""
    wanted = request.accept_languages.best_match(sorted(wiring().catalogue.complete))
    return wanted or SOURCE_LANGUAGE


def problem_language() -> str:
    """The language of an error page: that of a reader's page, where it is one; else as for moderators."""
    if "site" not in g:
        return browser_language()
    return wiring().catalogue.language(request.args.get("lang"), g.site.language)


def problem_words(lang: str, slug: str, title: str, detail: str) -> tuple[str, str]:
    """What an error page says: the catalogue's sentences for this kind of error, else those it came with."""
    known: Mapping[str, object] = wiring().catalogue.languages[lang]
    if slug in VOTE_ERRORS:  # the same words as in the widget
        return str(known["page.error.vote"]), str(known[f"error.{slug}"])
    help_text = known.get(f"page.error.{slug}.help", known.get(detail, detail))
    return str(known.get(f"page.error.{slug}", title)), str(help_text)


def mistake_words(reference: str) -> str:
    """What to say of a mistake of ours: the number under which the log has it."""
    return wiring().catalogue.text(browser_language(), "page.error.reference", reference=reference)


def written(moment: datetime, lang: str) -> str:
    """A time for people, with its zone: nobody has to guess whose clock it is."""
    there, locale = moment.astimezone(UTC), lang.replace("-", "_")
    minute = there.time().replace(second=0, microsecond=0)
    day = _date(there.date(), locale)
    return wiring().catalogue.text(lang, "page.moment", date=day, time=_time(minute, locale))


@lru_cache(maxsize=4096)  # comments of one page share their days, and all the world its minutes
def _date(day: date, locale: str) -> str:
    return format_date(day, "medium", locale=locale)


@lru_cache(maxsize=4096)
def _time(minute: time, locale: str) -> str:
    return format_time(minute, "short", locale=locale)


def _told(notice: Mapping[str, Any], say: Callable[..., str], say_count: Callable[..., str]) -> str:
    """What the last action did: the session carried its key and numbers."""
    count = notice.get("count")
    sentences = [say(notice["key"]) if count is None else say_count(notice["key"], count)]
    noted = {name: number for name in NOTED if (number := notice.get(name))}
    sentences += [
        say_count(f"queue.done.{name}", number, total=number + (count or 0)) for name, number in noted.items()
    ]
    return " ".join(sentences)


def _age(duration: timedelta, lang: str) -> str:
    # A clock that was set back must not show a comment from the future
    shown = max(duration, timedelta(0))
    if shown < JUST_NOW:
        return wiring().catalogue.text(lang, "page.just_now")
    return format_timedelta(-shown, add_direction=True, threshold=1, locale=lang.replace("-", "_"))

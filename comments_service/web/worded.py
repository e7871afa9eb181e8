"""What goes wrong behind a public door, in words: wrong fields in the reader's language, an absent store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from comments_service.errors import FieldsRefused
from comments_service.vocabulary import SiteView
from comments_service.web.forms import in_words, sentence
from comments_service.web.problems import store_refusal
from comments_service.web.wiring import wiring


@contextmanager
def worded(site: SiteView, lang: str) -> Iterator[None]:
    """Let what is refused within leave with its sentences.

    Raises: FieldsRefused, StoreUnavailable, and whatever else is raised within.
    """
    try:
        yield
    except FieldsRefused as error:
        error.errors = in_words(error.errors, lambda key: sentence(wiring().catalogue, lang, site, key))
        raise
    except (DBAPIError, PoolTimeout) as error:
        if refusal := store_refusal(error):
            raise refusal from error
        raise

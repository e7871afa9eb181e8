"""What is wrong with a form of the people's pages: the field, a code, and a sentence of the catalogue."""

from __future__ import annotations

from comments_service.errors import FieldError, FieldsRefused
from comments_service.texts import SOURCE_LANGUAGE, Catalogue


def wrong(field: str, code: str, *, limit: object = "") -> FieldError:
    """One wrong field, in the words of the source language; pages say it in the language of the browser."""
    text = Catalogue.load().text(SOURCE_LANGUAGE, f"account.error.{field}.{code}", limit=limit)
    return FieldError(field, code, text)


def refusal(*errors: FieldError) -> FieldsRefused:
    """All that is wrong, as one error."""
    return FieldsRefused(errors[0].detail, errors=errors)

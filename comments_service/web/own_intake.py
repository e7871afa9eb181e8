"""What both doors do for an author who changes an own comment: count the tries, check, hand it down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

from flask import Flask, current_app, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from comments_service.errors import FieldError, FieldsRefused
from comments_service.own.changing import Change, change_own
from comments_service.own.hurry import Hurry
from comments_service.own.withdrawing import withdraw
from comments_service.privacy import network_of
from comments_service.settings import Settings
from comments_service.vocabulary import SiteView
from comments_service.web.forms import TextForm, in_words, refuse_wrong_fields, sentence
from comments_service.web.problems import store_refusal
from comments_service.web.wiring import wiring

HURRY = "comments.hurry"


def init_app(app: Flask, settings: Settings) -> None:
    """Give the app what counts the tries."""
    app.extensions[HURRY] = Hurry(settings)


def count_preview() -> None:
    """Count one look at how a text would be shown, before anything is read.

    Raises: TooManyChanges.
    """
    _hurry().preview(_network_name())


def count_edit() -> None:
    """Count a try to edit, before anything is read.

    Raises: TooManyChanges.
    """
    _hurry().edit(_network_name())


def count_withdrawal() -> None:
    """Count a try to withdraw, before anything is read.

    Raises: TooManyChanges.
    """
    _hurry().withdraw(_network_name())


def edit_own(
    site: SiteView, number: int, fields: Mapping[str, str], errors: list[FieldError], *, lang: str
) -> None:
    """Check the text under the limits of posting, and let the comment say it.

    Raises: FieldsRefused with sentences in `lang`, StoreUnavailable, and what `change_own` raises.
    """
    parts = wiring()
    form = TextForm({"text": fields.get("text", "")}, site)
    try:
        refuse_wrong_fields(form, errors)
    except FieldsRefused as error:
        error.errors = in_words(error.errors, lambda key: sentence(parts.catalogue, lang, site, key))
        raise
    change = Change(site.key, number, form.text.data or "", network_of(request.remote_addr or ""))
    with _worded_store():
        change_own(change, settings=parts.settings, keys=parts.key_source, now=parts.now())


def withdraw_own(site: SiteView, number: int) -> None:
    """Remove the comment for ever.

    Raises: StoreUnavailable, and what `withdraw` raises.
    """
    with _worded_store():
        withdraw(site.key, number, now=wiring().now())


@contextmanager
def _worded_store() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        if refusal := store_refusal(error):
            raise refusal from error
        raise


def _hurry() -> Hurry:
    return cast(Hurry, current_app.extensions[HURRY])


def _network_name() -> str:
    network = network_of(request.remote_addr or "")
    return wiring().keys.digest("network of a change", network.encode()).hex()

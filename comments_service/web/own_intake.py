"""What both doors do for an author who changes an own comment: check, and hand it down."""

from __future__ import annotations

from collections.abc import Mapping

from flask import request

from comments_service.errors import FieldError
from comments_service.own.changing import Change, change_own
from comments_service.own.withdrawing import withdraw
from comments_service.privacy import network_of
from comments_service.vocabulary import SiteView
from comments_service.web.forms import TextForm, refuse_wrong_fields
from comments_service.web.intake import header
from comments_service.web.wiring import wiring
from comments_service.web.worded import worded


def edit_own(
    site: SiteView, number: int, fields: Mapping[str, str], errors: list[FieldError], *, lang: str
) -> None:
    """Check the text under the limits of posting, and let the comment say it.

    Raises: FieldsRefused with sentences in `lang`, StoreUnavailable, and what `change_own` raises.
    """
    parts = wiring()
    with worded(site, lang):
        form = TextForm(fields, site)
        refuse_wrong_fields(form, errors)
        network = network_of(request.remote_addr or "")
        came = (network, header("User-Agent"), header("Referer"))
        change = Change(site.key, number, form.text.data or "", *came)
        change_own(change, settings=parts.settings, keys=parts.key_source, now=parts.now())


def withdraw_own(site: SiteView, number: int) -> None:
    """Remove the comment for ever.

    Raises: StoreUnavailable, and what `withdraw` raises.
    """
    with worded(site, site.language):
        withdraw(site.key, number, now=wiring().now())

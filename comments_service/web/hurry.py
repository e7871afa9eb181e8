"""Counts what a network asks for too often at the public doors, before any work is done for it."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, request

from comments_service.hurry import Hurry
from comments_service.privacy import network_of
from comments_service.settings import Settings
from comments_service.web.wiring import wiring

HURRY = "comments.hurry"


def init_app(app: Flask, settings: Settings) -> None:
    """Give the app what counts the tries."""
    app.extensions[HURRY] = Hurry(settings)


def count_preview() -> None:
    """Count one look at how a text would be shown.

    Raises: TooManyChanges.
    """
    _hurry().preview(_network_name())


def count_vote() -> None:
    """Count one vote.

    Raises: TooManyVotes.
    """
    _hurry().vote(_network_name())


def count_report() -> None:
    """Count one report.

    Raises: TooManyReports.
    """
    _hurry().report(_network_name())


def count_edit() -> None:
    """Count a try to edit.

    Raises: TooManyChanges.
    """
    _hurry().edit(_network_name())


def count_withdrawal() -> None:
    """Count a try to withdraw.

    Raises: TooManyChanges.
    """
    _hurry().withdraw(_network_name())


def _hurry() -> Hurry:
    return cast(Hurry, current_app.extensions[HURRY])


def _network_name() -> str:
    network = network_of(request.remote_addr or "")
    return wiring().keys.digest("network of a change", network.encode()).hex()

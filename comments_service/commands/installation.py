"""What a command works on: the settings, the database made ready, the time, and the people who wait."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import click

from comments_service.settings import Settings, load_settings
from comments_service.storage.database import db
from comments_service.unlock import KeySource, open_keys

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Installation:
    """One installation, seen by the person who runs it."""

    settings: Settings

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        return datetime.now(UTC)

    def keys(self) -> KeySource:
        """The installation's keys, proven on its database.

        Raises: KeyRefused, CannotStart.
        """
        return open_keys(self.settings, db.engine)


OpenDatabase = Callable[[Settings], AbstractContextManager[None]]


def on_installation(command: Callable[Concatenate[Installation, P], R]) -> Callable[P, R]:
    """Give a command its installation as first argument, within a database that has its tables."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        open_database: OpenDatabase = click.get_current_context().obj
        settings = load_settings()
        with open_database(settings):
            return command(Installation(settings), *args, **kwargs)

    return run


def print_json(value: object) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))

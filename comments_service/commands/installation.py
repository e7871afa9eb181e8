"""What a command works on: the settings, the database made ready, the time, and the people who wait."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import click

from comments_service import logs
from comments_service.errors import CannotStart
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
    """Give a command its installation as first argument, within a database that has its tables.

    A missing SQLite file is an error: most likely a setting points elsewhere.
    """

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        settings = load_settings()
        if settings.sqlite_file is not None and not settings.sqlite_file.exists():
            raise CannotStart(
                f"There is no database at {settings.sqlite_file}. `comments migrate` makes one; "
                "COMMENTS_DATABASE_URL says where it is."
            )
        return _within(settings, command, *args, **kwargs)

    return run


def on_new_installation(command: Callable[Concatenate[Installation, P], R]) -> Callable[P, R]:
    """The same for what people do first: an SQLite file that is not there is made."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return _within(load_settings(), command, *args, **kwargs)

    return run


def _within(
    settings: Settings, command: Callable[Concatenate[Installation, P], R], *args: P.args, **kwargs: P.kwargs
) -> R:
    logs.configure(settings)  # to standard error: standard output belongs to lists and exports
    open_database: OpenDatabase = click.get_current_context().obj
    with open_database(settings):
        return command(Installation(settings), *args, **kwargs)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int], None]]:
    """Count what is done, for a person at a terminal; others see nothing."""
    done = 0
    is_watched = sys.stderr.isatty()

    def show(count: int) -> None:
        nonlocal done
        done += count
        if is_watched:
            click.echo(f"\r{what}: {done:,}", nl=False, err=True)

    yield show
    if is_watched:
        click.echo(err=True)


def print_json(value: object) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))

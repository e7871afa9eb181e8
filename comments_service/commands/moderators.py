"""`comments moderator add/list/reset`. There is no default password."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from functools import reduce

import click

from comments_service.accounts import add_moderator, list_moderators, reset_password
from comments_service.commands.installation import (
    Installation,
    on_installation,
    on_new_installation,
    print_json,
)

PASSWORD_OPTIONS = (
    click.option("--generate", is_flag=True, help="Make a password and print it, once."),
    click.option("--password-stdin", is_flag=True, help="Read the password from standard input."),
)


def asks_for_password(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the two ways to a password beside typing it."""
    return reduce(lambda wrapped, option: option(wrapped), PASSWORD_OPTIONS, command)


@click.group("moderator")
def moderator() -> None:
    """The people who decide about comments."""


@moderator.command("add")
@click.argument("name")
@asks_for_password
@on_new_installation
def add(installation: Installation, name: str, *, generate: bool, password_stdin: bool) -> None:
    """Let somebody sign in."""
    password = _password(generate=generate, from_stdin=password_stdin)
    add_moderator(name, password, now=installation.now())
    click.echo(f"{name} can sign in at {installation.settings.public_url}/login.")
    _show(password, is_generated=generate)


@moderator.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@on_installation
def list_(_installation: Installation, *, as_json: bool) -> None:
    """List who may sign in."""
    found = list_moderators()
    if as_json:
        print_json([{"id": person.id, "name": person.name} for person in found])
        return
    for person in found:
        click.echo(person.name)
    if not found:
        click.echo("Nobody can sign in yet. `comments moderator add NAME` changes that.")


@moderator.command("reset")
@click.argument("name")
@asks_for_password
@on_installation
def reset(installation: Installation, name: str, *, generate: bool, password_stdin: bool) -> None:
    """Give somebody a new password; ends all their sessions."""
    password = _password(generate=generate, from_stdin=password_stdin)
    reset_password(name, password, now=installation.now())
    click.echo(f"{name} has a new password, and must sign in anew everywhere.")
    _show(password, is_generated=generate)


def _password(*, generate: bool, from_stdin: bool) -> str:
    if generate and from_stdin:
        raise click.UsageError("Give --generate or --password-stdin, not both.")
    if generate:
        return secrets.token_urlsafe(15)
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("Without a terminal, give --password-stdin or --generate.")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed


def _show(password: str, *, is_generated: bool) -> None:
    if is_generated:
        click.echo(f"The password, shown only now: {password}")

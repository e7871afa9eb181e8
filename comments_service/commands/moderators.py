"""`comments moderator add/list/set/reset/remove`. There is no default password."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from functools import reduce

import click

from comments_service.commands.installation import (
    Installation,
    on_installation,
    on_new_installation,
    print_json,
)
from comments_service.errors import SiteNotFound
from comments_service.people.accounts import (
    add_moderator,
    person_named,
    remove_person,
    reset_password,
)
from comments_service.people.roles import change_role
from comments_service.people.roster import everybody
from comments_service.sites import list_sites
from comments_service.vocabulary import Role

PASSWORD_OPTIONS = (
    click.option("--generate", is_flag=True, help="Make a password and print it, once."),
    click.option("--password-stdin", is_flag=True, help="Read the password from standard input."),
)
ROLES = click.Choice([str(role) for role in Role])
on_sites = click.option("--site", "site_keys", multiple=True, help="On this site only; repeatable.")


def asks_for_password(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the two ways to a password beside typing it."""
    return reduce(lambda wrapped, option: option(wrapped), PASSWORD_OPTIONS, command)


@click.group("moderator")
def moderator() -> None:
    """The people who decide about comments."""


@moderator.command("add")
@click.argument("name")
@click.option("--role", type=ROLES, default="owner", show_default=True, help="What they may do.")
@on_sites
@asks_for_password
@on_new_installation
def add(
    installation: Installation,
    name: str,
    *,
    role: str,
    site_keys: tuple[str, ...],
    generate: bool,
    password_stdin: bool,
) -> None:
    """Let somebody sign in: with their role on every site, or on those named."""
    _site_ids(site_keys)  # a wrong key is told before a password is asked for
    password = _password(generate=generate, from_stdin=password_stdin)
    add_moderator(name, password, now=installation.now(), role=Role(role), site_keys=site_keys)
    click.echo(f"{name} can sign in at {installation.settings.public_url}/login.")
    _show(password, is_generated=generate)


@moderator.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@on_installation
def list_(_installation: Installation, *, as_json: bool) -> None:
    """List who may sign in, and what they may do."""
    found = everybody()
    if as_json:
        print_json(
            [
                {
                    "id": person.id,
                    "name": person.name,
                    "grants": [
                        {"site": grant.site.key if grant.site else None, "role": grant.role}
                        for grant in person.grants
                    ],
                    "second_factor": person.has_second_factor,
                }
                for person in found
            ]
        )
        return
    for person in found:
        grants = [f"{one.role} of {one.site.key if one.site else 'every site'}" for one in person.grants]
        click.echo(f"{person.name}  {', '.join(grants) or 'no role'}")
    if not found:
        click.echo("Nobody can sign in yet. `comments moderator add NAME` changes that.")


@moderator.command("set")
@click.argument("name")
@click.option("--role", type=ROLES, help="What they may do from now on.")
@click.option("--no-role", is_flag=True, help="Withdraw the role.")
@on_sites
@on_installation
def set_(
    installation: Installation, name: str, *, role: str | None, no_role: bool, site_keys: tuple[str, ...]
) -> None:
    """Give somebody a role, or withdraw it: on every site, or on those named."""
    if (role is None) is not no_role:
        raise click.UsageError("Give --role or --no-role.")
    wanted = Role(role) if role else None
    person, places = person_named(name), _site_ids(site_keys)
    for site_id in places or [None]:
        change_role(person.id, wanted, site_id, by=None, now=installation.now())
    where = ", ".join(site_keys) or "every site"
    click.echo(f"{person.name} is {wanted} of {where}." if wanted else f"{person.name} lost a role: {where}.")


@moderator.command("reset")
@click.argument("name")
@click.option("--drop-second-factor", is_flag=True, help="For somebody who lost phone and recovery codes.")
@asks_for_password
@on_installation
def reset(
    installation: Installation, name: str, *, drop_second_factor: bool, generate: bool, password_stdin: bool
) -> None:
    """Give somebody a new password; ends all their sessions, links in letters, and where letters go."""
    password = _password(generate=generate, from_stdin=password_stdin)
    reset_password(name, password, now=installation.now(), drop_second_factor=drop_second_factor)
    click.echo(f"{name} has a new password, and must sign in anew everywhere.")
    click.echo("Letters go to them again once they have given an address anew.")
    if drop_second_factor:
        click.echo("The second factor is off until it is set up anew.")
    _show(password, is_generated=generate)


@moderator.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_installation
def remove(installation: Installation, *, name: str, yes: bool) -> None:
    """Let somebody in no more, at once. What they decided stays, under their name."""
    person = person_named(name)
    if not yes:
        click.confirm(f"This cannot be taken back. Remove {person.name}?", abort=True)
    remove_person(person.id, by=None, now=installation.now())
    click.echo(f"{person.name} is removed, and signed out everywhere.")


def _site_ids(site_keys: tuple[str, ...]) -> list[int | None]:
    known = {site.key: site.id for site in list_sites()}
    for key in site_keys:
        if key not in known:
            raise SiteNotFound(f"There is no site with the key “{key}”.")
    return [known[key] for key in site_keys]


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

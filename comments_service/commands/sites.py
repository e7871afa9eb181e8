"""`comments site add/list/set`."""

from __future__ import annotations

from typing import Any

import click

from comments_service.commands.installation import (
    Installation,
    on_installation,
    on_new_installation,
    print_json,
)
from comments_service.neighbours.change import OPTIONS, SECRETS, NeighbourChange
from comments_service.options import SORTS, Asking, Voting
from comments_service.own_texts import OwnText
from comments_service.sites import (
    OPTIONAL_FIELDS,
    SignedNames,
    SiteChange,
    add_site,
    change_site,
    list_sites,
    owner_lines,
)
from comments_service.texts import Catalogue
from comments_service.vocabulary import SiteView


def _required_fields(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> frozenset[str] | None:
    if value is None:
        return None
    fields = frozenset(part.strip() for part in value.split(",") if part.strip()) - {"none"}
    if not fields <= OPTIONAL_FIELDS:
        raise click.BadParameter("name fields out of name and email, or none.")
    return fields


class _Secret(click.File):
    """A secret in a file: on the command line everybody on the machine could read it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it."""
        opened = super().convert(value, param, ctx)
        return opened.read().strip()


_SECRET = _Secret()


@click.group("site")
def site() -> None:
    """The web sites that show comments."""


@site.command("add")
@click.argument("key")
@click.option("--name", help="What moderators call it; the key, if left out.")
@click.option("--origin", "origins", multiple=True, required=True, help="Where its pages are; repeatable.")
@click.option("--language", help="The language of its texts, such as en.")
@click.option("--text", "texts", multiple=True, metavar="KEY[.FORM]=TEXT", help="Words of its own.")
@click.option("--require", "required", callback=_required_fields, help="name,email (default), one, or none.")
@click.option("--max-depth", type=int, help="How deep replies are shown.")
@on_new_installation
def add(installation: Installation, /, key: str, texts: tuple[str, ...], **values: Any) -> None:
    """Add a site and print the lines for its pages. KEY is public."""
    change = SiteChange(own_texts=tuple(map(OwnText.parse, texts)), **values)
    made = add_site(key, change, catalogue=Catalogue.load(), now=installation.now())
    click.echo(f"Added the site “{made.name}”. Its owner pastes this below each article:\n")
    click.echo(owner_lines(made.key, public_url=installation.settings.public_url))
    click.echo(
        "\nNext: `comments moderator add NAME` if nobody can sign in yet, then `comments serve`. "
        f"Comments wait at {installation.settings.public_url}/queue until somebody approves them."
    )


@site.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@on_installation
def list_(installation: Installation, *, as_json: bool) -> None:
    """List the sites."""
    found = list_sites()
    if as_json:
        print_json([_as_json(view, installation.settings.public_url) for view in found])
        return
    for view in found:
        state = "open" if view.is_open else "closed"
        click.echo(f"{view.key}  {view.name}  {state}  {view.language}  {' '.join(view.origins)}")
    if not found:
        click.echo("There is no site yet. `comments site add KEY --origin https://…` adds one.")


@site.command("set")
@click.argument("key")
@click.option("--name", help="What moderators call it.")
@click.option("--origin", "origins", multiple=True, help="All its origins from now on; repeatable.")
@click.option("--add-origin", "added_origins", multiple=True, help="One origin more.")
@click.option("--remove-origin", "removed_origins", multiple=True, help="One origin less.")
@click.option("--language", help="The language of its texts, such as en.")
@click.option("--text", "texts", multiple=True, metavar="KEY[.FORM]=TEXT", help="Words of its own.")
@click.option("--drop-text", "dropped_texts", multiple=True, metavar="KEY", help="The common words again.")
@click.option("--require", "required", callback=_required_fields, help="name,email, one of them, or none.")
@click.option("--open/--closed", "is_open", default=None, help="Whether it takes comments.")
@click.option(
    "--known-authors/--no-known-authors",
    "publishes_known_authors",
    default=None,
    help="Whether people with an approved comment are published at once.",
)
@click.option("--max-depth", type=int, help="How deep replies are shown.")
@click.option(
    "--letters/--no-letters",
    "takes_letters",
    default=None,
    help="Whether readers may write to the editors alone.",
)
@click.option("--sort", type=click.Choice(SORTS), help="Which comments come first.")
@click.option("--edit-minutes", type=int, help="How long authors may change their words; 0 is never.")
@click.option("--avatars/--no-avatars", default=None, help="Whether a picture is drawn beside each name.")
@click.option("--reports/--no-reports", default=None, help="Whether readers may report comments.")
@click.option("--hold-reported", type=int, help="So many reports take a comment off the page; 0: none do.")
@click.option(
    "--votes", type=click.Choice([str(one) for one in Voting]), help="How readers may vote on comments."
)
@click.option("--akismet/--no-akismet", default=None, help="Whether Akismet is asked about each comment.")
@click.option("--akismet-key", type=_SECRET, metavar="FILE", help="Its key: in a file, or - for the input.")
@click.option("--akismet-email/--no-akismet-email", default=None, help="Whether it gets emails, too.")
@click.option("--service/--no-service", default=None, help="Whether another service is asked, too.")
@click.option("--service-name", help="What readers are told it is called.")
@click.option("--service-url", help="Where it is.")
@click.option("--service-secret", type=_SECRET, metavar="FILE", help="What calls are signed with; the same.")
@click.option("--service-email/--no-service-email", default=None, help="Whether it gets emails, too.")
@click.option(
    "--proof", type=click.Choice([str(one) for one in Asking]), help="When browsers are asked for some work."
)
@on_installation
def set_(
    installation: Installation, /, key: str, texts: tuple[str, ...], origins: tuple[str, ...], **values: Any
) -> None:
    """Change a site."""
    neighbours = NeighbourChange(**{name: values.pop(name) for name in (*OPTIONS, *SECRETS.values())})
    change = SiteChange(
        own_texts=tuple(map(OwnText.parse, texts)), origins=origins or None, neighbours=neighbours, **values
    )
    if change == SiteChange():
        raise click.UsageError("Say what shall change; `comments site set --help` lists what can.")
    keys = installation.keys() if neighbours.secrets else None
    view = change_site(key, change, catalogue=Catalogue.load(), now=installation.now(), keys=keys)
    click.echo(f"Changed the site “{view.name}”.")


@site.command("secret")
@click.argument("key")
@click.option("--on", "wanted", flag_value=SignedNames.ON, type=SignedNames, help="Take names that it signs.")
@click.option("--renew", "wanted", flag_value=SignedNames.RENEW, type=SignedNames, help="Make another one.")
@click.option("--off", "wanted", flag_value=SignedNames.OFF, type=SignedNames, help="Take no signed names.")
@on_installation
def secret(installation: Installation, /, key: str, wanted: SignedNames | None) -> None:
    """Print what the site KEY signs the names of its own users with."""
    change = SiteChange(signed_names=wanted)
    view = change_site(key, change, catalogue=Catalogue.load(), now=installation.now())
    if not view.options.signed_names:
        click.echo("This site takes no signed names. `comments site secret KEY --on` lets it.", err=True)
        return
    click.echo(installation.keys().ring.site_secrets(view.key, view.options.signed_names)[0])


def _as_json(view: SiteView, public_url: str) -> dict[str, object]:
    return {
        "key": view.key,
        "name": view.name,
        "origins": list(view.origins),
        "language": view.language,
        "texts": dict(view.texts),
        "required": list(view.required),
        "open": view.is_open,
        "known_authors": not view.rules.hold_all,
        "max_depth": view.max_depth,
        "letters": view.takes_letters,
        "sort": view.options.sort,
        "avatars": view.options.avatars,
        "signed_names": bool(view.options.signed_names),
        "edit_minutes": view.options.edit_minutes,
        "votes": view.options.votes,
        "reports": view.options.reports,
        "hold_reported": view.options.hold_reported,
        **{name: getattr(view.options, name) for name in OPTIONS},
        "proof": view.options.proof,
        "rules": view.rules.stored(),
        "owner_lines": owner_lines(view.key, public_url=public_url),
    }

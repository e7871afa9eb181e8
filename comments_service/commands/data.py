"""`comments export`, `comments backup`, `comments restore`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from comments_service import backup as backups
from comments_service.commands.installation import Installation, on_installation, progress
from comments_service.export import export_site
from comments_service.settings import Settings, load_settings
from comments_service.storage.files import new_file
from comments_service.unlock import key_file

NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("site_key", metavar="SITE")
@click.option("--output", type=NEW_FILE, help="A new file; standard output, if left out.")
@click.option("--with-emails", is_flag=True, help="Open the sealed addresses. Mind who may read them.")
@on_installation
def export(installation: Installation, *, site_key: str, output: Path | None, with_emails: bool) -> None:
    """Write all of a site as JSON Lines: threads, comments of every status, decisions."""
    keys = installation.keys().ring if with_emails else None
    lines = export_site(site_key, keys=keys, now=installation.now())
    if output is None:
        for line in lines:
            click.echo(line)
        return
    with new_file(output) as draft, progress("Lines written") as on_progress:
        count = _write(draft, lines, on_progress)
    click.echo(f"Wrote {count} lines to {output}.")


def _write(draft: Path, lines: Iterable[str], on_progress: Callable[[int], None]) -> int:
    count = 0
    with draft.open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(line + "\n")
            count += 1
            if count % 1000 == 0:
                on_progress(1000)
    return count


@click.command()
@click.argument("file", type=NEW_FILE)
@on_installation
def backup(installation: Installation, *, file: Path) -> None:
    """Copy the database, as it is at one instant, into a new FILE. The service may go on."""
    contents = backups.backup(installation.settings, file)
    click.echo(f"{file} holds {contents.sites} sites and {contents.comments} comments, and was checked.")
    click.echo(
        f"The key is not in it: {_where_the_key_is(installation.settings)}. Keep a copy of it elsewhere;"
    )
    click.echo("without it nobody can open the emails in this backup.")


@click.command()
@click.argument("file", type=NEW_FILE)
def restore(file: Path) -> None:
    """Put a backup in place of a database that is not there yet."""
    settings = load_settings()
    contents = backups.restore(settings, file)
    click.echo(f"Restored {contents.sites} sites and {contents.comments} comments to {settings.sqlite_file}.")
    key = key_file(settings)
    if settings.secret_key is None and key is not None and not key.exists():
        click.echo(f"The key was not in the backup: put the key of then at {key} before `comments serve`.")
    click.echo("Whoever was erased after the backup must be erased again; see docs/backup.md.")


def _where_the_key_is(settings: Settings) -> str:
    return (
        "it is in COMMENTS_SECRET_KEY" if settings.secret_key is not None else f"it is {key_file(settings)}"
    )

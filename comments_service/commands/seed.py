"""`comments seed`: waiting comments from labelled files, to try the queue on."""

from __future__ import annotations

from pathlib import Path

import click

from comments_service.commands.installation import Installation, on_installation, progress
from comments_service.labelled import read_folder
from comments_service.seed import Seeded
from comments_service.seed import seed as seed_site


@click.command()
@click.option(
    "--from", "folder", type=click.Path(path_type=Path), required=True, help="A folder of labelled CSV files."
)
@click.option("--site", "site_key", help="The key of the site; needed where there are several.")
@click.option("--count", type=click.IntRange(min=1), default=500, show_default=True, help="How many.")
@on_installation
def seed(installation: Installation, *, folder: Path, site_key: str | None, count: int) -> None:
    """Make waiting comments out of CSV files, to try things on. Not for a site that people read."""
    comments = read_folder(folder)
    with progress("Comments made") as on_progress:
        made = seed_site(
            comments,
            count=count,
            site_key=site_key,
            settings=installation.settings,
            keys=installation.keys(),
            now=installation.now(),
            on_progress=on_progress,
        )
    click.echo(_words(made))
    if made.total < count:
        click.echo("The files hold no more that is not there already.")


def _words(made: Seeded) -> str:
    statuses = ", ".join(f"{number} {status}" for status, number in sorted(made.by_status.items()))
    return (
        f"Made {made.total} comments on {made.site_key}: {statuses or 'none'}; {made.articles} articles, "
        f"{made.replies} replies to {made.answered} that were published. "
        f"{made.repeated} were there already."
    )

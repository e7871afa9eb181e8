"""`comments secret rotate`."""

from __future__ import annotations

import click

from comments_service.commands.installation import Installation, on_installation, progress
from comments_service.rotate import retire, rotate


@click.group("secret")
def secret() -> None:
    """The key that seals emails and signs receipts."""


@secret.command("rotate")
@click.option("--retire", "is_retirement", is_flag=True, help="Make no new key; drop the old ones.")
@on_installation
def rotate_(installation: Installation, *, is_retirement: bool) -> None:
    """Seal everything with a new key, while the service runs. The old key goes on opening receipts."""
    if is_retirement:
        _retire(installation)
        return
    with progress("Comments moved") as on_progress:
        rotated = rotate(installation.settings, on_progress=on_progress)
    click.echo(f"Key {rotated.number} seals everything now; {rotated.comments} comments moved to it.")
    if installation.settings.secret_key is None:
        if not rotated.is_new:
            click.echo("This finished an interrupted rotation. Run it again for another new key.")
        click.echo("Keep a copy of the key file, apart from the database's backups.")


def _retire(installation: Installation) -> None:
    with progress("Comments moved") as on_progress:
        dropped = retire(installation.settings, now=installation.now(), on_progress=on_progress)
    if not dropped:
        click.echo("There is no old key.")
        return
    names = ", ".join(map(str, dropped))
    click.echo(f"Dropped: {names}. Receipts and open forms signed before no longer work.")
    if installation.settings.secret_key is not None:
        click.echo("Now take these numbers out of COMMENTS_SECRET_KEY and restart every process.")

"""`comments thread list/open/close`."""

from __future__ import annotations

from dataclasses import asdict

import click

from comments_service.commands.installation import Installation, on_installation, print_json
from comments_service.decisions.articles import open_or_close
from comments_service.threads import ThreadLine, list_threads


@click.group("thread")
def thread() -> None:
    """The comments of single articles."""


@thread.command("list")
@click.option("--site", "site_key", help="Only those of one site.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@on_installation
def list_(_installation: Installation, *, site_key: str | None, as_json: bool) -> None:
    """List the articles that have comments, with the ids that open and close take."""
    found = list_threads(site_key)
    if as_json:
        print_json([asdict(line) for line in found])
        return
    for line in found:
        click.echo(_words(line))
    if not found:
        click.echo("No article has comments yet.")


@thread.command("open")
@click.argument("thread_id", type=int)
@on_installation
def open_(installation: Installation, *, thread_id: int) -> None:
    """Let an article take comments again."""
    open_or_close(thread_id, is_open=True, by=None, now=installation.now())
    click.echo(f"Thread {thread_id} is open.")


@thread.command("close")
@click.argument("thread_id", type=int)
@on_installation
def close(installation: Installation, *, thread_id: int) -> None:
    """Let an article take no more comments; those it has stay."""
    open_or_close(thread_id, is_open=False, by=None, now=installation.now())
    click.echo(f"Thread {thread_id} is closed.")


def _words(line: ThreadLine) -> str:
    state = "open" if line.is_open else "closed"
    return f"{line.id}  {line.site_key}  {state}  {line.approved} shown, {line.pending} waiting  {line.url}"

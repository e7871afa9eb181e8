"""`comments blocklist import|export|list`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from comments_service.blocklists.change import import_entries
from comments_service.blocklists.entries import MAX_ENTRIES, MAX_NOTE_CHARACTERS, MAX_WORD_CHARACTERS, Whose
from comments_service.blocklists.lines import HEAD, MAX_BYTES, MOST_TOLD, Read, decoded, read_lines, written
from comments_service.blocklists.page import all_entries
from comments_service.commands.installation import Installation, on_installation, print_json, progress
from comments_service.errors import FieldsRefused
from comments_service.storage.database import reading
from comments_service.storage.files import new_file
from comments_service.storage.sites import find_site
from comments_service.texts import SOURCE_LANGUAGE, Catalogue

LIMITS = {
    "characters": MAX_WORD_CHARACTERS,
    "note": MAX_NOTE_CHARACTERS,
    "entries": f"{MAX_ENTRIES:,}",
    "mb": MAX_BYTES // 1_000_000,
}


@click.group("blocklist")
def blocklist() -> None:
    """The blocklists of a site."""


@blocklist.command("import")
@click.argument("site_key", metavar="SITE")
@click.argument("file", type=click.Path(allow_dash=True, path_type=Path), default="-")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@on_installation
def import_(installation: Installation, *, site_key: str, file: Path, as_json: bool) -> None:
    """Put the entries of a FILE (or of standard input) on the lists of a site.

    It is a table with the columns kind, entry, action, expires and note, or has a word a line. Where a line
    is wrong, nothing is stored.
    """
    with click.open_file(str(file), "rb") as sent:
        data = sent.read(MAX_BYTES + 1)
    whose, now = _whose(installation, site_key), installation.now()
    with progress("Lines read") as on_progress:
        read = read_lines(_text(data), whose, now=now, on_progress=on_progress)
    if read.wrong:
        raise _refusal(read)
    with progress("Entries stored") as on_progress:
        try:
            changed = import_entries(whose.site_id, read.entries, by=None, now=now, on_progress=on_progress)
        except FieldsRefused as error:
            raise click.ClickException(_sentence("lines", error.errors[0].code)) from None
    known = changed.known + read.repeated
    if as_json:
        print_json({"added": changed.count, "known": known, "ended": read.ended})
    else:
        click.echo(f"Added: {changed.count}. Already there: {known}. Over before today: {read.ended}.")


@blocklist.command()
@click.argument("site_key", metavar="SITE")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@on_installation
def export(installation: Installation, *, site_key: str, file: Path | None) -> None:
    """Write the lists of a site as a table that `import` reads: into a new FILE, or to standard output.

    Of networks and addresses it has sealed hashes, which this site alone can read back.
    """
    whose, now = _whose(installation, site_key), installation.now()
    lines = map(written, all_entries(whose, by=None, now=now))
    if file is None:
        click.echo(HEAD, nl=False)
        for line in lines:
            click.echo(line, nl=False)
        return
    with new_file(file) as draft, progress("Entries written") as on_progress:
        count = _write(draft, lines, on_progress)
    click.echo(f"Wrote {count} entries to {file}.")


@blocklist.command("list")
@click.argument("site_key", metavar="SITE")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@on_installation
def list_(installation: Installation, *, site_key: str, as_json: bool) -> None:
    """List what is on the lists of a site; of networks and addresses sealed hashes."""
    entries = all_entries(_whose(installation, site_key), by=None, now=installation.now())
    if as_json:
        print_json([asdict(entry) for entry in entries])
        return
    is_empty = True
    for entry in entries:
        is_empty = False
        parts = (
            entry.kind,
            entry.action,
            entry.entry,
            entry.expires and f"until {entry.expires}",
            entry.note,
        )
        click.echo("  ".join(filter(None, parts)))
    if is_empty:
        click.echo("Nothing is on the blocklists of this site.")


def _whose(installation: Installation, site_key: str) -> Whose:
    with reading() as session:
        return Whose(find_site(session, site_key).id, installation.keys().ring)


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise click.ClickException(_sentence("lines", "too_large"))
    text = decoded(data)
    if text is None:
        raise click.ClickException(_sentence("lines", "encoding"))
    return text


def _refusal(read: Read) -> click.ClickException:
    told = [f"Line {one.number}: {_sentence(one.field, one.code)}" for one in read.wrong[:MOST_TOLD]]
    if (more := len(read.wrong) - MOST_TOLD) > 0:
        told.append(f"And {more} more.")
    return click.ClickException("\n".join(["Nothing was stored.", *told]))


def _sentence(field: str, code: str) -> str:
    say: Callable[..., str] = partial(Catalogue.load().text, SOURCE_LANGUAGE)
    return say(f"blocklists.error.{field}.{code}", **LIMITS)


def _write(draft: Path, lines: Iterable[str], on_progress: Callable[[int], None]) -> int:
    count = 0
    with draft.open("w", encoding="utf-8", newline="") as out:
        out.write(HEAD)
        for count, line in enumerate(lines, 1):
            out.write(line)
            if count % 1000 == 0:
                on_progress(1000)
    return count

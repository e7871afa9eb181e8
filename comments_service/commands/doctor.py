"""`comments doctor`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime

import click

from comments_service import logs
from comments_service.commands.installation import OpenDatabase, print_json
from comments_service.doctor import Finding, look_at_store, look_inside
from comments_service.errors import CannotStart
from comments_service.settings import load_settings


@click.command()
@click.option("--smtp", "with_smtp", is_flag=True, help="Connect to the mail server, too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor(*, with_smtp: bool, as_json: bool) -> None:
    """Look whether all is well; ends with 1 when something is not."""
    findings = _findings(with_smtp=with_smtp)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{'ok   ' if finding.is_well else 'WRONG'} {finding.name}: {finding.sentence}")
    if not all(finding.is_well for finding in findings):
        sys.exit(1)


def _findings(*, with_smtp: bool) -> list[Finding]:
    try:
        settings = load_settings()
    except CannotStart as error:
        return [Finding("settings", False, error.detail)]
    logs.configure(settings)
    findings = [Finding("settings", True, "Every one of them can be used."), *look_at_store(settings)]
    if not findings[1].is_well:
        return findings
    open_database: OpenDatabase = click.get_current_context().obj
    with open_database(settings):
        return [*findings, *look_inside(settings, with_smtp=with_smtp, now=datetime.now(UTC))]

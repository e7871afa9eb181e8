"""The operator's commands, through their door: what they print, what they refuse, how they end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask

from comments_service.cli import main
from comments_service.vocabulary import SiteView, Status
from tests.conftest import SECRET_KEY
from tests.factories import ORIGIN, PASSWORD, a_comment

DOCS = Path(__file__).resolve().parent.parent / "docs"
Run = Callable[..., Result]


@pytest.fixture
def run(database: str) -> Run:
    """Run a command on this test's database."""

    def run_it(*arguments: str, text: str | None = None, **environment: str | None) -> Result:
        variables: dict[str, str | None] = {
            "COMMENTS_DATABASE_URL": database,
            "COMMENTS_SECRET_KEY": SECRET_KEY,
        }
        variables |= {"COMMENTS_PUBLIC_URL": "https://comments.example.org"}
        return CliRunner().invoke(main, arguments, input=text, env=variables | environment)

    return run_it


def sites(run: Run) -> list[dict[str, object]]:
    """What `site list` tells programs."""
    found: list[dict[str, object]] = json.loads(run("site", "list", "--json").stdout)
    return found


def commands(group: click.Group, *names: str) -> list[tuple[str, ...]]:
    """Every command there is, by its words."""
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        deeper = isinstance(command, click.Group)
        found += commands(command, *names, name) if isinstance(command, click.Group) else []
        found += [] if deeper else [(*names, name)]
    return found


def test_adding_a_site_prints_the_lines_to_paste_and_what_comes_next(run: Run) -> None:
    result = run("site", "add", "demo", "--name", "The News", "--origin", ORIGIN)
    assert result.exit_code == 0
    assert (
        '<script src="https://comments.example.org/embed.js" data-site="demo" async></script>'
        in result.stdout
    )
    assert "comments moderator add" in result.stdout
    assert sites(run)[0] | {"name": "The News", "origins": [ORIGIN], "open": True} == sites(run)[0]


def test_a_site_is_changed_by_options(run: Run) -> None:
    run("site", "add", "demo", "--origin", ORIGIN)
    options = ("--closed", "--require", "name", "--add-origin", "https://m.example.org", "--known-authors")
    result = run(
        "site", "set", "demo", *options, "--text", "count.heading.other={count} thought on “{title}”"
    )
    assert result.exit_code == 0
    site = sites(run)[0]
    assert (site["open"], site["required"], site["known_authors"]) == (False, ["text", "name"], True)
    assert site["origins"] == [ORIGIN, "https://m.example.org"]
    assert site["texts"] == {"count.heading": {"other": "{count} thought on “{title}”"}}
    assert not site["letters"]
    run("site", "set", "demo", "--open", "--require", "none", "--letters", "--sort", "newest")
    assert (sites(run)[0]["letters"], sites(run)[0]["sort"]) == (True, "newest")
    assert run("site", "set", "demo", "--edit-minutes", "0").exit_code == 0
    assert run("site", "set", "demo", "--edit-minutes", "10081").exit_code == 1
    assert sites(run)[0]["edit_minutes"] == 0
    said = ("--votes", "both", "--no-reports", "--hold-reported", "5", "--proof", "always")
    assert sites(run)[0]["proof"] == "suspicion"
    assert run("site", "set", "demo", *said).exit_code == 0
    assert run("site", "set", "demo", "--hold-reported", "101").exit_code == 1
    assert run("site", "set", "demo", "--votes", "sideways").exit_code == 2
    assert run("site", "set", "demo", "--proof", "sometimes").exit_code == 2
    changed = {name: sites(run)[0][name] for name in ("votes", "reports", "hold_reported", "proof")}
    assert changed == {"votes": "both", "reports": False, "hold_reported": 5, "proof": "always"}
    assert (sites(run)[0]["open"], sites(run)[0]["required"]) == (True, ["text"])


def test_lists_are_for_people_too(run: Run) -> None:
    assert "no site yet" in run("site", "list").stdout
    run("site", "add", "demo", "--origin", ORIGIN)
    assert run("site", "list").stdout == f"demo  demo  open  en  {ORIGIN}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("site", "add", "demo"),
        ("site", "set", "demo"),
        ("site", "set", "demo", "--require", "website"),
        ("site", "sett"),
        ("thread", "close", "first"),
        ("moderator", "add", "ana"),
        ("moderator", "add", "ana", "--generate", "--password-stdin"),
    ],
)
def test_wrong_usage_ends_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("site", "add", "Demo!", "--origin", ORIGIN),
        ("site", "add", "demo", "--origin", "news"),
        ("site", "set", "elsewhere", "--closed"),
        ("thread", "close", "7"),
        ("export", "elsewhere"),
        ("person", "erase", "nobody", "--yes"),
        ("person", "erase", "ana@example.org", "--yes", "--site", "elsewhere"),
        ("moderator", "reset", "nobody", "--generate"),
        ("secret", "rotate"),
    ],
)
def test_what_failed_ends_with_1_and_one_sentence(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1
    assert not result.stdout


def test_wrong_settings_are_refused_with_all_their_names(run: Run) -> None:
    result = run("site", "list", COMMENTS_PORT="none", COMMENTS_THREADS="0")
    assert result.exit_code == 1
    assert {"COMMENTS_PORT:", "COMMENTS_THREADS:"} < set(result.stderr.split())


def test_help_needs_no_right_settings(run: Run) -> None:
    assert run("site", "add", "--help", COMMENTS_PORT="none").exit_code == 0


def test_a_moderator_comes_with_a_password_from_standard_input(run: Run) -> None:
    result = run("moderator", "add", "ana", "--password-stdin", text=f"{PASSWORD}\n")
    assert result.exit_code == 0
    assert PASSWORD not in result.output
    assert [person["name"] for person in json.loads(run("moderator", "list", "--json").stdout)] == ["ana"]


def test_a_generated_password_is_printed_once_and_each_time_another(run: Run) -> None:
    first = run("moderator", "add", "ana", "--generate").stdout.split()[-1]
    second = run("moderator", "reset", "ana", "--generate").stdout.split()[-1]
    assert first != second
    assert min(len(first), len(second)) >= 20


def test_a_weak_password_makes_no_moderator(run: Run) -> None:
    result = run("moderator", "add", "ana", "--password-stdin", text="password\n")
    assert (result.exit_code, json.loads(run("moderator", "list", "--json").stdout)) == (1, [])


def test_threads_are_listed_closed_and_opened(run: Run, app: Flask, site: SiteView) -> None:
    thread_id = a_comment(app, site).thread_id
    a_comment(app, site, status=Status.PENDING)

    def line() -> dict[str, object]:
        return dict(json.loads(run("thread", "list", "--site", "demo", "--json").stdout)[0])

    assert (line()["id"], line()["approved"], line()["pending"], line()["is_open"]) == (thread_id, 1, 1, True)
    assert run("thread", "close", str(thread_id)).exit_code == 0
    assert line()["is_open"] is False
    run("thread", "open", str(thread_id))
    assert line()["is_open"] is True


def test_a_person_is_erased_only_after_a_yes(run: Run, app: Flask, site: SiteView) -> None:
    a_comment(app, site, email="zenobia@example.org")
    assert run("person", "erase", "zenobia@example.org", text="n\n").exit_code == 1
    assert "demo: 1 erased" in run("person", "erase", "zenobia@example.org", text="y\n").stdout
    assert "no comment" in run("person", "erase", "zenobia@example.org", "--yes").stdout


def test_an_export_is_lines_of_json(run: Run, app: Flask, site: SiteView) -> None:
    a_comment(app, site, email="zenobia@example.org")
    plain, full = run("export", "demo"), run("export", "demo", "--with-emails")
    assert [json.loads(line)["type"] for line in plain.stdout.splitlines()][:3] == [
        "site",
        "thread",
        "comment",
    ]
    assert ("zenobia" in plain.stdout, "zenobia" in full.stdout) == (False, True)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_logged_never_gets_into_an_export(run: Run, tmp_path: Path) -> None:
    fresh = {"COMMENTS_DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}", "COMMENTS_SECRET_KEY": None}
    run("site", "add", "demo", "--origin", ORIGIN, **fresh)
    result = run("export", "demo", "--with-emails", **fresh)
    assert "secret_key_made" in result.stderr
    assert [json.loads(line)["type"] for line in result.stdout.splitlines()] == ["site", "rules", "event"]


def test_an_export_to_a_file_overwrites_nothing(run: Run, site: SiteView, tmp_path: Path) -> None:
    file = tmp_path / "demo.jsonl"
    assert run("export", "demo", "--output", str(file)).exit_code == 0
    assert json.loads(file.read_text())["key"] == "demo"
    again = run("export", "demo", "--output", str(file))
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)


def test_a_failed_export_leaves_no_file(run: Run, site: SiteView, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    assert run("export", "elsewhere", "--output", str(folder / "x.jsonl")).exit_code == 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_backup_and_restore_say_that_the_key_is_not_in_it(run: Run, site: SiteView, tmp_path: Path) -> None:
    saved = run("backup", str(tmp_path / "copy"))
    assert (saved.exit_code, "The key is not in it" in saved.stdout) == (0, True)
    target = f"sqlite:///{tmp_path / 'new' / 'comments.sqlite3'}"
    restored = run("restore", str(tmp_path / "copy"), COMMENTS_DATABASE_URL=target)
    assert (restored.exit_code, "Restored 1 sites" in restored.stdout) == (0, True)
    assert run("site", "list", COMMENTS_DATABASE_URL=target).stdout.startswith("demo")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_backup_on_postgresql_names_its_own_tool(run: Run, tmp_path: Path) -> None:
    result = run("backup", str(tmp_path / "copy"))
    assert (result.exit_code, "pg_dump --format=custom" in result.stderr) == (1, True)


@pytest.mark.parametrize("key", ["", "1:too-short", "1:" + "k" * 40 + ",1:" + "l" * 40])
def test_a_key_that_can_be_none_is_refused_by_the_name_of_its_setting(
    run: Run, site: SiteView, key: str
) -> None:
    result = run("export", "demo", "--with-emails", COMMENTS_SECRET_KEY=key)
    assert (result.exit_code, result.stderr.startswith("Error: COMMENTS_SECRET_KEY: ")) == (1, True)


def test_the_key_is_rotated_and_the_old_one_retired(run: Run, app: Flask, site: SiteView) -> None:
    a_comment(app, site, now=datetime(2026, 1, 1, tzinfo=UTC))
    both = f"{SECRET_KEY} 2:{'k' * 40}"
    rotated = run("secret", "rotate", COMMENTS_SECRET_KEY=both)
    assert "Key 2 seals everything now; 1 comments moved" in rotated.stdout
    retired = run("secret", "rotate", "--retire", COMMENTS_SECRET_KEY=both)
    assert "Dropped: 1" in retired.stdout
    assert run("person", "erase", "a@example.org", "--yes").exit_code == 1
    assert (
        run("person", "erase", "a@example.org", "--yes", COMMENTS_SECRET_KEY=f"2:{'k' * 40}").exit_code == 0
    )


def test_a_sweep_says_what_was_forgotten(run: Run, app: Flask, site: SiteView) -> None:
    a_comment(app, site, status=Status.SPAM, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert "1 networks, 1 declined comments" in run("sweep").stdout


def test_migrating_what_is_up_to_date_does_nothing(run: Run) -> None:
    assert run("migrate").stdout == "Nothing to do.\n"


def test_a_missing_sqlite_file_is_not_made_by_looking(run: Run, tmp_path: Path) -> None:
    missing = f"sqlite:///{tmp_path / 'typo.sqlite3'}"
    result = run("site", "list", COMMENTS_DATABASE_URL=missing)
    assert (result.exit_code, "There is no database at" in result.stderr) == (1, True)
    assert not (tmp_path / "typo.sqlite3").exists()
    assert run("site", "add", "demo", "--origin", ORIGIN, COMMENTS_DATABASE_URL=missing).exit_code == 0


def test_a_foreign_key_is_refused_with_a_sentence(run: Run, app: Flask, site: SiteView) -> None:
    result = run("export", "demo", "--with-emails", COMMENTS_SECRET_KEY="1:" + "x" * 40)
    assert (result.exit_code, "does not open" in result.stderr) == (1, True)


@pytest.mark.parametrize("words", commands(main), ids=" ".join)
def test_every_command_says_what_it_does_and_is_documented(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*words, "--help"])
    assert result.exit_code == 0
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    assert re.search(rf"comments {' '.join(words)}\b", pages)

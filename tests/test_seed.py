"""`comments seed`: what labelled files become."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select

from comments_service.cli import main
from comments_service.labelled import read_folder
from comments_service.storage.database import db
from comments_service.storage.models import Comment
from comments_service.vocabulary import SiteView, Status
from tests.conftest import SECRET_KEY
from tests.factories import a_site

COLUMNS = ("COMMENT_ID", "AUTHOR", "DATE", "CONTENT", "CLASS")
Seed = Callable[..., Result]


def write(file: Path, rows: Iterable[Iterable[str]], columns: Iterable[str] = COLUMNS) -> None:
    """A CSV file as spam collections are published."""
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([columns, *rows])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files, 60 comments in all: every third advertises."""
    folder = tmp_path / "labelled"
    folder.mkdir()
    for name in ("Harbour", "Market"):
        rows = [
            (f"{name}-{n}", f"Reader {n % 11}", "2026-01-01T10:00:00", f"Thought {n} about the {name}", "0")
            if n % 3
            else (
                f"{name}-{n}",
                f"Shop {n}",
                "",
                f"Cheap {name} ropes no {n} at https://ropes.example/{n}",
                "1",
            )
            for n in range(30)
        ]
        write(folder / f"{name}.csv", rows)
    return folder


@pytest.fixture
def run_seed(database: str, folder: Path) -> Seed:
    """Run the command on this test's database."""

    def run(*options: str, place: Path = folder) -> Result:
        environment = {"COMMENTS_DATABASE_URL": database, "COMMENTS_SECRET_KEY": SECRET_KEY}
        return CliRunner().invoke(main, ["seed", "--from", str(place), *options], env=environment)

    return run


def stored(app: Flask) -> list[Comment]:
    """All comments there are, in order."""
    with app.app_context():
        return list(db.session.scalars(select(Comment).order_by(Comment.id)))


def test_a_folder_of_files_becomes_waiting_comments_of_many_kinds(
    app: Flask, site: SiteView, run_seed: Seed
) -> None:
    result = run_seed("--count", "40")
    waiting = [comment for comment in stored(app) if comment.status == Status.PENDING]
    assert result.exit_code == 0
    assert result.stdout.startswith("Made 40 comments on demo: 40 pending;")
    assert len(waiting) == 40
    assert {
        "threads": len({c.thread_id for c in waiting}) > 3,
        "names": len({c.name for c in waiting}) > 10,
    } == {
        "threads": True,
        "names": True,
    }
    assert len({comment.network_hash for comment in waiting}) > 10
    assert len({comment.created_at for comment in waiting}) == 40
    assert any(comment.parent_id for comment in waiting)
    assert any(comment.website for comment in waiting)


def test_the_same_files_make_the_same_comments_everywhere(app: Flask, site: SiteView, run_seed: Seed) -> None:
    a_site(app, key="second")
    run_seed("--site", "demo", "--count", "20")
    run_seed("--site", "second", "--count", "20")
    first, second = (
        [(c.name, c.text, c.website, c.status) for c in stored(app) if (c.site_id == site.id) == is_first]
        for is_first in (True, False)
    )
    assert first == second


def test_a_second_run_goes_on_and_says_when_the_files_are_used_up(
    app: Flask, site: SiteView, run_seed: Seed
) -> None:
    run_seed("--count", "30")
    result = run_seed("--count", "500")
    texts = [comment.text for comment in stored(app)]
    assert len(texts) == len(set(texts)) == 60
    assert "The files hold no more" in result.stdout
    assert "30 were there already" in result.stdout


def test_nothing_of_a_progress_is_shown_where_nobody_watches(site: SiteView, run_seed: Seed) -> None:
    assert run_seed("--count", "5").stderr == ""


def test_what_an_export_did_to_a_text_is_taken_back(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [("1", " Ana\u202e ", "", "Tom &amp; Ana<br />said \x00so\ufeff", "0")])
    comment = read_folder(tmp_path)[0]
    assert (comment.author, comment.text, comment.is_spam) == ("Ana", "Tom & Ana\nsaid so", False)


def test_a_row_that_says_nothing_is_left_out_and_a_missing_name_made_up(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [("1", "Ana", "", "\ufeff ", "0"), ("2", "", "", "Yes", "1"), ("3",)])
    assert [(c.author, c.text, c.is_spam) for c in read_folder(tmp_path)] == [("Anonymous", "Yes", True)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"COMMENT_ID,AUTHOR\n1,Ana\n", "There is no CSV file with comments in"),
        (b"COMMENT_ID,AUTHOR,DATE,CONTENT,CLASS\n1,Ana,,\xff\xfe,0\n", "is no CSV file in UTF-8"),
        (b'COMMENT_ID,AUTHOR,DATE,CONTENT,CLASS\n1,Ana,,"' + b"a" * 140_000, "is no CSV file in UTF-8"),
        (None, "There is no folder"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_folder_without_such_files_is_refused_with_a_sentence(
    app: Flask, site: SiteView, run_seed: Seed, tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    place = tmp_path / "other"
    if content is not None:
        place.mkdir()
        (place / "rows.csv").write_bytes(content)
    result = run_seed(place=place)
    assert (result.exit_code, stored(app)) == (1, [])
    assert result.stderr.startswith("Error: ")
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_site_must_be_named_where_there_is_not_just_one(app: Flask, run_seed: Seed) -> None:
    nowhere = run_seed()
    a_site(app, key="one")
    a_site(app, key="two")
    anywhere = run_seed()
    assert (nowhere.exit_code, anywhere.exit_code, stored(app)) == (1, 1, [])
    assert "There is no site yet" in nowhere.stderr
    assert "Say which site with --site" in anywhere.stderr
    assert json.dumps(run_seed("--site", "three").stderr).count("There is no such site") == 1

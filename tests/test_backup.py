"""A copy taken while people write, and the way back from it."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from comments_service.backup import Contents, backup, restore
from comments_service.errors import CannotStart, KeyRefused
from comments_service.privacy import Keyring
from comments_service.settings import Settings
from comments_service.storage.database import head_revision, open_engine
from comments_service.storage.schema import stored_revision
from comments_service.unlock import open_keys
from comments_service.vocabulary import SiteView
from tests.factories import a_comment
from tests.servers import wait_until


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> str:
    """SQLite alone: PostgreSQL brings its own tools."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'comments.sqlite3')}"


def elsewhere(settings: Settings, folder: Path) -> Settings:
    """The same settings for a machine that has no database yet."""
    return settings.model_copy(update={"database_url": f"sqlite:///{folder / 'new' / 'comments.sqlite3'}"})


def rows_of(file: Path, query: str) -> list[tuple[object, ...]]:
    """What a query finds in a file."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def test_a_backup_comes_back_whole(app: Flask, site: SiteView, settings: Settings, tmp_path: Path) -> None:
    ids = [(a_comment(app, site).id,) for _ in range(3)]
    assert backup(settings, tmp_path / "copy") == Contents(sites=1, comments=3)
    target = elsewhere(settings, tmp_path)
    assert restore(target, tmp_path / "copy") == Contents(sites=1, comments=3)
    assert target.sqlite_file is not None
    assert rows_of(target.sqlite_file, "SELECT id FROM comment ORDER BY id") == ids
    assert stored_revision(target) == head_revision()


def test_the_restored_database_opens_with_the_key_of_then_and_no_other(
    app: Flask, site: SiteView, settings: Settings, tmp_path: Path
) -> None:
    a_comment(app, site)
    backup(settings, tmp_path / "copy")
    target = elsewhere(settings, tmp_path)
    restore(target, tmp_path / "copy")
    engine = open_engine(target)
    assert open_keys(target, engine).ring.numbers == (1,)
    other = Settings(database_url=target.database_url, secret_key=Keyring.generate())
    with pytest.raises(KeyRefused):
        open_keys(other, engine)
    engine.dispose()


def test_a_copy_taken_under_writers_is_of_one_instant(
    app: Flask, site: SiteView, settings: Settings, tmp_path: Path
) -> None:
    count = 0
    is_done = threading.Event()

    def write() -> None:
        nonlocal count
        while not is_done.is_set():
            a_comment(app, site)
            count += 1

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: count > 5, "some comments")
    before = count
    backup(settings, tmp_path / "copy")
    after = count
    is_done.set()
    writer.join()
    shown = rows_of(tmp_path / "copy", "SELECT count(*), sum(status = 'approved') FROM comment")[0]
    assert rows_of(tmp_path / "copy", "SELECT sum(approved_count) FROM thread") == [(shown[1],)]
    assert before <= int(str(shown[0])) <= after + 1


def test_a_backup_is_for_its_owner_alone_and_without_a_key(
    app: Flask, site: SiteView, settings: Settings, tmp_path: Path
) -> None:
    backup(settings, tmp_path / "copy")
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600
    assert settings.secret_key is not None
    secret = settings.secret_key.get_secret_value().partition(":")[2].encode()
    assert secret not in (tmp_path / "copy").read_bytes()


def test_nothing_deleted_travels_in_a_backup(
    app: Flask, site: SiteView, settings: Settings, tmp_path: Path
) -> None:
    a_comment(app, site, text="harpsichord " * 500)
    file = settings.sqlite_file
    assert file is not None
    with closing(sqlite3.connect(file)) as connection:  # by hand, as nobody should: nothing is overwritten
        connection.execute(
            "INSERT INTO comment_search(comment_search, rowid, words)"
            " SELECT 'delete', comment_id, words FROM comment_words"
        )
        beside = ("submission_key", "comment_reason", "cluster_key", "comment_words", "thread_root")
        for table in (*beside, "comment"):
            connection.execute(f"DELETE FROM {table}")
        connection.commit()
    assert b"harpsichord" in file.read_bytes() + file.with_name(f"{file.name}-wal").read_bytes()
    backup(settings, tmp_path / "copy")
    assert b"harpsichord" not in (tmp_path / "copy").read_bytes()


def test_neither_a_file_nor_a_database_is_ever_overwritten(
    app: Flask, site: SiteView, settings: Settings, tmp_path: Path
) -> None:
    backup(settings, tmp_path / "copy")
    before = (tmp_path / "copy").read_bytes()
    with pytest.raises(FileExistsError):
        backup(settings, tmp_path / "copy")
    with pytest.raises(CannotStart, match="is there already"):
        restore(settings, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == before


def test_a_backup_leaves_nothing_else_behind(
    app: Flask, site: SiteView, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    backup(settings, folder / "copy")
    assert [file.name for file in folder.iterdir()] == ["copy"]


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, None])
def test_what_is_no_backup_is_not_restored(settings: Settings, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "copy").write_bytes(content)
    target = elsewhere(settings, tmp_path)
    with pytest.raises(CannotStart):
        restore(target, tmp_path / "copy")
    assert target.sqlite_file is not None
    assert not target.sqlite_file.exists()


def test_a_damaged_backup_is_not_restored(
    app: Flask, site: SiteView, settings: Settings, tmp_path: Path
) -> None:
    for _ in range(30):
        a_comment(app, site, text="x" * 3000)
    backup(settings, tmp_path / "copy")
    whole = (tmp_path / "copy").read_bytes()
    (tmp_path / "copy").write_bytes(
        whole[: len(whole) // 2] + b"\xff" * 4096 + whole[len(whole) // 2 + 4096 :]
    )
    with pytest.raises(CannotStart, match=r"damaged|no copy"):
        restore(elsewhere(settings, tmp_path), tmp_path / "copy")


def test_a_copied_file_of_a_stopped_service_can_be_restored_too(settings: Settings, tmp_path: Path) -> None:
    assert settings.sqlite_file is not None
    shutil.copy(settings.sqlite_file, tmp_path / "copy")
    assert restore(elsewhere(settings, tmp_path), tmp_path / "copy") == Contents(sites=0, comments=0)


def test_on_postgresql_the_command_to_run_is_named_without_the_password(
    tmp_path: Path,
) -> None:
    settings = Settings(database_url="postgresql://me:secret@db.example.org:5433/comments")
    with pytest.raises(CannotStart, match=r"pg_dump --format=custom --file .* postgresql://me@db") as refusal:
        backup(settings, tmp_path / "copy")
    with pytest.raises(CannotStart, match="pg_restore --no-owner --dbname postgresql://me@db"):
        restore(settings, tmp_path / "copy")
    assert "secret" not in str(refusal.value)

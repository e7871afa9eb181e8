"""What is shipped works by itself: the wheel, in a bare environment, far from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.servers import answers, free_port, wait_until

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = {str(file.relative_to(ROOT)) for file in (ROOT / "templates").rglob("*.html")}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist, built from the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


@pytest.fixture
def installed(built: tuple[Path, Path], tmp_path: Path) -> Path:
    """The folder of programs of an environment that has the locked requirements and the wheel."""
    venv.create(tmp_path / "bare", with_pip=True)
    python = tmp_path / "bare" / "bin" / "python"
    lock = ["--require-hashes", "-r", str(ROOT / "requirements" / "runtime.txt")]
    uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--python", str(python)]
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*uv, *lock], check=False, capture_output=True).returncode != 0:
        subprocess.run([*pip, *lock], check=True, capture_output=True)
    subprocess.run([*pip, "--no-deps", "--no-index", str(built[0])], check=True, capture_output=True)
    return python.parent


def test_wheel_and_sdist_carry_templates_texts_and_migrations(built: tuple[Path, Path]) -> None:
    wheel = set(zipfile.ZipFile(built[0]).namelist())
    with tarfile.open(built[1]) as archive:
        sdist = {name.partition("/")[2] for name in archive.getnames()}
    assert TEMPLATES
    assert {f"comments_service/{name}" for name in TEMPLATES} <= wheel
    assert sdist >= TEMPLATES
    for needed in (
        "locales/en.json",
        "static/comment.css",
        "spam/start.weights",
        "storage/migrations/env.py",
    ):
        assert f"comments_service/{needed}" in wheel & sdist


def test_the_locks_name_no_registry() -> None:
    locks = (ROOT / "requirements").glob("*.txt")
    named = [
        line for file in locks for line in file.read_text().splitlines() if "://" in line or "index" in line
    ]
    assert not [line for line in named if not line.strip().startswith("#")]


def test_the_installed_wheel_serves_the_page_with_the_form(installed: Path, tmp_path: Path) -> None:
    port = free_port()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = inherited | {"COMMENTS_PORT": str(port), "COMMENTS_DATABASE_URL": "sqlite:///c.sqlite3"}
    comments = str(installed / "comments")
    command = [comments, "site", "add", "demo", "--origin", "https://news.example.org"]
    subprocess.run(command, check=True, capture_output=True, cwd=elsewhere, env=environment)
    with subprocess.Popen([comments, "serve"], cwd=elsewhere, env=environment) as service:
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/readyz"), "the installed service")
            query = urlencode({"url": "https://news.example.org/article"})
            with urlopen(f"http://127.0.0.1:{port}/sites/demo/thread?{query}") as response:
                page = response.read().decode()
        finally:
            service.terminate()
    assert "<form" in page
    assert 'name="text"' in page
    assert service.returncode == 0

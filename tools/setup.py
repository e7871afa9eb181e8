"""Set a checkout up: the `.venv`, and what tests need beside it. Standard library only.

Runs on a bare Debian with python3 and python3-venv. Does nothing when nothing changed, and prints the
time of downloads apart from its own. What it cannot install it names in one plain sentence.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {"run": ("runtime.txt", "build.txt"), "dev": ("dev.txt",)}
SHELL = "chromium-headless-shell"  # Chromium without windows
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", SHELL)
QUICKEST_FIRST = (
    SHELL,
    *BROWSERS,
)  # for tests, which take half the work in it; figures are of what people use
FONTS = "fonts-liberation"
APT_INSTALL = ("apt-get", "install", "-y", "-qq", "--no-install-recommends")
UNASKED = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
PLAYWRIGHT_SECONDS = 300  # its download server answers at once or, behind a firewall, never
NGINX = VENV / "debian" / "usr" / "sbin" / "nginx"
ISSO = VENV / "isso"  # a peer to be measured: what it needs is no business of the service's own environment
NPM = ROOT / "tools" / "npm"  # what commands need that PyPI does not have; no test needs it


class SetupFailed(Exception):
    """Something is missing that this script cannot get; the message says what to do."""


class Clock:
    """Adds up what the set-up waited for downloads, to tell it from its own work."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.download_seconds = 0.0

    @contextmanager
    def downloading(self, what: str) -> Iterator[None]:
        """Count the time of this block as download."""
        print(f"setup: downloading {what}", flush=True)
        before = time.monotonic()
        yield
        self.download_seconds += time.monotonic() - before

    def report(self) -> str:
        """One line with both times."""
        own = time.monotonic() - self.started - self.download_seconds
        return f"setup: done in {own:.1f} s, and {self.download_seconds:.1f} s of downloads"


def main(arguments: Sequence[str] | None = None) -> int:
    """Set up what the arguments ask for; 0 when all of it is there."""
    parser = argparse.ArgumentParser(description="Set this checkout up.")
    parser.add_argument("--dev", action="store_true", help="also what tests and checks need")
    parser.add_argument("--with-browser", action="store_true", help="find or install a Chromium")
    parser.add_argument("--with-nginx", action="store_true", help="find or unpack Debian's nginx")
    parser.add_argument(
        "--with-npm", action="append", default=[], metavar="NAME", help="packages of tools/npm/NAME"
    )
    parser.add_argument("--with-isso", action="store_true", help="Isso, in an environment of its own")
    parser.add_argument("--with-strace", action="store_true", help="find or install strace")
    chosen = parser.parse_args(arguments)
    clock = Clock()
    try:
        changed = install_python_parts("dev" if chosen.dev else "run", clock)
        if chosen.with_browser:
            changed |= install_browser(clock)
        if chosen.with_nginx:
            changed |= install_nginx(clock)
        if chosen.with_strace:
            changed |= install_program("strace", clock)
        if chosen.with_isso:
            changed |= install_isso(clock)
        for name in chosen.with_npm:
            changed |= install_npm_parts(name, clock)
    except SetupFailed as failure:
        print(f"setup: {failure}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failure:
        print(f"setup: this command failed: {' '.join(map(str, failure.cmd))}", file=sys.stderr)
        return 1
    if changed:
        print(clock.report(), flush=True)
    return 0


def install_python_parts(purpose: str, clock: Clock) -> bool:
    """Fill `.venv` from the hashed locks, unless it already holds just that. Returns whether it worked."""
    if is_installed(purpose) or (purpose == "run" and is_installed("dev")):
        return False
    uv = shutil.which("uv")
    make_venv(uv)
    locks = [argument for name in LOCKS[purpose] for argument in ("-r", str(ROOT / "requirements" / name))]
    if not (uv and installed_by_uv(uv, locks, clock)):
        install_by_pip(locks, clock)
    run([*pip(), "install", "-qq", "--no-deps", "--no-build-isolation", "--no-index", "-e", str(ROOT)])
    stamp_file(purpose).write_text(stamp(purpose))
    return True


def is_installed(purpose: str) -> bool:
    """Whether `.venv` works and was made from the locks as they are now, for this very folder."""
    file = stamp_file(purpose)
    return PYTHON.exists() and file.is_file() and file.read_text() == stamp(purpose)


def stamp_file(purpose: str) -> Path:
    """Where the stamp of an installation lies."""
    return VENV / f"installed-{purpose}"


def stamp(purpose: str) -> str:
    """What an installation depends on: locks, how the project is packaged, its folder, Python's version."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packaging = [tables["build-system"], tables["project"], tables["tool"]["hatch"]]
    locks = [(ROOT / "requirements" / name).read_bytes() for name in LOCKS[purpose]]
    digest = hashlib.sha256(b"".join(locks) + json.dumps(packaging, sort_keys=True).encode())
    return json.dumps([str(ROOT), sys.version_info[:2], digest.hexdigest()])


def make_venv(uv: str | None) -> None:
    """Make `.venv` with a pip in it, anew if it was moved here or its Python is gone."""
    activate = VENV / "bin" / "activate"
    was_made_here = activate.is_file() and str(VENV) in activate.read_text()
    if was_made_here and PYTHON.exists() and succeeds([*pip(), "--version"]):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if uv and succeeds([uv, "venv", "--quiet", "--seed", "--python", sys.executable, str(VENV)]):
        return
    if not succeeds([sys.executable, "-m", "venv", str(VENV)]):
        raise SetupFailed(
            "python3 cannot make a virtual environment; on Debian: apt-get install python3-venv"
        )


def installed_by_uv(uv: str, locks: list[str], clock: Clock) -> bool:
    """Let uv install the locks; false when it cannot, and pip shall try."""
    with clock.downloading("and installing Python packages (uv)"):
        command = [uv, "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes", *locks]
        return succeeds(command)


def install_by_pip(locks: list[str], clock: Clock) -> None:
    """Download the locks first and install them after, so that the two times can be told apart.

    The locks name everything there is to install. pip resolves nothing anew: a version that came out
    since would make it stop where a package asks for another one with an extra (`coverage[toml]`).
    """
    with tempfile.TemporaryDirectory(prefix="comments-setup-") as wheels:
        with clock.downloading("Python packages"):
            run([*pip(), "download", "-qq", "--no-deps", "--require-hashes", "--dest", wheels, *locks])
        source = ["--no-index", "--find-links", wheels]
        run([*pip(), "install", "-qq", "--no-deps", *source, "--require-hashes", *locks])


def pip() -> list[str]:
    """The command of the pip inside `.venv`."""
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]


def find_browser(names: Sequence[str] = BROWSERS) -> str | None:
    """The Chromium to use: `$CHROMIUM`, else the first of these on PATH; None means Playwright's own."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in names if (path := shutil.which(name))), None)


def install_browser(clock: Clock) -> bool:
    """Find or install a Chromium, and what drives it. Returns whether something was installed.

    As root on Debian the packages come first, because they bring libraries and fonts too.
    """
    has_tried = try_quick_browser(clock)
    missing = [] if driver_starts() else ["libatomic1"]
    if not find_browser() and (missing or not playwright_browser_starts()):
        missing += ["chromium", FONTS]
    if not missing:
        return has_tried
    if can_apt():
        apt_install(missing, clock)
    elif driver_starts():
        with clock.downloading("a browser"):
            download = [str(PYTHON), "-m", "playwright", "install", SHELL]
            succeeds(download, timeout_seconds=PLAYWRIGHT_SECONDS)
    if not driver_starts():
        raise SetupFailed("Playwright does not start; on Debian: apt-get install libatomic1")
    if not (find_browser() or playwright_browser_starts()):
        raise SetupFailed("the tests need a browser; install Chromium, or name one in $CHROMIUM")
    return True


def try_quick_browser(clock: Clock) -> bool:
    """Install the Chromium without windows, even beside another one. Tried once: not every Debian has it."""
    tried = VENV / f"tried-{SHELL}"
    if find_browser(QUICKEST_FIRST[:1]) or tried.exists() or not can_apt():
        return False
    update_apt(clock)
    with clock.downloading(f"and installing {SHELL}"):
        succeeds([*APT_INSTALL, SHELL, FONTS], env=UNASKED)
    tried.touch()
    return True


def driver_starts() -> bool:
    """Whether Playwright's own Node runs here: a bare Debian lacks one of its libraries."""
    return succeeds([str(PYTHON), "-m", "playwright", "--version"])


def playwright_browser_starts() -> bool:
    """Whether the browser that Playwright keeps for itself is there, with all its libraries."""
    script = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as p: p.chromium.launch(chromium_sandbox=False).close()"
    )
    return succeeds([str(PYTHON), "-c", script])


def find_nginx() -> str | None:
    """An nginx: on PATH, in Debian's place for servers, or the one unpacked by this script."""
    installed = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    return installed or (str(NGINX) if NGINX.exists() else None)


def install_nginx(clock: Clock) -> bool:
    """Unpack Debian's nginx into `.venv`. Installing the package would start a server on port 80."""
    if find_nginx():
        return False
    if can_apt():
        update_apt(clock)
    with tempfile.TemporaryDirectory(prefix="comments-setup-") as folder:
        with clock.downloading("nginx"):
            succeeds(["apt-get", "download", "-q", "nginx"], folder=folder)
        packages = list(Path(folder).glob("nginx_*.deb"))
        if not packages:
            raise SetupFailed("the tests need nginx; install it (on Debian: apt-get install nginx)")
        run(["dpkg", "-x", str(packages[0]), str(VENV / "debian")])
    if not succeeds([str(NGINX), "-v"]):
        raise SetupFailed("Debian's nginx does not start here; install it (apt-get install nginx)")
    return True


def install_npm_parts(name: str, clock: Clock) -> bool:
    """Put the locked packages of `tools/npm/NAME` into `.venv/npm/NAME`. Returns whether it worked."""
    folder, lock = VENV / "npm" / name, "package-lock.json"
    stamp = folder / "installed"
    if stamp.is_file() and stamp.read_text() == (NPM / name / lock).read_text():
        return False
    install_program("npm", clock)
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("package.json", lock):
        shutil.copy(NPM / name / file, folder / file)
    with clock.downloading(f"npm's packages for {name}"):
        run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)])
    stamp.write_text((folder / lock).read_text())
    return True


def install_isso(clock: Clock) -> bool:
    """Put the locked Isso into `.venv/isso`. Returns whether it worked."""
    lock, stamp = ROOT / "requirements" / "isso.txt", ISSO / "installed"
    if stamp.is_file() and stamp.read_text() == lock.read_text():
        return False
    shutil.rmtree(ISSO, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(ISSO)])
    with clock.downloading("Isso"):
        command = [str(ISSO / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
        run([*command, "--no-deps", "--require-hashes", "-r", str(lock)])
    stamp.write_text(lock.read_text())
    return True


def install_program(name: str, clock: Clock) -> bool:
    """Find a program or install the Debian package of the same name."""
    if shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"):
        return False
    if not can_apt():
        raise SetupFailed(f"{name} is missing; install it (on Debian: apt-get install {name})")
    apt_install([name], clock)
    return True


def can_apt() -> bool:
    """Whether Debian packages can be installed: as root, where there is apt-get."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def update_apt(clock: Clock) -> None:
    """Bring Debian's lists up to date. One unreachable foreign list is no reason to stop."""
    with clock.downloading("Debian's lists"):
        succeeds(["apt-get", "update", "-qq"])


def apt_install(packages: list[str], clock: Clock) -> None:
    """Install Debian packages without asking."""
    update_apt(clock)
    with clock.downloading(", ".join(packages)):
        run([*APT_INSTALL, *packages, "--download-only"], env=UNASKED)
    run([*APT_INSTALL, *packages], env=UNASKED)


def succeeds(
    command: list[str],
    folder: str | None = None,
    timeout_seconds: float | None = None,
    env: dict[str, str] | None = None,
) -> bool:
    """Whether a command that may fail did not; what it prints is not worth reading."""
    try:
        result = subprocess.run(
            command, check=False, capture_output=True, cwd=folder, timeout=timeout_seconds, env=env
        )
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0


def run(command: list[str], env: dict[str, str] | None = None) -> None:
    """Run a command that must succeed; what it prints is worth reading only if it did not."""
    done = subprocess.run(
        command, check=False, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
        done.check_returncode()


if __name__ == "__main__":
    sys.exit(main())

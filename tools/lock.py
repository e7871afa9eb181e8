"""Resolve the requirements into locks with hashes. No registry's address is written into them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = str(Path(sys.executable).parent / "uv")
COMMON = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
    "--system-certs",  # as everything else on the machine does
    "--quiet",
)
# Each lock starts from the one before, so that a package has one version in all of them
LOCKS = {
    "runtime": ("--all-extras", "pyproject.toml"),
    "build": ("--constraints", "requirements/runtime.txt", "requirements/build.in"),
    "dev": (
        "--all-extras",
        *("--constraints", "requirements/runtime.txt"),
        *("--constraints", "requirements/build.txt"),
        *("pyproject.toml", "requirements/dev.in"),
    ),
    # Isso renders by mistune; what is left out wants a compiler and is loaded only where somebody asks for it
    "isso": (
        *(f"--no-emit-package={name}" for name in ("misaka", "cffi", "pycparser")),
        "requirements/isso.in",
    ),
}


def main() -> int:
    """Write every lock; arguments such as `--upgrade` go to uv."""
    for name, sources in LOCKS.items():
        command = [UV, "pip", "compile", *COMMON, *sys.argv[1:], *sources, "-o", f"requirements/{name}.txt"]
        if (done := subprocess.run(command, cwd=ROOT, check=False)).returncode != 0:
            return done.returncode
        print(f"requirements/{name}.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Makes the smallest form of every script for comments_service/static/made, by esbuild.

It is kept in the repository: who runs or tests the service needs no esbuild. A test holds it fresh.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from comments_service import bundle
from comments_service.bundle import DIGESTS, STATIC, Bundle
from comments_service.texts import Catalogue

MADE = STATIC / "made"
PACKAGES = Path(sys.prefix) / "npm" / "bundles" / "node_modules" / "@esbuild"
# A module's top level is its own: without --format a name there would stay as it is
OPTIONS = ("--minify", "--charset=utf8", "--legal-comments=none", "--target=es2022", "--log-level=error")

# In an order in which each finds those made whose names it holds
BUNDLES: dict[str, Callable[[], Bundle]] = {
    **{name: partial(bundle.later, name) for name in bundle.LATER},
    "count": bundle.count,
    "queue": bundle.queue,
    "embed": lambda: bundle.embed(Catalogue.load().boot_texts()),
}


def main() -> int:
    """Make every one anew, and say how large it is."""
    MADE.mkdir(exist_ok=True)
    for name, make in BUNDLES.items():
        joined = make().joined
        made = smallest(joined)
        (MADE / f"{name}.js").write_bytes(made)
        _note(name, joined)
        print(f"{name}.js: {len(made):,} bytes")
    return 0


def smallest(joined: str) -> bytes:
    """The same script by esbuild, which is one program without Node."""
    program = next(PACKAGES.glob("*/bin/esbuild"))
    module = ("--format=esm",) if "\nexport {" in joined else ()
    return subprocess.run(
        [program, *OPTIONS, *module], input=joined.encode(), capture_output=True, check=True
    ).stdout


def _note(name: str, joined: str) -> None:
    file = MADE / DIGESTS
    digests = json.loads(file.read_text()) if file.is_file() else {}
    digests = {**digests, name: bundle.digest(joined)}
    file.write_text(json.dumps(digests, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())

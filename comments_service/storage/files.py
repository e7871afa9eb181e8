"""Files that appear whole or not at all, never replace another, and are their owner's alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """A path to write to; what is there at the end appears as `target`, on the disk for good.

    Raises: FileExistsError when there is a `target`, before and after the writing.
    """
    if os.path.lexists(target):
        raise FileExistsError(17, "is there already, and nothing is ever overwritten", str(target))
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    draft = folder / target.name
    try:
        draft.touch(mode=0o600)
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        os.link(draft, target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make the folder's own entries last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

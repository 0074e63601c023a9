"""Files and folders of this machine: where scratch files go, and how files are made."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from ringrift_core.errors import WrongInputError

__all__ = ["LONGEST_PATH", "is_too_long", "new_file", "scratch_folder", "temporary_folder"]

LONGEST_PATH = 504
"""Bytes of a path, links followed, that SQLite still opens (its unix interface has 512, a journal's name included)."""

_ANYONE = 0o666
"""Mode of new files before the umask: one for all, as every program makes its files (Python's own are private)."""

_VARIABLES = ("TMPDIR", "TEMP", "TMP")
_USUAL = ("/tmp", "/var/tmp")


def is_too_long(path: Path, suffix: str = "") -> bool:
    """Whether SQLite could not open `path`, or one whose name is so much longer."""
    return len(os.fsencode(os.path.realpath(path)) + os.fsencode(suffix)) > LONGEST_PATH


def new_file(folder: Path, prefix: str = "") -> tuple[int, Path]:
    """A new file in `folder`, open for writing: its descriptor and its path."""
    path = folder / f"{prefix}{uuid4().hex}"
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ANYONE), path


def temporary_folder() -> Path:
    """Where scratch files go that were given no folder: the environment's, else the system's.

    WrongInputError when it cannot be written. Python's own search would take another one then, the working folder too.
    """
    for name in _VARIABLES:
        if value := os.environ.get(name):
            if not _can_be_written(Path(value)):
                raise WrongInputError(f"{name} is {value}, where no file can be made; name a folder to write to")
            return Path(value)
    for usual in map(Path, _USUAL):
        if _can_be_written(usual):
            return usual
    raise WrongInputError(
        f"no folder for scratch files: neither {' nor '.join(_USUAL)} can be written; name one in TMPDIR, or to a "
        "stage with --work-dir"
    )


@contextmanager
def scratch_folder(prefix: str = "ringrift-") -> Iterator[Path]:
    """A new folder for scratch files, removed at the end."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=temporary_folder()) as name:
        yield Path(name)


def _can_be_written(folder: Path) -> bool:
    """Whether this user may make files there; a full disk is another matter."""
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)

"""Locks that die with their holder: the system frees one when the last process that has it open has ended."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class TakenError(Exception):
    """Somebody else has the lock; the message is the number of their process, or `unknown`."""


@contextmanager
def held(path: Path) -> Iterator[int]:
    """Holds the lock at `path` for the length of the block; its descriptor, which a child may keep open as well.

    TakenError when somebody has it; OSError when the file cannot be written, or its file system has no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise TakenError(file.read().strip() or "unknown") from None
        with suppress(OSError):  # a full disk: the lock is held all the same, and only nobody can say by whom
            file.truncate(0)
            os.write(file.fileno(), str(os.getpid()).encode())
        yield file.fileno()

"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4


def replace_file(path: Path, text: str, *, is_secret: bool = False) -> None:
    """Writes a file so that a reader, or whoever comes after a crash, sees the old or the new text, never a part. A
    secret one nobody but its owner may read, from the start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not one of Python's temporary files, which nobody else may read whatever the umask says.
    partial = path.with_name(f".{uuid4().hex}")
    try:
        with partial.open("x", encoding="utf-8") as file:
            if is_secret:
                os.fchmod(file.fileno(), 0o600)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise

"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4


def replace_file(path: Path, text: str) -> None:
    """Writes a file so that a reader, or whoever comes after a crash, sees the old or the new text, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not one of Python's temporary files, which nobody else may read whatever the umask says.
    partial = path.with_name(f".{uuid4().hex}")
    try:
        with partial.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise

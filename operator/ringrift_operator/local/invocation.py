"""How `ringrift-operator local` was called, and what to type to call it so again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

DATA_FOLDER = Path("ringrift-data")
"""Where claims and the state lie unless the user says otherwise."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """The options that the next call needs too."""

    file: Path
    data: Path = DATA_FOLDER
    plain: bool = False

    @property
    def quoted_file(self) -> str:
        """The file as a shell takes it."""
        return shlex.quote(str(self.file))

    def __str__(self) -> str:
        """The whole command, to be pasted."""
        words = ["ringrift-operator", "local", "-f", str(self.file)]
        if self.data != DATA_FOLDER:
            words += ["--data", str(self.data)]
        if self.plain:
            words.append("--plain")
        return shlex.join(words)

"""How `ringrift-operator local` was called, and what to type to call it so again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from ringrift_operator.api.documents import STANDARD_INPUT

DATA_FOLDER = Path("ringrift-data")
"""Where claims and the state lie unless the user says otherwise."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """The options that the next call needs too."""

    files: tuple[Path, ...]
    data: Path = DATA_FOLDER
    plain: bool = False

    @property
    def quoted_files(self) -> str:
        """The files as a shell takes them, to be named in a sentence."""
        return ", ".join("standard input" if file == STANDARD_INPUT else shlex.quote(str(file)) for file in self.files)

    @property
    def options(self) -> tuple[str, ...]:
        """The files as `local` and kubectl take them."""
        return tuple(word for file in self.files for word in ("-f", str(file)))

    def __str__(self) -> str:
        """The whole command, to be pasted."""
        words = ["ringrift-operator", "local", *self.options]
        if self.data != DATA_FOLDER:
            words += ["--data", str(self.data)]
        if self.plain:
            words.append("--plain")
        return shlex.join(words)

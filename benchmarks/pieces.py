"""What was measured so far, a JSON line a piece: a measurement that was stopped at any moment goes on from there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ringrift_core import _engine
from ringrift_core.players.shipped import SHIPPED, shipped_name
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Judges

__all__ = ["Pieces", "told"]


class Pieces:
    """Of this build of the engine, and with these fields in all of them: others in the file do not count."""

    def __init__(self, path: Path, **common: Any) -> None:
        engine = hashlib.sha256(Path(_engine.__file__).read_bytes()).hexdigest()[:12]
        self._path, self._common = path, {**common, "engine": engine}

    def of(self, **key: Any) -> Iterator[dict[str, Any]]:
        """Those with these fields, as they were added."""
        wanted = self._common | key
        lines = self._path.read_text().splitlines(keepends=True) if self._path.exists() else []
        # A line that a kill cut short is made anew.
        found = (json.loads(line) for line in lines if line.endswith("\n"))
        return (piece for piece in found if all(piece.get(name) == value for name, value in wanted.items()))

    def find(self, **key: Any) -> dict[str, Any] | None:
        """The first with these fields."""
        return next(self.of(**key), None)

    def add(self, piece: Mapping[str, Any]) -> dict[str, Any]:
        """At the end, in place of a line that a kill cut short; the piece as `of` has it."""
        line = json.dumps({**self._common, **piece}) + "\n"
        whole: dict[str, Any] = json.loads(line)
        with self._path.open("ab+") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(line.encode())
        return whole


def told(specification: Specification, judges: Judges) -> str:
    """A player as a piece has it: with the digest of the file that its judge is read from, wherever that lies."""
    judge = specification.judge
    if judge is None:
        return str(specification)
    file = judge.file
    if file is None and judge.version is None:
        file = SHIPPED / shipped_name(judge.kind, judges.board, judges.players)
    if file is None or not file.exists():
        return str(specification)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    return f"{replace(judge, file=None)}={digest}:{specification.search}"

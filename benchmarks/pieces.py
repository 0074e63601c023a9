"""What was measured so far, a JSON line a piece: a measurement that was stopped at any moment goes on from there.

A piece knows the engine's build and what its measurement puts into its key, not the Python that made it: whoever
changes how something is measured begins another file.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ringrift_core import _engine
from ringrift_core.errors import WrongInputError
from ringrift_core.players.shipped import SHIPPED, shipped_name
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Judges

__all__ = ["Pieces", "in_order", "told"]


class Pieces:
    """Of this build of the engine, and with these fields in all of them: others in the file do not count.

    WrongInputError where the file cannot be one of pieces.
    """

    def __init__(self, path: Path, **common: Any) -> None:
        if not path.parent.is_dir():
            raise WrongInputError(f"{path}: {path.parent} is no folder: make it first")
        engine = hashlib.sha256(Path(_engine.__file__).read_bytes()).hexdigest()[:12]
        self._path, self._common = path, {**common, "engine": engine}
        _whole(path)

    def of(self, **key: Any) -> Iterator[dict[str, Any]]:
        """Those with these fields, as they were added."""
        wanted = self._common | key
        return (piece for piece in _whole(self._path) if all(piece.get(name) == it for name, it in wanted.items()))

    def find(self, **key: Any) -> dict[str, Any] | None:
        """The first with these fields."""
        return next(self.of(**key), None)

    def add(self, piece: Mapping[str, Any]) -> dict[str, Any]:
        """At the end, in place of a line that a kill cut short; the piece as `of` has it."""
        line = json.dumps({**self._common, **piece})
        with self._path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # Another process may add its own.
            file.seek(0)
            before, newline, last = file.read().rpartition(b"\n")
            if last and _parsed(last) is None:
                file.truncate(len(before) + len(newline))
                last = b""
            file.write((b"\n" if last else b"") + line.encode() + b"\n")
        whole: dict[str, Any] = json.loads(line)
        return whole


def _whole(path: Path) -> list[dict[str, Any]]:
    """All pieces of a file, but a last line that a kill cut short, which is made anew."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    pieces = [_parsed(line) for line in lines]
    if pieces and pieces[-1] is None:
        pieces.pop()
    if None in pieces:
        raise WrongInputError(f"{path}, line {pieces.index(None) + 1}: no piece of a measurement: name another file")
    return [piece for piece in pieces if piece is not None]


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        piece = json.loads(line)
    except ValueError:
        return None
    return piece if isinstance(piece, dict) else None


def in_order(pieces: Iterable[dict[str, Any]], groups: str) -> Iterator[dict[str, Any]]:
    """Pieces of a match from its first group on, each following the one before: what two processes have both played
    counts once. `groups` is the field that has a piece's groups."""
    done = 0
    for piece in sorted(pieces, key=lambda piece: int(piece["first_group"])):
        if piece["first_group"] == done:
            yield piece
            done += len(piece[groups])


def told(specification: Specification, judges: Judges) -> str:
    """A player without a store as a piece has it: with the digest of the file that its judge is read from, wherever
    that lies."""
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

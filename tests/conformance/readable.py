"""The shortest game of each configuration as text that people can read: `python -m tests.conformance.readable`.

What stands in `games/` is taken from the record of an independent implementation alone, its figures and the last board
too; `test_games.py` plays the moves again here and writes each line from what it then sees.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringrift_core.contract import Board, configuration_name
from ringrift_core.drawing import draw_text

ARCHIVE = Path(__file__).with_name("traces.tar.xz")
GAMES = Path(__file__).with_name("games")
CONFIGURATIONS = [(board, players) for board in Board for players in (2, 3, 4)]

COLUMNS = """\
Moves are written as docs/trace-format.md says; those that are nobody's choice are left out. Before them stand the
turn, its seat and, for each seat, what holds then: rings in hand, rings out (eliminated), land (collapsed cells)."""

DIGITS = {"hand": 2, "elim": 3, "terr": 3}
HEADINGS = {"hand": "hand", "elim": "out", "terr": "land"}
BETWEEN_MOVES = "; "


@dataclass(frozen=True)
class Turn:
    """What a seat did, and what then held."""

    number: int
    seat: int
    moves: tuple[str, ...]
    state: Mapping[str, Any]
    """At least the trace form (docs/trace-format.md)."""

    def __str__(self) -> str:
        figures = (" ".join(f"{each:>{digits}}" for each in self.state[name]) for name, digits in DIGITS.items())
        return "  ".join((f"{self.number:>4}  {self.seat:>4}", *figures, BETWEEN_MOVES.join(self.moves))).rstrip()


def moves_of(line: str) -> tuple[str, ...]:
    """The moves of a turn's line."""
    written = re.search(r"[a-z].*", line)
    return tuple(written[0].split(BETWEEN_MOVES)) if written else ()


def heading(board: Board, players: int, swap: bool, source: str) -> Iterator[str]:
    """What stands above the turns."""
    yield f"{board}, {players} players, pie rule {'on' if swap else 'off'}: {source}"
    yield from ("", *COLUMNS.splitlines(), "")
    columns = (f"{HEADINGS[name]:<{players * (digits + 1) - 1}}" for name, digits in DIGITS.items())
    yield "  ".join(("turn  seat", *columns, "moves"))


def ending(board: Board, state: Mapping[str, Any], winner: int, reason: str, ranks: Iterable[int]) -> Iterator[str]:
    """What stands below the turns: the result, and the last board."""
    yield ""
    yield f"seat {winner} wins by {reason}; ranks by seat: {' '.join(map(str, ranks))}"
    yield ""
    yield from (line.rstrip() for line in draw_text(board, state).splitlines()[:-1])


def turns_of(steps: Iterable[Mapping[str, Any]]) -> list[Turn]:
    """The turns of a record. Each begins with a step in the phase `ring_placement`, be it bookkeeping."""
    turns: list[Turn] = []
    for step in steps:
        if step["ph"] == "ring_placement" or not turns:
            turns.append(Turn(len(turns) + 1, step["p"], (), step["after"]))
        turn = turns[-1]
        moves = turn.moves if is_bookkeeping(step["move"]) else (*turn.moves, step["move"])
        turns[-1] = Turn(turn.number, turn.seat, moves, step["after"])
    return turns


def is_bookkeeping(move: str) -> bool:
    """Is it a move that says that there was none to choose?"""
    return move.startswith("no_")


def text_of(name: str, lines: Sequence[str]) -> list[str]:
    """A game of the archive, line by line."""
    header, *steps, end = map(json.loads, lines)
    board, turns = Board(header["board"]), turns_of(steps)
    source = f"recorded by an independent implementation ({name})"
    return [
        *heading(board, header["players"], bool(header["swap"]), source),
        *map(str, turns),
        *ending(board, turns[-1].state, end["winner"], end["reason"], end["ranks"]),
    ]


def shortest() -> Iterator[tuple[str, str, list[str]]]:
    """Configuration, name and lines of the shortest ordinary game of each configuration in the archive."""
    found: dict[str, tuple[int, str, list[str]]] = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            if member.name.startswith("canonical/") and not member.name.startswith("canonical/rare_"):
                file = archive.extractfile(member)
                assert file is not None
                lines = file.read().decode().splitlines()
                header = json.loads(lines[0])
                key = configuration_name(Board(header["board"]), header["players"])
                known = found.get(key)
                if known is None or len(lines) < known[0]:
                    found[key] = len(lines), member.name, lines
    for key, (_, name, lines) in found.items():
        yield key, name, lines


def main() -> None:
    GAMES.mkdir(exist_ok=True)
    for configuration, name, lines in shortest():
        text = text_of(name, lines)
        (GAMES / f"{configuration}.txt").write_text("\n".join([*text, ""]), encoding="utf-8")
        print(f"{configuration}.txt: {name}")


if __name__ == "__main__":
    main()

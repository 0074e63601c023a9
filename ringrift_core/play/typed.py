"""From what a person types to a move: pure text against the list of legal moves."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ringrift_core._engine import Move

__all__ = ["NoFit", "Picked", "Reading", "Several", "cells_of", "read_move"]


@dataclass(frozen=True)
class Picked:
    move: Move


@dataclass(frozen=True)
class Several:
    """All moves that fit what was typed, two or more."""

    moves: tuple[Move, ...]


@dataclass(frozen=True)
class NoFit:
    """Why nothing fits, in a sentence."""

    sentence: str


Reading: TypeAlias = Picked | Several | NoFit

MOST_DIGITS = 6
"""Of the number of a listed move; longer ones are read as words, which fit nothing."""

_CELL = re.compile(r"-?\d+,-?\d+")
_FROM_TO = re.compile(rf"({_CELL.pattern})>({_CELL.pattern})")


def cells_of(move: Move) -> list[tuple[int, int]]:
    """The cells that a move names, in the order of its notation."""
    return [(int(x), int(y)) for x, y in (cell.split(",") for cell in _CELL.findall(str(move)))]


def read_move(text: str, legal: Sequence[Move], listed: Sequence[Move]) -> Reading:
    """A move in notation, the number of a listed move (from 1), or words that moves are picked by.

    Each word must fit: a kind of move or its beginning (`place`, `capture`, `skip`), a cell (`3,4`: moves from there,
    or else those that name it), two cells (`3,4>3,6`: from and to, also of a capture), the beginning of the cells
    (`3,4x`), or a number of rings (`2` behind another word, `n=2`).
    """
    words = text.split()
    by_notation = {str(move): move for move in legal}
    if exact := by_notation.get(" ".join(words)):
        return Picked(exact)
    if len(words) == 1 and words[0].isdecimal() and len(words[0]) <= MOST_DIGITS:
        return _by_number(int(words[0]), listed)
    fitting = list(legal)
    for word in words:
        fitting = _fitting(word, fitting)
        if not fitting:
            return NoFit(_nothing_fits(word, text, legal))
    return Picked(fitting[0]) if len(fitting) == 1 else Several(tuple(fitting))


def _by_number(number: int, listed: Sequence[Move]) -> Reading:
    if 1 <= number <= len(listed):
        return Picked(listed[number - 1])
    if not listed:
        return NoFit(f"{number}: no moves are numbered now; type a cell such as 3,4, or `moves` to number them all")
    return NoFit(f"{number}: the numbered moves are 1 to {len(listed)}")


def _fitting(word: str, moves: Sequence[Move]) -> list[Move]:
    if _CELL.fullmatch(word):
        from_there = [move for move in moves if _body(move).partition(" ")[0].startswith((f"{word}>", f"{word}x"))]
        alone = [move for move in moves if _body(move).partition(" ")[0] == word]
        x, _, y = word.partition(",")
        return from_there + alone or [move for move in moves if (int(x), int(y)) in cells_of(move)]
    if ends := _FROM_TO.fullmatch(word):
        return [move for move in moves if re.fullmatch(rf"{ends[1]}(x.*)?>{ends[2]}", _body(move).partition(" ")[0])]
    if word.isdecimal():
        return [move for move in moves if f"n={word}" in str(move).split()]
    return [move for move in moves if _test_of(word)(move)]


def _test_of(word: str) -> Callable[[Move], bool]:
    if word[0].isalpha() and "=" not in word:
        return lambda move: move.kind.startswith(word) or any(part.startswith(word) for part in move.kind.split("_"))
    return lambda move: _body(move).startswith(word) or word in str(move).split()


def _body(move: Move) -> str:
    return str(move).partition(" ")[2]


def _nothing_fits(word: str, text: str, legal: Sequence[Move]) -> str:
    typed, kinds = text.strip(), ", ".join(sorted({move.kind for move in legal}))
    beside = "" if word == typed else f" (at {word})"
    return f"{typed}: no legal move fits{beside}. Legal now: {kinds}; `moves` lists them"

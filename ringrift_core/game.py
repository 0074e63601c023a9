"""The game as people use it: a small face over the native rules (`ringrift_core._engine`)."""

from __future__ import annotations

import json
import os
import random
import sys
from typing import Any, Self

from ringrift_core import _engine
from ringrift_core._engine import Choice, Move, Outcome, Player, RulesError
from ringrift_core.drawing import draw_svg, draw_text

__all__ = ["Game", "Move", "Outcome", "RulesError"]


class Game:
    """A game of RingRift, from its start or from any state.

    >>> game = Game("square8", players=2)
    >>> game.play("place_ring 3,3 n=2")
    >>> game.legal_moves()[0]
    Move('move_stack 3,3>0,0')

    Bad input raises `RulesError` (a ValueError) with one sentence. `swap` None means the pie rule's default: on with
    two players, off with more. `seed` is for `random_playout` alone; the game itself has no chance.
    """

    __slots__ = ("_position", "_random", "seed")

    def __init__(
        self,
        board: str = "square8",
        players: int = 2,
        profile: str = "canonical",
        swap: bool | None = None,
        seed: int | None = None,
    ) -> None:
        self._position = _engine.Position(str(board), players, str(profile), swap)
        self._seed_with(seed)

    @classmethod
    def from_state(
        cls,
        state: dict[str, Any],
        board: str = "square8",
        players: int = 2,
        profile: str = "canonical",
        swap: bool | None = None,
        seed: int | None = None,
    ) -> Self:
        """From a dict as `state()` gives it, or the short form of docs/trace-format.md.

        The short form, without `turn` and `game`, cannot say that a ring is still owed for a region, that the turn made
        a recovery slide, or which stack may capture after a plain move: it is read as if none did. A state in the phase
        `capture` needs `must`, or else the full form.
        """
        try:
            text = json.dumps(state)
        except (TypeError, ValueError) as error:
            raise RulesError(f"state: not JSON: {error}") from None
        except RecursionError:
            raise RulesError("state: not JSON: nested too deeply") from None
        position = _engine.Position.from_json(text, str(board), players, str(profile), swap)
        return cls._around(position, seed)

    @classmethod
    def _around(cls, position: _engine.Position, seed: int | None) -> Self:
        game = cls.__new__(cls)
        game._position = position
        game._seed_with(seed)
        return game

    def _seed_with(self, seed: int | None) -> None:
        self.seed = seed
        self._random = random.Random(seed)

    @property
    def board(self) -> str:
        return self._position.board

    @property
    def players(self) -> int:
        return self._position.players

    @property
    def profile(self) -> str:
        return self._position.profile

    @property
    def swap(self) -> bool:
        """Is the pie rule on?"""
        return self._position.swap

    @property
    def mover(self) -> int:
        """Seat to move, 1..players; after the end, the winner."""
        return self._position.mover

    @property
    def phase(self) -> str:
        return self._position.phase

    @property
    def turn(self) -> int:
        """1 for the first turn, +1 for each turn of any seat."""
        return self._position.turn

    @property
    def moves(self) -> list[Move]:
        """Moves played on this object, oldest first."""
        return self._position.moves

    def legal_moves(self) -> list[Move]:
        """Every legal move, sorted by notation. Empty only when the game is over."""
        return self._position.legal_moves()

    def play(self, move: Move | str) -> None:
        """Plays a legal move, given as an object or in notation."""
        self._position.play(move)

    def undo(self) -> Move:
        """Takes back the last move played on this object and returns it."""
        return self._position.undo()

    def random_playout(self, max_moves: int | None = None) -> int:
        """Plays uniformly random legal moves to the end (or `max_moves` of them); returns how many were played."""
        return self._position.play_random(self._random.getrandbits(64), max_moves)

    def choose(self, player: Player, seed: int = 0) -> Choice:
        """What a player would do now, with the same seed the same; nothing is played."""
        return player.choose(self._position, seed)

    def outcome(self) -> Outcome | None:
        """Winner, ranks and reason; None while the game goes on."""
        return self._position.outcome()

    def state(self) -> dict[str, Any]:
        """The full state (the form of positions.jsonl); `from_state` reads it back exactly."""
        state: dict[str, Any] = json.loads(self._position.to_json())
        return state

    def copy(self) -> Self:
        """An independent game with the same history; its random playouts go on alike."""
        twin = self._around(self._position.copy(), self.seed)
        twin._random.setstate(self._random.getstate())
        return twin

    __copy__ = copy

    def symmetric(self) -> list[Self]:
        """This game turned and mirrored in every way its board allows (8 on squares, 12 on hexagons), itself first.

        Their histories are empty. The profile deployed has no symmetries.
        """
        return [self._around(position, self.seed) for position in self._position.symmetric()]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        options = (self.board, self.players, self.profile, self.swap, self.seed)
        return _restore, (type(self), self.state(), options, self._random.getstate())

    def hash(self) -> int:
        """64-bit key of the full state: equal states have equal keys."""
        return self._position.identity_key()

    def search_key(self) -> int:
        """64-bit key of what can change the rest of the game: the turn number, for one, is left out."""
        return self._position.search_key()

    def render(self, *, colour: bool = False) -> str:
        """The board as text, with seats, phase and mover below it."""
        return draw_text(self.board, self.state(), colour=colour, outcome=self._ending())

    def __str__(self) -> str:
        return self.render(colour=_terminal_has_colour())

    def __repr__(self) -> str:
        outcome = self.outcome()
        now = f"player {outcome.winner} won" if outcome else f"turn {self.turn}, player {self.mover}, {self.phase}"
        return f"<Game {self.board} {self.players}p {self.profile}: {now}>"

    def _repr_svg_(self) -> str:
        return draw_svg(self.board, self.state(), outcome=self._ending())

    def _ending(self) -> dict[str, Any] | None:
        outcome = self.outcome()
        return None if outcome is None else {"winner": outcome.winner, "reason": outcome.reason}


def _restore(cls: type[Game], state: dict[str, Any], options: tuple[Any, ...], randomness: Any) -> Game:
    """Unpickles: the state, not the history, travels."""
    game = cls.from_state(state, *options)
    game._random.setstate(randomness)
    return game


def _terminal_has_colour() -> bool:
    """https://no-color.org, and only where standard output is a terminal that can."""
    return not os.environ.get("NO_COLOR") and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

"""One recorded game for people: its result, every move with what the search behind it found, and boards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringrift_core import _engine
from ringrift_core.game import Game
from ringrift_core.replay.games import RecordedGame

__all__ = ["Ply", "boards_at", "describe", "plies"]


@dataclass(frozen=True)
class Ply:
    """One recorded move."""

    move: str
    turn: int
    seat: int
    decision: int | None
    """Number of the decision, from 0; None for a move that was the only one."""
    automatic: bool
    """Whether it is bookkeeping."""
    values: tuple[float, ...] | None = None
    """Win probability by seat, where somebody searched."""
    policy: tuple[tuple[str, float], ...] = ()
    """Moves and their shares, the largest first."""


def plies(game: RecordedGame) -> list[Ply]:
    """Every recorded move; RulesError when one of them is not legal."""
    rules = game.rules
    board = Game(rules.board, rules.players, rules.profile, rules.swap)
    searches = {one.decision: one for one in _engine.searches_from_bytes(game.searches, rules.players)}
    found = []
    decision = 0
    for move in _engine.notation(rules.board, rules.players, game.moves, profile=rules.profile, swap=rules.swap):
        legal = board.legal_moves()
        turn, seat = board.turn, board.mover
        board.play(move)
        if len(legal) == 1:
            found.append(Ply(str(move), turn, seat, None, move.automatic))
            continue
        search = searches.get(decision)
        if search is None:
            found.append(Ply(str(move), turn, seat, decision, False))
        else:
            names = {one.code: str(one) for one in legal}
            shares = sorted(search.policy, key=lambda entry: -entry[1])
            policy = tuple((names.get(code, f"{code:#x}"), share) for code, share in shares)
            found.append(Ply(str(move), turn, seat, decision, False, search.values, policy))
        decision += 1
    return found


def boards_at(game: RecordedGame, wanted: Sequence[int], *, colour: bool) -> Iterator[tuple[str, str]]:
    """A title and a drawing of the board before each wanted decision; -1 is the end."""
    rules = game.rules
    for number in wanted:
        board = Game(rules.board, rules.players, rules.profile, rules.swap)
        title = "the end"
        for ply in plies(game):
            if number >= 0 and ply.decision == number:
                title = f"before decision {number}"
                break
            board.play(ply.move)
        yield title, board.render(colour=colour)


def describe(game: RecordedGame) -> str:
    """How the game ended, in words."""
    if game.winner is None:
        return f"cut after {game.turns} turns"
    agent = game.seats[(3 - game.winner if game.swapped and game.winner <= 2 else game.winner) - 1]
    assert game.ranks is not None
    ranks = " ".join(map(str, game.ranks))
    return f"seat {game.winner} ({agent}) won by {game.reason}, ranks {ranks}"

"""What do strong games end with? Which auxiliary targets are worth a column: see README.md here."""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated

import numpy as np
import typer

from ringrift_core import _engine
from ringrift_core.contract import Board, configuration_name
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Manner, Seating

REASONS = ("cut", "ring elimination", "territory", "last player", "last player, early", "stalemate")
CELLS = {Board.SQUARE8: 64, Board.HEX8: 61, Board.SQUARE19: 361, Board.HEXAGONAL: 469}


def main(
    board: Annotated[Board, typer.Option(help="Board.")] = Board.SQUARE8,
    players: Annotated[int, typer.Option(min=2, max=4, help="Seats.")] = 2,
    games: Annotated[int, typer.Option(min=1, help="Games.")] = 200,
    player: Annotated[str, typer.Option(help="Who plays against itself.")] = "weights@0:minimax-3",
) -> None:
    """Plays games and prints one JSON line of what they ended with."""
    seat = Seating.without_store(board, players).player(Specification.parse(player), Manner(noise=0.05))
    records = _engine.play_games(board.value, players, [[seat]], seed=1, games=games, opening_plies=4)
    rows = _engine.encode_rows(
        board.value, players, [(one.game_id, one.moves, b"", [one.decisions - 1]) for one in records]
    )
    owned = np.unpackbits(rows["owners"], axis=1).sum(axis=1) / CELLS[board]
    winner = rows["outcomes"].argmax(axis=1)
    places = np.arange(len(winner))
    reasons = Counter(REASONS[reason] for reason in rows["reasons"].tolist())
    print(
        json.dumps(
            {
                "configuration": configuration_name(board, players),
                "player": player,
                "games": len(records),
                "turns": round(float(np.mean([one.turns for one in records])), 1),
                "reasons": {name: round(count / len(records), 3) for name, count in reasons.most_common()},
                "cells_owned_at_the_end": round(float(owned.mean()), 3),
                "winners_territory": round(float(rows["territories"][places, winner].astype(float).mean()), 3),
                "winners_eliminations": round(float(rows["eliminations"][places, winner].astype(float).mean()), 3),
                "others_territory": round(_others(rows["territories"], winner), 3),
                "others_eliminations": round(_others(rows["eliminations"], winner), 3),
            }
        )
    )


def _others(shares: np.ndarray, winner: np.ndarray) -> float:
    is_other = np.arange(shares.shape[1]) != winner[:, None]
    return float(shares.astype(float)[is_other].mean())


if __name__ == "__main__":
    typer.run(main)

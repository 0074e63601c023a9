"""Of new games, the positions whose search was furthest from what came of them."""

from __future__ import annotations

import numpy as np

from ringrift_core import _engine
from ringrift_core.dataset.sampling import SampledGame
from ringrift_core.dataset.shards import Columns
from ringrift_core.replay.games import Rules
from ringrift_core.replay.restarts import Restarts

__all__ = ["Surprising"]


class Surprising:
    """The most surprising position of each game so far, for the `most` most surprising games."""

    def __init__(self, rules: Rules, most: int) -> None:
        self._rules, self._most = rules, most
        self._found: list[tuple[float, str, bytes]] = []
        """How surprising, the game's id, and the moves before the position."""

    def add(self, games: list[SampledGame], columns: Columns) -> None:
        """Looks through the rows of some games."""
        surprise = surprises(columns)
        best: dict[int, int] = {}
        for row in np.flatnonzero(surprise > 0).tolist():
            game = int(columns["games"][row])
            if game not in best or surprise[row] > surprise[best[game]]:
                best[game] = row
        for one in games:
            found = best.get(int(one.id[:16], 16))
            if found is not None:
                prefix = _engine.before_decision(
                    self._rules.board.value,
                    self._rules.players,
                    one.moves,
                    int(columns["decisions"][found]),
                    profile=self._rules.profile.value,
                    swap=self._rules.swap,
                )
                self._found.append((float(surprise[found]), one.id, prefix))
        # By id where two surprise alike: which come first must not hang on how games are cut into parts.
        self._found = sorted(self._found, key=lambda found: (-found[0], found[1]))[: self._most]

    def chosen(self) -> Restarts:
        """What was found."""
        prefixes = tuple(prefix.hex() for _, _, prefix in self._found)
        return Restarts(board=self._rules.board, players=self._rules.players, prefixes=prefixes)


def surprises(columns: Columns) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """[rows]: how far the mover's chance that a search found is from what it came to; 0 where nothing was searched,
    where random moves followed, and for positions of trees."""
    values, outcomes = columns["values"][:, 0].astype(np.float32), columns["outcomes"][:, 0].astype(np.float32)
    counts = ~np.isnan(values) & (columns["unsearched"] == 0) & (columns["tree_moves"] == 0)
    found: np.ndarray[tuple[int], np.dtype[np.float32]] = np.where(counts, np.abs(values - outcomes), np.float32(0))
    return found

"""Where the curves of a run are kept: `tracking/<run>/` of a configuration's folder in the store."""

from __future__ import annotations

from dataclasses import dataclass

from ringrift_core.archive import Archive
from ringrift_core.contract import Board

__all__ = ["Place"]


@dataclass(frozen=True)
class Place:
    """One run's."""

    archive: Archive
    run: str
    """`i0003-train`: of an iteration; `gates-network`: one that goes on over iterations."""
    board: Board
    players: int
    iteration: int | None

    @property
    def name(self) -> str:
        """The run's among those of all configurations: `square8-2p-i0003-train`."""
        return f"{self.archive.configuration}-{self.run}"

    @property
    def configuration(self) -> dict[str, str | int]:
        """What tells runs apart."""
        of_all: dict[str, str | int] = {"board": self.board.value, "players": self.players}
        return of_all if self.iteration is None else {**of_all, "iteration": self.iteration}

    def key(self, name: str) -> str:
        """The store's key of one of the run's files."""
        return self.archive.key(f"tracking/{self.run}/{name}")

    def next_key(self, name: str) -> str:
        """The same with the next free number behind it: each process writes a file of its own."""
        there = sum(1 for _ in self.archive.store.keys(self.key(name)))
        return self.key(f"{name}.{there + 1:06d}")

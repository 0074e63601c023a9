"""The values of one configuration, nothing left open: what an iteration runs by, kept in status for its length."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from ringrift_core.contract import MOST_TRACKS, Board, Track, changed, configuration_name
from ringrift_operator.api.base import Value
from ringrift_operator.api.sections import (
    Cmaes,
    Dataset,
    Distributed,
    Evaluation,
    Network,
    Nnue,
    Rollback,
    Selfplay,
    Tracking,
)


class ResolvedConfiguration(Value):
    """Every value that governs one configuration; status keeps it for the length of an iteration."""

    board: Board = Field(description="Board.")
    players: int = Field(ge=2, le=4, description="Seats.")
    bootstrap_games: int = Field(ge=1, description="Games of the first iteration.")
    games_per_iteration: int = Field(ge=1, description="Games of every later iteration.")
    bootstrap_max_moves: int = Field(ge=1, description="Turns after which a bootstrap game is cut.")
    max_moves: int = Field(ge=1, description="Turns after which a later game is cut.")
    tracks: Annotated[tuple[Track, ...], Field(max_length=MOST_TRACKS)] = Field(description="What is trained.")
    selfplay: Selfplay = Field(default=Selfplay(), description="Games the players play among themselves.")
    dataset: Dataset = Field(default=Dataset(), description="Which games a dataset is made of.")
    network: Network = Field(default=Network(), description="Training of the network.")
    nnue: Nnue = Field(default=Nnue(), description="Training of NNUE.")
    cmaes: Cmaes = Field(default=Cmaes(), description="Search of heuristic weights.")
    evaluation: Evaluation = Field(default=Evaluation(), description="How candidates are judged.")
    rollback: Rollback = Field(default=Rollback(), description="When a champion gives way to its predecessor.")
    tracking: Tracking = Field(default=Tracking(), description="Who is told the curves of trainings and gates.")

    @property
    def name(self) -> str:
        """`square8-2p`."""
        return configuration_name(self.board, self.players)

    def games(self, iteration: int) -> int:
        """Games of an iteration; 1 is the bootstrap."""
        return self.bootstrap_games if iteration == 1 else self.games_per_iteration

    def move_limit(self, iteration: int) -> int:
        """Turns after which a game of an iteration is cut; 1 is the bootstrap."""
        return self.bootstrap_max_moves if iteration == 1 else self.max_moves

    def with_distributed(self, distributed: Distributed) -> Self:
        """The same, trained by so many processes."""
        return changed(self, network=changed(self.network, distributed=distributed))

    def with_tracks(self, tracks: tuple[Track, ...]) -> Self:
        return changed(self, tracks=tracks)

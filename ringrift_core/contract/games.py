"""What becomes of played games: merged into one history, exported as a dataset."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ringrift_core.contract.base import IterationParameters, Result
from ringrift_core.contract.claims import ClaimParameters
from ringrift_core.contract.marks import Absent, Placement
from ringrift_core.contract.vocabulary import Board, Count, Measure, PositiveCount, Seed, Stage, Total


class MergeParameters(IterationParameters, ClaimParameters):
    """Merges every finished shard not yet merged, deduplicated by game id."""

    stage = Stage.MERGE
    while_playing: Annotated[bool, Placement()] = Field(
        default=False, description="Self-play goes on: that no shard is finished yet is no fault."
    )


class ExportParameters(IterationParameters):
    """Turns positions of the games of the window into NPZ shards and a manifest."""

    stage = Stage.EXPORT
    seed: Seed = Field(default=0, description="Seed of the sampling and of the symmetries.")
    window: Count = Field(
        default=0, description="Newest games to draw from; 0: the newest iteration's, and older ones by a power law."
    )
    require_completed: bool = Field(default=True, description="Leave out games cut by the move limit.")
    min_moves: Annotated[Count, Absent(20)] = Field(
        default=0, description="Leave out games with fewer recorded moves: quick wins, where the players are strong."
    )
    positions_per_game: PositiveCount = Field(default=32, description="Positions drawn from a game at most.")
    positions: Count = Field(
        default=0, description="Positions drawn at most, spread evenly over the games; 0 is no limit."
    )
    symmetries: Annotated[int, Absent(1)] = Field(
        default=0,
        ge=0,
        le=12,
        description="Random symmetries of the board through which a position is seen, a row each; 0: as it is, "
        "since training turns it.",
    )
    exact_state: bool = Field(default=False, description="Keep the exact state of each row as well.")
    restarts: Count = Field(
        default=0,
        description="Positions to leave for self-play to go on from: of as many new games, each the one whose search "
        "was furthest from what the game came to.",
    )
    tree_positions: bool = Field(
        default=False, description="Make rows of the positions of descent's trees, too, where self-play left them."
    )

    @model_validator(mode="after")
    def _symmetries_exist(self) -> ExportParameters:
        most = 8 if self.board in (Board.SQUARE8, Board.SQUARE19) else 12
        if self.symmetries > most:
            raise ValueError(f"--symmetries {self.symmetries}: {self.board} has {most}")
        return self


class MergeResult(Result):
    """All games of the configuration after the merge."""

    games: Total = Field(description="Unique games of all iterations.")
    new_games: Total = Field(description="Unique games of this iteration.")
    duplicates: Total = Field(default=0, description="Games of this iteration that were there already.")


class ExportResult(Result):
    """What the dataset holds."""

    games: Total = Field(description="Games with positions in the dataset.")
    window: Total = Field(description="Games of the window.")
    positions: Total = Field(description="Positions.")
    rows: Total = Field(description="Rows: positions, each seen through its symmetries.")
    shards: Count = Field(description="NPZ shards.")
    bytes_per_row: Measure = Field(description="Size of a row in the store.")
    new_rows: Total = Field(default=0, description="Rows of games of this iteration.")
    left_out_cut: Total = Field(default=0, description="Games of the window left out since they were cut.")
    left_out_short: Total = Field(default=0, description="Games of the window left out since they were too short.")

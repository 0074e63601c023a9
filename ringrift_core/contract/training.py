"""What the trainings of networks are told, and what they answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ringrift_core.contract.base import ArtifactReference, IterationParameters, Result
from ringrift_core.contract.marks import Absent, Placement
from ringrift_core.contract.tracking import TrackedParameters
from ringrift_core.contract.vocabulary import (
    HIGHEST_COUNT,
    Board,
    Count,
    Device,
    Measure,
    NetworkSize,
    PositiveCount,
    Seed,
    Share,
    Stage,
    Total,
)
from ringrift_core.contract.written import Written

START_PATTERN = r"^((square8|square19|hex8|hexagonal)@)?[1-9]\d{0,9}$"
"""`3`, or `square8@3`: see StartFrom."""


@dataclass(frozen=True, slots=True)
class StartFrom(Written):
    """The champion network whose parameters a training begins with: of its own configuration, or of another board.

    Written `3` or `square8@3`, in JSON as on a command line.
    """

    PATTERN = START_PATTERN

    board: Board | None
    version: int

    def __str__(self) -> str:
        return f"{self.version}" if self.board is None else f"{self.board}@{self.version}"

    @classmethod
    def parse(cls, text: str) -> StartFrom:
        """Reads the written form; ValueError says what was expected."""
        if not re.fullmatch(START_PATTERN, text, re.ASCII) or int(text.rpartition("@")[2]) > HIGHEST_COUNT:
            raise ValueError(f"expected CHAMPION or BOARD@CHAMPION, as 3 or square8@3, found {text!r}")
        board, _, version = text.rpartition("@")
        return cls(Board(board) if board else None, int(version))


class TrainParameters(TrackedParameters):
    """Trains a candidate network from the exported dataset. One that was stopped goes on from its last checkpoint when
    it is begun again: by itself, with its optimiser and schedule."""

    stage = Stage.TRAIN
    seed: Seed = Field(default=0, description="Seed of initialisation and shuffling.")
    dataset: ArtifactReference = Field(description="Manifest written by export.")
    start_from: StartFrom | None = Field(
        default=None,
        description="Champion network whose parameters it begins with, as 3, or as square8@3 that of another board "
        "of the same shapes: square8 and square19, hex8 and hexagonal. Optimiser and schedule are fresh. "
        "Omitted: starts anew.",
    )
    size: NetworkSize | None = Field(
        default=None,
        description="Size of the network; omitted: that of the champion it starts from, or small.",
    )
    epochs: PositiveCount = Field(default=10, description="Upper limit of passes over the dataset.")
    batch_size: PositiveCount = Field(default=256, description="Positions per step.")
    uses: Count = Field(
        default=0,
        description="Positions trained on for each that is new in this iteration, at most; 0 is no limit.",
    )
    outcome_weight: Annotated[Share, Absent(0.3)] = Field(
        default=1.0,
        description="What the outcome counts beside the values of searches: 1 while no network searches, 0.8 then.",
    )
    clean_outcomes: Annotated[bool, Absent(False)] = Field(
        default=True, description="Outcomes count only where no random move followed."
    )
    augment: Annotated[bool, Absent(False)] = Field(
        default=True, description="Show each position through a random symmetry of the board, another one each time."
    )
    surprise: Share = Field(
        default=0.0,
        description="Share of the positions seen that go where the policy target surprises the champion that it "
        "starts from, instead of to all alike.",
    )
    distributed: Annotated[bool, Placement()] = Field(
        default=False, description="One of several processes that train together, started by torchrun."
    )
    device: Annotated[Device, Placement()] = Field(default=Device.CPU, description="Where to train.")


class TrainResult(Result):
    """The best epoch, of the averaged parameters. Losses are cross-entropies in nats."""

    train_loss: Measure = Field(description="Loss on the training positions.")
    held_out_loss: Measure = Field(description="Loss on held-out games.")
    held_out_policy_loss: Measure = Field(description="Part of it that is the policies', per row that has one.")
    held_out_accuracy: Share = Field(description="Share of held-out positions whose winner was named first.")
    held_out_value_loss: Measure = Field(default=0, description="Part of it that is the values', per row that has any.")
    held_out_policy_accuracy: Share = Field(
        default=0, description="Share of held-out policies whose likeliest move was named first."
    )
    held_out_ends_loss: Measure = Field(
        default=0,
        description="Squared error of rings eliminated and territory at the end, as shares of those that win.",
    )
    held_out_owners_loss: Measure = Field(default=0, description="Loss of whose territory a cell will be, per cell.")
    held_out_reason_loss: Measure = Field(default=0, description="Loss of why the game will end.")
    held_out_turns_loss: Measure = Field(
        default=0, description="Squared error of the logarithm of 1 + the turns that are left."
    )
    epochs: Count = Field(description="Epochs trained.")
    steps: Count = Field(default=0, description="Steps trained.")
    best_epoch: Count = Field(description="The epoch that was kept.")
    onnx_difference: Measure = Field(description="Largest difference between torch and ONNX Runtime, both in floats.")
    quantised_value_difference: Measure = Field(
        default=0, description="Mean difference of a win probability between floats and 8-bit integers."
    )
    quantised_policy_divergence: Measure = Field(
        default=0, description="Mean divergence of a policy in 8-bit integers from that in floats, in nats."
    )


class NnueParameters(IterationParameters):
    """Trains a candidate NNUE from the exported dataset, from the champion when there is one."""

    stage = Stage.NNUE
    seed: Seed = Field(default=0, description="Seed of initialisation, shuffling and symmetries.")
    dataset: ArtifactReference = Field(description="Manifest written by export, with exact states.")
    nnue_version: Count = Field(default=0, description="Champion NNUE to start from; 0 starts anew.")
    epochs: PositiveCount = Field(default=50, description="Upper limit of passes over the dataset.")
    batch_size: PositiveCount = Field(default=1024, description="Positions per step.")
    outcome_weight: Share = Field(
        default=1.0,
        description="What a game's outcome counts in the target, where a search found values; these count the rest. "
        "What a search has proven stands for itself.",
    )
    clean_outcomes: bool = Field(default=True, description="Outcomes count only where no random move followed.")
    device: Annotated[Device, Placement()] = Field(default=Device.CPU, description="Where to train.")


class NnueResult(Result):
    """The best epoch. Losses are cross-entropies in nats."""

    train_loss: Measure = Field(description="Loss on the training positions.")
    held_out_loss: Measure = Field(description="Loss on held-out games.")
    held_out_accuracy: Share = Field(description="Share of held-out positions whose winner was named first.")
    pearson: Measure = Field(description="Correlation of the mover's chances with the targets on held-out games.")
    spearman: Measure = Field(
        description="Rank correlation of a held-out position's moves with what its search made of them, on average."
    )
    top_move: Share = Field(description="Share of these positions in which both like the same move best.")
    siblings: Count = Field(description="Number of these positions.")
    epochs: Count = Field(description="Epochs trained.")
    best_epoch: Count = Field(description="The epoch that was kept.")


class DistillParameters(IterationParameters):
    """Trains a candidate NNUE to say of positions what the champion network says of them."""

    stage = Stage.DISTILL
    seed: Seed = Field(default=0, description="Seed of the positions drawn, initialisation, shuffling and symmetries.")
    dataset: ArtifactReference = Field(description="Manifest written by export, with exact states.")
    network_version: PositiveCount = Field(description="Champion network to learn from.")
    nnue_version: Count = Field(default=0, description="Champion NNUE to start from; 0 starts anew.")
    positions: PositiveCount = Field(default=100_000, description="Positions to train on, at most.")
    epochs: PositiveCount = Field(default=50, description="Upper limit of passes over them.")
    batch_size: PositiveCount = Field(default=1024, description="Positions per step.")
    learning_rate: Share = Field(default=0.001, description="Of Adam, at the start.")
    min_correlation: Share = Field(
        default=0.9, description="Correlation with the network, on held-out games, below which a warning is written."
    )
    device: Annotated[Device, Placement()] = Field(default=Device.CPU, description="Where to train.")


class DistillResult(Result):
    """The best epoch. Losses are cross-entropies in nats; the rest is of positions of held-out games of which none is
    trained on."""

    train_loss: Measure = Field(description="Loss on the training positions.")
    held_out_loss: Measure = Field(description="Loss on held-out games.")
    squared_error: Measure = Field(description="Mean squared difference of win probabilities.")
    pearson: Measure = Field(description="Correlation of the mover's chances with what the network says.")
    teacher_deviation: Measure = Field(
        description="Standard deviation of what the network says of the mover's chances."
    )
    spearman: Measure = Field(description="Rank correlation of a position's moves by both, on average.")
    top_move: Share = Field(description="Share of positions in which both like the same move best.")
    siblings: Count = Field(description="Number of these positions.")
    positions: Total = Field(description="Positions trained on.")
    held_out_positions: Count = Field(description="Positions judged on.")
    held_out_games: Count = Field(description="Games that they are of.")
    repeated_positions: Count = Field(
        description="Positions of held-out games that are trained on as well, as those of openings are: left out."
    )
    epochs: Count = Field(description="Epochs trained.")
    best_epoch: Count = Field(description="The epoch that was kept.")

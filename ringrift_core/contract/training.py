"""What the training of a network is told, and what it answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ringrift_core.contract.base import ArtifactReference, IterationParameters, Result
from ringrift_core.contract.marks import Absent, Placement
from ringrift_core.contract.vocabulary import Count, Device, Measure, PositiveCount, Seed, Share, Stage


class TrainParameters(IterationParameters):
    """Trains a candidate network from the exported dataset, from the champion when there is one."""

    stage = Stage.TRAIN
    seed: Seed = Field(default=0, description="Seed of initialisation and shuffling.")
    dataset: ArtifactReference = Field(description="Manifest written by export.")
    network_version: Count = Field(default=0, description="Champion network to start from; 0 starts anew.")
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
    device: Annotated[Device, Placement()] = Field(default=Device.CPU, description="Where to train.")


class TrainResult(Result):
    """The best epoch. Losses are cross-entropies in nats."""

    train_loss: Measure = Field(description="Loss on the training positions.")
    held_out_loss: Measure = Field(description="Loss on held-out games.")
    held_out_policy_loss: Measure = Field(description="Part of it that is the policies', per row that has one.")
    held_out_accuracy: Share = Field(description="Share of held-out positions whose winner was named first.")
    epochs: Count = Field(description="Epochs trained.")
    best_epoch: Count = Field(description="The epoch that was kept.")
    onnx_difference: Measure = Field(description="Largest difference between torch and ONNX Runtime.")

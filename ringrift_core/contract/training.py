"""What the training of a network is told."""

from __future__ import annotations

from pydantic import Field

from ringrift_core.contract.base import ArtifactReference, IterationParameters
from ringrift_core.contract.vocabulary import Count, Device, PositiveCount, Seed, Stage


class TrainParameters(IterationParameters):
    """Trains a candidate network from the exported dataset, from the champion when there is one."""

    stage = Stage.TRAIN
    seed: Seed = Field(default=0, description="Seed of initialisation and shuffling.")
    dataset: ArtifactReference = Field(description="Manifest written by export.")
    network_version: Count = Field(default=0, description="Champion network to start from; 0 starts anew.")
    epochs: PositiveCount = Field(default=10, description="Upper limit of passes over the dataset.")
    batch_size: PositiveCount = Field(default=256, description="Positions per step.")
    device: Device = Field(default=Device.CPU, description="Where to train.")

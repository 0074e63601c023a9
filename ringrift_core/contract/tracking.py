"""Who is told the curves of a stage."""

from __future__ import annotations

import enum
from typing import Annotated

from pydantic import Field

from ringrift_core.contract.base import IterationParameters
from ringrift_core.contract.marks import Placement


class WandbMode(enum.StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    """Kept in the store, for `wandb sync`."""


class TrackedParameters(IterationParameters):
    """A stage with curves. Whoever hears them, they are kept in the store as JSON lines (docs/store.md)."""

    tensorboard: Annotated[bool, Placement()] = Field(
        default=False, description="Keep curves as event files of TensorBoard, too."
    )
    wandb_project: Annotated[str, Placement()] = Field(
        default="", max_length=128, description="Project of Weights & Biases that hears of curves; empty: none."
    )
    wandb_mode: Annotated[WandbMode, Placement()] = Field(
        default=WandbMode.ONLINE, description="Whether it hears at once, or of what is kept in the store, later."
    )

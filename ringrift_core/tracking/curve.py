"""A curve: figures by name at the steps of one run, told to every sink and kept in the store.

Where a stage goes on from a checkpoint, its curve goes on there too: what was told after the checkpoint is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from ringrift_core.archive import Archive
from ringrift_core.contract import TrackedParameters
from ringrift_core.errors import WrongInputError
from ringrift_core.tracking.json_lines import JsonLines
from ringrift_core.tracking.place import Place

__all__ = ["Curve", "Sink", "open_curve", "tracked"]


class Sink(Protocol):
    """One who is told of a run."""

    def tell(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures by name, at a step that is no earlier than the ones before."""

    def keep(self) -> None:
        """Brings what was told so far to where it stays."""

    def close(self) -> None:
        """After the last figures."""


class Curve:
    """What a stage tells its figures to."""

    def __init__(self, sinks: list[Sink]) -> None:
        self._sinks = sinks

    def tell(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures by name at a step; each sink hears them."""
        for sink in self._sinks:
            sink.tell(step, figures)

    def keep(self) -> None:
        """Brings what was told so far to where it stays: to be called when a checkpoint is saved."""
        for sink in self._sinks:
            sink.keep()


@contextmanager
def open_curve(
    parameters: TrackedParameters, archive: Archive, run: str, after: int, iteration: int | None
) -> Iterator[Curve]:
    """The curve of a run of the store's configuration, from after step `after` on; 0 begins it.

    `iteration` is what the run is of, None for one that goes on over iterations. What was told is kept when the block
    is left, however that is.
    """
    tracked(parameters)
    place = Place(archive, run, parameters.board, parameters.players, iteration)
    sinks: list[Sink] = [JsonLines(place, after)]
    if parameters.tensorboard:
        from ringrift_core.tracking.tensorboard import TensorBoard

        sinks.append(TensorBoard(place, after))
    if parameters.wandb_project:
        from ringrift_core.tracking.wandb import Wandb

        sinks.append(Wandb(place, after, parameters.wandb_project, parameters.wandb_mode))
    curve = Curve(sinks)
    try:
        yield curve
    finally:
        curve.keep()
        for sink in sinks:
            sink.close()


def tracked(parameters: TrackedParameters) -> None:
    """WrongInputError where a curve is to be told to somebody who is not installed: better heard before the work."""
    try:
        if parameters.tensorboard:
            import tensorboard  # noqa: F401
        if parameters.wandb_project:
            import wandb  # noqa: F401
    except ModuleNotFoundError as missing:
        raise WrongInputError(
            f"tracking: {missing.name} is not installed: pip install 'ringrift[tracking]', or leave it out"
        ) from missing

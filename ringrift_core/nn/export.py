"""A network as the file that players ask, in 8-bit integers where these say nearly what floats do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ringrift_core.nn.network import RingRiftNetwork
from ringrift_core.nn.onnx import TOLERANCE, export_onnx, largest_difference
from ringrift_core.nn.positions import OUTCOMES, Batch, Positions
from ringrift_core.nn.quantised import Differences, differences, quantise
from ringrift_core.nn.training import part_size

__all__ = ["Exported", "export_network"]

SAMPLES = 64, 1024
"""Positions that the ranges of a quantised network are taken from, at least and at most, and as many held-out ones that
it is judged on: what goes through a network in about a second."""


@dataclass(frozen=True)
class Exported:
    """A network for ONNX Runtime."""

    file: Path
    difference: float
    """Between torch and ONNX Runtime, both in floats."""
    quantised: Differences
    """What it says else in integers, or would say."""

    @property
    def warning(self) -> str | None:
        """Why it is in floats, if it is."""
        if self.quantised.are_small:
            return None
        return (
            f"in 8-bit integers the network would say something else (values by {self.quantised.value:.3f}, policies "
            f"by {self.quantised.policy:.3f} nats): it stays in floats, which take a CPU longer"
        )


def export_network(network: RingRiftNetwork, train: Positions, held_out: Positions, folder: Path) -> Exported:
    """Writes a file to `folder`: ranges of integers are those over positions of `train`, and `held_out` (or `train`,
    where that is empty) judges what they cost."""
    floats, quantised = folder / "floats.onnx", folder / "network.onnx"
    export_onnx(network, floats)
    least, most = SAMPLES
    count = min(most, max(least, 2 * part_size(network.shape, torch.device("cpu"))))
    judged = _spread(held_out if len(held_out) else train, count, with_policies=True)
    difference = largest_difference(network, floats, judged.planes[:256], judged.globals[:256])
    if difference > TOLERANCE:
        raise RuntimeError(f"ONNX and torch differ by {difference:.2g}")
    samples = _spread(train, count)
    quantise(floats, samples.planes.numpy(), samples.globals.numpy(), quantised)
    found = differences(floats, quantised, judged)
    return Exported(quantised if found.are_small else floats, difference, found)


def _spread(positions: Positions, count: int, with_policies: bool = False) -> Batch:
    """So many of them at most, from all over their games; `with_policies` of those that have one, where any has."""
    places = np.flatnonzero(positions.have_policies) if with_policies else np.arange(len(positions))
    if not len(places):
        places = np.arange(len(positions))
    chosen = places[np.unique(np.linspace(0, len(places) - 1, count).astype(np.int64))]
    return positions.batch(chosen, OUTCOMES, torch.device("cpu"))

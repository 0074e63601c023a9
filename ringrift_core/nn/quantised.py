"""The network with convolutions of 8-bit integers, which a CPU is done with sooner, and how little else it says.

Static quantisation after training (B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", 2018): a convolution's weights by output channel, its input and output by the ranges
that they have over sample positions. Linear layers, pooling and sums stay in floats. Weights have seven bits: two
products then fit into 16 bits, so that CPUs with and without VNNI sum the same whole numbers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from ringrift_core.files import scratch_folder
from ringrift_core.nn.inference import onnx_network
from ringrift_core.nn.losses import move_logits
from ringrift_core.nn.network import NetworkShape, RingRiftNetwork
from ringrift_core.nn.onnx import export_onnx, forget_where_it_was_made
from ringrift_core.nn.positions import Batch
from ringrift_core.nn.random_positions import random_positions

__all__ = ["POLICY_TOLERANCE", "VALUE_TOLERANCE", "Differences", "differences", "export_untrained", "quantise"]

POLICY_TOLERANCE = 0.05
"""Divergence of policies, in nats, above which a network stays in floats: one with 0.018 played as well in integers,"""
VALUE_TOLERANCE = 0.05
"""and of win probabilities, where that one had 0.022."""
AT_ONCE = 64
"""Sample positions that are looked at together."""


@dataclass(frozen=True)
class Differences:
    """What a quantised network says else than in floats, on average."""

    value: float
    """Of a seat's win probability."""
    policy: float
    """Divergence (Kullback-Leibler) of the policy over legal moves from that of floats, in nats, of positions that have
    one; 0 where none has."""

    @property
    def are_small(self) -> bool:
        return self.value <= VALUE_TOLERANCE and self.policy <= POLICY_TOLERANCE


def quantise(floats: Path, planes: NDArray[np.float32], features: NDArray[np.float32], quantised: Path) -> None:
    """Writes the ONNX file `floats` anew, with convolutions in integers; ranges are those over sample positions, planes
    [B, C, H, W] and globals [B, G]. The same file for the same input."""
    with scratch_folder("ringrift-quantise-") as folder, _without_advice():
        prepared = folder / "prepared.onnx"
        quant_pre_process(floats, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            quantised,
            _Samples(planes, features),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=["Conv"],
        )
    model = onnx.load(quantised)
    forget_where_it_was_made(model)
    onnx.save(model, quantised)


def export_untrained(shape: NetworkShape, seed: int, path: Path) -> None:
    """A network that knows nothing, to measure with."""
    torch.manual_seed(seed)
    with scratch_folder("ringrift-untrained-") as folder:
        export_onnx(RingRiftNetwork(shape), folder / "floats.onnx")
        quantise(folder / "floats.onnx", *random_positions(shape.board, shape.players, 4 * AT_ONCE), path)


class _Samples(CalibrationDataReader):  # type: ignore[misc]  # It has no types.
    """Positions, some at a time."""

    def __init__(self, planes: NDArray[np.float32], features: NDArray[np.float32]) -> None:
        self._parts = iter(
            {"planes": planes[first : first + AT_ONCE], "globals": features[first : first + AT_ONCE]}
            for first in range(0, len(planes), AT_ONCE)
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._parts, None)


@contextmanager
def _without_advice() -> Iterator[None]:
    """ONNX Runtime's advice goes to the root logger: on preparation, even where that is done."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@torch.no_grad()
def differences(floats: Path, quantised: Path, batch: Batch) -> Differences:
    """Over positions that the ranges were not taken from."""
    (values, policy), (other_values, other_policy) = (
        map(torch.from_numpy, onnx_network(path).values_and_policy(batch.planes.numpy(), batch.globals.numpy()))
        for path in (floats, quantised)
    )
    value = (values - other_values).abs().mean().item()
    if batch.keys.shape[1] == 0:
        return Differences(value, 0.0)
    chances, other_chances = (torch.log_softmax(move_logits(numbers, batch), 1) for numbers in (policy, other_policy))
    divergence = (chances.exp() * (chances - other_chances)).masked_fill(~batch.legal, 0).sum(1)
    return Differences(value, (divergence.sum() / batch.legal.any(dim=1).sum().clamp(min=1)).item())

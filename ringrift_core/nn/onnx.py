"""The network as ONNX, and the proof that it says the same."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ringrift_core.nn.network import RingRiftNetwork
from ringrift_core.players.network import onnx_evaluator

__all__ = ["TOLERANCE", "export_onnx", "largest_difference"]

TOLERANCE = 1e-4
"""Largest difference of a win probability between torch and ONNX Runtime."""


class _Probabilities(nn.Module):
    """The network with its softmax: what players ask for."""

    def __init__(self, network: RingRiftNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, planes: Tensor, features: Tensor) -> Tensor:
        return torch.softmax(self.network(planes, features), dim=1)


def export_onnx(network: RingRiftNetwork, path: Path) -> None:
    """Writes inputs `planes` and `globals` to output `values`, with a free batch size."""
    shape = network.shape
    example = (torch.zeros(2, shape.planes, shape.side, shape.side), torch.zeros(2, shape.globals))
    batch = torch.export.Dim("batch", min=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The exporter's own deprecations.
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            _Probabilities(network).eval(),
            example,
            input_names=["planes", "globals"],
            output_names=["values"],
            dynamic_shapes={"planes": {0: batch}, "features": {0: batch}},
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.save(path, include_initializers=True, external_data=False)


@torch.no_grad()
def largest_difference(network: RingRiftNetwork, path: Path, planes: Tensor, features: Tensor) -> float:
    """The largest difference of a win probability between torch and ONNX Runtime, over batches of several sizes."""
    evaluate = onnx_evaluator(path)
    expected = _Probabilities(network).eval()(planes, features).numpy()
    parts = (slice(0, 1), slice(1, None)) if len(planes) > 1 else (slice(0, 1),)
    found = [evaluate(planes[rows].numpy(), features[rows].numpy()) for rows in parts]
    return float(np.abs(np.concatenate(found) - expected).max())

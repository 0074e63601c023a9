"""The network as ONNX, and the proof that it says the same."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from ringrift_core.nn.inference import onnx_network
from ringrift_core.nn.network import RingRiftNetwork

__all__ = ["TOLERANCE", "export_onnx", "forget_where_it_was_made", "largest_difference"]

TOLERANCE = 1e-4
"""Largest difference between torch and ONNX Runtime, as `largest_difference` measures it."""


class _Probabilities(nn.Module):
    """The network with the softmax of its values: what players ask for."""

    def __init__(self, network: RingRiftNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, planes: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        values, policy = self.network(planes, features)
        return torch.softmax(values, dim=1), policy


def export_onnx(network: RingRiftNetwork, path: Path) -> None:
    """Writes inputs `planes` and `globals` to outputs `values` and `policy`, with a free batch size."""
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
            output_names=["values", "policy"],
            dynamic_shapes={"planes": {0: batch}, "features": {0: batch}},
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    forget_where_it_was_made(model)
    onnx.save(model, path)


def forget_where_it_was_made(model: onnx.ModelProto) -> None:
    """Takes out what the exporter notes of the code that it went through: files, lines and stacks of this machine."""
    graphs = [model.graph, *model.functions]
    for part in (model, *graphs, *(node for graph in graphs for node in graph.node)):
        del part.metadata_props[:]
        part.ClearField("doc_string")
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info, *model.graph.initializer):
        del value.metadata_props[:]
        value.ClearField("doc_string")


@torch.no_grad()
def largest_difference(network: RingRiftNetwork, path: Path, planes: Tensor, features: Tensor) -> float:
    """The largest difference between torch and ONNX Runtime of a win probability or a policy key, over batches of
    several sizes."""
    evaluate = onnx_network(path).values_and_policy
    parts = (slice(0, 1), slice(1, None)) if len(planes) > 1 else (slice(0, 1),)
    found = zip(*(evaluate(planes[rows].numpy(), features[rows].numpy()) for rows in parts), strict=True)
    expected = _Probabilities(network).eval()(planes, features)
    differences = []
    for outputs, wanted in zip(found, expected, strict=True):
        difference = np.abs(np.concatenate(outputs) - wanted.numpy()) / np.maximum(1, np.abs(wanted.numpy()))
        differences.append(float(difference.max()))
    return max(differences)

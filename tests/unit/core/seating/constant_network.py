"""A network that says the same of every position: a known one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ringrift_core import _engine
from ringrift_core.contract import Board

__all__ = ["write_constant_network"]


def write_constant_network(path: Path, board: Board, players: int, loud_keys: tuple[int, ...] = ()) -> Path:
    """Even chances for every seat, and a policy that is all on the moves of some keys."""
    channels, height, width, features = _engine.encoding_shape(board.value, players)
    keys = _engine.policy_size(board.value, players)
    values = np.full((1, players), 1 / players, np.float32)
    policy = np.zeros((1, keys), np.float32)
    policy[0, list(loud_keys)] = 20
    wide = {"values": values, "policy": policy}
    nodes = [helper.make_node("Shape", ["planes"], ["batch"], start=0, end=1)]
    for name in wide:
        nodes.append(helper.make_node("Concat", ["batch", f"{name}_width"], [f"{name}_shape"], axis=0))
        nodes.append(helper.make_node("Expand", [f"{name}_row", f"{name}_shape"], [name]))
    known = [numpy_helper.from_array(row, f"{name}_row") for name, row in wide.items()]
    known += [numpy_helper.from_array(np.array([row.shape[1]]), f"{name}_width") for name, row in wide.items()]
    inputs = {"planes": [channels, height, width], "globals": [features]}
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", *shape]) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", row.shape[1]]) for name, row in wide.items()],
        known,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, path)
    return path

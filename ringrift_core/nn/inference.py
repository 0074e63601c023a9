"""What a network says of positions: by ONNX Runtime on the CPU, or by torch on a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ringrift_core import _engine
from ringrift_core.cores import available_cores
from ringrift_core.errors import WrongInputError
from ringrift_core.players.cards import ModelCard

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

    _PolicyEvaluator = Callable[
        [NDArray[np.float32], NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]
    ]

__all__ = ["onnx_evaluator", "onnx_policy_evaluator", "torch_evaluator"]


def onnx_evaluator(path: Path) -> _engine._Evaluator:
    """Win probabilities by ONNX Runtime on the CPU, on every core that this process may use."""
    session = _session(path)

    def evaluate(planes: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.float32]:
        (values,) = session.run(["values"], {"planes": planes, "globals": features})
        return values  # type: ignore[no-any-return]

    return evaluate


def onnx_policy_evaluator(path: Path) -> _PolicyEvaluator:
    """As `onnx_evaluator`, with the number of every policy key [B, policy] beside the win probabilities."""
    session = _session(path)

    def evaluate(
        planes: NDArray[np.float32], features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        values, policy = session.run(["values", "policy"], {"planes": planes, "globals": features})
        return values, policy

    return evaluate


def _session(path: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_cores()
    # Idle threads that spin take the cores from the games, and everything from a shared machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def torch_evaluator(card: ModelCard, weights: Path, device: str) -> _engine._Evaluator:
    """Win probabilities by torch on `device`, such as `cuda`; WrongInputError when this machine has none."""
    try:
        import torch
        from safetensors.torch import load_file
    except ModuleNotFoundError as missing:
        raise WrongInputError(f"--device {device}: needs {missing.name}: pip install 'ringrift[train]'") from missing
    from ringrift_core.nn.network import NetworkShape, RingRiftNetwork

    planes, side, _, features = _engine.encoding_shape(card.board.value, card.players)
    policy = _engine.policy_size(card.board.value, card.players)
    shape = NetworkShape(card.board, card.players, planes, side, features, policy, card.blocks, card.channels)
    network = RingRiftNetwork(shape)
    network.load_state_dict(load_file(weights))
    try:
        network.to(device).eval()
    except (RuntimeError, AssertionError) as error:  # torch's words for a device that is not there
        reason = str(error).partition("\n")[0]
        raise WrongInputError(f"--device {device}: {reason}") from error

    def evaluate(planes: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits, _ = network(torch.from_numpy(planes).to(device), torch.from_numpy(features).to(device))
            values: NDArray[np.float32] = torch.softmax(logits, dim=1).cpu().numpy()
        return values

    return evaluate

"""What a network says of positions: by ONNX Runtime on the CPU, or by torch on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ringrift_core import _engine
from ringrift_core.contract import Board, configuration_name
from ringrift_core.cores import available_cores
from ringrift_core.errors import WrongInputError
from ringrift_core.players.cards import ModelCard

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

__all__ = ["AskedNetwork", "PolicyEvaluator", "ValueEvaluator", "onnx_network", "onnx_network_of", "torch_network"]

ValueEvaluator: TypeAlias = "Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]"
"""planes [B, C, H, W] and globals [B, G] to win probabilities [B, players], column 0 the player to move."""

PolicyEvaluator: TypeAlias = (
    "Callable[[NDArray[np.float32], NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]"
)
"""As `ValueEvaluator`, with the number of every policy key [B, policy] beside the win probabilities."""


@dataclass(frozen=True)
class AskedNetwork:
    """A network as players ask it: who needs no policy does not wait for one."""

    values: ValueEvaluator
    values_and_policy: PolicyEvaluator


def onnx_network(path: Path) -> AskedNetwork:
    """By ONNX Runtime on the CPU, on every core that this process may use."""
    return _asked(_session(path))


def onnx_network_of(path: Path, board: Board, players: int) -> AskedNetwork:
    """As `onnx_network`, for a file without a model card; WrongInputError when it is for another configuration."""
    try:
        session = _session(path)
    except Exception as error:  # ONNX Runtime's own are of no common class
        raise WrongInputError(f"{path}: no network that ONNX Runtime reads: {str(error).splitlines()[0]}") from None
    channels, height, width, features = _engine.encoding_shape(board.value, players)
    wanted = {
        "planes": [channels, height, width],
        "globals": [features],
        "values": [players],
        "policy": [_engine.policy_size(board.value, players)],
    }
    found = {one.name: list(one.shape[1:]) for one in (*session.get_inputs(), *session.get_outputs())}
    if found != wanted:
        raise WrongInputError(f"{path}: no network for {configuration_name(board, players)}: {found}, not {wanted}")
    return _asked(session)


def torch_network(card: ModelCard, weights: Path, device: str) -> AskedNetwork:
    """By torch on `device`, such as `cuda`; WrongInputError when this machine has none."""
    try:
        import torch

        from ringrift_core.nn.network import RingRiftNetwork
    except ModuleNotFoundError as missing:
        raise WrongInputError(f"--device {device}: needs {missing.name}: pip install 'ringrift[train]'") from missing
    network = RingRiftNetwork.of_card(card, weights)
    try:
        network.to(device).eval()
    except (RuntimeError, AssertionError) as error:  # torch's words for a device that is not there
        reason = str(error).partition("\n")[0]
        raise WrongInputError(f"--device {device}: {reason}") from error

    @torch.inference_mode()
    def ask(planes: NDArray[np.float32], features: NDArray[np.float32]) -> tuple[torch.Tensor, torch.Tensor]:
        logits, policy = network(torch.from_numpy(planes).to(device), torch.from_numpy(features).to(device))
        return torch.softmax(logits, dim=1), policy

    def values(planes: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = ask(planes, features)[0].cpu().numpy()
        return found

    def values_and_policy(
        planes: NDArray[np.float32], features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        found, policy = ask(planes, features)
        return found.cpu().numpy(), policy.cpu().numpy()

    return AskedNetwork(values, values_and_policy)


def _asked(session: onnxruntime.InferenceSession) -> AskedNetwork:
    def values(planes: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.float32]:
        (found,) = session.run(["values"], {"planes": planes, "globals": features})
        return found  # type: ignore[no-any-return]

    def values_and_policy(
        planes: NDArray[np.float32], features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        found, policy = session.run(["values", "policy"], {"planes": planes, "globals": features})
        return found, policy

    return AskedNetwork(values, values_and_policy)


def _session(path: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_cores()
    # Idle threads that spin take the cores from the games, and everything from a shared machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

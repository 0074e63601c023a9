"""What a network says of positions: by ONNX Runtime on the CPU, or by torch on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ringrift_core import _engine
from ringrift_core.contract import Board, configuration_name
from ringrift_core.cores import available_cores
from ringrift_core.errors import MissingJudgeError, WrongInputError
from ringrift_core.players.cards import ModelCard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["AskedNetwork", "PolicyEvaluator", "ValueEvaluator", "onnx_network", "onnx_network_of", "torch_network"]

ValueEvaluator: TypeAlias = "Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]"
"""planes [B, C, H, W] and globals [B, G] to win probabilities [B, players], column 0 the player to move."""

PolicyEvaluator: TypeAlias = (
    "Callable[[NDArray[np.float32], NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]"
)
"""As `ValueEvaluator`, with the number of every policy key [B, policy] beside the win probabilities."""

LEAST_CELLS = 512
"""Of a part of a batch: eight positions of an 8x8 board, or one of a large one. Fewer are not worth another thread."""


@dataclass(frozen=True)
class AskedNetwork:
    """A network as players ask it: who needs no policy does not wait for one."""

    values: ValueEvaluator
    values_and_policy: PolicyEvaluator


def onnx_network(path: Path) -> AskedNetwork:
    """By ONNX Runtime on the CPU, on every core that this process may use."""
    return _asked(_Session(path))


def onnx_network_of(path: Path, board: Board, players: int) -> AskedNetwork:
    """As `onnx_network`, for a file without a model card; WrongInputError when it is for another configuration."""
    try:
        session = _Session(path)
    except MissingJudgeError:
        raise
    except Exception as error:  # ONNX Runtime's own are of no common class
        raise WrongInputError(f"{path}: no network that ONNX Runtime reads: {str(error).splitlines()[0]}") from None
    channels, height, width, features = _engine.encoding_shape(board.value, players)
    wanted = {
        "planes": [channels, height, width],
        "globals": [features],
        "values": [players],
        "policy": [_engine.policy_size(board.value, players)],
    }
    found = {one.name: list(one.shape[1:]) for one in (*session.onnx.get_inputs(), *session.onnx.get_outputs())}
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


def _asked(session: _Session) -> AskedNetwork:
    def values(planes: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.float32]:
        (found,) = session.run(["values"], planes, features)
        return found

    def values_and_policy(
        planes: NDArray[np.float32], features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        found, policy = session.run(["values", "policy"], planes, features)
        return found, policy

    return AskedNetwork(values, values_and_policy)


class _Session:
    """A network in ONNX Runtime, asked on every core that this process may use: a batch is cut into parts, one a core.

    ONNX Runtime's own threads meet after every layer: two of them take half as much CPU time again as one, for a tenth
    less time. What a row is told depends on no other row, to the last bit. Every part is written where it belongs, so
    that no answer is copied: a policy has thousands of numbers.
    """

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ModuleNotFoundError as missing:
            raise MissingJudgeError(f"network: needs {missing.name}: pip install 'ringrift[stages]'") from missing
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.onnx = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._widths = {one.name: one.shape[1] for one in self.onnx.get_outputs()}
        self._cores = available_cores()
        self._helpers = ThreadPoolExecutor(max(1, self._cores - 1), thread_name_prefix="onnx")
        """They are started when they are needed, and sleep while they wait."""

    def run(
        self, outputs: list[str], planes: NDArray[np.float32], features: NDArray[np.float32]
    ) -> list[NDArray[np.float32]]:
        """Those outputs for planes [B, C, H, W] and globals [B, G]."""
        import numpy as np

        rows, _, height, width = planes.shape
        asked = {"planes": np.ascontiguousarray(planes), "globals": np.ascontiguousarray(features)}
        answers = {name: np.empty((rows, self._widths[name]), np.float32) for name in outputs}

        def ask(first: int, last: int) -> None:
            binding = self.onnx.io_binding()
            for name, array in asked.items():
                part = array[first:last]
                binding.bind_input(name, "cpu", 0, np.float32, part.shape, part.ctypes.data)
            for name, array in answers.items():
                part = array[first:last]
                binding.bind_output(name, "cpu", 0, np.float32, part.shape, part.ctypes.data)
            self.onnx.run_with_iobinding(binding)

        parts = max(1, min(self._cores, rows, rows * height * width // LEAST_CELLS))
        bounds = [part * rows // parts for part in range(parts + 1)]
        others = [self._helpers.submit(ask, *part) for part in pairwise(bounds[1:])]
        ask(0, bounds[1])
        for other in others:
            other.result()
        return list(answers.values())

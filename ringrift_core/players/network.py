"""Networks as artifacts: a model card that names its files, and inference with ONNX Runtime, or with torch on a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import Field

from ringrift_core import _engine
from ringrift_core.archive import Archive, from_stored_json
from ringrift_core.contract import Artifact, Board, Contract
from ringrift_core.cores import available_cores
from ringrift_core.errors import StoreRefusedError, WrongInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

    _PolicyEvaluator = Callable[
        [NDArray[np.float32], NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]
    ]

__all__ = ["ModelCard", "onnx_evaluator", "onnx_policy_evaluator", "torch_evaluator"]


class ModelCard(Contract):
    """What a network is, where its files are, and what it takes to train the same one again."""

    format: int = Field(default=1, ge=1, le=1)
    board: Board
    players: int
    encoding: int = Field(description="Version of the encoding of positions (docs/encoding.md).")
    blocks: int
    channels: int
    weights: Artifact = Field(description="The parameters, as safetensors.")
    onnx: Artifact = Field(description="The same network for ONNX Runtime; batch size is free.")
    iteration: int
    parent: int = Field(description="Champion version that training started from; 0 for none.")
    dataset: str = Field(description="SHA-256 of the dataset's manifest.")
    seed: int
    torch_version: str
    device: str
    threads: int
    machine: str
    metrics: dict[str, float] = Field(default_factory=dict)

    @classmethod
    def load(cls, archive: Archive, artifact: Artifact) -> Self:
        """A card from the store; StoreRefusedError when it is for another configuration or encoding."""
        card = from_stored_json(cls, archive.get_bytes(artifact), artifact.uri, "a model card")
        made_for = f"{card.board}-{card.players}p"
        if made_for != archive.configuration:
            raise StoreRefusedError(f"{artifact.uri}: a network for {made_for}, not {archive.configuration}")
        if card.encoding != _engine.ENCODING_VERSION:
            raise StoreRefusedError(
                f"{artifact.uri}: a network for encoding {card.encoding}, this engine's is {_engine.ENCODING_VERSION}"
            )
        return card

    def save(self, archive: Archive) -> Artifact:
        """Stores the card."""
        return archive.put_model(self)


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

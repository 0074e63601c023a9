"""Networks as artifacts: cards that name their files."""

from __future__ import annotations

from pydantic import Field

from ringrift_core import _engine
from ringrift_core.artifact import ConfigurationArtifact
from ringrift_core.contract import Artifact

__all__ = ["ModelCard", "NnueCard"]


class ModelCard(ConfigurationArtifact):
    """What a network is, where its files are, and what it takes to train the same one again."""

    KIND = "a model card"

    format: int = Field(default=2, ge=1, le=2, description="1: its parameters are those of an earlier architecture.")
    encoding: int = Field(description="Version of the encoding of positions (docs/encoding.md).")
    blocks: int
    channels: int
    weights: Artifact = Field(description="The parameters, as safetensors.")
    onnx: Artifact = Field(description="The same network for ONNX Runtime; batch size is free.")
    iteration: int
    parent: int = Field(description="Champion version that training started from; 0 for none.")
    started_from: str = Field(default="", description="The same, or the champion of another board: `square8@3`.")
    dataset: str = Field(description="SHA-256 of the dataset's manifest.")
    seed: int
    torch_version: str
    device: str
    threads: int
    machine: str
    instructions: str = Field(
        default="",
        description="Of the CPU, the widest that torch used, as AVX2; empty in a card of an earlier version.",
    )
    metrics: dict[str, float] = Field(default_factory=dict)

    @property
    def has_parameters(self) -> bool:
        """Whether its safetensors file fits the network of today; the ONNX file can be asked in any case."""
        return self.format == 2

    def fault(self) -> str | None:
        if self.encoding != _engine.ENCODING_VERSION:
            return f"for encoding {self.encoding}, this engine's is {_engine.ENCODING_VERSION}"
        return None


class NnueCard(ConfigurationArtifact):
    """What an NNUE is, where its files are, and what it takes to train the same one again."""

    KIND = "an NNUE's card"

    format: int = Field(default=1, ge=1, le=1)
    inputs: int = Field(description="Version of the inputs (docs/encoding.md).")
    network: Artifact = Field(description="What the engine reads: whole numbers, as safetensors.")
    parameters: Artifact = Field(description="The parameters in float32, which a later training starts from.")
    iteration: int
    parent: int = Field(description="Champion version that training started from; 0 for none.")
    dataset: str = Field(description="SHA-256 of the dataset's manifest.")
    seed: int
    outcome_weight: float = Field(default=1.0, description="Of the targets, where games were what it learnt from.")
    teacher: int = Field(default=0, description="Champion network that it learnt from; 0 for games.")
    torch_version: str
    device: str = Field(default="cpu", description="Where it was trained.")
    threads: int
    machine: str
    instructions: str = Field(description="Of the CPU, the widest that torch used, as AVX2.")
    metrics: dict[str, float] = Field(default_factory=dict)

    def fault(self) -> str | None:
        if self.inputs != _engine.NNUE_INPUTS_VERSION:
            return f"for inputs {self.inputs}, this engine's are {_engine.NNUE_INPUTS_VERSION}"
        return None

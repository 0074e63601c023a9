"""Networks as artifacts: a model card that names its files."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from ringrift_core import _engine
from ringrift_core.archive import Archive, from_stored_json
from ringrift_core.contract import Artifact, Board, Contract
from ringrift_core.errors import StoreRefusedError

__all__ = ["ModelCard"]


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

"""The manifest of a dataset: what `export` writes and `train` reads."""

from __future__ import annotations

from pydantic import Field

from ringrift_core import _engine
from ringrift_core.artifact import ConfigurationArtifact
from ringrift_core.contract import Artifact, Contract

__all__ = ["DatasetManifest", "DatasetShard"]


class DatasetShard(Contract):
    """One NPZ file: the columns of `_engine.encode_rows`, as docs/encoding.md lists them."""

    rows: int
    artifact: Artifact


class DatasetManifest(ConfigurationArtifact):
    """Everything a reader must know to use the shards, and to refuse those that are not for it."""

    KIND = "a dataset's manifest"

    format: int = Field(default=4, ge=4, le=4)
    encoding: int = Field(description="Version of planes, global features and policy keys.")
    planes: tuple[int, int, int] = Field(description="C, H, W, once unpacked.")
    globals: int = Field(description="Number of global features.")
    policy: int = Field(description="Number of policy keys.")
    games: int = Field(description="Games that rows were drawn from.")
    positions: int
    rows: int = Field(description="One for each position and symmetry, those of trees included.")
    new_rows: int = Field(description="Those of games of the dataset's own iteration.")
    window: int = Field(description="Games in the window; those left out were cut or too short.")
    seed: int
    require_completed: bool
    min_moves: int
    positions_per_game: int
    symmetries: int = Field(description="Rows of a position at most, each seen through another symmetry; 0: as it is.")
    exact_states: bool
    tree_positions: bool = Field(description="Whether positions of stored trees have rows as well.")
    shards: tuple[DatasetShard, ...]

    def fault(self) -> str | None:
        if self.encoding != _engine.ENCODING_VERSION:
            return f"for encoding {self.encoding}, this engine's is {_engine.ENCODING_VERSION}"
        return None

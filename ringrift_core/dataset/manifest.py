"""The manifest of a dataset: what `export` writes and `train` reads."""

from __future__ import annotations

from pydantic import Field

from ringrift_core.archive import Archive, from_stored_json
from ringrift_core.contract import Artifact, Board, Contract
from ringrift_core.errors import StoreRefusedError

__all__ = ["DatasetManifest", "DatasetShard"]


class DatasetShard(Contract):
    """One NPZ file: the columns of `_engine.encode_rows`, as docs/encoding.md lists them."""

    rows: int
    artifact: Artifact


class DatasetManifest(Contract):
    """Everything a reader must know to use the shards, and to refuse those that are not for it."""

    format: int = Field(default=3, ge=3, le=3)
    board: Board
    players: int
    encoding: int = Field(description="Version of planes, global features and policy keys.")
    planes: tuple[int, int, int] = Field(description="C, H, W, once unpacked.")
    globals: int = Field(description="Number of global features.")
    policy: int = Field(description="Number of policy keys.")
    games: int = Field(description="Games that rows were drawn from.")
    positions: int
    rows: int = Field(description="One for each position and symmetry, those of trees included.")
    window: int = Field(description="Games in the window; those left out were cut or too short.")
    seed: int
    require_completed: bool
    min_moves: int
    positions_per_game: int
    symmetries: int = Field(description="Rows of a position at most, each seen through another symmetry; 0: as it is.")
    exact_states: bool
    tree_positions: bool = Field(description="Whether positions of stored trees have rows as well.")
    shards: tuple[DatasetShard, ...]

    @classmethod
    def load(cls, archive: Archive, artifact: Artifact) -> DatasetManifest:
        """A manifest from the store; StoreRefusedError when it is none."""
        manifest = from_stored_json(cls, archive.get_bytes(artifact), artifact.uri, "a dataset's manifest")
        made_for = f"{manifest.board}-{manifest.players}p"
        if made_for != archive.configuration:
            raise StoreRefusedError(f"{artifact.uri}: a dataset of {made_for}, not {archive.configuration}")
        return manifest

    def save(self, archive: Archive) -> Artifact:
        """Stores the manifest."""
        return archive.put_model(self)

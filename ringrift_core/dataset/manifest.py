"""The manifest of a dataset: what `export` writes and `train` reads."""

from __future__ import annotations

from pydantic import Field

from ringrift_core.archive import Archive, from_stored_json
from ringrift_core.contract import Artifact, Board, Contract
from ringrift_core.store import StoreRefusedError

__all__ = ["DatasetManifest", "DatasetShard"]


class DatasetShard(Contract):
    """One NPZ file.

    Arrays: `planes` float16 [rows, C, H, W] and `globals` float32 [rows, G], as the engine encodes positions;
    `values` float32 [rows, players], 1 for the seat whose agent won, rotated so that the mover is column 0;
    `games` uint64 [rows], the first 64 bits of the game's id.
    """

    rows: int
    artifact: Artifact


class DatasetManifest(Contract):
    """Everything a reader must know to use the shards, and to refuse those that are not for it."""

    format: int = Field(default=1, ge=1, le=1)
    board: Board
    players: int
    encoding: int = Field(description="Version of the encoding of positions.")
    planes: tuple[int, int, int] = Field(description="C, H, W.")
    globals: int = Field(description="Number of global features.")
    games: int
    rows: int
    window: int = Field(description="Games in the window; those left out were cut or too short.")
    seed: int
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

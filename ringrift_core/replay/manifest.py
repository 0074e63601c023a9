"""`games.json`: which segments hold the merged games, and which shards they came from."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from ringrift_core.archive import Archive, from_stored_json, to_stored_json
from ringrift_core.contract import Artifact, Contract

__all__ = ["GamesManifest", "IndexPart", "MergedShards", "Segment", "read_manifest", "swap_manifest"]


class Segment(Contract):
    """New games of shards that follow one another, possibly none: an SQLite file like a shard (`replay.games`)."""

    iteration: int
    games: int
    duplicates: int = Field(description="Games left out because an earlier one was the same.")
    artifact: Artifact
    ahead: int | None = Field(
        default=None, description="First shard of a segment that was merged before an earlier shard was finished."
    )

    @model_serializer(mode="wrap")
    def _without_none(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in serialise(self).items() if value is not None}


class IndexPart(Contract):
    """Sorted 64-bit prefixes of game ids, big-endian, eight bytes each."""

    games: int
    artifact: Artifact


class MergedShards(Contract):
    """The cursor of one iteration: the shards already merged, and how many there will be."""

    shards: int
    merged: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing of this iteration is left to merge."""
        return len(self.merged) == self.shards


class GamesManifest(Contract):
    """Every unique game of a configuration."""

    games: int = 0
    segments: tuple[Segment, ...] = Field(default=(), description="By iteration and shard, whenever they were merged.")
    index: tuple[IndexPart, ...] = Field(default=(), description="Ids of all games, in few parts.")
    cursor: dict[int, MergedShards] = Field(default_factory=dict, description="By iteration.")


def read_manifest(archive: Archive) -> tuple[GamesManifest, str | None]:
    """The manifest and its version; an empty one (and None) when nothing was merged yet."""
    found = archive.store.read(_key(archive))
    if found is None:
        return GamesManifest(), None
    place = f"{archive.store.uri}/{_key(archive)}"
    return from_stored_json(GamesManifest, found.content, place, "a games manifest"), found.version


def swap_manifest(archive: Archive, manifest: GamesManifest, version: str | None) -> bool:
    """Replaces the manifest that was read at `version`; False when somebody else has."""
    return archive.store.swap(_key(archive), to_stored_json(manifest), version)


def _key(archive: Archive) -> str:
    return archive.key("games.json")

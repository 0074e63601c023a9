"""Who is champion in a store: the registry of each track, read whole, moved by compare-and-swap."""

from __future__ import annotations

from ringrift_core.archive import Archive, from_stored_json, to_stored_json
from ringrift_core.contract import Artifact, Track
from ringrift_core.errors import StoreRefusedError, WrongInputError
from ringrift_core.registry.champions import Registry

__all__ = ["champion_artifact", "read_registry", "read_versioned", "swap_registry"]


def read_registry(archive: Archive, track: Track) -> Registry:
    """The registry of a track; an empty one when nothing was ever promoted."""
    return read_versioned(archive, track)[0]


def champion_artifact(archive: Archive, track: Track, version: int) -> Artifact:
    """What champion `version` of a track consists of; WrongInputError when there was never such a champion."""
    registry = read_registry(archive, track)
    artifact = registry.artifact(version)
    if artifact is None:
        raise WrongInputError(
            f"{track} version {version}: never a champion of {archive.configuration} in {archive.store.uri}; "
            f"the champion is {registry.version or 'none yet'}"
        )
    return archive.addressed(artifact)


def read_versioned(archive: Archive, track: Track) -> tuple[Registry, str | None]:
    """The registry and the version that `swap_registry` wants back; an empty one and None where there is none yet."""
    found = archive.store.read(_key(archive, track))
    if found is None:
        return Registry(track=track), None
    place = f"{archive.store.uri}/{_key(archive, track)}"
    registry = from_stored_json(Registry, found.content, place, "a registry")
    if registry.track != track:
        raise StoreRefusedError(f"{place}: a registry of track {registry.track}, not {track}")
    return registry, found.version


def swap_registry(archive: Archive, registry: Registry, version: str | None) -> bool:
    """Replaces the registry that was read at `version`; False when somebody else has."""
    return archive.store.swap(_key(archive, registry.track), to_stored_json(registry), version)


def _key(archive: Archive, track: Track) -> str:
    return archive.key(f"registry/{track}.json")

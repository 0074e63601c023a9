"""Where people say that games are: a file, a folder of files, or a store, on this machine or in a bucket."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ringrift_core.archive import Archive, recorded_task
from ringrift_core.contract import Board, configuration_name
from ringrift_core.errors import StoreRefusedError
from ringrift_core.replay.games import Rules, require_rules
from ringrift_core.replay.manifest import read_manifest
from ringrift_core.replay.shards import is_shard_task
from ringrift_core.store import LocalStore, Store, address_of, open_store

__all__ = ["GamesFile", "find_files"]

_CONFIGURATIONS = {
    configuration_name(board, players): Rules.usual(board, players)
    for board, players in itertools.product(Board, (2, 3, 4))
}


@dataclass(frozen=True)
class GamesFile:
    """One SQLite file of games."""

    name: str
    """As its user would call it."""
    path: Path
    """Where it can be read now; a file from a bucket is gone once the next one is asked for."""
    merged_into: str | None = None
    """The games.json whose games these are, each once; None for a file that was named by itself."""
    games: int | None = None
    """How many games games.json says it holds."""


def find_files(place: str, folder: Path) -> Iterator[GamesFile]:
    """The files at `place`, one at a time; those of a bucket are copied to `folder` and removed again.

    A file; the merged games of a configuration (a folder with a games.json); of every configuration of a store; or
    every .sqlite file of a folder: whatever of these is found first. StoreRefusedError when none is.
    """
    address = address_of(place)
    parent, _, name = address.rstrip("/").rpartition("/")
    if name.endswith(".sqlite") or (address.startswith("file:") and "://" not in place and Path(place).is_file()):
        yield from _one(open_store(parent), name, place, folder)
        return
    store = open_store(address)
    if store.read("games.json") is not None:
        yield from _merged(Archive(open_store(parent), name), folder)
        return
    found = [one for one in _CONFIGURATIONS if store.read(f"{one}/games.json") is not None]
    for configuration in found:
        yield from _merged(Archive(store, configuration), folder)
    if found:
        return
    keys = list(store.keys(""))
    files = [key for key in keys if key.endswith(".sqlite") and "/" not in key]
    if not files:
        if shards := _recorded_shards(keys):
            raise StoreRefusedError(
                f"{place}: self-play's shards there ({shards}) are not merged yet: run ringrift merge first"
            )
        raise StoreRefusedError(
            f"{place}: no games there; expected a file of games, a configuration of a store (with games.json), a "
            "store, or a folder of .sqlite files"
        )
    for key in files:
        yield from _one(store, key, f"{place.rstrip('/')}/{key}", folder)


def _recorded_shards(keys: Iterable[str]) -> int:
    return sum(task is not None and is_shard_task(task[1]) for task in map(recorded_task, keys))


def _one(store: Store, key: str, name: str, folder: Path) -> Iterator[GamesFile]:
    if isinstance(store, LocalStore) and (place := store.in_place(key)) is not None:
        yield GamesFile(name, place)
        return
    path = folder / key
    if store.download(key, path) is None:
        raise StoreRefusedError(f"{name}: no such object")
    yield GamesFile(name, path)
    path.unlink()


def _merged(archive: Archive, folder: Path) -> Iterator[GamesFile]:
    manifest, _ = read_manifest(archive)
    for segment in manifest.segments:
        artifact = archive.addressed(segment.artifact)
        path = archive.get_file(artifact, folder)
        if archive.configuration in _CONFIGURATIONS:
            require_rules(path, _CONFIGURATIONS[archive.configuration])
        yield GamesFile(artifact.uri, path, f"{archive.store.uri}/{archive.key('games.json')}", segment.games)
        if path.parent == folder:
            path.unlink()

"""Which games are known already: 64-bit prefixes of game ids, in sorted arrays.

A merge must compare its new ids with all old ones. It reads eight bytes for each old game and nothing else of it. The
index lies in few parts: a new part takes in the parts before it that are at most twice its size, as a log-structured
merge tree does (O'Neil et al., 1996), so there are about log2(games) of them and each id is rewritten that often at
most. Two different games share a prefix with a chance of 3e-8 among a million.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ringrift_core.archive import Archive
from ringrift_core.replay.manifest import IndexPart

__all__ = ["Prefixes", "contains", "extend_index", "known_ids", "prefix"]

Prefixes = NDArray[np.uint64]


def prefix(game_id: str) -> int:
    """The first 64 bits of a game id (hexadecimal SHA-256)."""
    return int(game_id[:16], 16)


def known_ids(archive: Archive, parts: Sequence[IndexPart]) -> list[Prefixes]:
    """The sorted prefixes of each part."""
    return [np.frombuffer(archive.get_bytes(part.artifact), dtype=">u8").astype(np.uint64) for part in parts]


def contains(arrays: Sequence[Prefixes], wanted: Prefixes) -> NDArray[np.bool_]:
    """Which of the wanted prefixes any of the sorted arrays holds."""
    found = np.zeros(len(wanted), dtype=bool)
    for array in arrays:
        if len(array):
            places = np.searchsorted(array, wanted)
            found |= array[np.minimum(places, len(array) - 1)] == wanted
    return found


def extend_index(
    archive: Archive, parts: Sequence[IndexPart], arrays: Sequence[Prefixes], new: Prefixes
) -> tuple[IndexPart, ...]:
    """The index with the new sorted prefixes; parts that are at most twice as large are merged into the new one."""
    if not len(new):
        return tuple(parts)
    kept, merged = list(parts), new
    while kept and kept[-1].games <= 2 * len(merged):
        merged = np.sort(np.concatenate([merged, arrays[len(kept) - 1]]))
        kept.pop()
    artifact = archive.put_bytes(merged.astype(">u8").tobytes(), "ids")
    return (*kept, IndexPart(games=len(merged), artifact=artifact))

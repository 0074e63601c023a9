"""Whether the models that a registry names are what it says: every object there, whole, and a player of its track."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ringrift_core.archive import Archive
from ringrift_core.contract import Artifact, Track
from ringrift_core.errors import RingRiftError, StoreAwayError
from ringrift_core.models.catalogue import configuration
from ringrift_core.models.package import Player
from ringrift_core.registry.candidate import candidate_kind, check_verdict, files_of
from ringrift_core.registry.champions import Move
from ringrift_core.registry.records import read_registry

__all__ = ["Checked", "verify"]


@dataclass(frozen=True)
class Checked:
    """A version that was looked at; of a registry that cannot be read, version 0."""

    configuration: str
    track: Track
    version: int
    faults: tuple[str, ...]

    def __str__(self) -> str:
        name = f"{self.configuration} {self.track}" + (f"@{self.version}" if self.version else "")
        return "\n".join(f"{name}: {fault}" for fault in self.faults)


def verify(archive: Archive, track: Track, folder: Path) -> Iterator[Checked]:
    """Each version that was ever champion of a track, the first one first; what is fetched goes to `folder`.

    StoreAwayError when the store cannot be reached: that is no fault of a model.
    """
    name = archive.configuration
    try:
        registry = read_registry(archive, track)
    except RingRiftError as fault:
        yield Checked(name, track, 0, (_said(fault),))
        return
    for move in registry.log:
        if move.kind == "promote":
            yield Checked(name, track, move.version, tuple(_faults(archive, track, move, folder)))


def _faults(archive: Archive, track: Track, promotion: Move, folder: Path) -> Iterator[str]:
    artifact = archive.addressed(promotion.artifact)
    try:
        _load(archive, track, artifact, folder)
    except RingRiftError as fault:
        yield _said(fault)
    if promotion.verdict is not None:
        try:
            check_verdict(archive, track, artifact, archive.addressed(promotion.verdict))
        except RingRiftError as fault:
            yield _said(fault)


def _load(archive: Archive, track: Track, artifact: Artifact, folder: Path) -> None:
    """Reads all that a candidate consists of, and makes a player of it."""
    player = Player(*configuration(archive.configuration), track)
    candidate = candidate_kind(track, player.board, player.players).load(archive, artifact)
    files = {"": artifact, **files_of(candidate)}
    found = {name: archive.get_file(archive.addressed(file), folder) for name, file in files.items()}
    player.load(found[player.played])


def _said(fault: RingRiftError) -> str:
    if isinstance(fault, StoreAwayError):
        raise fault
    return str(fault)

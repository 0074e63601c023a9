"""The scores of a regression test over all iterations of one pair of champions.

A test that starts over every iteration rolls a good champion back with probability 0.64 within 20 (training.md, Gates),
so a pair's groups are kept in one object, moved by compare-and-swap, and judged together.
"""

from __future__ import annotations

from pydantic import Field

from ringrift_core.archive import Archive, from_stored_json, to_stored_json
from ringrift_core.arena.match import Group, refusal
from ringrift_core.contract import Artifact, Contract, Track

__all__ = ["PairEvidence", "PairGroup", "read_evidence", "swap_evidence"]


class PairGroup(Contract):
    """One group of a pair, by the iteration that played it."""

    iteration: int
    score: float
    game_ids: tuple[str, ...]
    cut_games: int

    @property
    def group(self) -> Group:
        """As a match returns it."""
        return Group(self.score, self.game_ids, self.cut_games)


class PairEvidence(Contract):
    """Every group that champion and predecessor played against each other."""

    champion: Artifact
    predecessor: Artifact
    groups: tuple[PairGroup, ...] = Field(default=())

    def of(self, iteration: int) -> list[Group]:
        """The groups that one iteration played."""
        return [entry.group for entry in self.groups if entry.iteration == iteration]

    def through(self, iteration: int) -> list[Group]:
        """The groups of iterations up to this one that are evidence."""
        played = sorted({entry.iteration for entry in self.groups if entry.iteration <= iteration})
        return [group for each in played if not refusal(self.of(each)) for group in self.of(each)]


def read_evidence(
    archive: Archive, track: Track, champion: Artifact, predecessor: Artifact
) -> tuple[PairEvidence, str | None]:
    """The evidence on a pair and its version; none (and None) when the pair never played."""
    key = _key(archive, track, champion, predecessor)
    found = archive.store.read(key)
    if found is None:
        return PairEvidence(champion=champion, predecessor=predecessor), None
    place = f"{archive.store.uri}/{key}"
    return from_stored_json(PairEvidence, found.content, place, "a pair's evidence"), found.version


def swap_evidence(archive: Archive, track: Track, evidence: PairEvidence, version: str | None) -> bool:
    """Replaces the evidence that was read at `version`; False when somebody else has."""
    key = _key(archive, track, evidence.champion, evidence.predecessor)
    return archive.store.swap(key, to_stored_json(evidence), version)


def _key(archive: Archive, track: Track, champion: Artifact, predecessor: Artifact) -> str:
    return archive.key(f"regression/{track}-{champion.sha256[:16]}-{predecessor.sha256[:16]}.json")

"""The files that come with the package, for judges that no store has, and what each has shown to be among them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from ringrift_core.artifact import ConfigurationArtifact
from ringrift_core.contract import Board, Contract, configuration_name
from ringrift_core.players.gates import TRACK_OF, first_opponent, gate_player
from ringrift_core.players.ladder import rung
from ringrift_core.players.specification import JudgeKind, Specification

__all__ = [
    "MOST_BYTES",
    "SHIPPED",
    "Evidence",
    "MatchFigures",
    "Requirement",
    "evidence_name",
    "requirements",
    "shipped_name",
]

SHIPPED = Path(__file__).parent / "shipped"
"""The folder of them."""

MOST_BYTES = 10_000_000
"""Of everything in it: every wheel and every image carries it."""

AS_GOOD = 0.45
"""A lower end above this is no worse, but for a margin."""
CLEARLY_BETTER = 0.6
"""The plan's criterion for networks (docs/plan.md)."""

_ENDINGS = {
    JudgeKind.WEIGHTS: "json",
    JudgeKind.MLP: "safetensors",
    JudgeKind.NNUE: "safetensors",
    JudgeKind.NETWORK: "onnx",
}


def shipped_name(kind: JudgeKind, board: Board, players: int) -> str:
    """`network-square8-2p.onnx`."""
    return f"{_stem(kind, board, players)}.{_ENDINGS[kind]}"


def evidence_name(kind: JudgeKind, board: Board, players: int) -> str:
    """`network-square8-2p.evidence.json`, which lies beside the file."""
    return f"{_stem(kind, board, players)}.evidence.json"


def _stem(kind: JudgeKind, board: Board, players: int) -> str:
    return f"{kind}-{configuration_name(board, players)}"


@dataclass(frozen=True)
class Requirement:
    """A match that the lower 95 % end has to end above a rate."""

    player: Specification
    opponent: Specification
    above: float


def requirements(kind: JudgeKind, board: Board, players: int) -> tuple[Requirement, ...]:
    """What a file has shown before it is shipped (shipped/README.md); KeyError for a judge that no track has."""
    track = TRACK_OF[kind]
    gated, hand_set = gate_player(track, board, players), Specification.parse("weights@0:one-ply")
    gate = Requirement(gated, first_opponent(track, board, players), 0.5)
    match kind:
        case JudgeKind.WEIGHTS:
            inside = rung(5).choices(board, players)[-1]
            return (gate, Requirement(inside, inside.at(0), AS_GOOD))
        case JudgeKind.NETWORK:
            alone = Specification.parse("network:policy")
            return (gate, *(Requirement(player, hand_set, CLEARLY_BETTER) for player in (alone, gated)))
        case _:
            return (gate,)


class MatchFigures(Contract):
    """One match of the file; `benchmarks/learning/match.py` plays it again from the seed."""

    player: str
    opponent: str
    games: int = Field(ge=1)
    rate: float = Field(description="Two-player-equivalent.")
    low: float = Field(description="Of the 95 % interval.")
    high: float
    seed: int = Field(ge=0)


class Evidence(ConfigurationArtifact):
    """What a shipped file rests on."""

    KIND: ClassVar[str] = "the evidence of a shipped file"

    format: int = Field(default=1, ge=1, le=1)
    judge: JudgeKind
    sha256: str = Field(description="Of the file.")
    source: str = Field(description="The command that made it, with what its defaults do not say.")
    commit: str = Field(description="The version that made it.")
    seeds: tuple[int, ...] = Field(min_length=1, description="Of its making; of several searches the chosen one first.")
    games: int = Field(ge=1, description="That it was made of.")
    ended: str = Field(description="Why its making ended there.")
    matches: tuple[MatchFigures, ...]

    def refusal(self, content: bytes) -> str:
        """Why the file's content may not be shipped on this evidence, in a sentence; empty where it may."""
        if (found := hashlib.sha256(content).hexdigest()) != self.sha256:
            return f"the evidence is of a file with SHA-256 {self.sha256}, not {found}"
        return next(filter(None, map(self._unmet, requirements(self.judge, self.board, self.players))), "")

    def _unmet(self, required: Requirement) -> str:
        both = str(required.player), str(required.opponent)
        found: Sequence[MatchFigures] = [match for match in self.matches if (match.player, match.opponent) == both]
        named = f"{both[0]} over {both[1]}"
        if not found:
            return f"there is no match of {named}"
        low = min(match.low for match in found)
        return "" if low > required.above else f"{named}: the lower end is {low:.4f}, not above {required.above}"

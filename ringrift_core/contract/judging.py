"""What is judged by games: weights that are searched, candidates, champions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ringrift_core.contract.base import ArtifactReference, AskingDevice, AtMost, Contract, IterationParameters, Result
from ringrift_core.contract.marks import Placement
from ringrift_core.contract.tracking import TrackedParameters
from ringrift_core.contract.tracks import KnownTrack
from ringrift_core.contract.vocabulary import (
    HIGHEST_COUNT,
    MOST_WORKERS,
    Count,
    Decision,
    Device,
    Evaluator,
    GateKind,
    InitialWeights,
    Measure,
    PositiveCount,
    Seed,
    Share,
    Stage,
    Total,
    Track,
)


class CmaesParameters(IterationParameters):
    """Searches better heuristic weights by CMA-ES, by games against where it began and its means on the way."""

    stage = Stage.CMAES
    seed: Seed = Field(default=0, description="Seed of the search and its games.")
    weights_version: Count = Field(default=0, description="Champion weights to start from; 0 is the initial ones.")
    initial_weights: InitialWeights = Field(
        default=InitialWeights.BASELINE, description="What weights version 0 means."
    )
    generations: PositiveCount = Field(default=10, description="Generations to run at most.")
    population_size: int = Field(default=20, ge=2, le=HIGHEST_COUNT, description="Candidates per generation.")
    games_per_evaluation: PositiveCount = Field(
        default=12, description="Games per candidate, rounded up to whole groups."
    )
    player: str | None = Field(
        default=None,
        max_length=128,
        description="Who plays by the weights, such as weights:minimax:500; omitted: the track's own player.",
    )
    regression_games: Count = Field(
        default=0, description="Self-play games from whose outcomes the search's first weights are fitted; 0: as given."
    )
    evaluator: Evaluator = Field(
        default=Evaluator.GAMES,
        description="What scores the games: games (their outcomes), neural (they stop early and the champion network "
        "says who is ahead), auto (neural once the network has passed its quality gate).",
    )
    network_version: Count = Field(default=0, description="Champion network that scores; 0: there is none yet.")
    quality_gate: float = Field(
        default=0.55,
        gt=0,
        lt=1,
        description="Two-player-equivalent rate against the hand-set heuristic at one ply "
        "above which the network scores.",
    )
    gate_games: PositiveCount = Field(default=50, description="Games of that match, rounded up to whole groups.")
    scored_after: int = Field(
        default=8, ge=4, le=HIGHEST_COUNT, description="Turns after which the network scores a game."
    )
    max_moves: PositiveCount = Field(default=500, description="Cut a game after this many turns of any seat.")
    device: AskingDevice = Device.CPU
    workers: Annotated[int, Placement()] = Field(
        default=0, ge=0, le=MOST_WORKERS, description="Threads that play; 0 is every core."
    )


class EvaluateParameters(TrackedParameters):
    """Plays a candidate against its opponent through the gate, or a champion through the regression test."""

    stage = Stage.EVALUATE
    track: KnownTrack = Field(description="Track the candidate belongs to.")
    kind: Literal["candidate", "regression"] = Field(
        default="candidate", description="candidate: against the champion; regression: champion against predecessor."
    )
    candidate: ArtifactReference | None = Field(
        default=None, description="Who is judged; for a regression test the champion itself, and omitted."
    )
    champion_version: Count = Field(default=0, description="Current champion; 0 is the track's baseline.")
    initial_weights: InitialWeights = Field(
        default=InitialWeights.BASELINE, description="Baseline of the weights track."
    )
    seed: Seed = Field(default=0, description="Seed of openings and games.")
    gate: GateKind = Field(default=GateKind.SPRT, description="How the candidate is judged.")
    games: PositiveCount = Field(
        default=20, description="Games of the Fixed gate, and of a regression test in an iteration."
    )
    max_games: PositiveCount = Field(default=200, description="Cap of the SPRT, and of the regression tests of a pair.")
    promotion_threshold: float = Field(default=0.55, gt=0, lt=1, description="Two-player-equivalent rate to pass.")
    regression_threshold: float = Field(default=0.45, gt=0, lt=1, description="Below it a champion has regressed.")
    baseline_games: Count = Field(
        default=0, description="Games also played against random and the hand-set heuristic, for the report."
    )
    max_moves: PositiveCount = Field(default=500, description="Cut a game after this many turns of any seat.")
    device: AskingDevice = Device.CPU

    @model_validator(mode="after")
    def _candidate_given(self) -> EvaluateParameters:
        if self.kind == "candidate" and self.candidate is None:
            raise ValueError("--candidate: missing, and --kind candidate needs one")
        if self.kind == "regression" and self.champion_version == 0:
            raise ValueError("--champion-version: 0, and --kind regression needs a champion")
        return self


REASON_LIMIT = 512
"""Bytes of a verdict's reason."""


class Verdict(Contract):
    """What a gate decided, with its evidence. Rates are two-player equivalents (training.md, Gates)."""

    track: Track
    decision: Decision
    candidate: Annotated[str, AtMost(64)] = Field(description="SHA-256 of the judged artifact.")
    champion: Annotated[str, AtMost(63)] = Field(description="Version judged against, or the baseline's name.")
    games: Count
    win_rate: Share
    low: Share = Field(description="Lower end of the 95 % interval.")
    high: Share
    raw_share: Share = Field(description="Share of games won; 1/players is equal.")
    reason: Annotated[str, AtMost(REASON_LIMIT)]


REFUSAL_LIMIT = 192
"""Bytes of a sentence that says why games are no evidence."""


class EvidenceResult(Result):
    """What is found by games that are to decide something, and may be no evidence of it."""

    refused: Annotated[str, AtMost(REFUSAL_LIMIT)] = Field(
        default="", description="Why its games are no evidence: nothing was decided, or made, of them."
    )


class CmaesResult(EvidenceResult):
    """How far the search came."""

    generations: Count = Field(description="Generations in all.")
    games: Total = Field(description="Games in all.")
    converged: bool = Field(description="Ended because it found nothing better; see ringrift_core/cmaes/stops.py.")
    population_win_rate: Share = Field(
        description="Share of games that the last generation won against the start; 0 when none was evidence."
    )
    step: Measure = Field(description="Step size at the end.")
    cut_games: Total = Field(default=0, description="Games cut by the move limit.")
    refused_generations: Count = Field(
        default=0, description="Generations more than half of whose games were cut: nothing was learnt of them."
    )
    evaluator: Evaluator = Field(default=Evaluator.GAMES, description="What scored the games: games or neural.")
    because: Annotated[str, AtMost(REFUSAL_LIMIT)] = Field(
        default="", description="Why that evaluator, where the network was asked for; empty where it was not."
    )

    @property
    def cut_share(self) -> float:
        """Share of the games that were cut."""
        return self.cut_games / max(1, self.games)


BASELINES = ("random", "heuristic")
"""Opponents that never change: random play, and one ply with the hand-set weights."""


class BaselineRate(Contract):
    """A match against somebody who never changes, as a two-player-equivalent rate with its 95 % interval."""

    opponent: Annotated[str, AtMost(32)] = Field(description="One of the baselines: random, or heuristic.")
    games: Count = Field(description="Games played.")
    win_rate: Share = Field(description="Two-player-equivalent rate.")
    low: Share = Field(description="Lower end of the 95 % interval.")
    high: Share = Field(description="Upper end of the 95 % interval.")
    cut_share: Share = Field(default=0, description="Share of games cut by the move limit.")


MOST_BASELINES = 4
"""Room in whatever has an entry for each baseline."""


class EvaluateResult(EvidenceResult):
    """What is known of a match beside its verdict; every group stands in the stored verdict."""

    cut_share: Share = Field(description="Share of games cut by the move limit.")
    identical_share: Share = Field(description="Share of games that repeat a game of another group.")
    baselines: tuple[BaselineRate, ...] = Field(
        default=(), max_length=MOST_BASELINES, description="Matches for the report alone (--baseline-games)."
    )
    unmeasured: tuple[Annotated[str, AtMost(32)], ...] = Field(
        default=(), max_length=MOST_BASELINES, description="Baselines whose match was no evidence: they have no rate."
    )
    champion: Count = Field(
        default=0,
        description="Who is champion, where a regression test found another than it was told; 0: nobody else.",
    )
    predecessor: Count = Field(default=0, description="Champion that a rollback would then restore; 0 is none.")

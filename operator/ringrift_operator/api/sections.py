"""The sections of a pipeline's spec: one model per part of the loop. The default numbers are plan.md's."""

from __future__ import annotations

import enum
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from ringrift_core.contract import EngineMode, GateKind, InitialWeights, NetworkSize, WandbMode
from ringrift_core.contract import Evaluator as SearchEvaluator
from ringrift_operator.api.base import Value
from ringrift_operator.api.lists import ListSet
from ringrift_operator.api.rules import rule
from ringrift_operator.api.scalars import Duration, PositiveDuration

EngineModes = Annotated[tuple[EngineMode, ...], ListSet(), Field(min_length=1, max_length=len(EngineMode))]


class Selfplay(Value):
    """Games the players play among themselves."""

    engine_modes: EngineModes = Field(
        default=(EngineMode.DESCENT_ONLY, EngineMode.HEURISTIC_ONLY, EngineMode.MIXED),
        description="Who sits at the boards; `mixed` is left out of the bootstrap, and `network-and-minimax`, where a "
        "network meets a search, is minimax alone there and as long as no network is champion.",
    )
    random_moves: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Share of decisions after the opening that are random: blunders, where the players are strong.",
    )
    shard_games: int = Field(default=50, ge=1, le=100_000, description="Games of one shard.")
    cooldown: Duration = Field(default=timedelta(seconds=10), description="Pause before the next self-play.")
    seed: int = Field(default=1, ge=0, le=2**31, description="An iteration's run seed is this + 1000 x iteration.")


class Sync(Value):
    """How games of finished shards reach the merged store while self-play goes on."""

    interval: PositiveDuration = Field(
        default=timedelta(minutes=60),
        description="Merges what is finished at least this often, and the rest when self-play has ended.",
    )
    dedupe: Literal[True] = Field(default=True, description="Games are merged once by their id; cannot be turned off.")


class Dataset(Value):
    """Which games a dataset is made of."""

    require_completed: bool = Field(default=True, description="Leave out games cut by the move limit.")
    min_moves: int = Field(
        default=0,
        ge=0,
        le=100_000,
        description="Leave out games with fewer recorded moves: quick wins, where the players are strong.",
    )


class Distributed(Value):
    """Training over several processes with DDP."""

    nodes: int = Field(
        default=1, ge=1, le=64, description="Places of one slot taken at once, one Pod each; above 1 needs JobSet."
    )
    processes_per_node: int = Field(
        default=1, ge=1, le=16, description="Processes of each Pod: at most the GPUs of a slot that has any."
    )


class Network(Value):
    """The network track: policy and value, trained on the exported dataset."""

    bootstrap_epochs: int = Field(default=100, ge=1, le=100_000, description="Epochs of the first iteration.")
    epochs: int = Field(default=10, ge=1, le=100_000, description="Epochs of every later iteration, at most.")
    batch_size: int = Field(default=256, ge=1, le=1_048_576, description="Positions per step; above 512 needs cuda.")
    size: NetworkSize = Field(
        default=NetworkSize.SMALL,
        description="tiny, small, medium or large: 2 x 16, 4 x 32, 6 x 64, 10 x 128 blocks and channels.",
    )
    uses: int = Field(
        default=8,
        ge=0,
        le=100_000,
        description="After the first iteration, positions trained on for each that is new, at most; 0: no limit.",
    )
    outcome_weight: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="What outcomes count beside the values of searches, once there is a champion; alone until then.",
    )
    surprise: float = Field(
        default=0,
        ge=0,
        le=1,
        description="Share of the positions trained on that go where policies surprised the champion.",
    )
    quality_gate: float = Field(
        default=0.55, gt=0, lt=1, description="Rate against the heuristic above which the network may guide CMA-ES."
    )
    gate_games: int = Field(default=50, ge=1, le=100_000, description="Games of the quality gate.")
    distributed: Distributed = Field(default=Distributed(), description="How many processes train together.")


class Distill(Value):
    """Distillation of the champion network into NNUE."""

    positions: int = Field(default=100_000, ge=1, description="Positions taken from the games.")
    min_correlation: float = Field(
        default=0.9, gt=0, lt=1, description="Correlation with the network, on games held out, below which it is noted."
    )


class Nnue(Value):
    """The NNUE track: a small network that minimax evaluates incrementally."""

    bootstrap_epochs: int = Field(default=50, ge=1, le=100_000, description="Epochs of the first iteration.")
    epochs: int = Field(default=20, ge=1, le=100_000, description="Epochs of every later iteration, at most.")
    batch_size: int = Field(default=1024, ge=1, le=1_048_576, description="Positions per step.")
    distill: Distill = Field(default=Distill(), description="Used once there is a champion network.")


class Evaluator(enum.StrEnum):
    """What scores a candidate's games in CMA-ES."""

    AUTO = "Auto"
    """Neural once the network has passed its quality gate, Games until then."""
    GAMES = "Games"
    """The outcomes of the games alone."""
    NEURAL = "Neural"
    """The champion network scores positions."""

    @property
    def contract(self) -> SearchEvaluator:
        """The stage contract's word for it."""
        return SearchEvaluator(self.value.lower())


class StartingWeights(enum.StrEnum):
    """Where CMA-ES starts, and whom the first weights candidate must beat."""

    BASELINE = "Baseline"
    MATERIAL = "Material"

    @property
    def contract(self) -> InitialWeights:
        """The stage contract's word for it."""
        return InitialWeights(self.value.lower())


class Cmaes(Value):
    """The weights track: CMA-ES over the heuristic's weights."""

    generations: int = Field(default=10, ge=1, le=100_000, description="Generations of an iteration, at most.")
    population_size: int = Field(default=20, ge=2, le=10_000, description="Candidates per generation.")
    games_per_evaluation: int = Field(
        default=12, ge=1, le=100_000, description="Games per candidate, rounded up to whole seat rotations."
    )
    evaluator: Evaluator = Field(default=Evaluator.AUTO, description="What scores the games.")
    max_workers: int = Field(default=2, ge=1, le=1024, description="Threads at most; the slot may say fewer.")
    initial_weights: StartingWeights = Field(
        default=StartingWeights.BASELINE,
        description="Start from the hand-set weights, or from material alone (weak: room to learn).",
    )


class RoundRobin(Value):
    """Champions, their predecessors and the baselines against each other, once an iteration's tracks are settled."""

    games: int = Field(default=20, ge=0, le=100_000, description="Games of each pair; 0: there is none.")


class Evaluation(Value):
    """How candidates are judged and champions are watched. Rates are two-player equivalents."""

    gate: GateKind = Field(
        default=GateKind.SPRT, description="SPRT: as many games as the answer takes; Fixed: exactly `games`."
    )
    games: int = Field(default=20, ge=1, le=100_000, description="Games of the Fixed gate.")
    max_games: int = Field(default=200, ge=1, le=100_000, description="Games of the SPRT, at most.")
    baseline_games: int = Field(
        default=40, ge=0, le=100_000, description="Games against random and the hand-set heuristic, for the report."
    )
    round_robin: RoundRobin = Field(default=RoundRobin(), description="What strengths are rated by.")
    promotion_threshold: float = Field(default=0.55, gt=0, lt=1, description="Rate a candidate must reach.")
    regression_threshold: float = Field(
        default=0.45, gt=0, lt=1, description="Rate against its predecessor below which a champion has regressed."
    )

    @rule(
        "self.regressionThreshold < self.promotionThreshold",
        "regressionThreshold must be below promotionThreshold: lower the one or raise the other",
        path=".regressionThreshold",
    )
    def _thresholds_in_order(self) -> bool:
        return self.regression_threshold < self.promotion_threshold


class Rollback(Value):
    """When a champion gives way to its predecessor."""

    max_consecutive_failures: int = Field(
        default=5, ge=1, le=1000, description="Rejected iterations in a row of one track that roll it back."
    )
    keep_backup_models: int = Field(default=3, ge=1, le=1000, description="Earlier champions kept.")


class WandbProject(Value):
    """A project of Weights & Biases."""

    project: str = Field(min_length=1, max_length=128, description="Its name.")
    secret_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=253,
        description="Secret with WANDB_API_KEY, given by envFrom to the Pods that tell it something.",
    )
    mode: WandbMode = Field(
        default=WandbMode.ONLINE,
        description="online: it hears at once; offline: runs lie in the store, for `wandb sync`.",
    )


class Tracking(Value):
    """Who is told the curves of trainings and gates, beside the store, which always keeps them as JSON lines."""

    tensorboard: bool = Field(default=False, description="Keep event files of TensorBoard in the store, too.")
    wandb: WandbProject | None = Field(default=None, description="Tell Weights & Biases; omitted: do not.")


class Alerts(Value):
    """When a silence becomes a condition."""

    selfplay_stall: PositiveDuration = Field(
        default=timedelta(minutes=30), description="Time without new games while self-play runs."
    )
    progress_stall: PositiveDuration = Field(
        default=timedelta(minutes=10), description="Time without a line of progress from a stage that runs."
    )
    runner_offline: PositiveDuration = Field(
        default=timedelta(minutes=2), description="Time without a sign of life from a Runner pool."
    )

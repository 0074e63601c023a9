"""TrainingPipeline: what to train and where the artifacts lie."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_serializer

from ringrift_core.contract import MOST_TRACKS, Board, EngineMode, KnownTrack, Track
from ringrift_operator.api.base import NAME_RULE, ObjectMeta, PrinterColumn, Resource, Value, name_fits
from ringrift_operator.api.lists import ListMap, ListSet
from ringrift_operator.api.overlay import Overrides, laid_over
from ringrift_operator.api.pipeline_status import MAX_CONFIGURATIONS, TrainingPipelineStatus
from ringrift_operator.api.rules import rule, transition
from ringrift_operator.api.sections import (
    Alerts,
    Cmaes,
    Dataset,
    Evaluation,
    Evaluator,
    Network,
    Nnue,
    Rollback,
    Selfplay,
    Sync,
    Tracking,
)
from ringrift_operator.api.selector import LabelSelector

Tracks = Annotated[tuple[KnownTrack, ...], ListSet(), Field(min_length=1, max_length=MOST_TRACKS)]

NETWORK_MODES = frozenset((EngineMode.NETWORK, EngineMode.NETWORK_AND_MINIMAX))
"""What nobody can play where no network is trained."""

MOST_SHARDS = 100_000
"""Completions that a Job may have whose indexes fail for themselves (KEP-3850)."""


class PersistentVolumeClaim(Value):
    claim_name: str = Field(
        min_length=1, max_length=253, description="Name of a PersistentVolumeClaim in the pipeline's namespace."
    )


class Artifacts(Value):
    """Where games, datasets, models and the registry are kept: a store by URI, or a claim."""

    uri: str | None = Field(
        default=None,
        min_length=1,
        max_length=1024,
        description="Store such as s3://bucket/prefix; file:///path is for `ringrift-operator local` only.",
    )
    secret_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=253,
        description="Secret with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL, "
        "given to every Pod by envFrom.",
    )
    persistent_volume_claim: PersistentVolumeClaim | None = Field(
        default=None, description="A claim mounted into every Pod; ReadWriteMany when there are several nodes."
    )

    @rule(
        "has(self.uri) != has(self.persistentVolumeClaim)",
        "name one place for artifacts: either uri or persistentVolumeClaim, not both and not neither",
    )
    def _one_place(self) -> bool:
        return (self.uri is None) != (self.persistent_volume_claim is None)

    @rule(
        "!has(self.uri) || self.uri.startsWith('s3://') || self.uri.startsWith('file:///')",
        "write the store as s3://bucket/prefix or file:///path",
        path=".uri",
    )
    def _known_scheme(self) -> bool:
        return self.uri is None or self.uri.startswith(("s3://", "file:///"))

    @rule(
        "!has(self.uri) || !self.uri.matches('^[^/]*//[^/]*[:@]')",
        "write the store without credentials, which everyone could read: put them into a Secret, named by secretName",
        path=".uri",
    )
    def _no_credentials(self) -> bool:
        return self.uri is None or re.match("[^/]*//[^/]*[:@]", self.uri) is None

    @rule(
        "!has(self.uri) || !self.uri.matches('[?#]')",
        "write the store without ? and #, which end an address",
        path=".uri",
    )
    def _whole_address(self) -> bool:
        return self.uri is None or not {"?", "#"} & set(self.uri)

    @transition(
        "self == oldSelf",
        "artifacts cannot be changed, since games and champions would stay behind: "
        "create another pipeline for another store",
    )
    def _unchanged(self, old: Artifacts) -> bool:
        return self == old


class Configuration(Value):
    """One board and player count. Sections given here are laid over the pipeline's, field by field."""

    board: Board = Field(description="Board to play on.")
    players: int = Field(ge=2, le=4, description="Seats.")
    bootstrap_games: int | None = Field(
        default=None, ge=1, le=10_000_000, description="Games of the first iteration; omitted: the plan's number."
    )
    games_per_iteration: int | None = Field(
        default=None, ge=1, le=10_000_000, description="Games of every later iteration; omitted: the plan's number."
    )
    bootstrap_max_moves: int | None = Field(
        default=None, ge=1, le=100_000, description="Turns after which a bootstrap game is cut; omitted: the plan's."
    )
    max_moves: int | None = Field(
        default=None, ge=1, le=100_000, description="Turns after which any later game is cut; omitted: the plan's."
    )
    iterations: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Iterations of this configuration; omitted: the pipeline's."
    )
    selfplay: Annotated[Selfplay | None, Overrides()] = Field(default=None, description="Laid over spec.selfplay.")
    dataset: Annotated[Dataset | None, Overrides()] = Field(default=None, description="Laid over spec.dataset.")
    network: Annotated[Network | None, Overrides()] = Field(default=None, description="Laid over spec.network.")
    nnue: Annotated[Nnue | None, Overrides()] = Field(default=None, description="Laid over spec.nnue.")
    cmaes: Annotated[Cmaes | None, Overrides()] = Field(default=None, description="Laid over spec.cmaes.")
    evaluation: Annotated[Evaluation | None, Overrides()] = Field(
        default=None, description="Laid over spec.evaluation."
    )

    @field_serializer("selfplay", "dataset", "network", "nnue", "cmaes", "evaluation")
    def _only_what_was_set(self, section: Value | None) -> dict[str, Any] | None:
        """A section's defaults belong to the pipeline's section below it."""
        return None if section is None else section.model_dump(mode="json", by_alias=True, exclude_unset=True)

    @property
    def key(self) -> tuple[Board, int]:
        return self.board, self.players


class TrainingPipelineSpec(Value):
    """What to train."""

    artifacts: Artifacts = Field(description="Where everything is kept. Cannot be changed.")
    configurations: Annotated[tuple[Configuration, ...], ListMap(("board", "players"))] = Field(
        min_length=1, max_length=MAX_CONFIGURATIONS, description="Boards and player counts, each pair once."
    )
    iterations: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Iterations of each configuration; omitted: without end."
    )
    pool_selector: LabelSelector | None = Field(
        default=None, description="WorkerPools to use, by their labels; omitted: every pool in the namespace."
    )
    tracks: Tracks = Field(
        default=(Track.WEIGHTS, Track.NETWORK),
        description="What to train: weights (CMA-ES), nnue, network.",
    )
    selfplay: Selfplay = Field(default=Selfplay(), description="Games the players play among themselves.")
    sync: Sync | None = Field(
        default=None,
        description="How games reach the merged store while self-play goes on; absent: when it has ended.",
    )
    dataset: Dataset = Field(default=Dataset(), description="Which games a dataset is made of.")
    network: Network = Field(default=Network(), description="Training of the network.")
    nnue: Nnue = Field(default=Nnue(), description="Training of NNUE.")
    cmaes: Cmaes = Field(default=Cmaes(), description="Search of heuristic weights.")
    evaluation: Evaluation = Field(default=Evaluation(), description="How candidates are judged.")
    rollback: Rollback = Field(default=Rollback(), description="When a champion gives way to its predecessor.")
    tracking: Tracking = Field(default=Tracking(), description="Who is told the curves of trainings and gates.")
    alerts: Alerts = Field(default=Alerts(), description="When a silence becomes a condition.")
    history_limit: int = Field(default=20, ge=1, le=1000, description="TrainingIterations kept per configuration.")
    suspend: bool = Field(
        default=False, description="Start nothing new; what runs finishes and is recorded; resumes where it was."
    )
    dry_run: bool = Field(default=False, description="Plan into status.plan and events, create nothing.")

    @rule(
        "self.cmaes.evaluator != 'Neural' || 'network' in self.tracks",
        "evaluator Neural needs the network track: add network to spec.tracks, or choose evaluator Auto",
        path=".cmaes.evaluator",
    )
    def _neural_evaluator_has_network(self) -> bool:
        return self.cmaes.evaluator != Evaluator.NEURAL or Track.NETWORK in self.tracks

    @rule(
        "!self.selfplay.engineModes.exists(m, m in ['network', 'network-and-minimax']) || 'network' in self.tracks",
        "engine modes network and network-and-minimax need the network track: add network to spec.tracks, or leave "
        "them out",
        path=".selfplay.engineModes",
    )
    def _network_mode_has_network(self) -> bool:
        return NETWORK_MODES.isdisjoint(self.selfplay.engine_modes) or Track.NETWORK in self.tracks

    @rule(
        "'network' in self.tracks || self.configurations.all(c, "
        "!(has(c.cmaes) && has(c.cmaes.evaluator) && c.cmaes.evaluator == 'Neural') && "
        "!(has(c.selfplay) && has(c.selfplay.engineModes) && "
        "c.selfplay.engineModes.exists(m, m in ['network', 'network-and-minimax'])))",
        "a configuration asks for evaluator Neural or an engine mode of the network, which need the network track: "
        "add network to spec.tracks",
        path=".configurations",
    )
    def _configurations_have_network(self) -> bool:
        return Track.NETWORK in self.tracks or not any(
            (c.cmaes is not None and c.cmaes.evaluator == Evaluator.NEURAL)
            or (c.selfplay is not None and not NETWORK_MODES.isdisjoint(c.selfplay.engine_modes))
            for c in self.configurations
        )

    @rule(
        "self.configurations.all(c, !has(c.evaluation) || "
        "(has(c.evaluation.regressionThreshold) ? c.evaluation.regressionThreshold"
        " : self.evaluation.regressionThreshold) < "
        "(has(c.evaluation.promotionThreshold) ? c.evaluation.promotionThreshold"
        " : self.evaluation.promotionThreshold))",
        "a configuration's regressionThreshold must be below its promotionThreshold; "
        "what it leaves out is taken from spec.evaluation",
        path=".configurations",
    )
    def _configuration_thresholds_in_order(self) -> bool:
        merged = (laid_over(self.evaluation, c.evaluation) for c in self.configurations if c.evaluation)
        return all(section.regression_threshold < section.promotion_threshold for section in merged)

    @rule(
        "self.configurations.all(c, [has(c.bootstrapGames) ? c.bootstrapGames : 1, "
        "has(c.gamesPerIteration) ? c.gamesPerIteration : 1].all(games, games <= 100000 * "
        "(has(c.selfplay) && has(c.selfplay.shardGames) ? c.selfplay.shardGames : self.selfplay.shardGames)))",
        "an iteration is played in 100,000 shards at most: raise selfplay.shardGames, or ask for fewer games",
        path=".configurations",
    )
    def _shards_fit_a_job(self) -> bool:
        return all(
            games <= MOST_SHARDS * laid_over(self.selfplay, c.selfplay).shard_games
            for c in self.configurations
            for games in (c.bootstrap_games, c.games_per_iteration)
            if games is not None
        )


class TrainingPipeline(Resource):
    """What to train."""

    plural: ClassVar[str] = "trainingpipelines"
    short_names: ClassVar[tuple[str, ...]] = ("tp",)
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        PrinterColumn("Phase", ".status.phase"),
        PrinterColumn("Iteration", ".status.iteration", "integer", description="Lowest completed iteration"),
        PrinterColumn("Games", ".status.games", "integer", description="Unique games merged"),
        PrinterColumn("Promotions", ".status.promotions", "integer"),
        PrinterColumn("Rollbacks", ".status.rollbacks", "integer"),
        PrinterColumn("Last-Promotion", ".status.lastPromotion.time", "date"),
        PrinterColumn("Ready", '.status.conditions[?(@.type=="Ready")].status'),
        PrinterColumn("Age", ".metadata.creationTimestamp", "date"),
        PrinterColumn("Running", ".status.running", is_wide=True, description="What runs now"),
        PrinterColumn("Message", '.status.conditions[?(@.type=="Ready")].message', is_wide=True),
    )

    kind: Literal["TrainingPipeline"] = "TrainingPipeline"
    metadata: ObjectMeta
    spec: TrainingPipelineSpec = Field(description="What to train.")
    status: TrainingPipelineStatus = Field(
        default=TrainingPipelineStatus(), description="What has come of it; written by the operator."
    )

    @rule(*NAME_RULE)
    def _name_fits(self) -> bool:
        return name_fits(self.metadata.name)

    @transition(
        "!has(oldSelf.status) || !has(oldSelf.status.configurations) || oldSelf.status.configurations.all(s, "
        "!has(s.running) || !s.running || "
        "self.spec.configurations.exists(c, c.board == s.board && c.players == s.players))",
        "a configuration that is running cannot be removed: set spec.suspend to true, "
        "wait until status shows it is not running, then remove it",
        path=".spec.configurations",
    )
    def _running_configurations_stay(self, old: TrainingPipeline) -> bool:
        present = {c.key for c in self.spec.configurations}
        return all((s.board, s.players) in present for s in old.status.configurations if s.running)

"""What a step's process is told: the stage contract's parameters, from the frozen values and what came before."""

from __future__ import annotations

from typing import Any

from ringrift_core.contract import (
    OUTPUTS,
    AdoptParameters,
    Artifact,
    CmaesParameters,
    EngineMode,
    EvaluateParameters,
    ExportParameters,
    MergeParameters,
    PromoteParameters,
    RollbackParameters,
    SelfplayParameters,
    Shards,
    Stage,
    StageParameters,
    Track,
    TrainParameters,
)
from ringrift_operator.api.pipeline_status import ConfigurationStatus, TaskStatus
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.domain import steps
from ringrift_operator.domain.configuration import champion_at_start, iteration_under_way, single_task
from ringrift_operator.domain.steps import STEPS, TRACKS_WITH_STAGES, Step

SEEDS_PER_ITERATION = 1000
"""Distance between the run seeds of two iterations (plan.md: seed = iteration x 1000)."""


def run_seed(frozen: ResolvedConfiguration, iteration: int) -> int:
    """Seed of everything random in an iteration."""
    return frozen.selfplay.seed + SEEDS_PER_ITERATION * iteration


def engine_modes(frozen: ResolvedConfiguration, iteration: int, network: int) -> tuple[EngineMode, ...]:
    """Modes of an iteration: the bootstrap is never mixed, and no network plays before there is a champion."""
    left_out = {EngineMode.MIXED, EngineMode.NETWORK} if iteration == 1 else set()
    if network == 0:
        left_out.add(EngineMode.NETWORK)
    return tuple(mode for mode in frozen.selfplay.engine_modes if mode not in left_out) or (EngineMode.HEURISTIC_ONLY,)


def shard_count(frozen: ResolvedConfiguration, iteration: int) -> int:
    """Shards of an iteration's self-play."""
    return -(-frozen.games(iteration) // frozen.selfplay.shard_games)


def request_id(configuration: ConfigurationStatus, track: Track, iteration: int, cause: str) -> str:
    """Names a move of the champion pointer for the registry, which carries out no id twice."""
    return f"{configuration.name}/{track}/i{iteration}/{cause}"[:200]


def parameters_of(
    store: str, tracks: tuple[Track, ...], configuration: ConfigurationStatus, task: TaskStatus
) -> StageParameters:
    """Parameters of a task's newest try. The steps it needs have succeeded; `tracks` are the spec's."""
    step = STEPS[task.name]
    common: dict[str, Any] = {
        "store": store,
        "board": configuration.board,
        "players": configuration.players,
        "attempt": task.attempt,
    }
    if step.stage == Stage.ADOPT:
        return AdoptParameters(**common, tracks=tuple(track for track in tracks if track in TRACKS_WITH_STAGES))
    if step.stage == Stage.ROLLBACK:
        return _rollback(common, configuration, task, step)
    return _in_iteration(common, configuration, step)


def _in_iteration(common: dict[str, Any], configuration: ConfigurationStatus, step: Step) -> StageParameters:
    frozen = configuration.frozen
    if frozen is None:
        raise ValueError(f"{configuration.name}: {step.name} without an iteration under way")
    iteration = iteration_under_way(configuration)
    common = {**common, "iteration": iteration}
    seed = run_seed(frozen, iteration)
    match step.stage:
        case Stage.SELFPLAY:
            return _selfplay(common, configuration, frozen, iteration)
        case Stage.MERGE:
            return MergeParameters(**common)
        case Stage.EXPORT:
            return ExportParameters(
                **common,
                seed=seed,
                require_completed=frozen.dataset.require_completed,
                min_moves=frozen.dataset.min_moves,
            )
        case Stage.TRAIN:
            return TrainParameters(
                **common,
                seed=seed,
                dataset=_output(configuration, steps.EXPORT),
                network_version=champion_at_start(configuration, Track.NETWORK),
                epochs=frozen.network.bootstrap_epochs if iteration == 1 else frozen.network.epochs,
                batch_size=frozen.network.batch_size,
            )
        case Stage.CMAES:
            return CmaesParameters(
                **common,
                seed=seed,
                weights_version=champion_at_start(configuration, Track.WEIGHTS),
                initial_weights=frozen.cmaes.initial_weights.contract,
                generations=frozen.cmaes.generations,
                population_size=frozen.cmaes.population_size,
                games_per_evaluation=frozen.cmaes.games_per_evaluation,
                max_moves=frozen.move_limit(iteration),
                workers=frozen.cmaes.max_workers,
            )
        case Stage.EVALUATE:
            return _evaluate(common, configuration, frozen, step, seed)
        case _:
            return _promote(common, configuration, frozen, step, iteration)


def _selfplay(
    common: dict[str, Any], configuration: ConfigurationStatus, frozen: ResolvedConfiguration, iteration: int
) -> SelfplayParameters:
    network = champion_at_start(configuration, Track.NETWORK)
    shards = shard_count(frozen, iteration)
    return SelfplayParameters(
        **common,
        seed=run_seed(frozen, iteration),
        games=frozen.games(iteration),
        shard=Shards(0, shards - 1, shards),
        engine_modes=engine_modes(frozen, iteration, network),
        max_moves=frozen.move_limit(iteration),
        weights_version=champion_at_start(configuration, Track.WEIGHTS),
        network_version=network,
        initial_weights=frozen.cmaes.initial_weights.contract,
    )


def _evaluate(
    common: dict[str, Any],
    configuration: ConfigurationStatus,
    frozen: ResolvedConfiguration,
    step: Step,
    seed: int,
) -> EvaluateParameters:
    track = _track(step)
    is_candidate = step == steps.evaluate(track)
    return EvaluateParameters(
        **common,
        track=track,
        kind="candidate" if is_candidate else "regression",
        candidate=_output(configuration, steps.CANDIDATE_MAKER[track]) if is_candidate else None,
        champion_version=champion_at_start(configuration, track),
        initial_weights=frozen.cmaes.initial_weights.contract,
        seed=seed,
        gate=frozen.evaluation.gate,
        games=frozen.evaluation.games,
        max_games=frozen.evaluation.max_games,
        promotion_threshold=frozen.evaluation.promotion_threshold,
        regression_threshold=frozen.evaluation.regression_threshold,
        baseline_games=frozen.evaluation.baseline_games if is_candidate else 0,
        max_moves=frozen.move_limit(common["iteration"]),
    )


def _promote(
    common: dict[str, Any],
    configuration: ConfigurationStatus,
    frozen: ResolvedConfiguration,
    step: Step,
    iteration: int,
) -> PromoteParameters:
    track = _track(step)
    return PromoteParameters(
        **common,
        track=track,
        request_id=request_id(configuration, track, iteration, "promote"),
        expected_version=champion_at_start(configuration, track),
        keep_backup_models=frozen.rollback.keep_backup_models,
        candidate=_output(configuration, steps.CANDIDATE_MAKER[track]),
        verdict=single_task(configuration, steps.evaluate(track)).outputs.get(OUTPUTS[Stage.EVALUATE]),
    )


def _rollback(
    common: dict[str, Any], configuration: ConfigurationStatus, task: TaskStatus, step: Step
) -> RollbackParameters:
    track = _track(step)
    iteration = iteration_under_way(configuration)
    is_requested = step == steps.requested_rollback(track)
    return RollbackParameters(
        **common,
        track=track,
        request_id=task.request[:200] if is_requested else request_id(configuration, track, iteration, "rollback"),
        expected_version=configuration.track(track).champion_version,
        cause=f"requested: {task.request}" if is_requested else task.request,
    )


def _track(step: Step) -> Track:
    if step.track is None:
        raise ValueError(f"{step.name} belongs to no track")
    return step.track


def _output(configuration: ConfigurationStatus, step: Step) -> Artifact:
    """What an earlier step of this iteration made; `outcomes.py` accepted no result without it."""
    return single_task(configuration, step).outputs[OUTPUTS[step.stage]]

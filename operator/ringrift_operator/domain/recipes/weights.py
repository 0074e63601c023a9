"""The weights track: CMA-ES over the heuristic's weights. It needs no games of the iteration."""

from __future__ import annotations

from ringrift_core.contract import STAGES, CmaesParameters, CmaesResult, Stage, Track
from ringrift_operator.api.pipeline_status import ConfigurationStatus
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.api.sections import Evaluator
from ringrift_operator.domain.configuration import champion_at_start, single_task
from ringrift_operator.domain.recipe import Commission, Handling, Recipe, Step

SEARCH = "cmaes"


def _cmaes(commission: Commission) -> CmaesParameters:
    cmaes = commission.frozen.cmaes
    return CmaesParameters(
        **commission.in_iteration,
        seed=commission.seed,
        weights_version=commission.champion(Track.WEIGHTS),
        initial_weights=cmaes.initial_weights.contract,
        generations=cmaes.generations,
        population_size=cmaes.population_size,
        games_per_evaluation=cmaes.games_per_evaluation,
        evaluator=cmaes.evaluator.contract,
        network_version=0 if cmaes.evaluator == Evaluator.GAMES else commission.champion(Track.NETWORK),
        quality_gate=commission.frozen.network.quality_gate,
        gate_games=commission.frozen.network.gate_games,
        max_moves=commission.frozen.move_limit(commission.iteration),
        workers=cmaes.max_workers,
    )


def _described(values: ResolvedConfiguration, _: int) -> str:
    return (
        f"cmaes of at most {values.cmaes.generations} generations of {values.cmaes.population_size} candidates, "
        f"{values.cmaes.games_per_evaluation} games each"
    )


def _searched_under(configuration: ConfigurationStatus, values: ResolvedConfiguration, iteration: int) -> str:
    """What CMA-ES searches under: once converged, it begins again when this changes.

    In other words than once: "..., 500 turns" was written of searches that had ended on a flat function, too.
    """
    evaluator = values.cmaes.evaluator
    network = champion_at_start(configuration, Track.NETWORK)
    scorer = "" if evaluator == Evaluator.GAMES or not network else f" with network {network}"
    return f"{evaluator.value}{scorer}, at most {values.move_limit(iteration)} turns"


def _skipped(configuration: ConfigurationStatus, values: ResolvedConfiguration, iteration: int) -> str:
    if configuration.track(Track.WEIGHTS).converged != _searched_under(configuration, values, iteration):
        return ""
    return "CMA-ES has converged, and neither its evaluator nor its games have changed"


def _converged(configuration: ConfigurationStatus, values: ResolvedConfiguration, iteration: int) -> str:
    result = single_task(configuration, SEARCH).found(CmaesResult)
    if result is None or not result.converged:
        return ""
    return _searched_under(configuration, values, iteration)


def _evaluator(configuration: ConfigurationStatus) -> str:
    result = single_task(configuration, SEARCH).found(CmaesResult)
    if result is None or not result.because:
        return ""
    return f"{Evaluator(result.evaluator.value.title())}: {result.because}"


WEIGHTS = Recipe(
    Track.WEIGHTS,
    makers=(
        Step(
            SEARCH,
            Handling(
                STAGES[Stage.CMAES], needs_output=True, remembers_place=True, takes_device=True, takes_workers=True
            ),
            _cmaes,
            Track.WEIGHTS,
        ),
    ),
    described=_described,
    skipped=_skipped,
    converged=_converged,
    evaluator=_evaluator,
)

"""The weights track: CMA-ES over the heuristic's weights. It needs no games of the iteration."""

from __future__ import annotations

from ringrift_core.contract import STAGES, CmaesParameters, CmaesResult, Stage, Track
from ringrift_operator.api.pipeline_status import TaskStatus, TrackStatus
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.api.sections import Evaluator
from ringrift_operator.domain.recipe import Commission, Handling, Recipe, Step


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
        max_moves=commission.frozen.move_limit(commission.iteration),
        workers=cmaes.max_workers,
    )


def _described(values: ResolvedConfiguration, _: int) -> str:
    return (
        f"cmaes of at most {values.cmaes.generations} generations of {values.cmaes.population_size} candidates, "
        f"{values.cmaes.games_per_evaluation} games each"
    )


def _searched_under(values: ResolvedConfiguration, iteration: int) -> str:
    """What CMA-ES searches under: once converged, it begins again when this changes.

    In other words than once: "..., 500 turns" was written of searches that had ended on a flat function, too.
    """
    return f"{values.cmaes.evaluator.value}, at most {values.move_limit(iteration)} turns"


def _skipped(track: TrackStatus, values: ResolvedConfiguration, iteration: int) -> str:
    if track.converged != _searched_under(values, iteration):
        return ""
    return "CMA-ES has converged, and neither its evaluator nor its games have changed"


def _converged(search: TaskStatus, values: ResolvedConfiguration, iteration: int) -> str:
    result = search.found(CmaesResult)
    return _searched_under(values, iteration) if result is not None and result.converged else ""


def _not_yet(values: ResolvedConfiguration) -> tuple[str, ...]:
    if values.cmaes.evaluator == Evaluator.NEURAL and Track.WEIGHTS in values.tracks:
        return ("evaluator Neural is not there yet: set cmaes.evaluator to Auto or Games",)
    return ()


WEIGHTS = Recipe(
    Track.WEIGHTS,
    makers=(
        Step(
            "cmaes",
            Handling(STAGES[Stage.CMAES], needs_output=True, remembers_place=True, takes_workers=True),
            _cmaes,
            Track.WEIGHTS,
        ),
    ),
    described=_described,
    skipped=_skipped,
    converged=_converged,
    not_yet=_not_yet,
)

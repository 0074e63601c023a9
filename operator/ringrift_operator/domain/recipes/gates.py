"""Steps that every track has once its candidate is made: gate, regression test, promotion, rollback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ringrift_core.contract import (
    STAGES,
    Artifact,
    EvaluateParameters,
    PromoteParameters,
    RollbackParameters,
    Stage,
    Track,
)
from ringrift_operator.domain import steps
from ringrift_operator.domain.configuration import is_in_iteration
from ringrift_operator.domain.recipe import Commission, Handling, Recipe, Step

_EVALUATE = Handling(STAGES[Stage.EVALUATE], needs_verdict=True, is_said_otherwise=True, takes_device=True)
_PROMOTE = Handling(STAGES[Stage.PROMOTE], is_said_otherwise=True)
# A champion that cannot be read is a reason to stand still.
_ROLLBACK = Handling(STAGES[Stage.ROLLBACK], is_way_out=True)


def judging(recipe: Recipe) -> Iterator[Step]:
    """Gate, regression test and promotion of a track, in this order."""
    track = recipe.track
    gate, makers = steps.evaluate(track), tuple(maker.name for maker in recipe.last_makers)
    yield Step(gate, _EVALUATE, _evaluate, track, one_of=makers)
    yield Step(steps.regression(track), _EVALUATE, _regression, track)
    # The champion's test reads the pointer that a promotion moves.
    tested = (steps.regression(track),)
    yield Step(steps.promote(track), _PROMOTE, _promote, track, needs=(gate,), one_of=makers, after=tested)


def going_back(track: Track) -> Iterator[Step]:
    """The operator's own rollback of a track, and one that somebody asked for."""
    yield Step(steps.rollback(track), _ROLLBACK, _roll_back, track)
    # One move at a time, each from where the one before has left the pointer.
    movers = (steps.promote(track), steps.rollback(track))
    yield Step(steps.requested_rollback(track), _ROLLBACK, _roll_back_as_requested, track, after=movers)


def _evaluate(commission: Commission) -> EvaluateParameters:
    games = commission.frozen.evaluation.baseline_games
    return _match(commission, "candidate", commission.candidate, games)


def _regression(commission: Commission) -> EvaluateParameters:
    return _match(commission, "regression", None, 0)


def _match(
    commission: Commission, kind: Literal["candidate", "regression"], candidate: Artifact | None, baseline_games: int
) -> EvaluateParameters:
    frozen = commission.frozen
    return EvaluateParameters(
        **commission.with_curves,
        track=commission.track,
        kind=kind,
        candidate=candidate,
        champion_version=commission.champion(commission.track),
        initial_weights=frozen.cmaes.initial_weights.contract,
        seed=commission.seed,
        gate=frozen.evaluation.gate,
        games=frozen.evaluation.games,
        max_games=frozen.evaluation.max_games,
        promotion_threshold=frozen.evaluation.promotion_threshold,
        regression_threshold=frozen.evaluation.regression_threshold,
        baseline_games=baseline_games,
        max_moves=frozen.move_limit(commission.iteration),
    )


def _promote(commission: Commission) -> PromoteParameters:
    (gate,) = commission.step.needs
    return PromoteParameters(
        **commission.in_iteration,
        **commission.claim,
        track=commission.track,
        request_id=_request_id(commission, "promote"),
        expected_version=commission.champion(commission.track),
        keep_backup_models=commission.frozen.rollback.keep_backup_models,
        candidate=commission.candidate,
        verdict=commission.output(gate),
    )


def _roll_back(commission: Commission) -> RollbackParameters:
    return _back(commission, _request_id(commission, "rollback"), commission.task.request)


def _roll_back_as_requested(commission: Commission) -> RollbackParameters:
    request = commission.task.request
    return _back(commission, request[:200], f"requested: {request}")


def _back(commission: Commission, request_id: str, cause: str) -> RollbackParameters:
    return RollbackParameters(
        **commission.common,
        **commission.claim,
        track=commission.track,
        iteration=commission.iteration if is_in_iteration(commission.configuration) else 0,
        request_id=request_id,
        expected_version=commission.configuration.track(commission.track).champion_version,
        cause=cause,
    )


def _request_id(commission: Commission, cause: str) -> str:
    """Names a move of the champion pointer for the registry, which carries out no id twice."""
    return f"{commission.configuration.name}/{commission.track}/i{commission.iteration}/{cause}"[:200]

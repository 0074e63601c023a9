"""The NNUE track: a dataset of the games, then training from the champion."""

from __future__ import annotations

from ringrift_core.contract import STAGES, NnueParameters, Stage, Track
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.domain.recipe import Commission, Demand, Handling, Recipe, Step
from ringrift_operator.domain.recipes.shared import EXPORT


def epochs(values: ResolvedConfiguration, iteration: int) -> int:
    return values.nnue.bootstrap_epochs if iteration == 1 else values.nnue.epochs


def _nnue(commission: Commission) -> NnueParameters:
    frozen = commission.frozen
    return NnueParameters(
        **commission.in_iteration,
        seed=commission.seed,
        dataset=commission.made_by(EXPORT.name),
        nnue_version=commission.champion(Track.NNUE),
        epochs=epochs(frozen, commission.iteration),
        batch_size=frozen.nnue.batch_size,
    )


def _demand(values: ResolvedConfiguration) -> Demand:
    return Demand(batch=values.nnue.batch_size)


def _described(values: ResolvedConfiguration, iteration: int) -> str:
    return (
        f"export, then train the NNUE for at most {epochs(values, iteration)} epochs of batch {values.nnue.batch_size}"
    )


NNUE = Recipe(
    Track.NNUE,
    makers=(
        EXPORT,
        Step(
            "nnue",
            Handling(STAGES[Stage.NNUE], needs_output=True),
            _nnue,
            Track.NNUE,
            needs=(EXPORT.name,),
            demand=_demand,
        ),
    ),
    described=_described,
)

"""The NNUE track: a dataset of the games, then training from the champion on what they came to, or, once there is a
champion network, on what that says of their positions."""

from __future__ import annotations

from ringrift_core.contract import STAGES, DistillParameters, NnueParameters, Stage, Track
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.domain.recipe import Commission, Demand, Handling, Recipe, Step, Taught
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


def _distill(commission: Commission) -> DistillParameters:
    nnue = commission.frozen.nnue
    return DistillParameters(
        **commission.in_iteration,
        seed=commission.seed,
        dataset=commission.made_by(EXPORT.name),
        network_version=commission.champion(Track.NETWORK),
        nnue_version=commission.champion(Track.NNUE),
        positions=nnue.distill.positions,
        epochs=nnue.bootstrap_epochs,
        batch_size=nnue.batch_size,
        min_correlation=nnue.distill.min_correlation,
    )


def _demand(values: ResolvedConfiguration) -> Demand:
    return Demand(batch=values.nnue.batch_size)


def _described(values: ResolvedConfiguration, iteration: int) -> str:
    return (
        f"export, then train the NNUE for at most {epochs(values, iteration)} epochs of batch {values.nnue.batch_size}"
    )


def _distilled(values: ResolvedConfiguration, _: int) -> str:
    nnue = values.nnue
    return (
        f"export, then distill the network into the NNUE on {nnue.distill.positions:,} positions, for at most "
        f"{nnue.bootstrap_epochs} epochs of batch {nnue.batch_size}"
    )


NNUE = Recipe(
    Track.NNUE,
    makers=(
        EXPORT,
        Step(
            "nnue",
            Handling(STAGES[Stage.NNUE], needs_output=True, takes_device=True),
            _nnue,
            Track.NNUE,
            needs=(EXPORT.name,),
            demand=_demand,
        ),
    ),
    described=_described,
    taught=Taught(
        Track.NETWORK,
        Step(
            "distill",
            Handling(STAGES[Stage.DISTILL], needs_output=True, takes_device=True),
            _distill,
            Track.NNUE,
            needs=(EXPORT.name,),
            demand=_demand,
        ),
        _distilled,
    ),
)

"""The network track: a dataset of the games, then training from the champion."""

from __future__ import annotations

from ringrift_core.contract import STAGES, Stage, StartFrom, Track, TrainParameters
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.domain.recipe import Commission, Demand, Handling, Recipe, Step
from ringrift_operator.domain.recipes.shared import EXPORT

LARGEST_BATCH_WITHOUT_CUDA = 512


def epochs(values: ResolvedConfiguration, iteration: int) -> int:
    return values.network.bootstrap_epochs if iteration == 1 else values.network.epochs


def _train(commission: Commission) -> TrainParameters:
    frozen, champion = commission.frozen, commission.champion(Track.NETWORK)
    return TrainParameters(
        **commission.with_curves,
        seed=commission.seed,
        dataset=commission.made_by(EXPORT.name),
        size=frozen.network.size,
        start_from=StartFrom(None, champion) if champion else None,
        epochs=epochs(frozen, commission.iteration),
        batch_size=frozen.network.batch_size,
        # All positions of the first iteration are new: its epochs and the held-out loss end it.
        uses=frozen.network.uses if commission.iteration > 1 else 0,
        # While no network searches, what searches find says less than outcomes do.
        outcome_weight=frozen.network.outcome_weight if champion else 1.0,
        surprise=frozen.network.surprise,
    )


def _demand(values: ResolvedConfiguration) -> Demand:
    batch, distributed = values.network.batch_size, values.network.distributed
    is_large = batch > LARGEST_BATCH_WITHOUT_CUDA
    return Demand(
        cuda=f"batch {batch} is above {LARGEST_BATCH_WITHOUT_CUDA}" if is_large else "",
        batch=batch,
        places=distributed.nodes,
        processes=distributed.processes_per_node,
    )


def _described(values: ResolvedConfiguration, iteration: int) -> str:
    return (
        f"export, then train the network for at most {epochs(values, iteration)} epochs "
        f"of batch {values.network.batch_size}{_together(values)}"
    )


def _together(values: ResolvedConfiguration) -> str:
    demand = _demand(values)
    if not demand.is_distributed:
        return ""
    return f" in {demand.places * demand.processes} processes on {demand.places} node{'s' * (demand.places > 1)}"


NETWORK = Recipe(
    Track.NETWORK,
    makers=(
        EXPORT,
        Step(
            "train",
            Handling(STAGES[Stage.TRAIN], needs_output=True, takes_device=True, prefers_accelerator=True),
            _train,
            Track.NETWORK,
            needs=(EXPORT.name,),
            demand=_demand,
        ),
    ),
    described=_described,
)

"""The network track: a dataset of the games, then training from the champion."""

from __future__ import annotations

from ringrift_core.contract import STAGES, Stage, StartFrom, Track, TrainParameters
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.domain.recipe import Commission, Handling, Recipe, Step
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


def _needs_cuda(values: ResolvedConfiguration) -> str:
    batch = values.network.batch_size
    return f"batch {batch} is above {LARGEST_BATCH_WITHOUT_CUDA}" if batch > LARGEST_BATCH_WITHOUT_CUDA else ""


def _nodes(values: ResolvedConfiguration) -> int:
    return values.network.distributed.nodes


def _described(values: ResolvedConfiguration, iteration: int) -> str:
    return (
        f"export, then train the network for at most {epochs(values, iteration)} epochs "
        f"of batch {values.network.batch_size}"
    )


def _not_yet(values: ResolvedConfiguration) -> tuple[str, ...]:
    distributed = values.network.distributed
    if distributed.nodes > 1 or distributed.processes_per_node > 1:
        return ("distributed training is not there yet: set network.distributed.nodes to 1",)
    return ()


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
            needs_cuda=_needs_cuda,
            slots=_nodes,
        ),
    ),
    described=_described,
    not_yet=_not_yet,
)

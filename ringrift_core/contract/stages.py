"""What is known of each stage."""

from __future__ import annotations

from ringrift_core.contract.base import StageParameters
from ringrift_core.contract.games import ExportParameters, MergeParameters
from ringrift_core.contract.judging import CmaesParameters, EvaluateParameters
from ringrift_core.contract.registry import AdoptParameters, PromoteParameters, RollbackParameters
from ringrift_core.contract.selfplay import SelfplayParameters
from ringrift_core.contract.training import TrainParameters
from ringrift_core.contract.vocabulary import Stage

LIGHT_STAGES = frozenset({Stage.ADOPT, Stage.MERGE, Stage.EXPORT, Stage.PROMOTE, Stage.ROLLBACK})
"""Stages that take no slot: they always run in the pipeline's namespace (design.md section 3)."""

PARAMETERS: dict[Stage, type[StageParameters]] = {
    model.stage: model
    for model in (
        AdoptParameters,
        SelfplayParameters,
        MergeParameters,
        ExportParameters,
        TrainParameters,
        CmaesParameters,
        EvaluateParameters,
        PromoteParameters,
        RollbackParameters,
    )
}
"""The parameters model of each stage."""

METRICS: dict[Stage, tuple[str, ...]] = {
    Stage.ADOPT: (
        "iteration",
        "games",
        "promotions",
        "rollbacks",
        "champion_{track}",
        "predecessor_{track}",
        "failures_{track}",
    ),
    Stage.SELFPLAY: ("games", "cut_games"),
    Stage.MERGE: ("games", "new_games"),
    Stage.CMAES: ("converged",),
    Stage.EVALUATE: ("{opponent}_games", "{opponent}_win_rate", "{opponent}_low", "{opponent}_high"),
    Stage.PROMOTE: ("version", "predecessor"),
    Stage.ROLLBACK: ("version", "predecessor"),
}
"""Metrics of a StageResult that the operator reads; every stage may add others.

`iteration` is the last finished one (every track judged, and promoted where accepted), 0 for none; `games` of merge
and adopt is the configuration's unique total, `games` of selfplay those of this result; versions are 0 where there is
none; `converged` is 1 or 0; `opponent` is `random` or `heuristic` (the hand-set weights), for --baseline-games.
"""

OUTPUTS: dict[Stage, str] = {
    Stage.EXPORT: "dataset",
    Stage.TRAIN: "candidate",
    Stage.CMAES: "candidate",
    Stage.EVALUATE: "verdict",
}
"""The output of a StageResult that the next stage is given (`dataset`, `candidate`, `verdict` of its parameters)."""

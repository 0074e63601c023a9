"""What is known of each stage."""

from __future__ import annotations

from ringrift_core.contract.base import Result, StageParameters
from ringrift_core.contract.games import ExportParameters, ExportResult, MergeParameters, MergeResult
from ringrift_core.contract.judging import CmaesParameters, CmaesResult, EvaluateParameters, EvaluateResult
from ringrift_core.contract.registry import (
    AdoptParameters,
    AdoptResult,
    PointerResult,
    PromoteParameters,
    RollbackParameters,
)
from ringrift_core.contract.selfplay import SelfplayParameters, SelfplayResult
from ringrift_core.contract.training import TrainParameters, TrainResult
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

RESULTS: dict[Stage, type[Result]] = {
    Stage.ADOPT: AdoptResult,
    Stage.SELFPLAY: SelfplayResult,
    Stage.MERGE: MergeResult,
    Stage.EXPORT: ExportResult,
    Stage.TRAIN: TrainResult,
    Stage.CMAES: CmaesResult,
    Stage.EVALUATE: EvaluateResult,
    Stage.PROMOTE: PointerResult,
    Stage.ROLLBACK: PointerResult,
}
"""The result model of each stage."""

OUTPUTS: dict[Stage, str] = {
    Stage.EXPORT: "dataset",
    Stage.TRAIN: "candidate",
    Stage.CMAES: "candidate",
    Stage.EVALUATE: "verdict",
}
"""The output of a StageResult that the next stage is given (`dataset`, `candidate`, `verdict` of its parameters)."""

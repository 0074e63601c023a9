"""The one contract between the training core and the operator (design.md section 3).

Each stage has one parameters model; the command line of `ringrift <stage>` is made from the same model
(`to_arguments` renders it, `ringrift_core.cli` parses it back). Every stage answers with one `StageResult`.
This package imports pydantic and nothing of ours, so the operator needs neither torch nor the engine.
"""

from ringrift_core.contract.base import (
    STAGE_PROGRAM,
    Artifact,
    ArtifactReference,
    Contract,
    IterationParameters,
    Sha256,
    StageParameters,
    changed,
    to_arguments,
)
from ringrift_core.contract.games import ExportParameters, MergeParameters
from ringrift_core.contract.judging import CmaesParameters, EvaluateParameters, Verdict
from ringrift_core.contract.reading import first_fault, read
from ringrift_core.contract.registry import AdoptParameters, PointerParameters, PromoteParameters, RollbackParameters
from ringrift_core.contract.results import RESULT_LIMIT_BYTES, Progress, StageResult
from ringrift_core.contract.selfplay import SHARDS_PATTERN, SelfplayParameters, Shards
from ringrift_core.contract.stages import LIGHT_STAGES, METRICS, OUTPUTS, PARAMETERS
from ringrift_core.contract.training import TrainParameters
from ringrift_core.contract.vocabulary import (
    HIGHEST_COUNT,
    HIGHEST_SEED,
    MOST_TRACKS,
    MOST_WORKERS,
    MOVE_LIMITS,
    Board,
    Count,
    Decision,
    Device,
    EngineMode,
    ExitCode,
    GateKind,
    InitialWeights,
    Known,
    Name,
    PositiveCount,
    Profile,
    Seed,
    Stage,
    Track,
    configuration_name,
)

__all__ = [
    "HIGHEST_COUNT",
    "HIGHEST_SEED",
    "LIGHT_STAGES",
    "METRICS",
    "MOST_TRACKS",
    "MOST_WORKERS",
    "MOVE_LIMITS",
    "OUTPUTS",
    "PARAMETERS",
    "RESULT_LIMIT_BYTES",
    "SHARDS_PATTERN",
    "STAGE_PROGRAM",
    "AdoptParameters",
    "Artifact",
    "ArtifactReference",
    "Board",
    "CmaesParameters",
    "Contract",
    "Count",
    "Decision",
    "Device",
    "EngineMode",
    "EvaluateParameters",
    "ExitCode",
    "ExportParameters",
    "GateKind",
    "InitialWeights",
    "IterationParameters",
    "Known",
    "MergeParameters",
    "Name",
    "PointerParameters",
    "PositiveCount",
    "Profile",
    "Progress",
    "PromoteParameters",
    "RollbackParameters",
    "Seed",
    "SelfplayParameters",
    "Sha256",
    "Shards",
    "Stage",
    "StageParameters",
    "StageResult",
    "Track",
    "TrainParameters",
    "Verdict",
    "changed",
    "configuration_name",
    "first_fault",
    "read",
    "to_arguments",
]

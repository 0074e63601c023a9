"""The resources of ringrift.ai/v1alpha1 (api.md): immutable models, the CRDs made from them, and their validation."""

from ringrift_operator.api.base import API_VERSION, GROUP, VERSION, ObjectMeta, OwnerReference, Resource
from ringrift_operator.api.conditions import Condition, ConditionStatus, ConditionType
from ringrift_operator.api.iteration import StageRecord, TrackRecord, TrainingIteration, TrainingIterationSpec
from ringrift_operator.api.pipeline import (
    Artifacts,
    Configuration,
    PersistentVolumeClaim,
    TrainingPipeline,
    TrainingPipelineSpec,
)
from ringrift_operator.api.pipeline_status import (
    ConfigurationStatus,
    LastEvaluation,
    PipelinePhase,
    Placement,
    PointerMove,
    StagePhase,
    Strength,
    TaskCounts,
    TaskStatus,
    TrackDecision,
    TrackStatus,
    TrainingPipelineStatus,
    WinRate,
)
from ringrift_operator.api.pool import (
    PodTemplate,
    PoolType,
    Slot,
    SlotStatus,
    SlotTime,
    WorkerPool,
    WorkerPoolSpec,
    WorkerPoolStatus,
)
from ringrift_operator.api.remotetask import ENDED, RemoteTask, RemoteTaskSpec, RemoteTaskStatus, TaskPhase
from ringrift_operator.api.resolve import resolve
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.api.scalars import format_duration, parse_duration, quantity_value
from ringrift_operator.api.sections import Evaluator, StartingWeights

__all__ = [
    "API_VERSION",
    "ENDED",
    "GROUP",
    "VERSION",
    "Artifacts",
    "Condition",
    "ConditionStatus",
    "ConditionType",
    "Configuration",
    "ConfigurationStatus",
    "Evaluator",
    "LastEvaluation",
    "ObjectMeta",
    "OwnerReference",
    "PersistentVolumeClaim",
    "PipelinePhase",
    "Placement",
    "PodTemplate",
    "PointerMove",
    "PoolType",
    "RemoteTask",
    "RemoteTaskSpec",
    "RemoteTaskStatus",
    "ResolvedConfiguration",
    "Resource",
    "Slot",
    "SlotStatus",
    "SlotTime",
    "StagePhase",
    "StageRecord",
    "StartingWeights",
    "Strength",
    "TaskCounts",
    "TaskPhase",
    "TaskStatus",
    "TrackDecision",
    "TrackRecord",
    "TrackStatus",
    "TrainingIteration",
    "TrainingIterationSpec",
    "TrainingPipeline",
    "TrainingPipelineSpec",
    "TrainingPipelineStatus",
    "WinRate",
    "WorkerPool",
    "WorkerPoolSpec",
    "WorkerPoolStatus",
    "format_duration",
    "parse_duration",
    "quantity_value",
    "resolve",
]

"""What a pass knows: one pipeline with its tasks, the pools, and the other pipelines, at one moment.

`kube` and `local` gather it; from here on everything is a pure function of it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from ringrift_core.contract import Holder, Stage, StageResult
from ringrift_operator.api.pipeline import Artifacts, TrainingPipelineSpec
from ringrift_operator.api.pipeline_status import TrainingPipelineStatus
from ringrift_operator.api.pool import WorkerPoolSpec
from ringrift_operator.domain.recipe import Handling
from ringrift_operator.domain.recipes import SHIPPED, Recipes


class ChildPhase(enum.StrEnum):
    """Where a Job, a RemoteTask or a local process is in its life."""

    QUEUED = "Queued"
    """Held: its Job is suspended until its queue admits it, for the first time or again."""
    WAITING = "Waiting"
    """Created and not running yet: unscheduled, not claimed."""
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    LOST = "Lost"
    """Its runner was silent for too long, or its pool was deleted."""

    @property
    def is_live(self) -> bool:
        return self in (ChildPhase.QUEUED, ChildPhase.WAITING, ChildPhase.RUNNING)


@dataclass(frozen=True, slots=True)
class TaskIdentity:
    """Whose task this is. Written as labels, read back from labels (domain/labels.py)."""

    pipeline: str
    configuration: str
    iteration: int
    """0 for adopt, which comes before the first iteration."""
    step: str
    """Name of the step (domain/steps.py): selfplay, evaluate-network, ..."""
    attempt: int
    part: int = 0
    """Which part of the iteration's self-play, or which merge while it goes on; 0 elsewhere."""
    pool: str = ""
    """Empty for light stages, which take no slot."""
    slot: str = ""
    parallelism: int = 1
    """Slots it takes."""


@dataclass(frozen=True, slots=True)
class TaskObservation:
    """A child of this pipeline that exists, as last seen. Foreign objects of the same name are left out."""

    name: str
    identity: TaskIdentity
    phase: ChildPhase
    stage: Stage
    exit_code: int | None = None
    """Of the failing container, the worst of several (domain/outcomes.py); None while live or when nobody saw it."""
    reason: str = ""
    """What the platform says of a failure (OOMKilled, DeadlineExceeded), or of why it does not start
    (ImagePullBackOff, Unschedulable) or is held (Preempted, Inadmissible)."""
    result: StageResult | None = None
    """None while live, and when no valid one came. Self-play over several indexes: their sum (domain/results.py)."""
    progress: float | None = None
    """0 to 1, the last line of JSON seen."""
    ended_indexes: int | None = None
    """Of an Indexed Job, one shard each: how many have ended well; None where nobody counts them."""
    message: str = ""
    """The words of that line, or of the failure."""
    heard_at: datetime | None = None
    """When that line was written, or, before the first, when it began; of several Pods the most silent one's. None
    while it does not run, and when nobody knows."""
    looked_at: datetime | None = None
    """Until when its silence is known: when its Pods were last read, of many Jobs one after the other; before the first
    time, when it began. None where whatever it tells is known at once."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    deleting: bool = False
    """It has a deletionTimestamp: still takes its slot, but counts no longer as ours."""

    @property
    def is_live(self) -> bool:
        return self.phase.is_live


@dataclass(frozen=True, slots=True)
class PoolObservation:
    """A WorkerPool of the namespace."""

    name: str
    spec: WorkerPoolSpec
    labels: Mapping[str, str] = field(default_factory=dict)
    online: bool = True
    offline_since: datetime | None = None
    """When a Runner pool was last heard of; None while online, or when nobody knows."""


@dataclass(frozen=True, slots=True)
class OtherPipeline:
    """What must be known of another pipeline: whether it has the same store and configurations."""

    name: str
    uid: str
    created_at: datetime
    artifacts: Artifacts
    configurations: frozenset[str]
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A TrainingIteration of this pipeline that exists."""

    name: str
    configuration: str
    iteration: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is known about one pipeline, and when."""

    now: datetime
    name: str
    namespace: str
    uid: str
    generation: int
    created_at: datetime
    spec: TrainingPipelineSpec
    status: TrainingPipelineStatus
    """As last written: never older than the operator's own last write."""
    pools: tuple[PoolObservation, ...] = ()
    unread_pools: tuple[str, ...] = ()
    """Names of those that this version of the operator does not understand."""
    tasks: tuple[TaskObservation, ...] = ()
    """Children of this pipeline, creates that the watch has not shown yet among them (phase Waiting)."""
    others: tuple[OtherPipeline, ...] = ()
    records: tuple[KeptRecord, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    """Resource version of what was read, so that a status replaces no later one; empty without a cluster."""
    refusals: tuple[str, ...] = ()
    """What the API server has refused of it, in sentences."""
    local_store: str | None = None
    """Set by `ringrift-operator local`: the store as its processes see it. None in a cluster."""
    cluster: str = ""
    """UID of the namespace kube-system, or the machine of `local`; empty: nobody knows, and no store is claimed."""
    jobset_fault: str = ""
    """Why nothing can be asked for that several Pods do together, and what to do: there is no JobSet, say."""
    recipes: Recipes = SHIPPED
    """Which steps there are, and how each track's candidate is made."""

    @property
    def holder(self) -> Holder | None:
        """By which name the pipeline claims its store."""
        if not self.cluster:
            return None
        return Holder(cluster=self.cluster, namespace=self.namespace, pipeline=self.name)

    def without(self, deleted: frozenset[str]) -> Self:
        """As if these children, and those that are going, had gone."""
        tasks = tuple(child for child in self.tasks if not child.deleting and child.name not in deleted)
        return replace(self, tasks=tasks)

    def handling_of(self, child: TaskObservation) -> Handling:
        """How the child's stage is treated. KeyError of an unknown step: gatherers leave such children out."""
        return self.recipes.steps[child.identity.step].handling

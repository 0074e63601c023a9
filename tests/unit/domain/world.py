"""A make-believe namespace for the domain's tests: it carries plans out and lets tasks end as a test wishes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ringrift_core.contract import Artifact, Decision, Result, Stage, StageResult, Track, Verdict
from ringrift_operator.api import (
    ConfigurationStatus,
    TrainingIteration,
    TrainingPipelineSpec,
    TrainingPipelineStatus,
    WorkerPoolSpec,
)
from ringrift_operator.domain.plan import Event, PlacedTask, Plan
from ringrift_operator.domain.planning import plan_all
from ringrift_operator.domain.recipes import SHIPPED, Recipes
from ringrift_operator.domain.snapshot import (
    ChildPhase,
    KeptRecord,
    OtherPipeline,
    PoolObservation,
    Snapshot,
    TaskObservation,
)
from tests.results import USUAL, merged, moved

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def pipeline_spec(**changes: object) -> TrainingPipelineSpec:
    """Two iterations of square8 2p on both tracks; `changes` by their YAML names."""
    document: dict[str, object] = {
        "artifacts": {"uri": "s3://ringrift/test"},
        "configurations": [{"board": "square8", "players": 2}],
        "iterations": 2,
    }
    return TrainingPipelineSpec.model_validate({**document, **changes})


def pool(name: str = "pool", **changes: object) -> PoolObservation:
    """A Cluster pool with one slot for everything and one more for training; `changes` to its spec by YAML name."""
    document: dict[str, object] = {
        "type": "Cluster",
        "slots": [
            {"name": "play", "stages": ["selfplay", "evaluate", "cmaes"], "resources": {"cpu": "4", "memory": "4Gi"}},
            {"name": "learn", "stages": ["train", "nnue", "distill"], "resources": {"cpu": "2", "memory": "4Gi"}},
        ],
    }
    return PoolObservation(name, WorkerPoolSpec.model_validate({**document, **changes}))


def artifact(name: str) -> Artifact:
    return Artifact(uri=f"s3://ringrift/test/objects/{name}", sha256="0" * 64, bytes=1)


def champions(configuration: ConfigurationStatus) -> dict[str, str]:
    """Versions by track; of tracks that have a champion."""
    return {track.name.value: track.champion for track in configuration.tracks if track.champion}


def rejections(configuration: ConfigurationStatus) -> dict[str, int]:
    """Candidates rejected in a row, by track."""
    return {track.name.value: track.consecutive_failures for track in configuration.tracks}


def verdict(track: Track, decision: Decision, win_rate: float = 0.6) -> Verdict:
    return Verdict(
        track=track,
        decision=decision,
        candidate="0" * 64,
        champion="baseline",
        games=40,
        win_rate=win_rate,
        low=win_rate - 0.1,
        high=win_rate + 0.1,
        raw_share=win_rate,
        reason="the test says so",
    )


@dataclass
class World:
    """One namespace: pipelines' specs and statuses, pools and children. `passes` plans and applies."""

    pools: tuple[PoolObservation, ...]
    specs: dict[str, TrainingPipelineSpec]
    now: datetime = BEGINNING
    statuses: dict[str, TrainingPipelineStatus] = field(default_factory=dict)
    children: dict[str, TaskObservation] = field(default_factory=dict)
    leaving: dict[str, TaskObservation] = field(default_factory=dict)
    """Deleted and not gone before the next pass, as in a cluster: they keep their slots."""
    created: list[PlacedTask] = field(default_factory=list)
    records: dict[str, TrainingIteration] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    annotations: Mapping[str, str] = field(default_factory=dict)
    generation: int = 1
    recipes: Recipes = SHIPPED
    results: dict[Stage, Result] = field(default_factory=dict)
    """Of stages that are not shipped."""
    others: tuple[OtherPipeline, ...] = ()
    cluster: str = "7f3c"
    jobset_fault: str = ""
    refusals: tuple[str, ...] = ()
    unread_pools: tuple[str, ...] = ()
    registry: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    """Champion versions, oldest first, by pipeline, configuration and track."""

    def snapshots(self) -> list[Snapshot]:
        return [self.snapshot(name) for name in sorted(self.specs)]

    def snapshot(self, name: str = "tp") -> Snapshot:
        return Snapshot(
            now=self.now,
            name=name,
            namespace="games",
            uid=f"uid-{name}",
            generation=self.generation,
            created_at=BEGINNING,
            spec=self.specs[name],
            status=self.statuses.get(name, TrainingPipelineStatus()),
            pools=self.pools,
            tasks=tuple(
                child for child in (*self.children.values(), *self.leaving.values()) if child.identity.pipeline == name
            ),
            others=self.others,
            records=tuple(
                KeptRecord(record, r.spec.configuration, r.spec.iteration)
                for record, r in self.records.items()
                if r.spec.pipeline == name
            ),
            annotations=self.annotations,
            cluster=self.cluster,
            refusals=self.refusals,
            unread_pools=self.unread_pools,
            jobset_fault=self.jobset_fault,
            recipes=self.recipes,
        )

    def plans(self) -> tuple[Plan, ...]:
        return plan_all(self.snapshots())

    def step(self) -> tuple[Plan, ...]:
        """One pass, once what was created last has begun and what was deleted has gone: plans, and carries them out."""
        self.leaving.clear()
        for name, child in self.children.items():
            if child.phase == ChildPhase.WAITING and not child.reason:
                self.children[name] = replace(child, phase=ChildPhase.RUNNING)
        plans = self.plans()
        for name, plan in zip(sorted(self.specs), plans, strict=True):
            self.apply(name, plan)
        return plans

    def apply(self, name: str, plan: Plan) -> None:
        for record in plan.records:
            self.records.setdefault(record.metadata.name, record)
        self.statuses[name] = plan.status
        for task in plan.create:
            assert task.name not in self.children, f"{task.name} is there already"
            self.created.append(task)
            self.children[task.name] = TaskObservation(
                name=task.name, identity=task.identity, phase=ChildPhase.WAITING, stage=task.stage, started_at=self.now
            )
        for child in plan.delete:
            self.leaving[child] = replace(self.children.pop(child), deleting=True)
        for record_name in plan.expired_records:
            del self.records[record_name]
        self.events += plan.events

    @property
    def live(self) -> list[TaskObservation]:
        return [child for child in self.children.values() if child.is_live]

    def end(self, child: TaskObservation, **changes: object) -> None:
        """Lets a child end: Succeeded with a fitting result unless `changes` say otherwise."""
        if "result" not in changes and changes.get("phase", ChildPhase.SUCCEEDED) == ChildPhase.SUCCEEDED:
            changes["result"] = self.result(child)
        ending = {"phase": ChildPhase.SUCCEEDED, "exit_code": 0, "finished_at": self.now}
        self.children[child.name] = replace(child, **{**ending, **changes})  # type: ignore[arg-type]

    def queue(self, child: TaskObservation, *, is_held: bool) -> None:
        """Lets a queue hold a child's Job, or admit it."""
        phase, reason = (ChildPhase.QUEUED, "Preempted") if is_held else (ChildPhase.RUNNING, "")
        self.children[child.name] = replace(child, phase=phase, reason=reason)

    def fail(self, child: TaskObservation, exit_code: int | None = 1, message: str = "boom") -> None:
        self.end(child, phase=ChildPhase.FAILED, exit_code=exit_code, message=message)

    def result(self, child: TaskObservation, decision: Decision = Decision.PROMOTE) -> StageResult:
        """What the stage would answer; promote and rollback move the make-believe registry."""
        step = self.recipes.steps[child.identity.step]
        key = (child.identity.pipeline, child.identity.configuration, str(step.track))
        champions = self.registry.setdefault(key, [])
        outputs: dict[str, Artifact] = {}
        found = (USUAL | self.results)[step.stage]
        judged: Verdict | None = None
        match step.stage:
            case Stage.MERGE:
                found = merged(100 * child.identity.iteration, self._ended_games(child))
            case Stage.EVALUATE if step.track is not None:
                is_regression = step.name.startswith("regression")
                judged = verdict(step.track, Decision.KEEP if is_regression else decision)
            case Stage.PROMOTE:
                if child.identity.iteration not in champions:
                    champions.append(child.identity.iteration)
            case Stage.ROLLBACK:
                champions.pop()
            case _ if (output := step.handling.facts.output) and not outputs:
                outputs = {output: artifact(f"{step.name}.bin")}
            case _:
                pass
        if step.stage in (Stage.PROMOTE, Stage.ROLLBACK):
            found = moved(champions)
        return StageResult(
            stage=step.stage,
            attempt=child.identity.attempt,
            started_at=self.now,
            finished_at=self.now,
            outputs=outputs,
            result=found,
            verdict=judged,
        )

    def _ended_games(self, merge: TaskObservation) -> int:
        """Those of the shards that have ended; of self-play that has not told how far it is, all of them."""
        here = (merge.identity.pipeline, merge.identity.configuration, merge.identity.iteration)
        for child in self.live:
            there = (child.identity.pipeline, child.identity.configuration, child.identity.iteration)
            if child.stage == Stage.SELFPLAY and there == here and child.progress is not None:
                shards = next(task.completions for task in self.created if task.name == child.name) or 1
                ended = int(shards * child.progress + 1e-6) if child.ended_indexes is None else child.ended_indexes
                return self._asked_games(merge) * ended // shards
        return self._asked_games(merge)

    def _asked_games(self, child: TaskObservation) -> int:
        """Of the child's iteration; all of them are unique."""
        status = self.statuses.get(child.identity.pipeline)
        configurations = () if status is None else status.configurations
        frozen = next((each.frozen for each in configurations if each.name == child.identity.configuration), None)
        return frozen.games(child.identity.iteration) if frozen is not None else 0

    def run(self, answer: Callable[[World, TaskObservation], None] | None = None, passes: int = 500) -> None:
        """Passes until nothing is live and nothing is planned; every live child ends by `answer` (default: well)."""
        for _ in range(passes):
            plans = self.step()
            if all(plan.is_empty for plan in plans) and not self.live:
                wake = min((plan.wake_at for plan in plans if plan.wake_at is not None), default=None)
                if wake is None:
                    return
                self.now = wake
            for child in self.live:
                (answer or World.end)(self, child)
            self.now += MINUTE
        raise AssertionError("the pipelines do not come to rest")

    def configuration(self, pipeline: str = "tp") -> ConfigurationStatus:
        return self.statuses[pipeline].configurations[0]


def world(**changes: object) -> World:
    """A namespace with one pool and one pipeline called `tp`."""
    return World(pools=(pool(),), specs={"tp": pipeline_spec(**changes)})

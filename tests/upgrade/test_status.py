"""Statuses that 0.1.0 wrote in mid-iteration, in today's words and through today's domain."""

from __future__ import annotations

import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringrift_core.contract import CmaesResult, EvaluateResult, MergeResult, Stage, Track
from ringrift_operator.api import released_0_1_0
from ringrift_operator.api.iteration import TrainingIteration
from ringrift_operator.api.pipeline import TrainingPipeline, TrainingPipelineSpec
from ringrift_operator.api.pipeline_status import PipelinePhase, TrackDecision
from ringrift_operator.api.remotetask import RemoteTask
from ringrift_operator.api.resolve import resolve
from ringrift_operator.domain.labels import identity_from
from ringrift_operator.domain.snapshot import ChildPhase, TaskObservation
from tests.unit.domain.world import World, pool

RELEASED = Path(__file__).parent / "released_0_1_0"


def cluster() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((RELEASED / "cluster.json").read_text(encoding="utf-8"))
    return found


def of_kind(kind: str) -> dict[str, Any]:
    return next(obj for obj in cluster() if obj["kind"] == kind)


def pipelines() -> list[dict[str, Any]]:
    """Of the cluster, and of `local`."""
    with tarfile.open(RELEASED / "ringrift-data.tar.xz") as archive:
        states = [member for member in archive if member.name.endswith("/pipeline.json")]
        local = [json.loads(file.read()) for state in states if (file := archive.extractfile(state))]
    return [of_kind("TrainingPipeline"), *local]


@pytest.mark.parametrize("written", pipelines(), ids=lambda written: written["metadata"]["name"])
def test_what_is_written_anew_is_read_as_the_same(written: dict[str, Any]) -> None:
    pipeline = TrainingPipeline.model_validate(written)
    assert TrainingPipeline.model_validate(pipeline.to_manifest()).status == pipeline.status


@pytest.mark.parametrize("written", pipelines(), ids=lambda written: written["metadata"]["name"])
def test_the_frozen_values_are_complete_and_those_of_the_spec(written: dict[str, Any]) -> None:
    pipeline = TrainingPipeline.model_validate(written)
    (configuration,) = pipeline.status.configurations
    # The spec with the defaults of its time spelled out.
    said: dict[str, Any] = written["spec"]
    then = {section: defaults | said.get(section, {}) for section, defaults in released_0_1_0.FROZEN.items()}
    spec = TrainingPipelineSpec.model_validate(said | then)
    assert configuration.frozen == resolve(spec.configurations[0], spec)
    frozen = pipeline.to_manifest()["status"]["configurations"][0]["frozen"]
    assert frozen["dataset"] == {"requireCompleted": True, "minMoves": 20}, "defaults among them"
    # By 0.1.0's own defaults, whatever today's are.
    (completed,) = released_0_1_0.status(written["status"])["configurations"]
    assert completed["frozen"]["dataset"] == {"requireCompleted": True, "minMoves": 20}
    assert completed["frozen"]["network"]["distributed"] == {"nodes": 1, "processesPerNode": 1}


def test_champions_failures_and_figures_are_kept() -> None:
    (written,) = [each for each in pipelines() if each["metadata"]["name"] == "improving"]
    (old,) = written["status"]["configurations"]
    (today,) = TrainingPipeline.model_validate(written).status.configurations
    for track in (Track.WEIGHTS, Track.NETWORK):
        found = today.track(track)
        assert found.champion == old["champions"].get(track, "")
        assert found.predecessor == old["predecessors"].get(track, "")
        assert found.start_champion == old["startChampions"].get(track, "")
        assert found.consecutive_failures == old["consecutiveFailures"].get(track, 0)
        assert found.decision == (TrackDecision(old["decisions"][track]) if track in old["decisions"] else None)
    tasks = {task.name: task for task in today.tasks}
    assert tasks["merge"].answer(MergeResult).games == 56
    judged = tasks["evaluate-network"]
    metrics = next(task["metrics"] for task in old["tasks"] if task["name"] == "evaluate-network")
    random, heuristic = judged.answer(EvaluateResult).baselines
    assert (random.opponent, random.win_rate) == ("random", metrics["random_win_rate"])
    assert (heuristic.opponent, heuristic.low) == ("heuristic", metrics["heuristic_low"])
    assert tasks["cmaes"].stage == Stage.CMAES
    assert tasks["cmaes"].found(CmaesResult) is None, "it runs"
    assert tasks["regression-weights"].stage == Stage.EVALUATE


def test_records_and_remote_tasks_are_read() -> None:
    record = TrainingIteration.model_validate(of_kind("TrainingIteration"))
    assert [stage.stage for stage in record.spec.stages if stage.name == "merge"] == [Stage.MERGE]
    result = RemoteTask.model_validate(of_kind("RemoteTask")).status.result
    assert result is not None
    assert (result.result.games, result.result.cut_games) == (20, 1)  # type: ignore[union-attr]


def test_the_domain_goes_on_and_ends_as_0_1_0_did() -> None:
    pipeline = TrainingPipeline.model_validate(of_kind("TrainingPipeline"))
    name = pipeline.metadata.name
    pools = (pool("pool"),)
    world = World(pools, {name: pipeline.spec}, now=datetime.now(UTC), statuses={name: pipeline.status})
    world.registry[name, "square8-2p", "weights"] = [1]
    for job in (obj for obj in cluster() if obj["kind"] == "Job"):
        identity = identity_from(job["metadata"]["labels"])
        assert identity is not None
        child = job["metadata"]["name"]
        stage = Stage(job["metadata"]["labels"]["ringrift.ai/stage"])
        world.children[child] = TaskObservation(child, identity, ChildPhase.RUNNING, stage, started_at=world.now)
    world.run()
    end = json.loads((RELEASED / "cluster_end.json").read_text(encoding="utf-8"))
    status = world.statuses[name]
    assert status.phase == PipelinePhase.COMPLETED
    assert (status.iteration, status.games, status.promotions) == (2, 40, end["status"]["promotions"])
    assert status.tasks.model_dump() == end["status"]["tasks"]
    assert status.configurations[0].track(Track.WEIGHTS).champion == end["champions"]["weights"]
    begun = {task.identity.step for task in world.created}
    assert begun == {"evaluate-weights", "promote-weights"}, "the rest was done before"

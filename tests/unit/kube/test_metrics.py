"""What Prometheus is told of workers; and that the page on metrics names what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from ringrift_operator.kube.metrics import Metrics, StatusCollector, UsageCollector
from ringrift_operator.kube.tasks import Sighting, Usage
from tests.unit.kube.test_tasks import job

PAGE = Path(__file__).parents[3] / "docs" / "monitoring.md"
CPU, GPU = "ringrift_worker_cpu_seconds_total", "ringrift_worker_gpu"
LABELS = {"ringrift.ai/pipeline": "p", "ringrift.ai/stage": "train", "ringrift.ai/pool": "mac", "ringrift.ai/slot": "s"}


def running() -> dict[str, Any]:
    found: dict[str, Any] = job()
    found["metadata"]["uid"] = "uid"
    found["status"]["ready"] = 1
    return found


def remote(phase: str, **status: float) -> dict[str, Any]:
    return {"metadata": {"namespace": "n", "name": "task", "labels": LABELS}, "status": {"phase": phase, **status}}


def told(seen: Sighting | None, *tasks: dict[str, Any], job: dict[str, Any] | None = None) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(UsageCollector([job or running()], lambda uid: seen if uid == "uid" else None, tasks))
    return registry


def test_of_a_job_each_running_pod_is_a_worker() -> None:
    seen = Sighting(usage=(Usage("pod-a", 7.5, None), Usage("pod-b", 3.0, 0.25)))
    found = told(seen)
    where = {"namespace": "n", "pipeline": "p", "stage": "cmaes", "pool": "", "slot": ""}
    labels = job()["metadata"]["labels"]
    where |= {name: labels.get(f"ringrift.ai/{name}", "") for name in ("pipeline", "stage", "pool", "slot")}
    assert found.get_sample_value(CPU, {**where, "worker": "pod-a"}) == 7.5
    assert found.get_sample_value(CPU, {**where, "worker": "pod-b"}) == 3.0
    assert found.get_sample_value(GPU, {**where, "worker": "pod-a"}) is None
    assert found.get_sample_value(GPU, {**where, "worker": "pod-b"}) == 0.25


def test_of_what_no_longer_runs_nothing_is_told() -> None:
    seen = Sighting(usage=(Usage("pod-a", 7.5, None),))
    for finished in (job("Complete"), job("Failed")):
        finished["metadata"]["uid"] = "uid"
        assert samples(told(seen, job=finished)) == []
    assert samples(told(None, remote("Succeeded", cpuSeconds=9.0), remote("Running"))) == []


def test_a_task_outside_the_cluster_is_one_worker_labelled_or_not() -> None:
    where = {"namespace": "n", "pipeline": "p", "stage": "train", "pool": "mac", "slot": "s", "worker": "task"}
    found = told(None, remote("Running", cpuSeconds=9.0, gpu=0.5))
    assert (found.get_sample_value(CPU, where), found.get_sample_value(GPU, where)) == (9.0, 0.5)
    bare = remote("Running", cpuSeconds=9.0)
    del bare["metadata"]["labels"]
    assert len(samples(told(None, bare))) == 1


def samples(registry: CollectorRegistry) -> list[object]:
    return [sample for family in registry.collect() for sample in family.samples]


def test_the_page_names_every_metric_and_no_other() -> None:
    registry = Metrics().registry
    registry.register(StatusCollector([], []))
    registry.register(UsageCollector([], lambda _: None, []))
    there = {family.name + ("_total" if family.type == "counter" else "") for family in registry.collect()}
    rows = [line.split("|")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `ringrift_")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == there

"""What Prometheus sees. Counters count this process's doings; everything else is read off the mirrored statuses at
each scrape, so that it is true after a restart and disappears with its object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ringrift_operator.api.remotetask import TaskPhase
from ringrift_operator.domain.labels import PIPELINE, POOL, SLOT, STAGE
from ringrift_operator.domain.snapshot import ChildPhase
from ringrift_operator.kube.resource import Object, key_of, uid_of
from ringrift_operator.kube.tasks import Sighting, Usage, job_phase
from ringrift_operator.kube.world import labels

OF_PIPELINE = ["namespace", "pipeline"]
OF_CONFIGURATION = [*OF_PIPELINE, "configuration"]
OF_SLOT = ["namespace", "pool", "slot"]
OF_WORKER = ["namespace", "pipeline", "stage", "pool", "slot", "worker"]


class Metrics:
    """Counters and histograms of this process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.pass_seconds = Histogram(
            "ringrift_reconcile_seconds",
            "Time of one pass over what changed in a namespace",
            registry=self.registry,
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
        )
        self.errors = Counter(
            "ringrift_reconcile_errors",
            "Passes over a pipeline that broke off and were retried",
            registry=self.registry,
        )
        self.tasks = Counter(
            "ringrift_tasks",
            "Tasks that ended, each attempt counted",
            ["namespace", "stage", "outcome"],
            registry=self.registry,
        )
        self.started = Counter(
            "ringrift_tasks_started", "Tasks started", ["namespace", "stage"], registry=self.registry
        )

    def forget(self, namespace: str) -> None:
        """Counts no more for a namespace that has no pipelines."""
        for counter in (self.tasks, self.started):
            counter.remove_by_labels({"namespace": namespace})


class StatusCollector(Collector):
    """Gauges of all pipelines and pools, from their statuses."""

    def __init__(self, pipelines: Iterable[Object], pools: Iterable[Object]) -> None:
        self._pipelines, self._pools = pipelines, pools

    def collect(self) -> Iterator[Metric]:
        yield from self._of_pipelines()
        yield from self._of_pools()

    def _of_pipelines(self) -> Iterator[Metric]:
        iteration = GaugeMetricFamily("ringrift_iteration", "Completed iterations", labels=OF_CONFIGURATION)
        games = GaugeMetricFamily("ringrift_games", "Unique games merged", labels=OF_CONFIGURATION)
        promotions = GaugeMetricFamily("ringrift_promotions", "Candidates that became champion", labels=OF_PIPELINE)
        rollbacks = GaugeMetricFamily("ringrift_rollbacks", "Champions that gave way", labels=OF_PIPELINE)
        win_rate = GaugeMetricFamily(
            "ringrift_win_rate", "Two-player-equivalent rate of the newest verdict", labels=[*OF_CONFIGURATION, "track"]
        )
        elo = GaugeMetricFamily(
            "ringrift_elo",
            "Champion above the hand-set heuristic, newest round robin",
            labels=[*OF_CONFIGURATION, "track"],
        )
        condition = GaugeMetricFamily(
            "ringrift_condition", "1 while the condition holds", labels=[*OF_PIPELINE, "condition"]
        )
        for pipeline in self._pipelines:
            key, status = key_of(pipeline), pipeline.get("status", {})
            promotions.add_metric(key, status.get("promotions", 0))
            rollbacks.add_metric(key, status.get("rollbacks", 0))
            for each in status.get("conditions", ()):
                condition.add_metric([*key, each["type"]], each["status"] == "True")
            for each in status.get("configurations", ()):
                names = [*key, each["name"]]
                iteration.add_metric(names, each.get("iteration", 0))
                games.add_metric(names, each.get("games", 0))
                if evaluation := each.get("lastEvaluation"):
                    win_rate.add_metric([*names, evaluation["track"]], evaluation["winRate"])
                for track in each.get("tracks", ()):
                    if rating := track.get("rating"):
                        elo.add_metric([*names, track["name"]], rating.get("elo", 0))
        return iter((iteration, games, promotions, rollbacks, win_rate, elo, condition))

    def _of_pools(self) -> Iterator[Metric]:
        busy = GaugeMetricFamily("ringrift_slots_busy", "Slots taken", labels=OF_SLOT)
        count = GaugeMetricFamily("ringrift_slots", "Slots there are", labels=OF_SLOT)
        for pool in self._pools:
            for slot in pool.get("status", {}).get("slots", ()):
                names = [*key_of(pool), slot["name"]]
                busy.add_metric(names, slot.get("busy", 0))
                count.add_metric(names, slot.get("count", 0))
        return iter((busy, count))


class UsageCollector(Collector):
    """What each worker takes of its machine: a Pod, or a RemoteTask's process, as it told last while it runs."""

    def __init__(
        self, jobs: Iterable[Object], sighting: Callable[[str], Sighting | None], remote_tasks: Iterable[Object]
    ) -> None:
        """`sighting` is what was last read of a Job's Pods, by its UID."""
        self._jobs, self._sighting, self._remote_tasks = jobs, sighting, remote_tasks

    def collect(self) -> Iterator[Metric]:
        cpu = CounterMetricFamily("ringrift_worker_cpu_seconds", "CPU time that a worker has taken", labels=OF_WORKER)
        gpu = GaugeMetricFamily(
            "ringrift_worker_gpu", "Part of the last second in which a worker's GPU worked", labels=OF_WORKER
        )
        for owner, usage in self._usages():
            found = labels(owner)
            values = [
                key_of(owner)[0],
                *(found.get(label, "") for label in (PIPELINE, STAGE, POOL, SLOT)),
                usage.worker,
            ]
            cpu.add_metric(values, usage.cpu_seconds)
            if usage.gpu is not None:
                gpu.add_metric(values, usage.gpu)
        return iter((cpu, gpu))

    def _usages(self) -> Iterator[tuple[Object, Usage]]:
        for job in self._jobs:
            seen = self._sighting(uid_of(job))
            if seen is not None and job_phase(job) == ChildPhase.RUNNING:
                yield from ((job, usage) for usage in seen.usage)
        for task in self._remote_tasks:
            status = task.get("status", {})
            if status.get("phase") == TaskPhase.RUNNING and "cpuSeconds" in status:
                yield task, Usage(task["metadata"]["name"], status["cpuSeconds"], status.get("gpu"))

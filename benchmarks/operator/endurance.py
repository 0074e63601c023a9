"""What grows while one pipeline goes on and on: its status, the objects of the cluster, the time of a pass. See
README.md here."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from prometheus_client.parser import text_string_to_metric_families
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.core_seconds import core_seconds_of
from benchmarks.operator.measure import NAMESPACE, boards_and_players, pool, prepared, status
from tests.apiserver.operator_process import OperatorProcess
from tests.apiserver.person import pipeline
from tests.apiserver.worker import Worker
from tests.cluster.control_plane import ControlPlane

TRACKS = ("weights", "nnue", "network")
STAGES = ("selfplay", "train", "nnue", "distill", "cmaes", "evaluate")


def main(
    configurations: Annotated[int, typer.Option(min=1, max=12, help="Boards and player counts.")] = 12,
    iterations: Annotated[int, typer.Option(min=1, help="Of each.")] = 100,
    every: Annotated[int, typer.Option(min=1, help="Iterations between two samples.")] = 10,
    killed: Annotated[float, typer.Option(min=0, max=1, help="Share of the Pods that are killed at random.")] = 0.01,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    with prepared() as (plane, directory):
        samples = Endurance(plane, directory, killed).samples(configurations, iterations, every)
    if as_json:
        typer.echo(json.dumps({"endurance": samples}))
        return
    table = Table(title=f"One pipeline of {configurations} configurations", box=box.SIMPLE_HEAD)
    for name in samples[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for sample in samples:
        table.add_row(*(f"{value:,}" for value in sample.values()))
    Console(width=160).print(table)


@dataclass(frozen=True)
class _Totals:
    """What the operator has come to so far."""

    passes: float = 0
    pass_seconds: float = 0
    tasks: float = 0
    core_seconds: float = 0
    memory: int = 0
    """Resident now, in bytes."""


class Endurance:
    """A control plane with one pipeline on all tracks, and a make-believe node that kills some Pods."""

    def __init__(self, plane: ControlPlane, directory: Path, killed: float) -> None:
        self._kubectl = plane.kubectl.within(NAMESPACE)
        self._operator = OperatorProcess(plane.kubeconfig, directory, f"--namespace={NAMESPACE}")
        self._worker = Worker(plane.kubeconfig, NAMESPACE)
        self._worker.killed = killed

    def samples(self, configurations: int, iterations: int, every: int) -> list[dict[str, Any]]:
        """One each time that all configurations have had so many iterations more."""
        self._kubectl.apply(pool(STAGES, 3 * configurations))
        spec = {"iterations": iterations, "configurations": boards_and_players(configurations), "tracks": list(TRACKS)}
        self._kubectl.apply(pipeline(NAMESPACE, "long", **spec))
        found: list[dict[str, Any]] = []
        before = _Totals()
        began = time.monotonic()
        with self._worker, self._operator:
            while len(found) * every < iterations:
                time.sleep(1)
                seen = status(self._kubectl.get("tp", "long"))
                done = min((each["iteration"] for each in seen.get("configurations", ())), default=0)
                print(f"\r{time.monotonic() - began:5.0f} s, iteration {done}", end="", file=sys.stderr)
                if done >= (len(found) + 1) * every:
                    now = self._totals()
                    found.append(self._sample(done, seen, before, now))
                    print(f"\r{json.dumps(found[-1])}", file=sys.stderr)  # it takes long, and may be stopped
                    before = now
        return found

    def _sample(self, done: int, seen: dict[str, Any], before: _Totals, now: _Totals) -> dict[str, Any]:
        tasks = seen["tasks"]
        return {
            "iterations": done,
            "tasks": tasks["succeeded"] + tasks["failed"],
            "failed_percent": round(100 * tasks["failed"] / (tasks["succeeded"] + tasks["failed"]), 2),
            "status_bytes": len(json.dumps(seen, separators=(",", ":")).encode()),
            "etcd_objects": self._objects(),
            "pass_ms": round(1000 * (now.pass_seconds - before.pass_seconds) / (now.passes - before.passes), 2),
            "cpu_ms_a_task": round(1000 * (now.core_seconds - before.core_seconds) / (now.tasks - before.tasks), 2),
            "memory_mib": now.memory >> 20,
        }

    def _totals(self) -> _Totals:
        families = {each.name: each for each in text_string_to_metric_families(self._operator.fetch("/metrics"))}
        passes = {each.name.rpartition("_")[2]: each.value for each in families["ringrift_reconcile_seconds"].samples}
        memory = Path(f"/proc/{self._operator.pid}/status").read_text().partition("VmRSS:")[2].split()[0]
        return _Totals(
            passes["count"],
            passes["sum"],
            sum(each.value for each in families["ringrift_tasks"].samples if each.name.endswith("_total")),
            core_seconds_of(self._operator.pid),
            int(memory) * 1024,
        )

    def _objects(self) -> int:
        """Jobs, Pods, records and pipelines of the namespace; events go by themselves after an hour."""
        return sum(len(self._kubectl.get(kind)["items"]) for kind in ("jobs", "pods", "ti", "tp"))


if __name__ == "__main__":
    typer.run(main)

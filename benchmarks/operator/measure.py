"""How much the operator takes per transition, over a real API server. See README.md here."""

from __future__ import annotations

import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.core_seconds import core_seconds_of
from ringrift_core.contract import Board
from tests.apiserver.operator_process import OperatorProcess
from tests.apiserver.person import pipeline
from tests.apiserver.worker import Worker
from tests.cluster import binaries
from tests.cluster.control_plane import ControlPlane, Endpoints, running_control_plane

CRDS = Path(__file__).parents[2] / "crds"
NAMESPACE = "benchmark"
RECEIVED = "etcd_network_client_grpc_received_bytes_total "


def main(
    pipelines: Annotated[int, typer.Option(min=1, help="Pipelines at once.")] = 50,
    configurations: Annotated[int, typer.Option(min=1, max=12, help="Boards and player counts of each.")] = 1,
    iterations: Annotated[int, typer.Option(min=1, help="Iterations of each: five or six Jobs.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    with prepared() as (plane, directory):
        report = measure(plane, directory, pipelines, configurations, iterations)
    if as_json:
        typer.echo(json.dumps({"operator": report}))
        return
    table = Table(title=f"Operator, {pipelines} pipelines x {configurations}", box=box.SIMPLE_HEAD)
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in report.items():
        table.add_row(name.replace("_", " "), f"{value:,}")
    Console().print(table)


@contextmanager
def prepared() -> Iterator[tuple[ControlPlane, Path]]:
    """A control plane that knows our kinds and has the namespace, and a folder for what runs beside it."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        programs = binaries.find(binaries.CONTROL_PLANE)
        with running_control_plane(programs, directory, Endpoints.on_free_ports()) as plane:
            plane.kubectl.apply(CRDS, "--server-side")
            plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
            plane.kubectl("create", "namespace", NAMESPACE)
            yield plane, directory


def measure(
    plane: ControlPlane, directory: Path, pipelines: int, configurations: int, iterations: int
) -> dict[str, Any]:
    """Runs them all to their end; the figures by name."""
    kubectl = plane.kubectl.within(NAMESPACE)
    kubectl.apply(pool(("selfplay", "cmaes", "evaluate"), min(1000, 2 * pipelines * configurations)))
    spec = {"iterations": iterations, "configurations": boards_and_players(configurations)}
    objects = [pipeline(NAMESPACE, f"p{number}", **spec) for number in range(pipelines)]
    kubectl.apply({"apiVersion": "v1", "kind": "List", "items": objects})
    operator = OperatorProcess(plane.kubeconfig, directory, f"--namespace={NAMESPACE}")
    with Worker(plane.kubeconfig, NAMESPACE), operator:
        start, sent = time.monotonic(), bytes_to_etcd(plane)
        while not all(status(each).get("phase") == "Completed" for each in kubectl.get("tp")["items"]):
            print(f"\r{time.monotonic() - start:5.0f} s", end="", file=sys.stderr)
            time.sleep(1)
        seconds = time.monotonic() - start
        transitions = sum(status(each)["tasks"]["succeeded"] for each in kubectl.get("tp")["items"])
        cpu, memory = consumption(operator.pid)
        sent = bytes_to_etcd(plane) - sent
    return {
        "pipelines": pipelines,
        "configurations": configurations,
        "transitions": transitions,
        "seconds": round(seconds, 1),
        "transitions_per_second": round(transitions / seconds, 1),
        "cpu_ms_per_transition": round(1000 * cpu / transitions, 2),
        "peak_memory_mib": round(memory / 2**20),
        "kib_to_etcd_per_transition": round(sent / 1024 / transitions, 1),
    }


def boards_and_players(count: int) -> list[dict[str, Any]]:
    """So many configurations of 20 games each."""
    every = [(board.value, players) for board in Board for players in (2, 3, 4)]
    games = {"bootstrapGames": 20, "gamesPerIteration": 20}
    return [{"board": board, "players": players, **games} for board, players in every[:count]]


def bytes_to_etcd(plane: ControlPlane) -> int:
    """What etcd has received of its client, the API server, so far (its own metric)."""
    with urllib.request.urlopen(f"{plane.etcd}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    return int(float(next(line.split()[1] for line in text.splitlines() if line.startswith(RECEIVED))))


def pool(stages: Sequence[str], count: int) -> dict[str, Any]:
    """So many places for each stage."""
    resources = {"cpu": "1", "memory": "1Gi"}
    slots = [{"name": stage, "stages": [stage], "resources": resources, "count": count} for stage in stages]
    return {
        "apiVersion": "ringrift.ai/v1alpha1",
        "kind": "WorkerPool",
        "metadata": {"name": "pool"},
        "spec": {"type": "Cluster", "slots": slots},
    }


def status(obj: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = obj.get("status", {})
    return found


def consumption(pid: int) -> tuple[float, int]:
    """CPU seconds and peak memory in bytes of a running process (proc(5))."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return core_seconds_of(pid), int(lines["VmHWM"].split()[0]) * 1024


if __name__ == "__main__":
    typer.run(main)

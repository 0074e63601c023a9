"""How long placement alone takes: one namespace, many waiting tasks, few free slots. See README.md here."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from ringrift_core.contract import Board, Stage
from ringrift_operator.api import TrainingPipelineSpec, TrainingPipelineStatus, WorkerPoolSpec
from ringrift_operator.domain.deciding import decide
from ringrift_operator.domain.placement import place
from ringrift_operator.domain.plan import Decision
from ringrift_operator.domain.snapshot import ChildPhase, PoolObservation, Snapshot, TaskIdentity, TaskObservation
from ringrift_operator.run import calm_garbage_collection

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
PASSES = 200
WARM_UP = 10
FREE = (0, 1, 500)


def main(
    tasks: Annotated[int, typer.Option(min=1, help="Tasks that wait.")] = 9000,
    passes: Annotated[int, typer.Option(min=2, help="Passes that are timed.")] = PASSES,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    """Time `place` with no, one and many free slots."""
    waiting = decisions(tasks)
    calm_garbage_collection()  # as the operator does
    report = {free: timed(waiting, free, passes) for free in FREE}
    if as_json:
        typer.echo(json.dumps({"placement": {"tasks": tasks, "passes": passes, "milliseconds": report}}))
        return
    table = Table(title=f"Placement, {tasks:,} tasks wait, {passes} passes", box=box.SIMPLE_HEAD)
    for name in ("free slots", "placed", "median ms", "p99 ms"):
        table.add_column(name, justify="right")
    for free, figures in report.items():
        table.add_row(*(f"{value:,}" for value in (free, figures["placed"], figures["median"], figures["p99"])))
    Console().print(table)


def timed(waiting: list[Decision], free: int, passes: int) -> dict[str, Any]:
    """Median and 99th percentile of passes in milliseconds of CPU, and how many tasks one places."""
    there, elsewhere = [with_pool(decision, free) for decision in waiting], [somebody_elses()]
    seconds = []
    for number in range(WARM_UP + passes):
        start = time.thread_time()  # whoever else has the core
        placed = place(there, elsewhere)
        if number >= WARM_UP:
            seconds.append(time.thread_time() - start)
    percentiles = statistics.quantiles(seconds, n=100)
    return {
        "placed": sum(map(len, placed)),
        "median": round(1000 * statistics.median(seconds), 2),
        "p99": round(1000 * percentiles[98], 2),
    }


def decisions(tasks: int) -> list[Decision]:
    """Pipelines whose twelve configurations wait: each for self-play and for a search of weights."""
    configurations = [{"board": board.value, "players": players} for board in Board for players in (2, 3, 4)]
    found: list[Decision] = []
    waiting = 0
    while waiting < tasks:
        number = len(found)
        spec = TrainingPipelineSpec.model_validate(
            {
                "artifacts": {"uri": f"s3://games/{number}"},
                "configurations": configurations,
                "iterations": 10,
                "tracks": ["weights"],
            }
        )
        decision = begun(
            Snapshot(
                now=BEGINNING + timedelta(seconds=number),
                name=f"pipeline-{number}",
                namespace="games",
                uid=f"uid-{number}",
                generation=1,
                created_at=BEGINNING,
                spec=spec,
                status=TrainingPipelineStatus(),
            )
        )
        wanted = decision.wanted[: tasks - waiting]
        waiting += len(wanted)
        found.append(replace(decision, wanted=wanted))
    return found


def begun(snapshot: Snapshot) -> Decision:
    """The pipeline's decision once its stores have been read, as if they had been empty."""
    status = decide(snapshot).status
    adopted = tuple(each.model_copy(update={"adopted": True, "tasks": ()}) for each in status.configurations)
    return decide(replace(snapshot, status=status.model_copy(update={"configurations": adopted})))


def with_pool(decision: Decision, free: int) -> Decision:
    """The same decision where the one pool has so many free slots for every stage, and one that is taken."""
    slot = {
        "name": "any",
        "stages": ["selfplay", "cmaes", "evaluate"],
        "resources": {"cpu": "1", "memory": "1Gi"},
        "count": free + 1,
    }
    pool = PoolObservation("pool", WorkerPoolSpec.model_validate({"type": "Cluster", "slots": [slot]}))
    return replace(decision, snapshot=replace(decision.snapshot, pools=(pool,)))


def somebody_elses() -> TaskObservation:
    """The task of another pipeline that takes the one slot."""
    identity = TaskIdentity("another", "square8-2p", 1, "cmaes", 1, pool="pool", slot="any")
    return TaskObservation("taken", identity, ChildPhase.RUNNING, Stage.CMAES)


if __name__ == "__main__":
    typer.run(main)

"""What training's own loop costs beside a plain one in PyTorch, and what of it is reading. See README.md here."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.training.measure import BATCH, WARM_UP, games_as_positions
from ringrift_core.nn.determinism import determine
from ringrift_core.nn.losses import losses, total_loss
from ringrift_core.nn.network import NetworkShape, RingRiftNetwork
from ringrift_core.nn.positions import OUTCOMES, SYMMETRIES, Batch, Positions
from ringrift_core.nn.training import Training, TrainingPlan

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Speed:
    """Of one loop."""

    positions_per_second: float
    cores: float
    """CPU seconds a second."""


def main(
    steps: Annotated[int, typer.Option(min=1, help="Steps a measurement.")] = 60,
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of each loop, in turns; the median counts.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    determine(1)
    positions = games_as_positions()
    ours, plain = _Ours(positions), _Plain(positions)
    found: dict[str, list[Speed]] = {"ringrift train": [], "plain": []}
    shares = []
    for _ in range(rounds):
        for _ in range(WARM_UP):
            ours.go_on()
        ours.waited = 0.0
        found["ringrift train"].append(speed := _measured(ours.go_on, steps))
        shares.append(ours.waited * speed.positions_per_second / (steps * BATCH))
        for _ in range(WARM_UP):
            plain.step()
        found["plain"].append(_measured(plain.step, steps))
    ratios = [one.positions_per_second / other.positions_per_second for one, other in zip(*found.values(), strict=True)]
    report: dict[str, Any] = {
        "steps": steps,
        "rounds": rounds,
        "loops": {name: asdict(_median(speeds)) for name, speeds in found.items()},
        "ratio": round(statistics.median(ratios), 3),
        "waits_for_positions": round(statistics.median(shares), 4),
        "reading_alone": round(_reading(positions, steps), 1),
    }
    if as_json:
        typer.echo(json.dumps(report))
        return
    table = Table(title=f"square8-2p, 4x32, {steps} steps of {BATCH}, median of {rounds}", box=box.SIMPLE_HEAD)
    for heading in ("loop", "positions/s", "cores"):
        table.add_column(heading, justify="left" if heading == "loop" else "right")
    for name, speed in report["loops"].items():
        table.add_row(name, f"{speed['positions_per_second']:,.0f}", f"{speed['cores']:.2f}")
    table.caption = (
        f"{report['ratio']:.2f} of the plain loop's speed; {report['waits_for_positions']:.1%} of the time waits for "
        f"positions, of which {report['reading_alone']:,.0f} a second are read alone"
    )
    Console().print(table)


class _Ours(Training):
    """The loop of the stage: reads ahead through symmetries, averages parameters, measures gradients."""

    waited = 0.0
    """Seconds, for positions that were still being read."""

    def __init__(self, positions: Positions) -> None:
        network = RingRiftNetwork(NetworkShape.of(positions.board, 2))
        few = Positions(positions.file, positions.rows[:BATCH])
        super().__init__(network, TrainingPlan(1, 1000, BATCH, 1e-3), positions, few, CPU)

    def _read(self, step: int) -> list[Batch]:
        began = time.perf_counter()
        found = super()._read(step)
        self.waited += time.perf_counter() - began
        return found

    def go_on(self) -> None:
        if self.epoch_is_over:
            self.measure(_never)
        self.step(_never)


class _Plain:
    """The same network, losses and optimiser, on batches that lie in memory."""

    def __init__(self, positions: Positions) -> None:
        self._network = RingRiftNetwork(NetworkShape.of(positions.board, 2))
        self._optimiser = torch.optim.AdamW(self._network.parameters(), lr=1e-3)
        count = len(positions) // BATCH
        parts = np.random.default_rng(1).permutation(len(positions))[: count * BATCH].reshape(count, BATCH)
        self._batches = [positions.batch(rows, OUTCOMES, CPU) for rows in parts]
        self._steps = 0

    def step(self) -> None:
        batch = self._batches[self._steps % len(self._batches)]
        self._steps += 1
        self._optimiser.zero_grad(set_to_none=True)
        total_loss(losses(self._network.say_all(batch.planes, batch.globals), batch)).mean().backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()


def _measured(step: Any, steps: int) -> Speed:
    began = time.perf_counter(), time.process_time()
    for _ in range(steps):
        step()
    wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    return Speed(round(steps * BATCH / wall, 1), round(cpu / wall, 2))


def _median(speeds: list[Speed]) -> Speed:
    return sorted(speeds, key=lambda speed: speed.positions_per_second)[len(speeds) // 2]


def _reading(positions: Positions, steps: int) -> float:
    """Positions a second, read at random and through symmetries, by one thread that does nothing else."""
    random = np.random.default_rng(2)
    chosen = random.integers(len(positions), size=(steps, BATCH))
    symmetries = random.integers(SYMMETRIES[positions.board], size=(steps, BATCH), dtype=np.uint8)
    began = time.perf_counter()
    for rows, seen in zip(chosen, symmetries, strict=True):
        positions.batch(rows, OUTCOMES, CPU, seen)
    return steps * BATCH / (time.perf_counter() - began)


def _never() -> None:
    """Nobody stops it."""


if __name__ == "__main__":
    typer.run(main)

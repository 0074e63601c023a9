"""Does a training keep its share of the machine? See README.md here."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from ringrift_core.nn.positions import Positions

BATCH = 256
GAMES = 400
WARM_UP = 4
"""Steps before the clock: the first ones choose kernels and fill caches."""
CORES = 2
HALF_A_CORE = 0.5
CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Training:
    """What one process did."""

    positions_per_second: float
    cores: float
    """CPU seconds a second."""
    parameters: str
    """SHA-256 of the network after the last step."""


@dataclass(frozen=True)
class Setting:
    """Processes that train at the same time; `share` is what each should reach of one alone."""

    name: str
    processes: int
    share: float
    limit: float | None = None
    """CPUs that their control group allows."""


SETTINGS = (
    Setting("alone", 1, 1.0),
    Setting("two side by side", 2, 1.0),
    Setting("half a core", 1, HALF_A_CORE, HALF_A_CORE),
)


def main(
    steps: Annotated[int, typer.Option(min=1, help="Steps that each process is measured over.")] = 60,
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of each setting, in turns; the median counts.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Torch's threads; a training has one.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
    worker: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    if worker:
        _train(steps, threads)
        return
    found: dict[str, list[list[Training]]] = {setting.name: [] for setting in SETTINGS}
    for _ in range(rounds):
        for setting in SETTINGS:
            found[setting.name].append(_measure(setting, steps, threads))
    parameters = {one.parameters for rounds_of in found.values() for together in rounds_of for one in together}
    if len(parameters) != 1:
        raise SystemExit("the processes have trained different networks")
    report = {setting.name: _figures(setting, found[setting.name], found["alone"]) for setting in SETTINGS}
    if as_json:
        typer.echo(json.dumps({"steps": steps, "rounds": rounds, "threads": threads, "training": report}))
        return
    table = Table(title=f"square8-2p, {steps} steps of {BATCH}, median of {rounds}", box=box.SIMPLE_HEAD)
    for heading in ("processes", "positions/s each", "cores each", "positions/core-second", "of its share"):
        table.add_column(heading, justify="left" if heading == "processes" else "right")
    for name, one in report.items():
        rate, cores, share = one["positions_per_second"], one["cores"], one["of_its_share"]
        table.add_row(name, f"{rate:,.0f}", f"{cores:.2f}", f"{rate / cores:,.0f}", f"{share:.2f}")
    Console().print(table)


def _figures(setting: Setting, rounds: list[list[Training]], alone: list[list[Training]]) -> dict[str, float]:
    def rate(together: list[Training]) -> float:
        return statistics.fmean(one.positions_per_second for one in together)

    # Round by round: a machine that wavers slows all of a round.
    ratios = [rate(one) / rate(other) / setting.share for one, other in zip(rounds, alone, strict=True)]
    return {
        "positions_per_second": round(statistics.median(map(rate, rounds)), 1),
        "cores": round(statistics.median(one.cores for together in rounds for one in together), 2),
        "of_its_share": round(statistics.median(ratios), 3),
    }


def _measure(setting: Setting, steps: int, threads: int) -> list[Training]:
    """Starts the processes, and lets them go once all are ready."""
    command = [sys.executable, "-P", __file__, "--worker", "--steps", str(steps), "--threads", str(threads)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    # A process that has more threads than cores for them, and lets them spin, measures nothing.
    environment["OMP_WAIT_POLICY"] = "PASSIVE"
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(setting.processes)
        ]
        for process in processes:
            _line(process)
        if setting.limit is not None:
            group = stack.enter_context(_limited_group(setting.limit))
            for process in processes:
                (group / "cgroup.procs").write_text(str(process.pid))
            stack.callback(_wait, processes)  # A group can only be removed once it is empty.
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [Training(**json.loads(_line(process))) for process in processes]


def _wait(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        process.communicate()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"a training ended with exit status {process.wait()}")
    return line


@contextlib.contextmanager
def _limited_group(cpus: float) -> Iterator[Path]:
    """A control group of its own with that many CPUs in every tenth of a second."""
    period = 100_000
    older = (CGROUPS / "cpu").is_dir()
    group = (CGROUPS / "cpu" if older else CGROUPS) / f"ringrift-benchmark-{os.getpid()}"
    try:
        group.mkdir()
        if older:
            (group / "cpu.cfs_period_us").write_text(str(period))
            (group / "cpu.cfs_quota_us").write_text(str(round(cpus * period)))
        else:
            (group / "cpu.max").write_text(f"{round(cpus * period)} {period}")
    except OSError as error:
        raise SystemExit(f"{group}: no control group can be made ({error.strerror}): run as root") from error
    try:
        yield group
    finally:
        group.rmdir()


def _train(steps: int, threads: int) -> None:
    """A process that trains: says that it is ready, waits for a line, and prints what it did."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    import torch

    training = _training(threads)
    began = 0.0, 0.0
    for number in range(WARM_UP + steps):
        if number == WARM_UP:
            print("ready", flush=True)
            sys.stdin.readline()
            began = time.perf_counter(), time.process_time()
        if training.epoch_is_over:
            training.measure(_never)
        training.step(_never)
    wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    digest = hashlib.sha256()
    for name, tensor in sorted(training.network.state_dict().items()):
        digest.update(name.encode() + tensor.contiguous().view(torch.uint8).numpy().tobytes())
    print(json.dumps(asdict(Training(steps * BATCH / wall, cpu / wall, digest.hexdigest()))), flush=True)


def _never() -> None:
    """Nobody stops it."""


def _training(threads: int) -> Any:
    import numpy as np
    import torch

    from ringrift_core.nn.network import NetworkShape, RingRiftNetwork
    from ringrift_core.nn.positions import Positions
    from ringrift_core.nn.training import Training as Loop
    from ringrift_core.nn.training import TrainingPlan

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    torch.use_deterministic_algorithms(True)
    every = games_as_positions()
    network = RingRiftNetwork(NetworkShape.of(every.board, every.file.players))
    held_out = Positions(every.file, np.arange(BATCH))
    return Loop(network, TrainingPlan(1, 1000, BATCH, 1e-3), every, held_out, torch.device("cpu"))


def games_as_positions() -> Positions:
    """Real games of square8 with two players, as a training reads them."""
    import numpy as np

    from ringrift_core import _engine
    from ringrift_core.contract import Board
    from ringrift_core.dataset.rows import RowFile
    from ringrift_core.nn.positions import Positions

    board, players = Board.SQUARE8, 2
    judge = _engine.Judge.linear(_engine.heuristic_weights("baseline"))
    player = _engine.Player.minimax(judge, 1, noise=0.5)
    games = _engine.play_games(board.value, players, [[player]], seed=1, games=GAMES, opening_plies=4)
    rows = _engine.encode_rows(
        board.value, players, [(game.game_id, game.moves, game.searches, None) for game in games], seed=1
    )
    with tempfile.TemporaryDirectory() as folder:
        file = RowFile.write(Path(folder), board, players, [rows])
    return Positions(file, np.arange(len(file)))


if __name__ == "__main__":
    typer.run(main)

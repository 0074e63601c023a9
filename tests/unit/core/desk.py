"""A store with the stages' functions on it, for tests: what `ringrift <stage>` does, without a process each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ringrift_core.archive import Archive
from ringrift_core.contract import (
    Board,
    CmaesParameters,
    DistillParameters,
    EvaluateParameters,
    ExportParameters,
    MergeParameters,
    NnueParameters,
    PromoteParameters,
    RoundrobinParameters,
    SelfplayParameters,
    StageResult,
    TrainParameters,
)
from ringrift_core.reporting import Reporter, Sink
from ringrift_core.stage import Run
from ringrift_core.store import Store


class Recorder(Sink):
    """Remembers what a stage said."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.fractions: list[float] = []
        self.on_progress: Callable[[float], object] = bool

    def progress(self, fraction: float, *_: object, **__: object) -> None:
        self.fractions.append(fraction)
        self.on_progress(fraction)

    def log(self, message: str, _figures: Mapping[str, Any]) -> None:
        self.lines.append(message)

    def warn(self, message: str) -> None:
        self.lines.append(f"warning: {message}")


class Desk:
    """One configuration of a store."""

    def __init__(self, store: Store, folder: Path, board: Board = Board.SQUARE8, players: int = 2) -> None:
        self.archive = Archive(store, f"{board}-{players}p")
        self.report = Recorder()
        folder.mkdir(exist_ok=True)
        self.run = Run(self.archive, folder, Reporter(self.report), datetime.now(UTC))
        self.here: dict[str, Any] = {"store": store.uri, "board": board, "players": players}

    def stop_when(self, condition: Callable[[float], bool]) -> None:
        """Has the stage stopped, as by SIGTERM, at the first progress for which the condition holds."""

        def on_progress(fraction: float) -> None:
            self.run.stop_requested = self.run.stop_requested or condition(fraction)

        self.report.on_progress = on_progress

    def go_on(self) -> None:
        """Takes the stop back, as a new process would begin."""
        self.report.on_progress = bool
        self.run.stop_requested = False

    def selfplay(self, iteration: int = 1, seed: int = 1, games: int = 20, **more: Any) -> StageResult:
        from ringrift_core.selfplay.stage import selfplay_stage

        shards = -(-games // 10)
        more.setdefault("shard", f"0-{shards - 1}/{shards}")
        parameters = SelfplayParameters(**self.here, iteration=iteration, seed=seed, games=games, **more)
        return selfplay_stage(parameters, self.run)

    def merge(self, iteration: int = 1) -> StageResult:
        from ringrift_core.replay.merge import merge_stage

        return merge_stage(MergeParameters(**self.here, iteration=iteration), self.run)

    def export(self, iteration: int = 1, **more: Any) -> StageResult:
        from ringrift_core.dataset.stage import export_stage

        return export_stage(ExportParameters(**self.here, iteration=iteration, **more), self.run)

    def train(self, iteration: int = 1, **more: Any) -> StageResult:
        from ringrift_core.nn.stage import train_stage

        return train_stage(TrainParameters(**self.here, iteration=iteration, **more), self.run)

    def nnue(self, iteration: int = 1, **more: Any) -> StageResult:
        from ringrift_core.nnue.stage import nnue_stage

        return nnue_stage(NnueParameters(**self.here, iteration=iteration, **more), self.run)

    def distill(self, iteration: int = 1, **more: Any) -> StageResult:
        from ringrift_core.nnue.distill import distill_stage

        return distill_stage(DistillParameters(**self.here, iteration=iteration, **more), self.run)

    def cmaes(self, iteration: int = 1, **more: Any) -> StageResult:
        from ringrift_core.cmaes.stage import cmaes_stage

        return cmaes_stage(CmaesParameters(**self.here, iteration=iteration, **more), self.run)

    def evaluate(self, iteration: int = 1, **more: Any) -> StageResult:
        from ringrift_core.arena.stage import evaluate_stage

        return evaluate_stage(EvaluateParameters(**self.here, iteration=iteration, **more), self.run)

    def roundrobin(self, iteration: int = 1, **more: Any) -> StageResult:
        from ringrift_core.arena.roundrobin import roundrobin_stage

        return roundrobin_stage(RoundrobinParameters(**self.here, iteration=iteration, **more), self.run)

    def promote(self, **more: Any) -> StageResult:
        from ringrift_core.registry.stage import promote_stage

        more.setdefault("request_id", f"promote-{more['iteration']}")
        return promote_stage(PromoteParameters(**self.here, **more), self.run)

    def layouts(self) -> list[str]:
        """What the checkpoints in the store say of what their states hold."""
        keys = (key for key in self.archive.store.keys("") if key.endswith(".checkpoint.json"))
        found = [self.archive.store.read(key) for key in keys]
        return [json.loads(each.content)["layout"] for each in found if each is not None]

    def objects(self) -> set[str]:
        """Names of every object in the store."""
        prefix = self.archive.key("objects/")
        return {key.removeprefix(prefix) for key in self.archive.store.keys(prefix)}

"""Whether a gate promotes what has learnt from outcomes that belong to somebody else. See README.md here."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.configuration import configuration_of
from ringrift_core.archive import Archive
from ringrift_core.arena.stage import evaluate_stage
from ringrift_core.contract import (
    MOVE_LIMITS,
    Artifact,
    Board,
    Decision,
    EngineMode,
    EvaluateParameters,
    ExportParameters,
    InitialWeights,
    MergeParameters,
    NetworkSize,
    NnueParameters,
    SelfplayParameters,
    StageResult,
    Track,
    TrainParameters,
    Verdict,
)
from ringrift_core.dataset.manifest import DatasetManifest, DatasetShard
from ringrift_core.dataset.shards import write_npz
from ringrift_core.dataset.stage import export_stage
from ringrift_core.nn.stage import train_stage
from ringrift_core.nnue.stage import nnue_stage
from ringrift_core.replay.merge import merge_stage
from ringrift_core.reporting import Reporter
from ringrift_core.selfplay.stage import selfplay_stage
from ringrift_core.stage import Run

LABELS = ("flipped", "true")


@dataclass(frozen=True)
class Trial:
    """A configuration's stages in a store of their own."""

    board: Board
    players: int
    games: int
    epochs: int
    folder: Path

    def datasets(self) -> dict[str, Artifact]:
        """By its labels: that of the games, and the same with every outcome given to the seat after its own."""
        play = SelfplayParameters(
            **self._of(1),
            seed=1,
            games=self.games,
            engine_modes=(EngineMode.MINIMAX_ONLY,),
            initial_weights=InitialWeights.MATERIAL,
            random_moves=0,
            max_moves=MOVE_LIMITS[self.board][self.players - 2],
        )
        selfplay_stage(play, self._run)
        merge_stage(MergeParameters(**self._of(1)), self._run)
        true = export_stage(ExportParameters(**self._of(1), seed=1, exact_state=True), self._run).outputs["dataset"]
        return {"true": true, "flipped": self._flipped(true)}

    def verdicts(self, dataset: Artifact, iteration: int) -> Iterator[tuple[Track, Verdict | None]]:
        """What the gates say of candidates of both tracks that were trained on it; nothing where games repeat."""
        network = TrainParameters(
            **self._of(iteration), seed=iteration, dataset=dataset, size=NetworkSize.TINY, epochs=self.epochs
        )
        nnue = NnueParameters(**self._of(iteration), seed=iteration, dataset=dataset, epochs=self.epochs)
        for track, trained in (
            (Track.NETWORK, train_stage(network, self._run)),
            (Track.NNUE, nnue_stage(nnue, self._run)),
        ):
            yield track, self._judged(track, trained, iteration)

    def _judged(self, track: Track, trained: StageResult, iteration: int) -> Verdict | None:
        parameters = EvaluateParameters(
            **self._of(iteration),
            track=track,
            candidate=trained.outputs["candidate"],
            seed=iteration,
            max_games=300,
            max_moves=MOVE_LIMITS[self.board][self.players - 2],
        )
        return evaluate_stage(parameters, self._run).verdict

    def _flipped(self, dataset: Artifact) -> Artifact:
        manifest, shards = DatasetManifest.load(self.archive, dataset), []
        for shard in manifest.shards:
            with np.load(self.archive.get_file(shard.artifact, self.folder)) as file:
                columns = {name: file[name] for name in file.files}
            for name in ("outcomes", "values"):
                columns[name] = np.roll(columns[name], 1, axis=1)
            path = self.folder / "flipped.npz"
            write_npz(path, columns)
            shards.append(DatasetShard(rows=shard.rows, artifact=self.archive.put_file(path, "npz")))
        return manifest.model_copy(update={"shards": tuple(shards)}).save(self.archive)

    @property
    def archive(self) -> Archive:
        """Of the store."""
        return Archive.of(MergeParameters(**self._of(1)))

    @property
    def _run(self) -> Run:
        return Run(self.archive, self.folder, Reporter(), datetime.now(UTC))

    def _of(self, iteration: int) -> dict[str, Any]:
        store = (self.folder / "store").as_uri()
        return {"store": store, "board": self.board, "players": self.players, "iteration": iteration}


def main(
    configuration: Annotated[str, typer.Option(help="Such as square8-2p.")] = "square8-2p",
    seeds: Annotated[int, typer.Option(min=1, help="Trainings on flipped outcomes.")] = 20,
    controls: Annotated[int, typer.Option(min=1, help="Trainings on the outcomes as they were.")] = 5,
    games: Annotated[int, typer.Option(min=20, help="That all learn from.")] = 3000,
    epochs: Annotated[int, typer.Option(min=1)] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
) -> None:
    board, players = configuration_of(configuration)
    found: dict[tuple[str, Track], list[Verdict | None]] = {}
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(board, players, games, epochs, Path(folder))
        datasets = trial.datasets()
        for first, (labels, count) in enumerate(zip(LABELS, (seeds, controls), strict=True)):
            for number in range(count):
                for track, verdict in trial.verdicts(datasets[labels], 1 + first * seeds + number):
                    found.setdefault((labels, track), []).append(verdict)
    report: list[dict[str, Any]] = [
        {
            "labels": labels,
            "track": track.value,
            "trainings": len(verdicts),
            "refused": verdicts.count(None),
            "promoted": sum(each is not None and each.decision is Decision.PROMOTE for each in verdicts),
            "rates": [round(each.win_rate, 3) for each in verdicts if each is not None],
        }
        for (labels, track), verdicts in found.items()
    ]
    if as_json:
        typer.echo(json.dumps({"configuration": configuration, "games": games, "trials": report}))
        return
    table = Table(title=f"{configuration}, {games:,} games", box=box.SIMPLE_HEAD)
    numbers = ("promoted", "refused", "trainings")
    for heading in ("labels", "track", *numbers, "rates"):
        table.add_column(heading, justify="right" if heading in numbers else "left")
    for line in report:
        rates = f"{min(line['rates']):.3f} to {max(line['rates']):.3f}" if line["rates"] else ""
        table.add_row(line["labels"], line["track"], *(str(line[number]) for number in numbers), rates)
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)

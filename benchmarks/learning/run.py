"""Learning from nothing to a network, generation by generation, in a folder of its own. See README.md here.

A generation is self-play, merge, export, train, as the stages' own commands, then matches; all that is known of it is
in the folder, so whatever is killed goes on where it was.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.configuration import configuration_of
from benchmarks.learning.exported import promote_network
from benchmarks.learning.ledger import Ledger, Spent
from benchmarks.learning.settings import Settings, only_one, pair_of, remember, usual_matches
from benchmarks.learning.stages import OutOfTimeError, Stages
from benchmarks.learning.table import table_of
from benchmarks.matches import Played, Side, play, report
from ringrift_core.archive import Archive
from ringrift_core.arena.gate import RegressionTest, SprtGate
from ringrift_core.contract import (
    Artifact,
    Board,
    Decision,
    Device,
    ExitCode,
    ExportParameters,
    ExportResult,
    MergeParameters,
    MergeResult,
    NetworkSize,
    PromoteParameters,
    SelfplayParameters,
    Shards,
    StageParameters,
    StageResult,
    StartFrom,
    Track,
    TrainParameters,
    TrainResult,
    configuration_name,
)
from ringrift_core.cores import available_cores
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.errors import RingRiftError
from ringrift_core.players.cards import ModelCard
from ringrift_core.players.specification import Specification
from ringrift_core.registry.records import champion_artifact, read_registry
from ringrift_core.replay.shards import SHARD_OUTPUT, shard_task
from ringrift_core.seating import Judges, Seating
from ringrift_core.store import open_store

TRANSFERRED = {
    Board.SQUARE8: Board.SQUARE19,
    Board.SQUARE19: Board.SQUARE8,
    Board.HEX8: Board.HEXAGONAL,
    Board.HEXAGONAL: Board.HEX8,
}
"""The board whose networks one may start from: their parameters have the same shapes."""
CORES_OF_A_PROCESS = 2
"""Of self-play by a network: one thread asks it for all games of a process, so many cores want several of them."""
GATE_GAMES = 200
"""Of a gate, and of a regression test, at most."""
EPOCHS = 100
"""More than a training comes to: its uses of each position end it."""


def main(
    folder: Annotated[Path, typer.Option(help="The run's; one that is there goes on.")],
    configuration: Annotated[str, typer.Option(help="Such as square8-2p.")] = "square8-2p",
    hours: Annotated[float, typer.Option(min=0, help="Wall time of the whole run; no generation begins after it.")] = 3,
    minutes: Annotated[float, typer.Option(min=0, help="Of this piece: a repeat goes on; 0 is all of it.")] = 0,
    generations: Annotated[int, typer.Option(min=1, help="At most, generation 0 among them.")] = 1000,
    threads: Annotated[int, typer.Option(min=0, help="Cores to use, the first that there are; 0: all.")] = 0,
    device: Annotated[Device | None, typer.Option(help="Trains; omitted: cuda where torch finds one.")] = None,
    games: Annotated[int, typer.Option(min=4, help="Of generation 0, by the teacher.")] = 12_000,
    teacher: Annotated[str, typer.Option(help="Plays generation 0.")] = "weights@0:minimax-3:12000",
    selfplay_games: Annotated[int, typer.Option(min=4, help="Of each later generation.")] = 3000,
    player: Annotated[
        str, typer.Option(help="Plays them: several, comma-separated, are dealt over the seats.")
    ] = "network:gumbel:64",
    size: Annotated[NetworkSize | None, typer.Option(help="Omitted: small, or as the other board's.")] = None,
    first_uses: Annotated[int, typer.Option(min=1, help="Of each position of generation 0, in training.")] = 3,
    uses: Annotated[
        int, typer.Option(min=1, help="Of each new position of a later generation, counting old ones.")
    ] = 8,
    batch_size: Annotated[int, typer.Option(min=1)] = 256,
    window: Annotated[int, typer.Option(min=0, help="Newest games to train on; 0 is the window of export.")] = 30_000,
    outcome_weight: Annotated[float, typer.Option(min=0, max=1, help="From generation 1 on.")] = 0.8,
    surprise: Annotated[float, typer.Option(min=0, max=1, help="See `ringrift train --help`.")] = 0.0,
    restart_share: Annotated[float, typer.Option(min=0, max=1, help="Of games from surprising positions.")] = 0.25,
    transfer: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Another board's network, as `ringrift models export` writes it: generation 0 starts from it.",
        ),
    ] = None,
    match: Annotated[list[str] | None, typer.Option(help="'CANDIDATE OPPONENT' each generation, repeatable.")] = None,
    match_games: Annotated[int, typer.Option(min=2)] = 40,
    gate_every: Annotated[int, typer.Option(min=0, help="Generations between gates of the newest; 0: none.")] = 4,
    seed: Annotated[int, typer.Option(min=0, max=10**6)] = 1,
    change: Annotated[bool, typer.Option(help="Go on with other settings than the folder was begun with.")] = False,
) -> None:
    if transfer is not None and size is not None:
        raise typer.BadParameter("--size beside --transfer: a network is of the size that it has")
    board, players = configuration_of(configuration)
    settings = Settings(
        board=board,
        players=players,
        seed=seed,
        teacher=teacher,
        first_games=games,
        games=selfplay_games,
        player=player,
        size=size or NetworkSize.SMALL,
        first_uses=first_uses,
        uses=uses,
        batch_size=batch_size,
        window=window,
        outcome_weight=outcome_weight,
        surprise=surprise,
        restart_share=restart_share,
        transfer="" if transfer is None else str(transfer.resolve()),
        matches=tuple(pair_of(text) for text in match) if match else usual_matches(board),
        match_games=match_games,
        gate_every=gate_every,
    )
    cores = _keep_to(threads)
    until = time.monotonic() + 60 * minutes if minutes else float("inf")
    with only_one(folder):
        remember(settings, folder, change)
        run = LearningRun(settings, folder, cores, device or _fastest_device(), until)
        try:
            while len(run.done) < generations and run.spent.wall < 3600 * hours:
                run.generation()
                Console(width=180).print(table_of(settings, run.done))
        except OutOfTimeError:
            typer.echo(f"the time of this piece is over in generation {len(run.done)}: begin again to go on", err=True)
        except RingRiftError as error:
            raise typer.BadParameter(str(error)) from None


def _keep_to(threads: int) -> list[int]:
    """The cores of this process and of all that it starts."""
    cores = sorted(os.sched_getaffinity(0))[: threads or None]
    os.sched_setaffinity(0, cores)
    return cores[: available_cores()]


def _fastest_device() -> Device:
    import ringrift_core.nn  # noqa: F401  # First: it says how torch is to be loaded.

    import torch  # isort: skip

    return Device.CUDA if torch.cuda.is_available() else Device.CPU


class LearningRun:
    """Generation g is iteration g + 1 of the folder's store."""

    def __init__(self, settings: Settings, folder: Path, cores: list[int], device: Device, until: float) -> None:
        self.settings = settings
        self._folder, self._cores, self._device, self._until = folder, cores, device, until
        self._store = (folder / "store").resolve().as_uri()
        self._archive = Archive(open_store(self._store), configuration_name(settings.board, settings.players))
        self._ledger = Ledger(folder / "spent.json")
        self._stages = Stages(folder, self._ledger, until)
        self._lines = folder / "generations.jsonl"
        self.done: list[dict[str, Any]] = []
        if self._lines.exists():
            # A line that a kill cut short is made anew.
            lines = [line for line in self._lines.read_text().splitlines(keepends=True) if line.endswith("\n")]
            self._lines.write_text("".join(lines))
            self.done = [json.loads(line) for line in lines]

    @property
    def spent(self) -> Spent:
        """In all pieces of the run."""
        return self._ledger.total

    @property
    def _iteration(self) -> int:
        return len(self.done) + 1

    @property
    def _of_all(self) -> dict[str, Any]:
        settings = self.settings
        return {"store": self._store, "board": settings.board, "players": settings.players}

    def generation(self) -> None:
        """The next one, from self-play to its line in the table. OutOfTimeError leaves it to be gone on with."""
        champion = read_registry(self._archive, Track.NETWORK).version
        if champion == self._iteration:
            # Promoted, and killed before its line was written.
            champion = read_registry(self._archive, Track.NETWORK).predecessor
        start = self._start(champion)
        played = self._play(champion)
        exported = self._stage(self._export())
        trained = self._stage(self._train(exported, champion, start))
        self._sweep(exported)
        candidate = trained.outputs["candidate"]
        matches = [self._match(pair, candidate) for pair in self.settings.matches]
        regression = self._against_champion(candidate, champion)
        if regression is None or regression["decision"] != Decision.REGRESSED:
            self._promote(candidate, champion)
        self._keep_network(candidate)
        gate = self._gate(candidate)
        data, learnt, spent = exported.answer(ExportResult), trained.answer(TrainResult), self._ledger.total
        line = {
            "generation": len(self.done),
            "wall": round(spent.wall, 1),
            "core_hours": round(spent.core / 3600, 4),
            "new_games": played,
            "games": data.games,
            "rows": data.rows,
            "self_played_by": champion - 1 if champion else None,
            "network": candidate.sha256,
            "training": learnt.model_dump(mode="json"),
            "matches": matches,
            "regression": regression,
            "gate": gate,
            "spent": {name: asdict(each) for name, each in self._ledger.by_work.items()},
        }
        with self._lines.open("a") as lines:
            lines.write(json.dumps(line) + "\n")
        self.done.append(line)
        typer.echo(json.dumps(line))

    # --- the stages -------------------------------------------------------------------------------------------

    def _play(self, champion: int) -> int:
        """Self-play and merge: how many games are new."""
        settings, is_first = self.settings, champion == 0
        games = settings.first_games if is_first else settings.games
        processes = max(1, len(self._cores) // CORES_OF_A_PROCESS) if not is_first else 1
        restarts = None
        if not is_first and settings.restart_share and self.done:
            restarts = self._recorded("export", self._iteration - 1).outputs.get("restarts")
        whole = SelfplayParameters(
            **self._of_all,
            iteration=self._iteration,
            seed=settings.seed + 1000 * self._iteration,
            games=games,
            player=settings.teacher if is_first else settings.player,
            network_version=champion,
            random_moves=0.0,
            restarts=restarts,
            restart_share=settings.restart_share,
            log_games=False,
            shard=Shards(0, processes - 1, processes),
        )
        bounds = [part * len(self._cores) // processes for part in range(processes + 1)]
        shares = [self._cores[first:last] for first, last in pairwise(bounds)]
        self._stages.run_all([(whole.model_copy(update={"index": part}), shares[part]) for part in range(processes)])
        merged = self._stage(MergeParameters(**self._of_all, iteration=self._iteration))
        for part in range(processes):
            self._archive.delete(self._recorded(shard_task(part), self._iteration).outputs[SHARD_OUTPUT])
        return merged.answer(MergeResult).new_games

    def _start(self, champion: int) -> StartFrom | None:
        """What a training begins with: the champion, or at first another board's, which is put into the store once."""
        if champion or not self.settings.transfer:
            return StartFrom(None, champion) if champion else None
        folder, players = Path(self.settings.transfer), self.settings.players
        board = TRANSFERRED[self.settings.board]
        archive = Archive(self._archive.store, configuration_name(board, players))
        if not read_registry(archive, Track.NETWORK).version:
            work = self._folder / "work"
            work.mkdir(exist_ok=True)
            promote_network(folder, archive, board, players, work, f"to start {self.settings.board} from")
        return StartFrom(board, read_registry(archive, Track.NETWORK).version)

    def _export(self) -> ExportParameters:
        settings = self.settings
        restarts = round(settings.games * settings.restart_share)
        return ExportParameters(
            **self._of_all,
            iteration=self._iteration,
            seed=settings.seed,
            window=settings.window,
            positions_per_game=512,
            restarts=restarts,
        )

    def _train(self, exported: StageResult, champion: int, start: StartFrom | None) -> TrainParameters:
        settings = self.settings
        return TrainParameters(
            **self._of_all,
            iteration=self._iteration,
            seed=settings.seed,
            dataset=exported.outputs["dataset"],
            start_from=start,
            size=settings.size if start is None else None,
            epochs=EPOCHS if champion else settings.first_uses,
            uses=settings.uses if champion else 0,
            batch_size=settings.batch_size,
            outcome_weight=settings.outcome_weight if champion else 1.0,
            surprise=settings.surprise,
            device=self._device,
        )

    def _sweep(self, exported: StageResult) -> None:
        """Games can be exported again; what has been trained on is only large."""
        dataset = DatasetManifest.load(self._archive, exported.outputs["dataset"])
        for shard in dataset.shards:
            self._archive.delete(shard.artifact)
        shutil.rmtree(self._folder / "work", ignore_errors=True)

    def _promote(self, candidate: Artifact, champion: int) -> None:
        self._stage(
            PromoteParameters(
                **self._of_all,
                track=Track.NETWORK,
                request_id=f"generation-{len(self.done)}",
                expected_version=champion,
                iteration=self._iteration,
                candidate=candidate,
                keep_backup_models=10_000,
            )
        )

    def _recorded(self, task: str, iteration: int) -> StageResult:
        record = self._archive.record(iteration, task)
        assert record is not None, f"{task} of iteration {iteration} is finished"
        return record.result

    def _stage(self, parameters: StageParameters) -> StageResult:
        (result,) = self._stages.run_all([(parameters, self._cores)])
        return result

    # --- matches ----------------------------------------------------------------------------------------------

    def _match(self, pair: tuple[str, str], candidate: Artifact) -> dict[str, Any]:
        played = self._played(pair[0], candidate, pair[1], None, self.settings.match_games)
        return {"candidate": pair[0], "opponent": pair[1], **report(played)}

    def _played(
        self, player: str, candidate: Artifact, opponent: str, other: Artifact | None, games: int, seed: int = 0
    ) -> Played:
        """A match of a network against somebody, or another network."""
        seating = self._seating()
        sides = [
            Side.seated(seating, Specification.parse(text), artifact)
            for text, artifact in ((player, candidate), (opponent, other))
        ]
        with self._ledger.timed("match"):
            played = play(
                seating, sides[0], sides[1], games, seed or self.settings.seed, len(self._cores), self._goes_on
            )
        if played is None:
            raise OutOfTimeError
        return played

    def _goes_on(self) -> bool:
        return time.monotonic() < self._until

    def _seating(self) -> Seating:
        folder = self._folder / "work"
        folder.mkdir(exist_ok=True)
        return Seating(Judges(self.settings.board, self.settings.players, self._archive, folder))

    def _against_champion(self, candidate: Artifact, champion: int) -> dict[str, Any] | None:
        """The regression test against the network that the games were played by."""
        if not champion:
            return None
        test = RegressionTest(self.settings.players, GATE_GAMES, 0.45)
        return self._judged(test, candidate, champion_artifact(self._archive, Track.NETWORK, champion))

    def _gate(self, candidate: Artifact) -> dict[str, Any] | None:
        """The newest network that has not regressed against the last one that passed, now and then."""
        every, registry = self.settings.gate_every, read_registry(self._archive, Track.NETWORK)
        if not every or len(self.done) % every or registry.version != self._iteration:
            return None
        passed = [line["generation"] for line in self.done if line["gate"] and line["gate"]["passed"]]
        if not self.done:
            return {"passed": True, "against": None}
        against = passed[-1]
        gate = SprtGate(self.settings.players, GATE_GAMES, 0.55)
        found = self._judged(gate, candidate, champion_artifact(self._archive, Track.NETWORK, against + 1))
        return {"passed": found["decision"] == Decision.PROMOTE, "against": against, **found}

    def _judged(self, gate: RegressionTest | SprtGate, candidate: Artifact, other: Artifact) -> dict[str, Any]:
        player, part = "network:gumbel:16", 0
        scores: list[float] = []
        while (judgement := gate.judge(scores)) is None and len(scores) < gate.most_groups:
            part += 1
            games = min(16, gate.most_groups - len(scores)) * self.settings.players
            played = self._played(player, candidate, player, other, games, seed=10**6 * part + self._iteration)
            scores += played.scores
        assert judgement is not None
        return {"decision": judgement.decision, "games": judgement.groups * self.settings.players, **asdict(judgement)}

    def _keep_network(self, candidate: Artifact) -> None:
        """Where people find it."""
        networks = self._folder / "networks"
        networks.mkdir(exist_ok=True)
        card = ModelCard.load(self._archive, candidate)
        onnx = self._archive.get_file(card.onnx, self._folder / "work")
        shutil.copyfile(onnx, networks / f"{len(self.done):04d}.onnx")


if __name__ == "__main__":
    # A piece that is stopped lets its stages save.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ExitCode.NOT_NOW))
    typer.run(main)

"""An NNUE that says of positions what a network says: games of several kinds, then the stage distill. See README.md.

The stages' own commands do all of it in one folder: killed at any moment, it goes on where it was.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.configuration import configuration_of
from benchmarks.learning.exported import promote_network
from benchmarks.learning.ledger import Ledger
from benchmarks.learning.settings import only_one
from benchmarks.learning.stages import Stages
from ringrift_core.archive import Archive
from ringrift_core.contract import (
    Board,
    DistillParameters,
    ExitCode,
    ExportParameters,
    MergeParameters,
    SelfplayParameters,
    StageParameters,
    StageResult,
    Track,
    configuration_name,
)
from ringrift_core.players.cards import NnueCard
from ringrift_core.registry.records import read_registry
from ringrift_core.store import open_store

WINDOW = 1_000_000
"""More games than anybody plays here: all of them are learned from."""
POSITIONS_PER_GAME = 512


@dataclass(frozen=True)
class Games:
    """One kind of them."""

    number: int
    random_moves: float
    """Share of decisions: an NNUE is asked about what bad moves lead to more often than about anything else."""
    player: str

    @classmethod
    def parse(cls, text: str) -> Games:
        match text.split():
            case [number, random_moves, player]:
                return cls(int(number), float(random_moves), player)
        raise ValueError(
            f"{text!r}: expected games, a share of random moves and a player: '5000 0.1 network:gumbel:16'"
        )


def main(
    folder: Annotated[Path, typer.Option(help="The run's; one that is there goes on.")],
    configuration: Annotated[str, typer.Option(help="Such as square8-2p.")],
    network: Annotated[Path, typer.Option(exists=True, help="Teacher, a folder of `ringrift models export`.")],
    play: Annotated[list[str], typer.Option(help="'GAMES RANDOM-MOVES PLAYER', repeatable.")],
    positions: Annotated[int, typer.Option(min=1, help="To train on, at most.")] = 2_500_000,
    epochs: Annotated[int, typer.Option(min=1)] = 12,
    batch_size: Annotated[int, typer.Option(min=1)] = 2048,
    learning_rate: Annotated[float, typer.Option(min=0, max=1)] = 0.002,
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    board, players = configuration_of(configuration)
    try:
        kinds = [Games.parse(text) for text in play]
    except ValueError as error:
        raise typer.BadParameter(f"--play {error}") from None
    with only_one(folder):
        found = _Distillation(folder, board, players, seed).run(
            network, kinds, {"positions": positions, "epochs": epochs, "batch_size": batch_size,
                             "learning_rate": learning_rate}
        )  # fmt: skip
    typer.echo(json.dumps(found))


class _Distillation:
    """Games of kind i are those of iteration i + 1; the last iteration learns from all."""

    def __init__(self, folder: Path, board: Board, players: int, seed: int) -> None:
        self._folder, self._board, self._players, self._seed = folder, board, players, seed
        self._store = (folder / "store").resolve().as_uri()
        self._archive = Archive(open_store(self._store), configuration_name(board, players))
        self._ledger = Ledger(folder / "spent.json")
        self._stages = Stages(folder, self._ledger, float("inf"))

    def run(self, network: Path, kinds: list[Games], plan: dict[str, Any]) -> dict[str, Any]:
        work = self._folder / "work"
        work.mkdir(exist_ok=True)
        if not read_registry(self._archive, Track.NETWORK).version:
            promote_network(network, self._archive, self._board, self._players, work, "the teacher")
        for iteration, kind in enumerate(kinds, 1):
            self._play(iteration, kind)
        of_last = {**self._of_all, "iteration": len(kinds)}
        exported = self._stage(
            ExportParameters(
                **of_last,
                seed=self._seed,
                window=WINDOW,
                positions_per_game=POSITIONS_PER_GAME,
                exact_state=True,
            )
        )
        distilled = self._stage(
            DistillParameters(
                **of_last, seed=self._seed, dataset=exported.outputs["dataset"], network_version=1, **plan
            )
        )
        card = NnueCard.load(self._archive, distilled.outputs["candidate"])
        shutil.copyfile(self._archive.get_file(card.network, work), self._folder / "nnue.safetensors")
        spent = self._ledger.total
        return {**card.metrics, "wall": round(spent.wall), "core_seconds": round(spent.core)}

    @property
    def _of_all(self) -> dict[str, Any]:
        return {"store": self._store, "board": self._board, "players": self._players}

    def _play(self, iteration: int, kind: Games) -> None:
        of_it = {**self._of_all, "iteration": iteration}
        asks = kind.player.startswith("network:")
        self._stage(
            SelfplayParameters(
                **of_it,
                seed=self._seed + 1000 * iteration,
                games=kind.number,
                player=kind.player,
                random_moves=kind.random_moves,
                network_version=int(asks),
                log_games=False,
            )
        )
        self._stage(MergeParameters(**of_it))

    def _stage(self, parameters: StageParameters) -> StageResult:
        (result,) = self._stages.run_all([(parameters, sorted(os.sched_getaffinity(0)))])
        return result


if __name__ == "__main__":
    # A piece that is stopped lets its stages save.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ExitCode.NOT_NOW))
    typer.run(main)

"""The weights of a configuration: searched with several seeds, the best of them chosen and measured.

`F/weights-square8-2p.json` is what the package would ship, `F/square8-2p.json` what it rests on. What was found is kept
search by search, and searches keep checkpoints: a run that is killed goes on.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.configuration import configuration_of
from benchmarks.matches import Side, play
from ringrift_core import _engine
from ringrift_core.archive import Archive, to_stored_json
from ringrift_core.arena.interval import Rate, measure
from ringrift_core.contract import (
    MOVE_LIMITS,
    STAGE_PROGRAM,
    Board,
    CmaesParameters,
    CmaesResult,
    PromoteParameters,
    Track,
    configuration_name,
    read_result,
    to_arguments,
)
from ringrift_core.players.ladder import MINIMAX_NOISE
from ringrift_core.players.specification import Specification
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.seating import Manner, Seating, seat
from ringrift_core.store import open_store

SMALL = (Board.SQUARE8, Board.HEX8)
"""Boards whose searches begin with the hand-set weights, and go on until a test of the mean ends them."""
GENERATIONS, GENERATIONS_OF_LARGE = 1000, 40
FIRST_SEED = 7
GROUPS, GROUPS_OF_LARGE = 1000, 100
"""Of each match among what was found, one ply."""
OPENING_SEED = 4242
RUNG_GAMES = 400
RUNG = {True: "minimax:25000", False: "minimax:6000"}
"""Rung 5 of the ladder on small boards, and on large ones."""


@dataclass(frozen=True)
class Found:
    """What one search came to."""

    seed: int
    vector: tuple[float, ...]
    message: str
    games: int
    seconds: float
    player: str | None = None
    """Whose games said what weights are worth: one ply's, where nothing is said."""

    @classmethod
    def read(cls, content: str) -> Found:
        values = json.loads(content)
        return cls(**{**values, "vector": tuple(values["vector"])})


@dataclass(frozen=True)
class Searches:
    """The searches of one configuration."""

    board: Board
    players: int
    folder: Path
    threads: int
    player: str | None = None
    """Whose games say what weights are worth: one ply, where nothing is said."""

    @property
    def name(self) -> str:
        return configuration_name(self.board, self.players)

    @property
    def is_small(self) -> bool:
        return self.board in SMALL

    @property
    def groups(self) -> int:
        """Of each match among what was found."""
        return GROUPS if self.is_small else GROUPS_OF_LARGE

    @property
    def hand_set(self) -> tuple[float, ...]:
        return tuple(_engine.heuristic_weights("baseline"))

    def found(self, seed: int) -> Found:
        """What the search with this seed comes to, now or before."""
        file = self.folder / f"{self.name}-seed{seed}.json"
        if not file.exists():
            found = self._search(seed)
            file.write_text(json.dumps(found.__dict__, indent=1))
        found = Found.read(file.read_text())
        _by_the_same(found.player, self.player, file)
        return found

    def weights(self, vector: Sequence[float]) -> HeuristicWeights:
        """As they are stored."""
        return HeuristicWeights.of_vector(list(vector), self.board, self.players)

    def start(self) -> tuple[float, ...]:
        """On a large board what square8 has come to, where that is better than the hand-set weights."""
        name = configuration_name(Board.SQUARE8, self.players)
        small = self.folder / f"weights-{name}.json"
        if self.is_small or not small.exists():
            return self.hand_set
        vector = tuple(HeuristicWeights.read(small.read_bytes(), str(small), name).vector)
        (rate,) = self.rates([vector], self.hand_set, GROUPS_OF_LARGE, OPENING_SEED - 1)
        return vector if rate.rate > 0.5 else self.hand_set

    def rates(
        self, vectors: Sequence[Sequence[float]], opponent: Sequence[float], groups: int, seed: int
    ) -> list[Rate]:
        """Of each against the opponent at one ply, on the same openings."""
        matches = _engine.play_matches(
            self.board.value,
            self.players,
            [_one_ply(vector) for vector in vectors],
            _one_ply(opponent),
            seed=seed,
            groups=groups,
            max_turns=MOVE_LIMITS[self.board][self.players - 2],
            threads=self.threads,
        )
        return [measure([group.score / self.players for group in match], self.players) for match in matches]

    def _search(self, seed: int) -> Found:
        store = (self.folder / f"store-{self.name}-seed{seed}").resolve()
        archive, start = Archive(open_store(store.as_uri()), self.name), self.start()
        common: dict[str, Any] = {"store": store.as_uri(), "board": self.board, "players": self.players, "iteration": 1}
        if start != self.hand_set:
            made = self.weights(start).save(archive)
            promoted = PromoteParameters(
                **common, track=Track.WEIGHTS, expected_version=0, request_id="start", candidate=made
            )
            self._run(promoted)
        parameters = CmaesParameters(
            **common | {"iteration": 2},
            seed=seed,
            player=self.player,
            weights_version=0 if start == self.hand_set else 1,
            generations=GENERATIONS if self.is_small else GENERATIONS_OF_LARGE,
            max_moves=MOVE_LIMITS[self.board][self.players - 2],
            workers=self.threads,
        )
        began = time.monotonic()
        result = read_result(self._run(parameters))
        weights, games = HeuristicWeights.load(archive, result.outputs["candidate"]), result.answer(CmaesResult).games
        return Found(seed, tuple(weights.vector), result.message, games, round(time.monotonic() - began), self.player)

    def _run(self, parameters: CmaesParameters | PromoteParameters) -> bytes:
        answer, log = self.folder / "result.json", self.folder / "log.txt"
        work = self.folder / "work" / self.name
        command = [*STAGE_PROGRAM, *to_arguments(parameters), "--result", str(answer), "--work-dir", str(work)]
        with log.open("ab") as said:
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False).returncode
        if status != 0:
            raise SystemExit(f"{parameters.stage}: exit status {status}: {log} says why")
        return answer.read_bytes()


def choose(searches: Searches, found: Sequence[Found]) -> tuple[HeuristicWeights, dict[str, Any]]:
    """The one that does best against the others and the hand-set weights, on openings of their own; and its figures."""
    vectors = [one.vector for one in found]
    everybody = [*vectors, searches.hand_set]
    table = [
        searches.rates(vectors, other, searches.groups, OPENING_SEED + number) for number, other in enumerate(everybody)
    ]
    totals = [
        sum(rates[one].rate for number, rates in enumerate(table) if number != one) for one in range(len(vectors))
    ]
    best = max(range(len(vectors)), key=lambda one: totals[one])
    weights, chosen = searches.weights(vectors[best]), found[best]
    return weights, {
        "seed": chosen.seed,
        "among": [one.seed for one in found],
        "stop": chosen.message,
        "games": chosen.games,
        "seconds": chosen.seconds,
        **({} if searches.player is None else {"player": searches.player}),
        "onePly": _told(table[-1][best]),
        "rung5": _told(_inside_rung(searches, weights)),
    }


def _inside_rung(searches: Searches, weights: HeuristicWeights) -> Rate:
    """Inside the ladder's rung 5, against the same search by the hand-set weights."""
    seating, search = Seating.without_store(searches.board, searches.players), RUNG[searches.is_small]
    hand_set = Side.seated(seating, Specification.parse(f"weights@0:{search}"))
    candidate = Side(
        seat(Specification.parse(f"weights:{search}").search, weights, Manner(noise=MINIMAX_NOISE)), asks=False
    )
    played = play(seating, candidate, hand_set, RUNG_GAMES, OPENING_SEED, searches.threads)
    assert played is not None
    return played.rate


def _one_ply(vector: Sequence[float]) -> _engine.Player:
    return _engine.Player.one_ply(_engine.Judge.linear(list(vector)))


def _by_the_same(before: str | None, now: str | None, file: Path) -> None:
    """BadParameter where a file rests on the games of somebody else than is asked for."""
    if before != now:
        told = [player or "one ply" for player in (before, now)]
        raise typer.BadParameter(f"{file}: found by games of {told[0]}, not of {told[1]}: give another --folder")


def _told(rate: Rate) -> list[float]:
    return [round(rate.rate, 4), round(rate.low, 4), round(rate.high, 4)]


def main(
    folder: Annotated[Path, typer.Option(help="The run's; one that is there goes on.")],
    configuration: Annotated[list[str], typer.Option(help="Repeatable, such as square8-2p; in their order.")],
    seeds: Annotated[int, typer.Option(min=1, help="Searches of each.")] = 3,
    threads: Annotated[int, typer.Option(min=0, help="That play; 0 is every core.")] = 0,
    player: Annotated[
        str | None, typer.Option(help="Whose games say what weights are worth, such as weights:minimax:500: one ply's.")
    ] = None,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("configuration", "seed", "stop", "games", "one ply", "inside rung 5"):
        table.add_column(heading)
    for name in configuration:
        searches = Searches(*configuration_of(name), folder, threads, player)
        file = folder / f"{name}.json"
        if not file.exists():
            weights, figures = choose(searches, [searches.found(FIRST_SEED + number) for number in range(seeds)])
            (folder / f"weights-{name}.json").write_bytes(to_stored_json(weights) + b"\n")
            file.write_text(json.dumps(figures, indent=1) + "\n")
        chosen = json.loads(file.read_text())
        _by_the_same(chosen.get("player"), player, file)
        rates = ("{:.3f} ({:.3f}-{:.3f})".format(*chosen[key]) for key in ("onePly", "rung5"))
        table.add_row(name, f"{chosen['seed']}", chosen["stop"], f"{chosen['games']:,}", *rates)
    Console(width=170).print(table)


if __name__ == "__main__":
    typer.run(main)

"""Puts a file that was found among those that come with the package, with the evidence it rests on. See README.md here.

A file that has not shown what ringrift_core/players/shipped/README.md asks for is refused in a sentence, and nothing is
written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.configuration import configuration_of
from benchmarks.learning.match import UNTRAINED
from benchmarks.learning.weights import OPENING_SEED, RUNG_GAMES, Searches
from ringrift_core.contract import Board, configuration_name
from ringrift_core.errors import RingRiftError
from ringrift_core.players.shipped import (
    SHIPPED,
    Evidence,
    MatchFigures,
    evidence_name,
    requirements,
    shipped_name,
)
from ringrift_core.players.specification import Judge, JudgeKind, Specification
from ringrift_core.seating import Judges

app = typer.Typer(help=__doc__, no_args_is_help=True)


@app.command()
def weights(
    folder: Annotated[Path, typer.Option(help="Of benchmarks.learning.weights, which has measured them.")],
    configuration: Annotated[list[str], typer.Option(help="Repeatable, such as square8-2p.")],
    commit: Annotated[str, typer.Option(help="The version that searched.")],
) -> None:
    """Weights that were searched, with the figures of their search."""
    for name in configuration:
        board, players = configuration_of(name)
        figures = json.loads((folder / f"{name}.json").read_text())
        content = (folder / f"weights-{name}.json").read_bytes()
        gate, inside = requirements(JudgeKind.WEIGHTS, board, players)
        searches = Searches(board, players, folder, threads=0)
        # Against the hand-set weights the openings come after those of the matches among what was found.
        one_ply = _measured(gate.player, gate.opponent, searches.groups * players, figures["onePly"])
        rung = _measured(inside.player, inside.opponent, -(-RUNG_GAMES // players) * players, figures["rung5"])
        evidence = Evidence(
            board=board,
            players=players,
            judge=JudgeKind.WEIGHTS,
            sha256=hashlib.sha256(content).hexdigest(),
            source=f"python -m benchmarks.learning.weights --folder F --configuration {name}"
            + (f" --player {figures['player']}" if "player" in figures else ""),
            commit=commit,
            seeds=(figures["seed"], *(seed for seed in figures["among"] if seed != figures["seed"])),
            games=figures["games"],
            ended=figures["stop"],
            matches=(
                MatchFigures(**one_ply, seed=OPENING_SEED + len(figures["among"])),
                MatchFigures(**rung, seed=OPENING_SEED),
            ),
        )
        _ship(content, evidence)


@app.command()
def network(
    file: Annotated[Path, typer.Option(help="ONNX of a network, or safetensors of an NNUE.")],
    configuration: Annotated[str, typer.Option(help="Such as square8-2p.")],
    matches: Annotated[Path, typer.Option(help="What benchmarks.learning.match --json has printed of it.")],
    source: Annotated[str, typer.Option(help="The command that made it.")],
    commit: Annotated[str, typer.Option(help="The version that made it.")],
    games: Annotated[int, typer.Option(min=1, help="That it learnt from.")],
    ended: Annotated[str, typer.Option(help="Why its training ended there.")],
    seed: Annotated[int, typer.Option(help="Of its making.")],
    judge: Annotated[JudgeKind, typer.Option()] = JudgeKind.NETWORK,
) -> None:
    """A network or an NNUE, with the figures of its matches."""
    board, players = configuration_of(configuration)
    content = file.read_bytes()
    evidence = Evidence(
        board=board,
        players=players,
        judge=judge,
        sha256=hashlib.sha256(content).hexdigest(),
        source=source,
        commit=commit,
        seeds=(seed,),
        games=games,
        ended=ended,
        matches=tuple(_matches(matches, judge, file)),
    )
    _ship(content, evidence)


def _measured(player: Specification, opponent: Specification, games: int, rate: Sequence[float]) -> dict[str, Any]:
    names = {"player": str(player), "opponent": str(opponent), "games": games}
    return {**names, **dict(zip(("rate", "low", "high"), rate, strict=True))}


def _matches(lines: Path, judge: JudgeKind, file: Path) -> list[MatchFigures]:
    """Those of the file, which stands in no player's name any more."""
    found = []
    for line in lines.read_text().splitlines():
        match = json.loads(line)
        if any(match[side].startswith(UNTRAINED) for side in ("candidate", "opponent")):
            continue
        player = Specification.parse(match["candidate"])
        if player.judge != Judge(judge, file=file):
            continue
        named = Specification(player.search, Judge(judge))
        rate = [match[key] for key in ("rate", "low", "high")]
        measured = _measured(named, Specification.parse(match["opponent"]), match["games"], rate)
        found.append(MatchFigures(**measured, seed=match["seed"]))
    return found


def _ship(content: bytes, evidence: Evidence) -> None:
    kind, board, players = evidence.judge, evidence.board, evidence.players
    name = shipped_name(kind, board, players)
    if refusal := evidence.refusal(content):
        raise typer.BadParameter(f"{name}: {refusal}")
    _load(name, content, kind, board, players)
    beside = json.dumps(evidence.model_dump(mode="json", by_alias=True), indent=1) + "\n"
    (SHIPPED / evidence_name(kind, board, players)).write_text(beside)
    typer.echo(f"{name}: shipped, {len(content):,} bytes")


def _load(name: str, content: bytes, kind: JudgeKind, board: Board, players: int) -> None:
    """Writes the file where it is looked for, if it can be seated for the configuration."""
    path, beside = SHIPPED / name, SHIPPED / f".{name}"
    beside.write_bytes(content)
    try:
        Judges(board, players, None, Path()).of(Judge(kind, file=beside))
        beside.replace(path)
    except RingRiftError as error:
        raise typer.BadParameter(f"{configuration_name(board, players)}: {error}") from None
    finally:
        beside.unlink(missing_ok=True)


if __name__ == "__main__":
    app()

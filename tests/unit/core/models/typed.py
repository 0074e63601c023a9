"""`ringrift models` on a store that the stages made, and what tests look at there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from typer.testing import CliRunner, Result

from ringrift_core.claim import take_claim
from ringrift_core.cli import app
from ringrift_core.contract import (
    AdoptParameters,
    Artifact,
    Board,
    Holder,
    InitialWeights,
    Track,
)
from ringrift_core.players.cards import ModelCard
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.registry.champions import Registry
from ringrift_core.registry.records import read_registry
from tests.unit.core.desk import Desk

CONFIGURATION = "square8-2p"
BECAUSE = ("--because", "it won by hand")


def models(*arguments: str | Path) -> Result:
    """As into a pipe: lines are as long as they come out."""
    return CliRunner().invoke(app, ["models", *map(str, arguments)], env={"COLUMNS": None})


def root(desk: Desk) -> str:
    return desk.archive.store.uri


def registry(desk: Desk, track: Track = Track.WEIGHTS) -> Registry:
    return read_registry(desk.archive, track)


def everything(desk: Desk) -> dict[str, bytes]:
    """What lies in a local store, by path; what only ever held half-written files and locks left out."""
    place = Path(root(desk).removeprefix("file://"))
    files = (path for path in place.rglob("*") if path.is_file())
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in files
        if not path.relative_to(place).parts[0].startswith(".")
    }


def weights_file(path: Path, factor: float = 2.0, board: Board = Board.SQUARE8) -> Path:
    hand_set = HeuristicWeights.of_setting(InitialWeights.BASELINE, board, 2)
    path.write_text(
        HeuristicWeights.of_vector([factor * weight for weight in hand_set.vector], board, 2).model_dump_json()
    )
    return path


def object_file(desk: Desk, artifact: Artifact) -> Path:
    """Where an object lies, for tests to damage."""
    return Path(root(desk).removeprefix("file://")) / CONFIGURATION / "objects" / artifact.uri.rpartition("/")[2]


def network_card(desk: Desk) -> ModelCard:
    champion = registry(desk, Track.NETWORK).champion
    assert champion is not None
    return ModelCard.load(desk.archive, champion.artifact)


def held(desk: Desk, age: timedelta = timedelta()) -> Holder:
    """Has a pipeline of a cluster hold the configuration, which last wrote so long ago."""
    holder = Holder(cluster="c1", namespace="games", pipeline="ringrift")
    parameters = AdoptParameters(**desk.here, holder=holder)
    take_claim(desk.archive, parameters, datetime.now(UTC) - age)
    return holder


def weights_of(desk: Desk, factor: float) -> Artifact:
    hand_set = HeuristicWeights.of_setting(InitialWeights.BASELINE, Board.SQUARE8, 2)
    return HeuristicWeights.of_vector([factor * weight for weight in hand_set.vector], Board.SQUARE8, 2).save(
        desk.archive
    )

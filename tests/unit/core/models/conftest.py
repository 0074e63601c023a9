"""A store that the stages made, once: tests that change it have a copy, which a store allows (docs/store.md)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ringrift_core import _engine
from ringrift_core.contract import Artifact, Board, Decision, Entrant, GateKind, InitialWeights, NetworkSize, Track
from ringrift_core.players.cards import NnueCard
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.store import open_store
from tests.unit.core.desk import Desk
from tests.unit.core.nnue.reference import random_file


def gated(desk: Desk, track: Track, iteration: int, champion: int, candidate: Artifact) -> None:
    """A gate that lets all but the worst pass, and the promotion by its verdict."""
    result = desk.evaluate(
        iteration, track=track, candidate=candidate, champion_version=champion, gate=GateKind.FIXED, games=4,
        promotion_threshold=0.01, initial_weights="material", seed=iteration,
    )  # fmt: skip
    assert result.verdict is not None
    assert result.verdict.decision is Decision.PROMOTE
    desk.promote(
        track=track, iteration=iteration, expected_version=champion, candidate=candidate,
        verdict=result.outputs["verdict"], request_id=f"square8-2p/{track}/i{iteration}/promote",
    )  # fmt: skip


def nnue(desk: Desk, seed: int) -> Artifact:
    """One of random numbers, as its stage stores it."""
    files = {
        "network": desk.archive.put_bytes(random_file("square8", 2, seed), "safetensors"),
        "parameters": desk.archive.put_bytes(f"parameters {seed}".encode(), "safetensors"),
    }
    return NnueCard(
        board=Board.SQUARE8, players=2, inputs=_engine.NNUE_INPUTS_VERSION, **files, iteration=seed, parent=0,
        dataset="0" * 64, seed=seed, torch_version="-", threads=1, machine="-", instructions="-",
    ).save(desk.archive)  # fmt: skip


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """square8 for two: weights 1 and 2 through their gates, network 1, NNUE 1 and 2, and a round robin."""
    folder = tmp_path_factory.mktemp("models")
    desk = Desk(open_store((folder / "store").as_uri()), folder / "scratch")
    searched = desk.cmaes(1, seed=3, generations=1, population_size=4, games_per_evaluation=4)
    gated(desk, Track.WEIGHTS, 1, 0, searched.outputs["candidate"])
    hand_set = HeuristicWeights.of_setting(InitialWeights.BASELINE, Board.SQUARE8, 2).save(desk.archive)
    gated(desk, Track.WEIGHTS, 2, 1, hand_set)
    desk.selfplay(games=20)
    desk.merge()
    dataset = desk.export().outputs["dataset"]
    trained = desk.train(dataset=dataset, seed=1, epochs=1, batch_size=64, size=NetworkSize.TINY)
    desk.promote(track=Track.NETWORK, iteration=1, expected_version=0, candidate=trained.outputs["candidate"])
    for version in (1, 2):
        desk.promote(track=Track.NNUE, iteration=version, expected_version=version - 1, candidate=nnue(desk, version))
    desk.roundrobin(2, seed=5, games=4, entrants=(Entrant(Track.WEIGHTS, 2), Entrant(Track.WEIGHTS, 1)))
    return folder / "store"


@pytest.fixture
def desk(made: Path, tmp_path: Path) -> Desk:
    """A copy of that store."""
    shutil.copytree(made, tmp_path / "store")
    return Desk(open_store((tmp_path / "store").as_uri()), tmp_path / "scratch")

"""A whole iteration of the weights track, in a folder and in a bucket."""

from __future__ import annotations

from pathlib import Path

from ringrift_core.contract import AdoptParameters, AdoptResult, Decision, ExportResult, MergeResult, Track
from ringrift_core.registry.stage import adopt_stage
from ringrift_core.store import Store
from tests.unit.core.desk import Desk


def test_games_become_a_champion_in_any_store(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path / "scratch")
    desk.selfplay(games=40)
    assert desk.merge().answer(MergeResult).games == 40
    assert desk.export().answer(ExportResult).rows > 500
    search = desk.cmaes(seed=2, generations=8, population_size=16, games_per_evaluation=16, initial_weights="material")
    judged = desk.evaluate(
        track=Track.WEIGHTS, candidate=search.outputs["candidate"], initial_weights="material", baseline_games=20
    )
    assert judged.verdict is not None
    assert judged.verdict.decision is Decision.PROMOTE, "eight generations beat material alone by far"
    desk.promote(
        track=Track.WEIGHTS,
        iteration=1,
        expected_version=0,
        candidate=search.outputs["candidate"],
        verdict=judged.outputs["verdict"],
    )
    desk.selfplay(2, seed=1002, games=10, weights_version=1)
    found = adopt_stage(AdoptParameters(**desk.here, tracks=(Track.WEIGHTS,)), desk.run).answer(AdoptResult)
    champions = {each.track: each.champion for each in found.tracks}
    assert (found.iteration, found.games, champions[Track.WEIGHTS]) == (1, 40, 1)

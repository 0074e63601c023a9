from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ringrift_core import _engine
from ringrift_core.cmaes.stage import FIXED_FEATURE
from ringrift_core.contract import Board, CmaesResult
from ringrift_core.errors import NotNowError
from ringrift_core.players.weights import FEATURE_NAMES, HeuristicWeights
from ringrift_core.store import open_store
from tests.unit.core.desk import Desk

SMALL: dict[str, Any] = {
    "seed": 3,
    "generations": 4,
    "population_size": 6,
    "games_per_evaluation": 4,
    "initial_weights": "material",
}


def test_a_candidate_names_every_weight_and_keeps_the_scale(desk: Desk) -> None:
    result = desk.cmaes(**SMALL)
    found = HeuristicWeights.load(desk.archive, result.outputs["candidate"])
    material = dict(zip(FEATURE_NAMES, _engine.heuristic_weights("material"), strict=True))
    assert found.weights[FIXED_FEATURE] == material[FIXED_FEATURE]
    assert found.weights != material
    assert result.answer(CmaesResult).games == 4 * 6 * 4
    assert not result.answer(CmaesResult).converged


def test_a_killed_search_goes_on_to_the_same_candidate(desk: Desk, tmp_path: Path) -> None:
    whole = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2").cmaes(**SMALL)

    desk.stop_when(lambda _: sum(line.startswith("generation") for line in desk.report.lines) == 2)
    with pytest.raises(NotNowError):
        desk.cmaes(**SMALL)
    desk.go_on()
    desk.report.lines.clear()
    result = desk.cmaes(attempt=2, **SMALL)
    assert desk.report.lines[0] == "going on after generation 2"
    assert result.outputs["candidate"].sha256 == whole.outputs["candidate"].sha256
    assert result.result == whole.result
    assert len(desk.objects()) == 1, "the checkpoint is gone"


def test_the_number_of_threads_does_not_matter(desk: Desk, tmp_path: Path) -> None:
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    one, three = desk.cmaes(workers=1, **SMALL), other.cmaes(workers=3, **SMALL)
    assert one.outputs["candidate"].sha256 == three.outputs["candidate"].sha256


def test_candidates_of_a_generation_share_openings_and_the_next_one_gets_new_ones(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = _engine.play_matches
    groups: list[list[set[int]]] = []

    def spy(*arguments: Any, **more: Any) -> Any:
        results = played(*arguments, **more)
        groups.append([{result.group for result in match} for match in results])
        return results

    monkeypatch.setattr(_engine, "play_matches", spy)
    desk.cmaes(**SMALL)
    assert all(len(generation) == 6 and all(match == generation[0] for match in generation) for generation in groups)
    assert len(set.union(*(generation[0] for generation in groups))) == 4 * 2


@pytest.mark.parametrize(("players", "games"), [(3, 6), (4, 4)])
def test_games_round_up_to_whole_groups(tmp_path: Path, players: int, games: int) -> None:
    desk = Desk(open_store((tmp_path / "store").as_uri()), tmp_path / "scratch", Board.HEX8, players)
    result = desk.cmaes(seed=1, generations=1, population_size=4, games_per_evaluation=4)
    assert result.answer(CmaesResult).games == 4 * games

"""The search of a configuration's weights: chosen among several, kept, and begun from a smaller board's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from benchmarks.learning import weights
from benchmarks.learning.weights import Searches, main
from ringrift_core import _engine
from ringrift_core.archive import to_stored_json
from ringrift_core.arena.interval import measure
from ringrift_core.contract import Board
from ringrift_core.players.weights import HeuristicWeights


@pytest.fixture(autouse=True)
def _little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "GENERATIONS", 2)
    monkeypatch.setattr(weights, "GROUPS", 12)
    monkeypatch.setattr(weights, "GROUPS_OF_LARGE", 8)
    monkeypatch.setattr(weights, "RUNG_GAMES", 2)
    monkeypatch.setattr(weights, "RUNG", {True: "minimax:200", False: "minimax:200"})


def test_the_chosen_weights_are_one_of_the_searches_and_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(tmp_path, ["square8-2p"], seeds=2)
    told = json.loads((tmp_path / "square8-2p.json").read_text())
    assert told["among"] == [7, 8]
    assert told["stop"] == "2 generations, the budget is spent"
    found = HeuristicWeights.read((tmp_path / "weights-square8-2p.json").read_bytes(), "f", "square8-2p")
    searches = Searches(Board.SQUARE8, 2, tmp_path, 1)
    assert tuple(found.vector) == searches.found(told["seed"]).vector

    def again(*_: object) -> None:
        raise AssertionError("it was searched again")

    monkeypatch.setattr(Searches, "_search", again)
    before = (tmp_path / "square8-2p.json").read_text()
    main(tmp_path, ["square8-2p"], seeds=2)
    assert (tmp_path / "square8-2p.json").read_text() == before


@pytest.mark.parametrize(("scores", "is_better"), [([1.0, 1.0, 0.5, 1.0], True), ([0.0, 0.5, 0.5, 0.5], False)])
def test_a_large_board_begins_with_square8s_weights_where_they_are_better(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scores: list[float], is_better: bool
) -> None:
    vector = [2 * weight for weight in _engine.heuristic_weights("baseline")]
    small = HeuristicWeights.of_vector(vector, Board.SQUARE8, 2)
    searches = Searches(Board.SQUARE19, 2, tmp_path, 1)
    assert searches.start() == searches.hand_set, "there are none yet"
    (tmp_path / "weights-square8-2p.json").write_bytes(to_stored_json(small))
    monkeypatch.setattr(Searches, "rates", lambda *_: [measure(scores, 2)])
    assert searches.start() == (tuple(vector) if is_better else searches.hand_set)


def test_a_search_may_play_the_games_that_weights_are_found_by(tmp_path: Path) -> None:
    found = {}
    for player in (None, "weights:minimax-1"):
        main(tmp_path / str(player), ["square8-2p"], seeds=1, player=player)
        told = json.loads((tmp_path / str(player) / "square8-2p.json").read_text())
        assert told.get("player") == player
        found[player] = (tmp_path / str(player) / "weights-square8-2p.json").read_bytes()
    assert found[None] != found["weights:minimax-1"]
    for file in ("square8-2p.json", "square8-2p-seed7.json"):
        with pytest.raises(typer.BadParameter, match=f"{file}: found by games of one ply, not of weights:minimax-1"):
            main(tmp_path / "None", ["square8-2p"], seeds=1, player="weights:minimax-1")
        (tmp_path / "None" / file).unlink()

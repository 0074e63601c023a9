"""The quality gate: played once a champion, kept, and what the search says of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ringrift_core.cmaes import quality
from ringrift_core.contract import CmaesResult, Evaluator, StageResult, Track
from ringrift_core.errors import WrongInputError
from ringrift_core.players.specification import Specification
from tests.unit.core.desk import Desk

SEARCH: dict[str, Any] = {"seed": 3, "generations": 2, "population_size": 4, "games_per_evaluation": 4, "gate_games": 4}


@pytest.fixture
def desk_with_network(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A store whose network has seen ten games; it is gated at one ply here, which is quick."""
    monkeypatch.setattr(quality, "gate_player", lambda *_: Specification.parse("network:one-ply"))
    desk.selfplay(games=10)
    desk.merge()
    trained = desk.train(dataset=desk.export(symmetries=0).outputs["dataset"], seed=1, epochs=1)
    desk.promote(track=Track.NETWORK, iteration=1, expected_version=0, candidate=trained.outputs["candidate"])
    return desk


def search(desk: Desk, iteration: int, **more: Any) -> tuple[StageResult, CmaesResult]:
    found = desk.cmaes(iteration, **SEARCH | {"evaluator": Evaluator.AUTO, "network_version": 1} | more)
    return found, found.answer(CmaesResult)


def kept(desk: Desk) -> dict[str, Any]:
    (key,) = desk.archive.store.keys(desk.archive.key("quality/"))
    found = desk.archive.store.read(key)
    assert found is not None
    return dict(json.loads(found.content))


def test_a_network_that_passes_scores_and_its_match_is_played_once(
    desk_with_network: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_with_network
    found, result = search(desk, 1, quality_gate=0.001)
    assert found.outputs
    assert (result.evaluator, result.cut_games) == (Evaluator.NEURAL, 0)
    first = kept(desk)
    assert result.because == f"network 1 wins {first['rate']:.3f} of 4 games against the hand-set heuristic"
    assert (first["games"], first["scored"]) == (4, [1])

    def again(*_: Any) -> None:
        raise AssertionError("the match was played")

    monkeypatch.setattr(quality, "_played", again)
    _, second = search(desk, 2, quality_gate=0.001)
    assert second.evaluator is Evaluator.NEURAL
    assert kept(desk) == {**first, "scored": [1, 2]}


def test_games_score_where_the_network_does_not_pass_and_it_is_said_why(desk_with_network: Desk) -> None:
    _, result = search(desk_with_network, 1, quality_gate=0.999)
    assert result.evaluator is Evaluator.GAMES
    rate = kept(desk_with_network)["rate"]
    assert result.because == (f"network 1 wins {rate:.3f} of 4 games against the hand-set heuristic, not above 1.00")
    assert kept(desk_with_network)["scored"] == []


def test_a_search_that_only_a_network_may_score_waits_for_one_that_passes(desk_with_network: Desk) -> None:
    found, result = search(desk_with_network, 1, quality_gate=0.999, evaluator=Evaluator.NEURAL)
    assert found.outputs == {}
    assert result.refused == result.because != ""
    assert found.message == f"no candidate: {result.because}"


def test_without_a_champion_network_games_score(desk: Desk) -> None:
    _, result = search(desk, 1, network_version=0)
    assert (result.evaluator, result.because) == (Evaluator.GAMES, "there is no champion network yet")
    with pytest.raises(WrongInputError, match="network version 3: never a champion"):
        search(desk, 2, network_version=3)


def test_a_network_scores_the_searches_of_five_iterations(desk_with_network: Desk) -> None:
    used = [search(desk_with_network, number, quality_gate=0.001)[1].evaluator for number in range(1, 7)]
    assert used == [Evaluator.NEURAL] * 5 + [Evaluator.GAMES]
    _, last = search(desk_with_network, 7, quality_gate=0.001)
    assert last.because == "network 1 has scored the searches of 5 iterations, and may do no more"
    assert kept(desk_with_network)["scored"] == [1, 2, 3, 4, 5]


def test_a_gate_that_is_played_otherwise_is_played_again(desk_with_network: Desk) -> None:
    search(desk_with_network, 1, quality_gate=0.001)
    search(desk_with_network, 2, quality_gate=0.001, gate_games=6)
    again = kept(desk_with_network)
    assert (again["games"], again["scored"]) == (6, [1, 2])


def test_a_match_that_is_no_evidence_passes_nothing(desk_with_network: Desk) -> None:
    _, result = search(desk_with_network, 1, quality_gate=0.001, max_moves=1)
    assert result.evaluator is Evaluator.GAMES
    assert result.because.startswith("the match of network 1 against the hand-set heuristic: refused as evidence: 100%")

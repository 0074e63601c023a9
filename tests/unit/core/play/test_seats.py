from __future__ import annotations

from pathlib import Path

import pytest

from ringrift_core import Game, _engine
from ringrift_core.contract import Board, InitialWeights, PromoteParameters, Stage, Track
from ringrift_core.errors import WrongInputError
from ringrift_core.play.seats import DEFAULT_OPPONENT, Casting, seat_names
from ringrift_core.players.ladder import LADDER
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.registry.stage import promote_stage
from ringrift_core.seating import Judges, Seating
from tests.unit.core.desk import Desk
from tests.unit.core.seating.constant_network import write_constant_network


@pytest.mark.parametrize(
    ("named", "players", "seats"),
    [
        ([], None, ["human", DEFAULT_OPPONENT]),
        ([], 3, ["human", DEFAULT_OPPONENT, DEFAULT_OPPONENT]),
        (["5"], None, ["human", "5"]),
        (["5"], 4, ["human", "5", "5", "5"]),
        (["human"], None, ["human", "human"]),
        (["5", "human"], None, ["5", "human"]),
        (["1", "2", "6"], 3, ["1", "2", "6"]),
    ],
)
def test_one_name_is_the_opponent_more_are_the_seats(named: list[str], players: int | None, seats: list[str]) -> None:
    assert seat_names(named, players) == seats


@pytest.mark.parametrize(("named", "players"), [(["1", "2"], 3), (["1"] * 5, None), (["1"] * 5, 5)])
def test_names_that_do_not_make_a_game_are_refused(named: list[str], players: int | None) -> None:
    with pytest.raises(WrongInputError, match="players named"):
        seat_names(named, players)


def casting(tmp_path: Path, store: str | None = None) -> Casting:
    """With a store, or without anything: what comes with the package is left out."""
    if store is not None:
        return Casting.of(Board.SQUARE8, 2, store, tmp_path)
    return Casting(Seating(Judges(Board.SQUARE8, 2, None, tmp_path, shipped=tmp_path), for_people=True))


def test_no_two_agents_have_the_same_name(tmp_path: Path) -> None:
    names = [agent.name for agent in casting(tmp_path).agents(["human", "1", "1", "heuristic"])]
    assert names == ["you", "random 1", "random 2", "heuristic"]
    assert [agent.name for agent in casting(tmp_path).agents(["human", "human"])] == ["human 1", "human 2"]


@pytest.mark.parametrize("spelling", ["2", "difficulty:2", "heuristic"])
def test_a_rung_goes_by_number_or_name(tmp_path: Path, spelling: str) -> None:
    (agent,) = casting(tmp_path).agents([spelling])
    assert agent.name == LADDER[1].name


@pytest.mark.parametrize(
    ("name", "title"),
    [("weights:minimax:200", "weights:minimax:200"), ("weights:descent:1000ms", "weights:descent:1s")],
)
def test_a_player_goes_by_its_specification(tmp_path: Path, name: str, title: str) -> None:
    (agent,) = casting(tmp_path).agents([name])
    assert isinstance(agent.mind, _engine.Player)
    assert agent.name == title


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("0", "difficulty 0: choose one from 1 to 10"),
        ("99", "difficulty 99: choose"),
        ("alice", "'alice' is nobody: name human, a difficulty from 1 to 10, random, "),
        ("weights@2:one-ply", "name it with --store URI"),
        ("network", "no network-square8-2p.onnx comes with the package"),
        ("nnue", r"no nnue-square8-2p\.safetensors comes with the package"),
        ("weights:2", "found for the search '2'"),
        ("9" * 30, "is nobody"),
    ],
)
def test_nobody_else_may_sit_down(tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(WrongInputError, match=sentence):
        casting(tmp_path).agents(["human", name])


def test_who_plays_in_place_of_a_network_is_told(tmp_path: Path) -> None:
    here = casting(tmp_path)
    (remark,) = here.remarks(["human", "9", "level-9", "5", "weights:one-ply"])
    assert remark.startswith(
        "difficulty 9 is played by weights:minimax:800000, which takes about as long as network:puct:2800: network: "
        "no network-square8-2p.onnx comes with the package"
    )
    assert "; nnue: no nnue-square8-2p.safetensors comes with the package" in remark
    assert [agent.name for agent in here.agents(["human", "9"])] == ["you", "level-9"]


def test_nothing_is_told_where_a_network_plays(tmp_path: Path) -> None:
    write_constant_network(tmp_path / "network-square8-2p.onnx", Board.SQUARE8, 2)
    assert casting(tmp_path).remarks(["9", "5"]) == []


def promote(desk: Desk, vector: list[float]) -> None:
    candidate = HeuristicWeights.of_vector(vector, Board.SQUARE8, 2).save(desk.archive)
    parameters = PromoteParameters(
        **desk.here, track=Track.WEIGHTS, iteration=1, request_id="one", expected_version=0, candidate=candidate
    )
    assert promote_stage(parameters, desk.run).stage is Stage.PROMOTE


def test_a_champion_plays_with_its_weights_and_so_does_the_ladder(desk: Desk, tmp_path: Path) -> None:
    material = HeuristicWeights.of_setting(InitialWeights.MATERIAL, Board.SQUARE8, 2).vector
    promote(desk, material)
    here = casting(tmp_path, desk.archive.store.uri)
    game = Game(seed=3)
    game.random_playout(40)
    agents = here.agents(["weights", "weights@1:one-ply", "2", "weights:descent:300"])
    assert [agent.name for agent in agents] == ["weights", "weights@1:one-ply", "heuristic", "weights:descent:300"]
    judge = _engine.Judge.linear(material)
    one_ply, descent = _engine.Player.one_ply(judge), _engine.Player.descent(judge, 300)
    for agent, reference in zip(agents, (one_ply, one_ply, one_ply, descent), strict=True):
        assert isinstance(agent.mind, _engine.Player)
        assert game.choose(agent.mind).values == pytest.approx(game.choose(reference).values, abs=0.003)
    hand_set = _engine.Judge.linear(_engine.heuristic_weights("baseline"))
    by_hand = game.choose(_engine.Player.one_ply(hand_set)).values
    assert by_hand != pytest.approx(game.choose(one_ply).values, abs=0.003)


def test_a_champion_that_is_not_there_is_refused(desk: Desk, tmp_path: Path) -> None:
    promote(desk, _engine.heuristic_weights("material"))
    here = casting(tmp_path, desk.archive.store.uri)
    with pytest.raises(WrongInputError, match="weights version 7: never a champion"):
        here.agents(["weights@7:one-ply"])

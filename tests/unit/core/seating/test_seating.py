from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ringrift_core import _engine
from ringrift_core.archive import Archive
from ringrift_core.contract import Board, Device, InitialWeights, Track
from ringrift_core.errors import StoreRefusedError, WrongInputError
from ringrift_core.players.shipped import SHIPPED
from ringrift_core.players.specification import Judge, JudgeKind, Specification
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.seating import Chosen, Judges, Manner, Seating
from tests.unit.core.desk import Desk
from tests.unit.core.seating.constant_network import write_constant_network

BASELINE = HeuristicWeights.of_setting(InitialWeights.BASELINE, Board.SQUARE8, 2)
LINEAR = _engine.Judge.linear(BASELINE.vector)
MATERIAL = HeuristicWeights.of_setting(InitialWeights.MATERIAL, Board.SQUARE8, 2)
NEWEST = Judge(JudgeKind.WEIGHTS)


def judges(tmp_path: Path, archive: Archive | None = None) -> Judges:
    return Judges(Board.SQUARE8, 2, archive, tmp_path, shipped=tmp_path / "shipped")


def ship(tmp_path: Path, weights: HeuristicWeights, name: str = "weights-square8-2p.json") -> None:
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / name).write_text(weights.model_dump_json(by_alias=True))


def weights_of(number: float) -> HeuristicWeights:
    return HeuristicWeights.of_vector([number] * len(BASELINE.vector), Board.SQUARE8, 2)


def promote(desk: Desk, version: int, weights: HeuristicWeights) -> None:
    desk.promote(
        track=Track.WEIGHTS, iteration=version, expected_version=version - 1, candidate=weights.save(desk.archive)
    )


def test_the_newest_is_the_stores_champion_then_what_is_shipped_then_the_hand_set(desk: Desk, tmp_path: Path) -> None:
    assert judges(tmp_path).of(NEWEST) == BASELINE
    ship(tmp_path, weights_of(3))
    assert judges(tmp_path).of(NEWEST) == weights_of(3)
    assert judges(tmp_path, desk.archive).of(NEWEST) == weights_of(3), "the store has no champion yet"
    promote(desk, 1, weights_of(1))
    promote(desk, 2, weights_of(2))
    here = judges(tmp_path, desk.archive)
    assert here.of(NEWEST) == weights_of(2)
    assert here.of(Judge(JudgeKind.WEIGHTS, 1)) == weights_of(1)


def test_version_0_is_the_setting_that_the_run_starts_from(desk: Desk, tmp_path: Path) -> None:
    promote(desk, 1, weights_of(1))
    here = replace(judges(tmp_path, desk.archive), initial=InitialWeights.MATERIAL)
    assert here.of(Judge(JudgeKind.WEIGHTS, 0)) == MATERIAL


def test_a_file_is_read_and_held_against_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(weights_of(4).model_dump_json(by_alias=True))
    judge = Judge(JudgeKind.WEIGHTS, file=path)
    assert judges(tmp_path).of(judge) == weights_of(4)
    with pytest.raises(StoreRefusedError, match=r"mine\.json: heuristic weights for square8-2p, not hex8-2p"):
        Judges(Board.HEX8, 2, None, tmp_path).of(judge)
    with pytest.raises(WrongInputError, match="No such file"):
        judges(tmp_path).of(Judge(JudgeKind.WEIGHTS, file=tmp_path / "gone.json"))
    with pytest.raises(WrongInputError, match="null byte"):
        judges(tmp_path).of(Judge(JudgeKind.WEIGHTS, file=Path("a\0b")))


def test_a_judge_that_nobody_has_is_missed_in_a_sentence(desk: Desk, tmp_path: Path) -> None:
    network = Judge(JudgeKind.NETWORK)
    with pytest.raises(WrongInputError, match=r"network: no network-square8-2p\.onnx comes with .*, and none is given"):
        judges(tmp_path).of(network)
    with pytest.raises(WrongInputError, match=r"and file://\S+ has no champion yet, or a file: network=FILE"):
        judges(tmp_path, desk.archive).of(network)
    with pytest.raises(WrongInputError, match=r"network@2: champions come from a store, .* name it with --store URI"):
        judges(tmp_path).of(Judge(JudgeKind.NETWORK, 2))
    with pytest.raises(WrongInputError, match="weights version 7: never a champion"):
        judges(tmp_path, desk.archive).of(Judge(JudgeKind.WEIGHTS, 7))


def test_the_hand_set_weights_stay_version_0_whatever_is_shipped(tmp_path: Path) -> None:
    ship(tmp_path, weights_of(3))
    assert judges(tmp_path).of(Judge(JudgeKind.WEIGHTS, 0)) == BASELINE


def test_a_rung_is_played_by_the_first_judge_that_is_there(tmp_path: Path) -> None:
    seating = Seating(judges(tmp_path))
    assert str(seating.chosen(7).specification) == "weights:minimax:400000"
    assert seating.chosen(7).missing.startswith("network: no network-square8-2p.onnx comes with the package")
    assert "; nnue: no nnue-square8-2p.safetensors comes with the package" in seating.chosen(7).missing
    (tmp_path / "shipped").mkdir()
    shutil.copy(SHIPPED / "nnue-square8-2p.safetensors", tmp_path / "shipped")
    seating = Seating(judges(tmp_path))
    assert str(seating.chosen(7).specification) == "nnue:minimax:400000"
    assert seating.chosen(7).missing.startswith("network: no network-square8-2p.onnx")
    assert "nnue: " not in seating.chosen(7).missing
    write_constant_network(tmp_path / "shipped" / "network-square8-2p.onnx", Board.SQUARE8, 2)
    seating = Seating(judges(tmp_path))
    assert seating.chosen(7) == Chosen(Specification.parse("network:puct:600"))
    assert seating.rung(7).name == "level-7"


def test_with_more_than_two_players_a_network_goes_before_an_nnue_that_has_nodes_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "shipped").mkdir()
    shutil.copy(SHIPPED / "nnue-square8-3p.safetensors", tmp_path / "shipped")

    def chosen() -> Chosen:
        judges = Judges(Board.SQUARE8, 3, None, tmp_path / "work", shipped=tmp_path / "shipped")
        return Seating(judges).chosen(8)

    assert str(chosen().specification) == "nnue:minimax:400000"
    write_constant_network(tmp_path / "shipped" / "network-square8-3p.onnx", Board.SQUARE8, 3)
    assert chosen() == Chosen(Specification.parse("network:puct:1000"))


def test_a_network_without_what_asks_it_is_missed_and_one_that_is_broken_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shipped").mkdir()
    path = write_constant_network(tmp_path / "shipped" / "network-square8-2p.onnx", Board.SQUARE8, 2)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "onnxruntime", None)
        chosen = Seating(judges(tmp_path)).chosen(9)
        assert str(chosen.specification) == "weights:minimax:800000"
        assert chosen.missing == (
            "network: needs onnxruntime: pip install 'ringrift[stages]'; nnue: no nnue-square8-2p.safetensors comes "
            "with the package: name a store that has a champion of square8-2p, and none is given, or a file: nnue=FILE"
        )
    path.write_bytes(b"nothing")
    with pytest.raises(WrongInputError, match="no network that ONNX Runtime reads"):
        Seating(judges(tmp_path)).chosen(9)


def test_a_budget_of_time_is_for_people_alone(tmp_path: Path) -> None:
    timed = Specification.parse("weights:minimax:6ms")
    with pytest.raises(WrongInputError, match="player weights:minimax:6ms: a game by time does not repeat"):
        Seating(judges(tmp_path)).player(timed)
    player = Seating(judges(tmp_path), for_people=True).player(timed)
    assert player.choose(_engine.Position("square8", 2), 1).nodes > 0


@pytest.mark.parametrize(
    ("text", "player"),
    [
        ("weights:one-ply", _engine.Player.one_ply(LINEAR)),
        ("weights:minimax:300", _engine.Player.minimax(LINEAR, nodes=300)),
        ("weights:minimax-2:9000", _engine.Player.minimax(LINEAR, depth=2, nodes=9000)),
        ("weights:descent:300", _engine.Player.descent(LINEAR, 300)),
        ("weights:puct:16", _engine.Player.tree_search(LINEAR, 16, variant="puct")),
        ("weights:gumbel:16", _engine.Player.tree_search(LINEAR, 16, variant="gumbel")),
    ],
)
def test_who_is_seated_searches_as_specified(text: str, player: _engine.Player, tmp_path: Path) -> None:
    seated = Seating(judges(tmp_path)).player(Specification.parse(text))
    assert seated.name == text
    position = _engine.Position("square8", 2)
    for number in range(6):
        found, wanted = seated.choose(position, number), player.choose(position, number)
        assert (str(found.move), found.values, found.nodes) == (str(wanted.move), wanted.values, wanted.nodes)
        position.play(found.move)


def test_a_manner_names_a_player_and_varies_its_games(tmp_path: Path) -> None:
    seating = Seating(judges(tmp_path))
    one_ply = Specification.parse("weights:one-ply")
    noisy = seating.player(one_ply, Manner("somebody", noise=20))
    assert noisy.name == "somebody"
    start = _engine.Position("square8", 2)
    assert len({str(noisy.choose(start, seed).move) for seed in range(20)}) > 5
    assert len({str(seating.player(one_ply).choose(start, seed).move) for seed in range(20)}) == 1
    deep = seating.player(Specification.parse("weights:descent:200"), Manner(tree_positions=2))
    (record,) = _engine.play_games("square8", 2, [[deep]], seed=1, games=1, max_turns=2)
    assert any(searched.inner for searched in _engine.searches_from_bytes(record.searches, 2))


@pytest.mark.parametrize("search", ["policy", "puct:24", "gumbel:24"])
def test_a_network_plays_by_its_policy(search: str, tmp_path: Path) -> None:
    """Its values are even, so nothing but the policy can tell the one move from the others."""
    start = _engine.Position("hex8", 3)
    moves = _engine.move_keys(start)
    for wanted in list(moves)[:: len(moves) // 3]:
        path = write_constant_network(tmp_path / "network.onnx", Board.HEX8, 3, moves[wanted])
        seating = Seating(Judges(Board.HEX8, 3, None, tmp_path))
        player = seating.player(Specification.parse(f"network={path}:{search}"))
        assert str(player.choose(start, 1).move) == wanted


def test_a_network_looks_one_ply_ahead_by_its_values(tmp_path: Path) -> None:
    path = write_constant_network(tmp_path / "network.onnx", Board.HEX8, 2)
    player = Seating(Judges(Board.HEX8, 2, None, tmp_path)).player(Specification.parse(f"network={path}:one-ply"))
    (record,) = _engine.play_games("hex8", 2, [[player]], seed=1, games=1, max_turns=3)
    assert record.decisions > 0


def test_whoever_asks_one_network_asks_it_together(tmp_path: Path) -> None:
    path = write_constant_network(tmp_path / "network.onnx", Board.HEX8, 2)
    here, judge = Judges(Board.HEX8, 2, None, tmp_path), Judge(JudgeKind.NETWORK, file=path)
    assert here.of(judge) is here.of(judge)


def test_a_file_that_is_no_network_of_the_configuration_is_refused(tmp_path: Path) -> None:
    path = write_constant_network(tmp_path / "network.onnx", Board.HEX8, 2)
    judge = Judge(JudgeKind.NETWORK, file=path)
    with pytest.raises(WrongInputError, match=r"network\.onnx: no network for hex8-3p"):
        Judges(Board.HEX8, 3, None, tmp_path).of(judge)
    with pytest.raises(WrongInputError, match=r"--device cuda: .* is asked on the CPU"):
        Judges(Board.HEX8, 2, None, tmp_path, device=Device.CUDA).of(judge)
    path.write_bytes(b"nothing")
    with pytest.raises(WrongInputError, match="no network that ONNX Runtime reads"):
        Judges(Board.HEX8, 2, None, tmp_path).of(judge)

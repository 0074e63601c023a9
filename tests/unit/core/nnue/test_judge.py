"""The engine's NNUE: the arithmetic of docs/encoding.md to the bit, in any search, for its own games alone."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core import _engine
from ringrift_core._engine import Judge, Player, Position, RulesError
from ringrift_core.contract import Board
from ringrift_core.errors import StoreRefusedError, WrongInputError
from ringrift_core.players.specification import Judge as Reference
from ringrift_core.players.specification import JudgeKind, Specification
from ringrift_core.seating import Judges, Seating
from tests.unit.core.nnue.reference import Network, head_of_mover, inputs, random_file, turn_inputs

CONFIGURATIONS = tuple(itertools.product([board.value for board in Board], (2, 3, 4)))
WON = 1000.0
SAMPLED = int(os.environ.get("RINGRIFT_NNUE_POSITIONS", "1200"))
"""Positions compared with the reference; 100,000 take a quarter of an hour."""


@pytest.mark.parametrize(("board", "players"), CONFIGURATIONS)
def test_every_kernel_has_the_values_of_the_reference_to_the_bit(board: str, players: int) -> None:
    content = random_file(board, players, seed=players)
    network = Network.of_file(content)
    judges = [Judge.nnue(content, kernel) for kernel in kernels(content)]
    random = np.random.default_rng(SAMPLED)
    compared = game = 0
    while compared < SAMPLED // len(CONFIGURATIONS):
        game += 1
        position = Position(board, players)
        while position.outcome() is None:
            position.play_random(int(random.integers(2**63)), int(random.integers(1, 30)))
            values = judges[0].values(position)
            if max(values) >= WON:
                break
            wanted = [float(value) for value in network.values(position)]
            assert [judge.values(position) for judge in judges] == [wanted] * len(judges)
            compared += 1


def kernels(content: bytes) -> list[str]:
    """Those that this CPU has."""
    with pytest.raises(RulesError) as refused:
        Judge.nnue(content, "")
    return str(refused.value).rpartition(" has ")[2].split(", ")


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(CONFIGURATIONS), st.integers(0, 2**32), st.integers(0, 400))
def test_rows_to_train_on_are_the_inputs_that_the_engine_evaluates(
    configuration: tuple[str, int], seed: int, moves: int
) -> None:
    board, players = configuration
    position = Position(board, players)
    position.play_random(seed, moves)
    if position.outcome() is not None:
        return
    state = np.frombuffer(position.to_bytes(), np.uint8)
    rows = _engine.nnue_rows(board, players, np.array([len(state)], np.uint16), state)
    mover = position.mover - 1
    wanted = sorted(((owner - mover) % players, number) for owner, number in inputs(position))
    assert sorted(zip(rows["owners"].tolist(), rows["numbers"].tolist(), strict=True)) == wanted
    assert rows["counts"].tolist() == [len(wanted)]
    of_turn = sorted(((owner - mover) % players, number) for owner, number in turn_inputs(position))
    assert [tuple(place) for place in np.argwhere(rows["turns"][0]).tolist()] == of_turn
    assert rows["heads"].tolist() == [head_of_mover(position)]


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(CONFIGURATIONS), st.integers(0, 2**32), st.integers(0, 200))
def test_a_symmetry_takes_inputs_where_it_takes_the_position(
    configuration: tuple[str, int], seed: int, moves: int
) -> None:
    board, players = configuration
    position = Position(board, players)
    position.play_random(seed, moves)
    if position.outcome() is not None:
        return
    images = _engine.nnue_symmetries(board, players)
    own = list(inputs(position))
    for image, mapped in zip(images, position.symmetric(), strict=True):
        assert sorted((owner, int(image[number])) for owner, number in own) == sorted(inputs(mapped))


def test_rows_of_other_games_or_of_cut_bytes_are_refused() -> None:
    state = np.frombuffer(Position("hex8", 2).to_bytes(), np.uint8)
    length = np.array([len(state)], np.uint16)
    with pytest.raises(RulesError, match=r"states, row 0, state: one of hex8-2p, expected square8-2p"):
        _engine.nnue_rows("square8", 2, length, state)
    with pytest.raises(RulesError, match="states, row 0: cut short"):
        _engine.nnue_rows("hex8", 2, length + 1, state)
    with pytest.raises(RulesError, match="states: 1 bytes more"):
        _engine.nnue_rows("hex8", 2, length, np.append(state, np.uint8(0)))


@pytest.mark.parametrize(
    "search", ["one-ply", "minimax-2", "minimax:300", "descent:200", "puct:16", "gumbel:16"], ids=str
)
@pytest.mark.parametrize(("board", "players"), [("square8", 2), ("hex8", 3)])
def test_all_searches_look_with_it_and_all_kernels_play_alike(
    board: str, players: int, search: str, tmp_path: Path
) -> None:
    path = tmp_path / "one.safetensors"
    path.write_bytes(random_file(board, players, seed=5))
    seating = Seating.without_store(Board(board), players)
    player = seating.player(Specification.parse(f"nnue={path}:{search}"))
    (record,) = _engine.play_games(board, players, [[player]], seed=3, games=1, max_turns=6)
    assert record.decisions > 0
    again = {
        _engine.play_games(board, players, [[seated(kernel, path, search)]], seed=3, games=1, max_turns=6)[0].moves
        for kernel in kernels(path.read_bytes())
    }
    assert again == {record.moves}


def seated(kernel: str, path: Path, search: str) -> Player:
    from ringrift_core.seating.seating import seat

    return seat(Specification.parse(f"weights:{search}").search, Judge.nnue(path.read_bytes(), kernel))


def test_a_network_of_other_games_is_refused_where_it_is_read_and_where_it_plays(tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    path.write_bytes(random_file("hex8", 2, seed=1))
    with pytest.raises(StoreRefusedError, match=r"one\.safetensors: nnue for hex8-2p, not hex8-3p"):
        Judges(Board.HEX8, 3, None, tmp_path).of(Reference(JudgeKind.NNUE, file=path))
    player = Player.one_ply(Judge.nnue(path.read_bytes()), name="one")
    with pytest.raises(RulesError, match="player one, judge: a network for hex8-2p, and the game is square8-2p"):
        _engine.play_games("square8", 2, [[player]], seed=1, games=1)
    with pytest.raises(RulesError, match="a network for hex8-2p, and the game is hex8-3p"):
        player.choose(Position("hex8", 3), 1)
    with pytest.raises(RulesError, match="a network for hex8-2p"):
        Judge.nnue(path.read_bytes()).values(Position("hex8", 4))


def test_a_file_that_is_no_network_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    here = Judges(Board.HEX8, 2, None, tmp_path)
    path.write_bytes(b"nothing at all")
    with pytest.raises(StoreRefusedError, match=r"one\.safetensors: no nnue: file: no safetensors"):
        here.of(Reference(JudgeKind.NNUE, file=path))
    path.write_bytes(random_file("hex8", 2, seed=1, inputs="9"))
    with pytest.raises(StoreRefusedError, match=r'__metadata__\.inputs: "9", this engine reads "1"'):
        here.of(Reference(JudgeKind.NNUE, file=path))
    with pytest.raises(WrongInputError, match=r"nnue=.*gone: No such file"):
        here.of(Reference(JudgeKind.NNUE, file=tmp_path / "gone"))
    with pytest.raises(WrongInputError, match=r"nnue: no nnue-hex8-4p\.safetensors comes with the package"):
        Judges(Board.HEX8, 4, None, tmp_path).of(Reference(JudgeKind.NNUE))
    with pytest.raises(RulesError, match='kernel: "abacus" is none of this CPU, which has portable'):
        Judge.nnue(random_file("hex8", 2, seed=1), "abacus")


def test_units_of_search_are_those_of_the_file() -> None:
    judge = Judge.nnue(random_file("hex8", 3, seed=1, scale="1.25", temperature="0.125"))
    assert judge.calibration("hex8", 3) == (1.25, 0.125)
    assert judge.configuration == "hex8-3p"

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core import Game, RulesError, _engine
from ringrift_core._engine import Player
from ringrift_core.drawing.layout import LAYOUTS, cap_height

CONFIGURATIONS = st.sampled_from([("square8", 2), ("square8", 4), ("hex8", 2), ("hex8", 3)])
PHASES = (
    "ring_placement",
    "movement",
    "capture",
    "chain_capture",
    "line_processing",
    "territory_processing",
    "forced_elimination",
)


def expected_planes(board: str, players: int, state: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The planes of docs/encoding.md, written down again from the JSON state."""
    channels, height, width, _ = _engine.encoding_shape(board, players)
    planes = np.zeros((channels, height, width), np.float32)
    radius = LAYOUTS[board].extent if LAYOUTS[board].hexagonal else 0

    def at(plane: int, cell: str) -> tuple[int, int, int]:
        x, y = map(int, cell.split(","))
        return plane, y + radius, x + radius

    def first(seat: int) -> int:
        offset: int = (seat - state["p"]) % players
        return 7 * offset

    for cell, text in state["stk"].items():
        rings = tuple(map(int, text))
        cap = cap_height(rings)
        owner = first(rings[-1])
        planes[at(owner, cell)] = 1
        planes[at(owner + 1, cell)] = len(rings) / 8
        planes[at(owner + 2, cell)] = cap / 8
        for ring in rings:
            planes[at(first(ring) + 3, cell)] += 1 / 8
        if cap < len(rings):
            planes[at(first(rings[-cap - 1]) + 4, cell)] = 1
    for plane, pieces in ((5, state["mk"]), (6, state["col"])):
        for cell, seat in pieces.items():
            planes[at(first(seat) + plane, cell)] = 1
    for row in LAYOUTS[board].rows():
        for x, y in row:
            planes[at(7 * players, f"{x},{y}")] = 1
    turn = state["turn"]
    if acting := turn["chainFrom"] or turn["captureFrom"] or turn["mustMove"]:
        planes[at(7 * players + 1, acting)] = 1
    return planes


@settings(deadline=None)
@given(CONFIGURATIONS, st.integers(0, 2**32), st.integers(0, 140))
def test_planes_and_features_say_what_the_state_says(configuration: tuple[str, int], seed: int, moves: int) -> None:
    board, players = configuration
    game = Game(board, players, seed=seed)
    game.random_playout(moves)
    state = game.state()
    planes, features = _engine.encode_position(game._position)
    np.testing.assert_allclose(planes, expected_planes(board, players, state), atol=1e-6)
    rings = 18
    targets = {2: (18, 33 if board == "square8" else 31), 3: (24, 22 if board == "square8" else 21), 4: (30, 17)}
    for offset in range(players):
        seat = (state["p"] - 1 + offset) % players
        found = features[5 * offset : 5 * offset + 3]
        elimination, territory = targets[players]
        wanted = (state["hand"][seat] / rings, state["elim"][seat] / elimination, state["terr"][seat] / territory)
        np.testing.assert_allclose(found, wanted, atol=1e-6)
    phase = features[5 * players : 5 * players + 7]
    assert [name for name, on in zip(PHASES, phase, strict=True) if on] == [
        name for name in PHASES if name == state["ph"]
    ]
    debts = features[5 * players + 7 :]
    turn = state["turn"]
    swap_offered = any(move.kind == "swap_sides" for move in game.legal_moves())
    wanted_debts = [turn["lineDebt"], turn["regionDebt"] == "cap", turn["regionDebt"] == "buried", turn["recovered"]]
    assert list(debts) == [*map(float, wanted_debts), float(swap_offered)]


@pytest.mark.parametrize(("board", "players"), [("square8", 2), ("hexagonal", 3)])
def test_a_game_is_encoded_decision_by_decision(board: str, players: int) -> None:
    (record,) = _engine.play_games(board, players, [[Player.random()]], seed=4, games=1)
    planes, features, targets, seats = _engine.encode_positions(board, players, record.moves)
    assert len(planes) == len(features) == len(targets) == len(seats) == record.decisions
    game, row = Game(board, players), 0
    for move in _engine.notation(board, players, record.moves):
        if len(game.legal_moves()) > 1:
            if row % 9 == 0:
                one = _engine.encode_position(game._position)
                np.testing.assert_array_equal(planes[row], one[0])
                np.testing.assert_array_equal(features[row], one[1])
                assert seats[row] == game.mover
            row += 1
        game.play(move)
    assert row == record.decisions
    chosen = [7, 0, 7, record.decisions - 1]
    part = _engine.encode_positions(board, players, record.moves, chosen)
    np.testing.assert_array_equal(part[0], planes[chosen])
    np.testing.assert_array_equal(part[1], features[chosen])
    np.testing.assert_array_equal(part[2], targets[chosen])
    np.testing.assert_array_equal(part[3], seats[chosen])


@pytest.mark.parametrize("players", [2, 3, 4])
def test_targets_name_the_winner_from_the_movers_side(players: int) -> None:
    records = _engine.play_games("hex8", players, [[Player.random()]], seed=8, games=60)
    swaps = 0
    for record in records:
        _, _, targets, seats = _engine.encode_positions("hex8", players, record.moves)
        moves = _engine.notation("hex8", players, record.moves)
        assert record.winner is not None
        assert record.winning_agent is not None
        np.testing.assert_array_equal(targets.sum(axis=1), np.ones(len(targets)))
        winners = (seats - 1 + targets.argmax(axis=1)) % players + 1
        assert winners[0] == record.winning_agent
        assert winners[-1] == record.winner
        assert set(winners) <= {record.winner, record.winning_agent}
        if record.swapped:
            swaps += 1
            swap = next(index for index, move in enumerate(moves) if move.kind == "swap_sides")
            decided = sum(winners == record.winning_agent)
            assert decided <= swap + 1
    assert (swaps > 0) == (players == 2)


def test_a_cut_game_is_worth_the_same_to_all() -> None:
    (record,) = _engine.play_games("hex8", 4, [[Player.random()]], seed=4, games=1, max_turns=5)
    _, _, targets, _ = _engine.encode_positions("hex8", 4, record.moves)
    assert (targets == 0.25).all()


@pytest.mark.parametrize(
    ("decisions", "sentence"), [([10_000], "10000, but the game has"), ([99], "99, but the game has")]
)
def test_a_decision_beyond_the_game_is_refused(decisions: list[int], sentence: str) -> None:
    (record,) = _engine.play_games("hex8", 2, [[Player.random()]], seed=4, games=1, max_turns=40)
    assert record.decisions < 99 < record.recorded_moves
    with pytest.raises(RulesError, match=sentence):
        _engine.encode_positions("hex8", 2, record.moves, decisions)


def test_shapes_are_those_of_the_page() -> None:
    assert _engine.encoding_shape("square8", 2) == (16, 8, 8, 22)
    assert _engine.encoding_shape("hexagonal", 4) == (30, 25, 25, 32)

from __future__ import annotations

import contextlib
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ringrift_core import Game, RulesError, _engine
from ringrift_core._engine import Judge, Player
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
WEIGHTS = _engine.heuristic_weights("baseline")


def expected_planes(board: str, players: int, state: dict[str, Any]) -> NDArray[np.float32]:
    """The planes of docs/encoding.md, written down again from the JSON state; all but that of claimable regions."""
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
        if below := rings[:-cap]:
            planes[at(first(below[-1]) + 4, cell)] = cap_height(below) / 8
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


def expected_features(players: int, state: dict[str, Any], game: Game) -> NDArray[np.float32]:
    """The global features of docs/encoding.md, written down again; all but recovery-eligibility."""
    elimination, territory = {2: (18, 33), 3: (24, 22), 4: (30, 17)}[players]
    if game.board == "hex8":
        territory = {2: 31, 3: 21, 4: 16}[players]
    tracker, turn = state["game"], state["turn"]
    features: list[float] = []
    for offset in range(players):
        seat = (state["p"] - 1 + offset) % players
        mark = tracker["marks"].get(str(seat + 1), [False, False])
        on_board = sum(stack.count(str(seat + 1)) for stack in state["stk"].values())
        features += [
            state["hand"][seat] / 18,
            on_board / 18,
            state["elim"][seat] / elimination,
            state["terr"][seat] / territory,
            np.nan,
            tracker["soloCount"] / 3 if tracker["soloSeat"] == seat + 1 else 0,
            tracker["leader"] == seat + 1,
            *mark,
        ]
    features += [name == state["ph"] for name in PHASES]
    features += [turn["lineDebt"], turn["regionDebt"] == "cap", turn["regionDebt"] == "buried"]
    features += [turn[name] for name in ("recovered", "changed", "realAvailable", "realTaken")]
    features.append(any(move.kind == "swap_sides" for move in game.legal_moves()))
    return np.array(features, np.float16).astype(np.float32)


@settings(deadline=None)
@given(CONFIGURATIONS, st.integers(0, 2**32), st.integers(0, 200))
def test_planes_and_features_say_what_the_state_says(configuration: tuple[str, int], seed: int, moves: int) -> None:
    board, players = configuration
    game = Game(board, players, seed=seed)
    game.random_playout(moves)
    state = game.state()
    planes, features = _engine.encode_position(game._position)
    np.testing.assert_array_equal(planes[:-1], expected_planes(board, players, state)[:-1])
    claiming = any(move.kind == "choose_territory_option" for move in game.legal_moves())
    assert planes[-1].any() == claiming
    wanted = expected_features(players, state, game)
    known = ~np.isnan(wanted)
    np.testing.assert_array_equal(features[known], wanted[known])


def played(board: str, players: int, seed: int = 4, *, search: bool = False, **more: Any) -> _engine.GameRecord:
    player = Player.one_ply(Judge.linear(WEIGHTS), 0.3) if search else Player.random()
    (record,) = _engine.play_games(board, players, [[player]], seed=seed, games=1, **more)
    return record


def rows_of(board: str, players: int, record: _engine.GameRecord, **more: Any) -> dict[str, NDArray[Any]]:
    decisions = more.pop("decisions", None)
    game = (record.game_id, record.moves, record.searches, decisions)
    return _engine.encode_rows(board, players, [game], **more)


@pytest.mark.parametrize(
    ("board", "players"), [("square8", 2), ("square8", 3), ("hex8", 4), ("square19", 2), ("hexagonal", 3)]
)
def test_rows_are_a_game_decision_by_decision(board: str, players: int) -> None:
    record = played(board, players, max_turns=60)
    rows = rows_of(board, players, record, exact_states=True)
    planes = _engine.unpack_planes(board, players, rows["planes"])
    ends = np.cumsum(rows["state_lengths"])
    assert len(planes) == record.decisions
    assert list(rows["decisions"]) == list(range(record.decisions))
    game, row = Game(board, players), 0
    for move in _engine.notation(board, players, record.moves):
        if len(game.legal_moves()) > 1:
            if row % 9 == 0:
                one = _engine.encode_position(game._position)
                np.testing.assert_array_equal(planes[row], one[0])
                np.testing.assert_array_equal(rows["globals"][row].astype(np.float32), one[1])
                assert rows["seats"][row] == game.mover
                state = rows["states"][ends[row] - rows["state_lengths"][row] : ends[row]].tobytes()
                assert state == game._position.to_bytes()
            row += 1
        game.play(move)
    assert row == record.decisions


@pytest.mark.parametrize(("board", "players"), [("square8", 2), ("hex8", 3), ("square19", 4)])
def test_weighted_features_of_a_row_are_the_heuristics_values(board: str, players: int) -> None:
    record = played(board, players, max_turns=60)
    rows = rows_of(board, players, record, features=True, exact_states=True)
    assert rows["features"].shape == (record.decisions, players, len(WEIGHTS))
    states = np.split(rows["states"], np.cumsum(rows["state_lengths"])[:-1])
    for row in range(0, record.decisions, 5):
        position = _engine.Position.from_bytes(states[row].tobytes())
        scores = rows["features"][row] @ np.array(WEIGHTS)
        values = scores - (scores.sum() - scores) / (players - 1)
        by_seat = np.roll(values, position.mover - 1)
        np.testing.assert_allclose(by_seat, Judge.linear(WEIGHTS).values(position), atol=1e-4)
    assert rows_of(board, players, record)["features"].shape == (0, players, len(WEIGHTS)), "only where they are wanted"


def test_chosen_decisions_are_a_part_of_all() -> None:
    record = played("hex8", 2)
    chosen = [0, 3, 7, record.decisions - 1]
    whole, part = rows_of("hex8", 2, record), rows_of("hex8", 2, record, decisions=chosen)
    for name in ("planes", "globals", "outcomes", "seats", "decisions"):
        np.testing.assert_array_equal(part[name], whole[name][chosen])


def test_rows_do_not_depend_on_threads_and_follow_from_the_seed() -> None:
    records = _engine.play_games("square8", 2, [[Player.random()]], seed=3, games=12)
    games = [(record.game_id, record.moves, record.searches, [1, 5, 20]) for record in records]

    def encoded(threads: int, seed: int = 1) -> dict[str, bytes]:
        rows = _engine.encode_rows("square8", 2, games, seed=seed, symmetries=2, threads=threads)
        return {name: column.tobytes() for name, column in rows.items()}

    assert encoded(1) == encoded(3)
    assert encoded(1)["symmetries"] != encoded(1, seed=2)["symmetries"]


@pytest.mark.parametrize(("board", "players"), [("square8", 2), ("hex8", 3)])
def test_a_row_with_a_search_holds_every_legal_move_and_its_share(board: str, players: int) -> None:
    record = played(board, players, search=True)
    rows = rows_of(board, players, record, exact_states=True)
    searched = {one.decision: one for one in _engine.searches_from_bytes(record.searches, players)}
    assert len(searched) > 20
    move_at = key_at = state_at = 0
    for row, decision in enumerate(rows["decisions"]):
        length = int(rows["state_lengths"][row])
        position = _engine.Position.from_bytes(rows["states"][state_at : state_at + length].tobytes())
        state_at += length
        legal, named = int(rows["legal"][row]), {}
        for move in range(move_at, move_at + legal):
            keys = tuple(map(int, rows["keys"][key_at : key_at + int(rows["key_counts"][move])]))
            named[keys], key_at = float(rows["shares"][move]), key_at + len(keys)
        move_at += legal
        search = searched.get(int(decision))
        if search is None:
            assert legal == 0
            assert np.isnan(rows["values"][row]).all()
            continue
        assert set(named) == set(_engine.move_keys(position).values())
        assert len(named) == legal
        stored = sorted(share for _, share in search.policy)
        others = sorted(named.values())[: legal - len(stored)]
        assert sorted(named.values())[legal - len(stored) :] == stored
        assert sum(others) == pytest.approx(1 - sum(stored), abs=2e-3)
        assert len(set(others)) <= 1, "in equal parts"
        seats = [(position.mover - 1 + offset) % players for offset in range(players)]
        np.testing.assert_array_equal(
            rows["values"][row], np.array([search.values[seat] for seat in seats], np.float16)
        )
    assert (move_at, key_at, state_at) == (len(rows["shares"]), len(rows["keys"]), len(rows["states"]))


@pytest.mark.parametrize("players", [2, 3, 4])
def test_outcomes_name_the_winner_from_the_movers_side(players: int) -> None:
    records = _engine.play_games("hex8", players, [[Player.random()]], seed=8, games=60)
    swaps = 0
    for record in records:
        rows = rows_of("hex8", players, record)
        moves = _engine.notation("hex8", players, record.moves)
        assert record.winner is not None
        assert record.winning_agent is not None
        np.testing.assert_array_equal(rows["outcomes"].sum(axis=1), np.ones(record.decisions))
        winners = (rows["seats"] - 1 + rows["outcomes"].argmax(axis=1)) % players + 1
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
    rows = rows_of("hex8", 4, played("hex8", 4, max_turns=5))
    assert (rows["outcomes"] == 0.25).all()


@pytest.mark.parametrize("decisions", [[10_000], [99], [3, 3], [5, 4]])
def test_decisions_beyond_the_game_or_out_of_order_are_refused(decisions: list[int]) -> None:
    record = played("hex8", 2, max_turns=40)
    assert record.decisions < 99 < record.recorded_moves
    with pytest.raises(RulesError, match=f"game {record.game_id}, decisions: {decisions[-1]}: expected ascending"):
        rows_of("hex8", 2, record, decisions=decisions)


def test_packed_planes_of_another_width_are_refused() -> None:
    with pytest.raises(RulesError, match="planes: 7 bytes a row, expected 240"):
        _engine.unpack_planes("square8", 2, np.zeros((3, 7), np.uint8))


@settings(deadline=None)
@given(CONFIGURATIONS, st.sampled_from(["canonical", "deployed"]), st.integers(0, 2**32), st.integers(0, 200))
def test_a_state_comes_back_from_its_bytes(configuration: tuple[str, int], profile: str, seed: int, moves: int) -> None:
    position = _engine.Position(*configuration, profile)
    position.play_random(seed, moves)
    read = _engine.Position.from_bytes(position.to_bytes())
    assert json.loads(read.to_json()) == json.loads(position.to_json())
    assert (read.board, read.players, read.profile, read.swap) == (*configuration, profile, position.swap)
    assert read.to_bytes() == position.to_bytes()


@given(st.binary(max_size=90))
def test_other_bytes_are_no_state(state: bytes) -> None:
    with contextlib.suppress(RulesError):
        assert _engine.Position.from_bytes(state).to_bytes() == state


def test_shapes_are_those_of_the_page() -> None:
    assert _engine.encoding_shape("square8", 2) == (17, 8, 8, 33)
    assert _engine.encoding_shape("hexagonal", 4) == (31, 25, 25, 51)
    assert _engine.policy_size("square8", 2) == 58 * 64 + 5
    assert _engine.policy_size("hexagonal", 4) == 48 * 625 + 5

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.dataset.rows import RowFile
from ringrift_core.nn.losses import policy_losses
from ringrift_core.nn.network import NetworkShape, RingRiftNetwork
from ringrift_core.nn.positions import SYMMETRIES, Aim, Batch, split, value_targets
from ringrift_core.nn.sampling import epoch_order, sampling_weights
from ringrift_core.nn.training import Training, TrainingPlan
from tests.unit.core.nn.rows import file_of, made_up, positions_of

CPU = torch.device("cpu")
NO_KEY = _engine.policy_size("square8", 2)
Listed = list[list[tuple[tuple[int, ...], float]]]
"""By row: keys and share of each legal move."""

SHARES = st.sampled_from([0.0, 0.25, 0.5, 1.0])
KEYS = st.lists(st.integers(0, NO_KEY - 1), max_size=5).map(tuple)
ROWS = st.lists(st.lists(st.tuples(KEYS, SHARES), max_size=4), min_size=1, max_size=6)


def with_policies(rows: Listed) -> dict[str, Any]:
    moves = [move for row in rows for move in row]
    return {
        **made_up(Board.SQUARE8, 2, len(rows)),
        "legal": np.array([len(row) for row in rows], np.uint32),
        "shares": np.array([share for _, share in moves], np.float16),
        "key_counts": np.array([len(keys) for keys, _ in moves], np.uint8),
        "keys": np.array([key for keys, _ in moves for key in keys], np.uint16),
    }


def batch_of(rows: Listed, chosen: list[int]) -> Batch:
    return positions_of(Board.SQUARE8, 2, with_policies(rows)).batch(np.array(chosen, np.int64), Aim(), CPU)


def listed(batch: Batch) -> Listed:
    return [
        [
            (tuple(key for key in keys.tolist() if key != NO_KEY), float(share))
            for keys, legal, share in zip(*row, strict=True)
            if legal
        ]
        for row in zip(batch.keys, batch.legal, batch.shares, strict=True)
    ]


@given(ROWS, st.data())
def test_ragged_policies_are_chosen_and_padded_row_by_row(rows: Listed, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=8))
    assert listed(batch_of(rows, chosen)) == [rows[row] for row in chosen]


@given(ROWS)
def test_the_policy_loss_is_a_cross_entropy_over_each_rows_legal_moves(rows: Listed) -> None:
    numbers = torch.randn(len(rows), NO_KEY, generator=torch.Generator().manual_seed(1))
    losses = policy_losses(numbers, batch_of(rows, list(range(len(rows)))))
    for row, moves in enumerate(rows):
        logits = [sum(float(numbers[row, key]) for key in keys) for keys, _ in moves]
        total = math.log(sum(map(math.exp, logits))) if logits else 0
        wanted = sum(share * (total - logit) for (_, share), logit in zip(moves, logits, strict=True))
        assert math.isclose(float(losses[row]), wanted, abs_tol=1e-3)


def test_a_row_without_a_policy_gives_no_gradient() -> None:
    numbers = torch.zeros(2, NO_KEY, requires_grad=True)
    loss = policy_losses(numbers, batch_of([[((1,), 1.0), ((2, 3), 0.0)], []], [0, 1])).sum()
    (gradient,) = torch.autograd.grad(loss, numbers)
    assert gradient[0, 1:4].tolist() == [-0.5, 0.5, 0.5]
    assert not gradient[1].any()


def played(board: Board, players: int, games: int = 12) -> dict[str, Any]:
    """Rows of games that a short search played, no move at random."""
    judge = _engine.Judge.linear(_engine.heuristic_weights("baseline"))
    records = _engine.play_games(
        board.value, players, [[_engine.Player.minimax(judge, 1, noise=0.5)]], seed=3, games=games, opening_plies=2
    )
    return _engine.encode_rows(board.value, players, [(one.game_id, one.moves, one.searches, None) for one in records])


@pytest.mark.parametrize(("board", "players"), [(Board.SQUARE8, 2), (Board.HEX8, 3), (Board.SQUARE8, 4)])
def test_a_label_on_the_board_is_recovered_through_any_symmetry_from_any_part(board: Board, players: int) -> None:
    """The label: how many cells each seat has collapsed by now, which the planes show, and which stay its own."""
    columns = played(board, players)
    count = len(columns["games"])
    halves = [{name: part(columns, name, slice(None, 50)) for name in columns}, None]
    halves[1] = {name: part(columns, name, slice(50, None)) for name in columns}
    file = file_of(board, players, *halves)  # type: ignore[arg-type]
    assert len(file) == count
    rows = np.random.default_rng(1).permutation(count)
    for symmetry in range(SYMMETRIES[board]):
        seen = file.read(rows, np.full(count, symmetry, np.uint8))
        collapsed = seen["planes"][:, [7 * seat + 6 for seat in range(players)]]
        assert (collapsed <= seen["owners"]).all()
        least = columns["territories"][rows].astype(np.float32)
        cells = {Board.SQUARE8: 64, Board.HEX8: 61}[board] // players + 1
        np.testing.assert_allclose(seen["owners"].sum(axis=(2, 3)) / cells, least, atol=1e-3)
        np.testing.assert_array_equal(seen["outcomes"], columns["outcomes"][rows].astype(np.float32))
        moved = (seen["planes"] != file.read(rows, np.zeros(count, np.uint8))["planes"]).any(axis=(1, 2, 3))
        assert moved.mean() > (0.9 if symmetry else -1)
    assert collapsed.sum() > 100


def test_a_training_sees_a_position_through_many_symmetries_unless_told_otherwise() -> None:
    """One position, epoch after epoch: what is lost on it by a network that learns nothing says how it was seen."""
    columns = played(Board.SQUARE8, 2)
    columns = {name: part(columns, name, slice(20, 21)) for name in columns}
    positions = positions_of(Board.SQUARE8, 2, columns)
    seen = {}
    for augment in (True, False):
        torch.manual_seed(1)
        network = RingRiftNetwork(NetworkShape.of(Board.SQUARE8, 2, 1, 8))
        plan = TrainingPlan(seed=1, epochs=40, batch_size=1, learning_rate=0.0, augment=augment, most_seen=30)
        training = Training(network, plan, positions, positions, CPU)
        lost = set()
        for _ in range(30):
            lost.add(training.step(lambda: None).losses["policy"])
            training.measure(lambda: None)
        seen[augment] = len(lost)
    assert seen == {True: SYMMETRIES[Board.SQUARE8], False: 1}


def part(columns: dict[str, Any], name: str, rows: slice) -> Any:
    """Rows of a column, ragged ones too."""
    legal, counts = columns["legal"], columns["key_counts"]
    first, last, _ = rows.indices(len(legal))
    moves = slice(int(legal[:first].sum()), int(legal[:last].sum()))
    match name:
        case "shares" | "key_counts":
            return columns[name][moves]
        case "keys":
            return columns[name][int(counts[: moves.start].sum()) : int(counts[: moves.stop].sum())]
        case "states" | "state_lengths":
            return columns[name]
        case _:
            return columns[name][rows]


def test_games_are_held_out_whole() -> None:
    columns = played(Board.SQUARE8, 2, games=60)
    train, held_out = split(file_of(Board.SQUARE8, 2, columns))
    assert not set(columns["games"][train.rows]) & set(columns["games"][held_out.rows])
    assert len(train) + len(held_out) == len(columns["games"])
    assert 0 < len(held_out) < 0.3 * len(train)


def test_a_file_of_rows_takes_little_memory() -> None:
    columns = made_up(Board.SQUARE8, 2, 2000)
    file = file_of(Board.SQUARE8, 2, *[columns] * 5)
    assert sum(array.nbytes for array in (file.ends, file.games, file.legal)) == 20 * len(file) == 20 * 10_000
    held = [value for value in vars(file).values() if isinstance(value, np.ndarray)]
    assert len(held) == 3, "whatever else is kept of the rows is kept in the file"


@pytest.mark.parametrize("columns", ["symmetric", "keys"])
def test_columns_that_do_not_fit_are_named(columns: str) -> None:
    broken = with_policies([[((1, 2), 1.0)]])
    broken[columns] = broken[columns][:0]
    with pytest.raises(_engine.RulesError, match=columns):
        file_of(Board.SQUARE8, 2, broken)
    del broken[columns]
    with pytest.raises(KeyError, match=columns):
        file_of(Board.SQUARE8, 2, broken)


NONE = [math.nan, math.nan]
HALF = [0.5, 0.5]


@pytest.mark.parametrize(
    ("values", "unsearched", "aim", "wanted"),
    [
        (NONE, 0, Aim(0.8), [1, 0]),
        (HALF, 0, Aim(1.0), [1, 0]),
        (HALF, 0, Aim(0.8), [0.9, 0.1]),
        ([0, 1], 0, Aim(0.8), [0, 1]),
        ([0, 1], 3, Aim(1.0), [0, 1]),
        (HALF, 3, Aim(0.8), [0.1, 0.1]),
        (HALF, 3, Aim(1.0), [0, 0]),
        (NONE, 3, Aim(0.8), [0, 0]),
        (NONE, 3, Aim(0.8, clean_outcomes=False), [1, 0]),
        (HALF, 3, Aim(0.3, clean_outcomes=False), [0.65, 0.35]),
    ],
)
def test_the_target_of_the_values(values: list[float], unsearched: int, aim: Aim, wanted: list[float]) -> None:
    """The outcome as far as it counts, what a search found for the rest, and a proven value alone."""
    outcomes = np.array([[1, 0]], np.float32)
    found = value_targets(outcomes, np.array([values], np.float32), np.array([unsearched]), aim)
    np.testing.assert_allclose(found, [wanted], atol=1e-6)


def test_outcomes_before_a_random_move_do_not_count() -> None:
    """Of games in which a tenth of the moves were drawn at random: the rows after the last one are those that count."""
    judge = _engine.Judge.linear(_engine.heuristic_weights("baseline"))
    records = _engine.play_games(
        "square8", 2, [[_engine.Player.one_ply(judge)]], seed=5, games=30, opening_plies=3, random_move_rate=0.1
    )
    columns = _engine.encode_rows("square8", 2, [(one.game_id, one.moves, one.searches, None) for one in records])
    batch = positions_of(Board.SQUARE8, 2, columns).batch(np.arange(len(columns["games"])), Aim(), CPU)
    counted = batch.targets.sum(1) > 0
    at_random = np.isnan(columns["values"][:, 0])
    wanted = np.zeros(len(at_random), bool)
    for game in np.unique(columns["games"]):
        (rows,) = np.nonzero(columns["games"] == game)
        last = max((place for place, row in enumerate(rows) if at_random[row]), default=-1)
        wanted[rows[last + 1 :]] = True
    proven = ((columns["values"] == 0) | (columns["values"] == 1)).all(axis=1)
    np.testing.assert_array_equal(counted.numpy(), wanted | proven)
    assert 0.1 < wanted.mean() < 0.9


@given(st.lists(st.floats(0, 10) | st.just(math.nan), min_size=1, max_size=30), st.floats(0, 1), st.integers(0, 9))
def test_surprising_positions_are_seen_more_often_and_all_in_all_as_many(
    surprise: list[float], share: float, seed: int
) -> None:
    weights = sampling_weights(np.array(surprise), share)
    assert weights.sum() == pytest.approx(len(surprise))
    assert (weights >= (1 - share) * (1 - 1e-9)).all()
    order = epoch_order(len(surprise), weights, seed, 2)
    assert len(order) == len(surprise)
    counts = np.bincount(order, minlength=len(surprise))
    assert (np.abs(counts - weights) < 1 + 1e-6).all()
    np.testing.assert_array_equal(order, epoch_order(len(surprise), weights, seed, 2))


@given(st.integers(1, 200), st.integers(0, 9))
def test_without_surprise_an_epoch_sees_every_position_once(rows: int, seed: int) -> None:
    order = epoch_order(rows, None, seed, 1)
    assert sorted(order.tolist()) == list(range(rows))
    assert rows < 10 or order.tolist() != epoch_order(rows, None, seed, 2).tolist()


def test_a_row_file_leaves_nothing_in_its_folder(tmp_path: Any) -> None:
    file = RowFile.write(tmp_path, Board.SQUARE8, 2, [made_up(Board.SQUARE8, 2, 3)])
    assert list(tmp_path.iterdir()) == []
    assert len(file.read(np.arange(3), np.zeros(3, np.uint8))["planes"]) == 3

"""The small network over the heuristic's features: read from a file, seated in any search, for its own games alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from ringrift_core import _engine
from ringrift_core._engine import Judge, Position
from ringrift_core.contract import Board
from ringrift_core.errors import StoreRefusedError
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Seating

UNITS = dict.fromkeys(("scale", "temperature", "leaf_scale", "leaf_temperature", "noise_unit"), "0.5")


def written(path: Path, board: str, players: int, own: np.ndarray, others: np.ndarray, bias: float) -> Path:
    """A network whose output is its first unit: `own` [20] and `others` [20] of the features, and a bias."""
    hidden = np.zeros((32,), np.float32)
    hidden[0] = 1
    tensors = {
        "own": np.outer(own, hidden).astype(np.float32),
        "others": np.outer(others, hidden).astype(np.float32),
        "places": np.outer(np.full(2 * players, bias), hidden).astype(np.float32),
        "output": hidden[None],
    }
    texts = {"kind": "mlp", "format": "1", "board": board, "players": str(players)}
    path.write_bytes(save(tensors, texts | UNITS))
    return path


@pytest.mark.parametrize(("board", "players"), [("square8", 2), ("hex8", 3), ("hexagonal", 4)])
def test_a_unit_that_sums_up_as_the_heuristic_does_values_positions_alike(
    board: str, players: int, tmp_path: Path
) -> None:
    weights = np.array(_engine.heuristic_weights("baseline"))
    judge = Judge.mlp(written(tmp_path / "one", board, players, weights, -weights, bias=1000.0).read_bytes())
    linear, random = Judge.linear(list(weights)), np.random.default_rng(1)
    compared = 0
    while compared < 40:
        position = Position(board, players)
        position.play_random(int(random.integers(2**63)), int(random.integers(1, 80)))
        if position.outcome() is None:
            assert judge.values(position) == pytest.approx(linear.values(position), abs=1e-2)
            compared += 1


def test_what_a_unit_sees_below_zero_is_nothing(tmp_path: Path) -> None:
    zero = np.zeros(20)
    weights = np.array(_engine.heuristic_weights("baseline"))
    judge = Judge.mlp(written(tmp_path / "one", "hex8", 2, weights, zero, bias=-1000.0).read_bytes())
    assert judge.values(Position("hex8", 2)) == [0, 0]


@pytest.mark.parametrize("search", ["one-ply", "minimax:300", "descent:200", "puct:16"])
def test_it_sits_down_to_any_search(search: str, tmp_path: Path) -> None:
    weights = np.array(_engine.heuristic_weights("baseline"))
    path = written(tmp_path / "one", "hex8", 2, weights, -weights, bias=1000.0)
    player = Seating.without_store(Board.HEX8, 2).player(Specification.parse(f"mlp={path}:{search}"))
    (record,) = _engine.play_games("hex8", 2, [[player]], seed=3, games=1, max_turns=6)
    assert record.decisions > 0
    with pytest.raises(StoreRefusedError, match="one: mlp for hex8-2p, not hex8-3p"):
        Seating.without_store(Board.HEX8, 3).player(Specification.parse(f"mlp={path}:{search}"))
    path.write_bytes(b"nothing at all")
    with pytest.raises(StoreRefusedError, match="one: no mlp: file: no safetensors"):
        Seating.without_store(Board.HEX8, 2).player(Specification.parse(f"mlp={path}:{search}"))

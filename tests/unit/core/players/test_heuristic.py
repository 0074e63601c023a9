from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core import Game, RulesError, _engine
from ringrift_core._engine import Judge, Player

README = Path(__file__).parents[4] / "ringrift_core" / "players" / "README.md"
BASELINE = _engine.heuristic_weights("baseline")
NAMES = [name for name, _ in _engine.HEURISTIC_FEATURES]


def test_the_readme_lists_every_feature_and_both_settings() -> None:
    _, _, table = README.read_text().partition("## The linear evaluation")
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| `")]
    listed = {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows}
    assert list(listed) == NAMES
    material = _engine.heuristic_weights("material")
    for (name, meaning), hand_set, weak in zip(_engine.HEURISTIC_FEATURES, BASELINE, material, strict=True):
        assert listed[name] == [meaning, f"{hand_set:g}", f"{weak:g}"]


def test_only_documented_settings_exist() -> None:
    with pytest.raises(RulesError, match=r'setting: "champion" is neither baseline nor material'):
        _engine.heuristic_weights("champion")


@settings(deadline=None)
@given(
    st.sampled_from([("square8", 2), ("hex8", 3), ("square8", 4)]),
    st.integers(0, 2**32),
    st.integers(0, 120),
    st.lists(st.floats(-10, 10, width=32), min_size=len(NAMES), max_size=len(NAMES)),
)
def test_values_are_own_less_the_mean_of_the_others(
    configuration: tuple[str, int], seed: int, moves: int, weights: list[float]
) -> None:
    game = Game(*configuration, seed=seed)
    game.random_playout(moves)
    values = _engine.Judge.linear(weights).values(game._position)
    double = _engine.Judge.linear([2 * weight for weight in weights]).values(game._position)
    if max(values) < 1000:
        assert sum(values) == pytest.approx(0, abs=1e-2)
        assert double == pytest.approx([2 * value for value in values], abs=1e-2)
    else:
        assert values == double


@pytest.mark.parametrize(("board", "players"), [("square8", 2), ("hex8", 2), ("hex8", 3)])
def test_the_best_placement_or_swap_is_played(board: str, players: int) -> None:
    """Seat 2's first decision: each choice is valued after it, a swap by the seat that the chooser then holds."""
    swaps = 0
    games = _engine.play_games(
        board, players, [[Player.one_ply(Judge.linear(BASELINE))]], seed=2, games=40, opening_plies=2
    )
    for record in games:
        game = Game(board, players)
        for move in _engine.notation(board, players, record.moves):
            if game.mover == 2:
                break
            game.play(move)
        values = {}
        for choice in game.legal_moves():
            after = game.copy()
            after.play(choice)
            seat = 0 if choice.kind == "swap_sides" else 1
            values[str(choice)] = _engine.Judge.linear(BASELINE).values(after._position)[seat]
        assert values[str(move)] == max(values.values())
        swaps += move.kind == "swap_sides"
    assert (0 < swaps < 40) is (players == 2)

from __future__ import annotations

import pytest

from ringrift_core import RulesError, _engine
from ringrift_core._engine import Judge, Player

BASELINE = Judge.linear(_engine.heuristic_weights("baseline"))
VARIANTS = ("max_n", "paranoid", "best_reply")


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("board", "players"), [("square8", 2), ("hex8", 3), ("square8", 4)])
def test_a_node_budget_plays_the_same_games_on_any_number_of_threads(board: str, players: int, variant: str) -> None:
    player = Player.minimax(BASELINE, nodes=200, variant=variant, noise=0.05)
    one, two = (
        _engine.play_games(board, players, [[player]], seed=1, games=4, opening_plies=4, threads=threads)
        for threads in (1, 2)
    )
    assert [(record.moves, record.searches) for record in one] == [(record.moves, record.searches) for record in two]
    assert len({record.game_id for record in one}) == 4
    assert all(record.winner for record in one)


@pytest.mark.parametrize(("board", "players"), [("square8", 2), ("square8", 3)])
def test_a_search_finds_probabilities_for_every_seat_and_move(board: str, players: int) -> None:
    player = Player.minimax(BASELINE, depth=2, nodes=2000)
    (record,) = _engine.play_games(board, players, [[player]], seed=1, games=1)
    searches = _engine.searches_from_bytes(record.searches, players)
    assert len(searches) == record.decisions
    for found in searches:
        assert sum(found.values) == pytest.approx(1, abs=2e-3)  # stored as float16
        assert 0 < sum(share for _, share in found.policy) < 1.002


def test_looking_further_beats_looking_less_far() -> None:
    """Two plies with completed turns against the same evaluation of one: far beyond chance on thirty openings."""
    deep, shallow = Player.minimax(BASELINE, depth=3, nodes=5000), Player.one_ply(BASELINE)
    results = _engine.play_match("square8", 2, deep, shallow, seed=1, groups=30)
    assert sum(result.score for result in results) / (2 * len(results)) > 0.7


def test_a_time_budget_ends_a_search() -> None:
    player = Player.minimax(BASELINE, seconds=0.001)
    (record,) = _engine.play_games("hex8", 2, [[player]], seed=1, games=1, max_turns=5)
    assert record.decisions > 5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "budget: none given; depth, nodes or seconds must bound the search"),
        ({"depth": 0}, "budget: depth and nodes count from 1"),
        ({"nodes": 0}, "budget: depth and nodes count from 1"),
        ({"seconds": 0.0}, "seconds: 0 is not a positive number"),
        ({"seconds": float("nan")}, "seconds: NaN is not a positive number"),
        ({"depth": 1, "variant": "minmax"}, 'variant: "minmax" is none of max_n, paranoid, best_reply'),
        ({"depth": 1, "noise": -1.0}, "noise: -1 is not a number from 0 up"),
    ],
)
def test_a_player_that_cannot_be_is_refused(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(RulesError) as refusal:
        Player.minimax(BASELINE, **arguments)  # type: ignore[arg-type]
    assert str(refusal.value) == sentence

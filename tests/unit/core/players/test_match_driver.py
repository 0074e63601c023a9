from __future__ import annotations

from typing import Any

import pytest

from ringrift_core import _engine
from ringrift_core._engine import GroupResult, Judge, Player

BASELINE = Judge.linear(_engine.heuristic_weights("baseline"))
STRONG = Player.one_ply(BASELINE)
NOISY = Player.one_ply(BASELINE, noise=0.1, name="noisy")
MATERIAL = Player.one_ply(Judge.linear(_engine.heuristic_weights("material")))


def facts(results: list[GroupResult]) -> list[tuple[Any, ...]]:
    return [(one.group, one.score, [record.game_id for record in one.records]) for one in results]


def share(results: list[GroupResult]) -> float:
    return sum(one.score for one in results) / sum(len(one.records) for one in results)


@pytest.mark.parametrize("players", [2, 3, 4])
def test_equal_players_without_noise_share_every_opening_exactly(players: int) -> None:
    """One opening, one deterministic player: the same game in every rotation, so each seat's winner wins once."""
    for one in _engine.play_match("hex8", players, STRONG, STRONG, seed=2, groups=10):
        assert len({record.game_id for record in one.records}) == 1
        assert one.score == pytest.approx(1)
        assert one.candidate_won.count(True) == 1


@pytest.mark.parametrize("players", [2, 3, 4])
def test_the_candidate_starts_at_each_seat_in_turn(players: int) -> None:
    for one in _engine.play_match("square8", players, NOISY, MATERIAL, seed=2, groups=4):
        for seat, (record, won) in enumerate(zip(one.records, one.candidate_won, strict=True)):
            assert [name == "noisy" for name in record.seats] == [other == seat for other in range(players)]
            assert won is (record.winning_agent == seat + 1)
        assert one.score == one.candidate_won.count(True)


def test_groups_have_openings_of_their_own() -> None:
    results = _engine.play_match("square8", 2, NOISY, NOISY, seed=4, groups=60)
    games = [record for one in results for record in one.records]
    assert len({record.game_id for record in games}) == len(games)
    first_moves = {bytes(one.records[0].moves[:20]) for one in results}
    assert len(first_moves) > 50


def test_what_decisions_take_is_counted_for_each_side() -> None:
    slow, taken = Player.minimax(BASELINE, nodes=3000), _engine.CoreTime()
    counted = _engine.play_match("hex8", 2, slow, NOISY, seed=9, groups=2, core_time=taken)
    first = (taken.candidate, taken.opponent)
    assert facts(counted) == facts(_engine.play_match("hex8", 2, slow, NOISY, seed=9, groups=2))
    decisions = sum(record.decisions for one in counted for record in one.records)
    of_openings = 4 * 3  # Drawn, and nobody's.
    assert taken.candidate[0] + taken.opponent[0] == decisions - of_openings
    assert taken.candidate[1] / taken.candidate[0] > 5 * taken.opponent[1] / taken.opponent[0] > 0
    _engine.play_matches("hex8", 2, [slow, slow], NOISY, seed=9, groups=2, core_time=taken)
    assert taken.candidate[0] == 3 * first[0][0], "matches of several candidates, and of several calls, add up"
    assert taken.opponent[0] == 3 * first[1][0]


def test_a_match_in_steps_is_the_same_match() -> None:
    whole = facts(_engine.play_match("hex8", 3, NOISY, MATERIAL, seed=9, groups=12, threads=1))
    steps = [
        one
        for first in (0, 4, 8)
        for one in _engine.play_match("hex8", 3, NOISY, MATERIAL, seed=9, groups=4, first_group=first, threads=3)
    ]
    assert facts(steps) == whole


def test_candidates_meet_the_same_openings_as_alone() -> None:
    candidates = [NOISY, MATERIAL, Player.random()]
    together = _engine.play_matches("hex8", 2, candidates, STRONG, seed=3, groups=5, first_group=2)
    for candidate, results in zip(candidates, together, strict=True):
        alone = _engine.play_match("hex8", 2, candidate, STRONG, seed=3, groups=5, first_group=2)
        assert facts(results) == facts(alone)
    assert _engine.play_matches("hex8", 2, [], STRONG, seed=3, groups=5) == []


def test_a_cut_game_counts_an_equal_share() -> None:
    for one in _engine.play_match("hex8", 4, NOISY, STRONG, seed=3, groups=3, max_turns=6):
        assert one.candidate_won == (None,) * 4
        assert one.score == pytest.approx(1)


def test_a_stopped_match_returns_whole_groups() -> None:
    results = _engine.play_match("square8", 3, NOISY, STRONG, seed=3, groups=20_000, progress=lambda games: games < 20)
    assert 1 <= len(results) < 20_000
    assert all(len(one.records) == 3 for one in results)


@pytest.mark.parametrize("board", ["square8", "hex8"])
@pytest.mark.parametrize("players", [2, 3, 4])
def test_the_hand_set_weights_beat_material_and_random(board: str, players: int) -> None:
    """Seeded, so it never flickers: about 100 games each, against shares of 1/players for an equal player."""
    groups = 100 // players
    against_random = share(_engine.play_match(board, players, NOISY, Player.random(), seed=1, groups=groups))
    against_material = share(_engine.play_match(board, players, NOISY, MATERIAL, seed=1, groups=groups))
    assert against_random > {2: 0.93, 3: 0.8, 4: 0.65}[players]
    assert against_material > 1.3 / players


@pytest.mark.parametrize(("players", "least"), [(2, 0.6), (3, 0.42)])
def test_search_beats_the_heuristic_it_searches_with(players: int, least: float) -> None:
    descent = Player.descent(BASELINE, nodes=600)
    assert share(_engine.play_match("square8", players, descent, STRONG, seed=1, groups=36 // players)) > least

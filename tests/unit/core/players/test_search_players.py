from __future__ import annotations

import time

import pytest

from ringrift_core import RulesError, _engine
from ringrift_core._engine import Judge, Player

BASELINE = Judge.linear(_engine.heuristic_weights("baseline"))
HEURISTIC = Player.one_ply(BASELINE)
ASKED = Judge.asked(lambda planes, _: planes[:, 0, 0, :2])


def share(candidate: Player, opponent: Player, players: int, games: int = 24) -> float:
    results = _engine.play_match("square8", players, candidate, opponent, seed=1, groups=games // players)
    return sum(one.score for one in results) / games


@pytest.mark.parametrize("variant", ["puct", "gumbel"])
@pytest.mark.parametrize("players", [2, 3, 4])
def test_a_tree_search_beats_the_heuristic_it_evaluates_with(players: int, variant: str) -> None:
    assert share(Player.tree_search(BASELINE, 64, variant=variant), HEURISTIC, players) > 1.5 / players


@pytest.mark.parametrize("variant", ["puct", "gumbel"])
def test_more_simulations_are_stronger(variant: str) -> None:
    few, many = (Player.tree_search(BASELINE, simulations, variant=variant) for simulations in (8, 128))
    assert share(many, few, 2) > 0.6


@pytest.mark.parametrize(
    "player",
    [
        Player.tree_search(BASELINE, 16, variant="puct", noise=0.25),
        Player.tree_search(BASELINE, 16, variant="gumbel", noise=1),
        Player.descent(BASELINE, 400, noise=0.1, inner=5),
        Player.descent(BASELINE, 400, noise=0.1, to_the_end=True),
    ],
    ids=["puct", "gumbel", "descent", "to the end"],
)
def test_games_of_a_search_repeat_on_any_number_of_threads(player: Player) -> None:
    one, other = (
        _engine.play_games("hex8", 3, [[player]], seed=5, games=6, threads=threads, opening_plies=3)
        for threads in (1, 3)
    )
    assert [(record.moves, record.searches) for record in one] == [(record.moves, record.searches) for record in other]
    assert len({record.game_id for record in one}) == 6
    searched = _engine.searches_from_bytes(one[0].searches, 3)
    assert len(searched) == one[0].decisions - 3


def test_positions_of_the_tree_are_told_when_asked_for() -> None:
    for inner in (0, 7):
        player = Player.descent(BASELINE, 2000, inner=inner)
        (record,) = _engine.play_games("square8", 2, [[player]], seed=5, games=1, max_turns=4)
        searched = _engine.searches_from_bytes(record.searches, 2)
        assert {len(one.inner) for one in searched} == {inner}
        for moves, values in (position for one in searched for position in one.inner):
            assert len(moves) > 0
            assert sum(values) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize(
    "player",
    [Player.tree_search(BASELINE, None, seconds=0.05), Player.descent(BASELINE, None, seconds=0.05)],
    ids=["mcts", "descent"],
)
def test_time_alone_bounds_a_search(player: Player) -> None:
    position = _engine.Position("hex8", 2)
    position.play_random(5, 20)
    while len(position.legal_moves()) == 1:
        position.play(position.legal_moves()[0])
    begun = time.monotonic()
    assert player.choose(position, 1).nodes > 0
    assert time.monotonic() - begun > 0.05


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Player.minimax(ASKED, 2), "judge: has to be asked, which minimax and descent cannot wait for"),
        (lambda: Player.descent(ASKED), "judge: has to be asked, which minimax and descent cannot wait for"),
        (lambda: Player.policy(BASELINE), "judge: has no policy of its own, which a network has"),
        (lambda: ASKED.calibration("hex8", 2), "judge: has to be asked, and says probabilities by itself"),
        (lambda: Player.tree_search(BASELINE, 0), "simulations, considered: 0, expected at least 1"),
        (lambda: Player.tree_search(BASELINE, None), "budget: none given; simulations or seconds"),
        (lambda: Player.tree_search(BASELINE, seconds=0), "seconds: 0 is not a positive number"),
        (lambda: Player.descent(BASELINE, None), "budget: none given"),
        (lambda: Player.tree_search(BASELINE, variant="uct"), 'variant: "uct" is neither puct nor gumbel'),
        (lambda: Player.tree_search(BASELINE, variant="puct", noise=1.5), "noise: 1.5 is not a number from 0 to 1"),
        (lambda: Player.descent(BASELINE, noise=-0.1), "noise: -0.1 is not a number from 0 to 1"),
    ],
)
def test_bad_arguments_are_refused(make: object, sentence: str) -> None:
    with pytest.raises(RulesError, match=sentence):
        make()  # type: ignore[operator]

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringrift_core import _engine
from ringrift_core.cmaes.stage import FIXED_FEATURE
from ringrift_core.contract import Board, CmaesResult
from ringrift_core.errors import NotNowError, WrongInputError
from ringrift_core.players.weights import FEATURE_NAMES, HeuristicWeights
from ringrift_core.store import open_store
from tests.unit.core.desk import Desk

SMALL: dict[str, Any] = {
    "seed": 3,
    "generations": 4,
    "population_size": 6,
    "games_per_evaluation": 4,
    "initial_weights": "material",
}


def test_a_candidate_names_every_weight_and_keeps_the_scale(desk: Desk) -> None:
    result = desk.cmaes(**SMALL)
    found = HeuristicWeights.load(desk.archive, result.outputs["candidate"])
    material = dict(zip(FEATURE_NAMES, _engine.heuristic_weights("material"), strict=True))
    assert found.weights[FIXED_FEATURE] == material[FIXED_FEATURE]
    assert found.weights != material
    assert result.answer(CmaesResult).games == 4 * 6 * 4
    assert not result.answer(CmaesResult).converged


def test_a_killed_search_goes_on_to_the_same_candidate(desk: Desk, tmp_path: Path) -> None:
    whole = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2").cmaes(**SMALL)

    desk.stop_when(lambda _: sum(line.startswith("generation") for line in desk.report.lines) == 2)
    with pytest.raises(NotNowError):
        desk.cmaes(**SMALL)
    assert all(desk.layouts()), "so that no other version takes it for its own"
    assert len(desk.layouts()) == 1
    desk.go_on()
    desk.report.lines.clear()
    result = desk.cmaes(attempt=2, **SMALL)
    assert desk.report.lines[0] == "going on after generation 2"
    assert result.outputs["candidate"].sha256 == whole.outputs["candidate"].sha256
    assert result.result == whole.result
    assert len(desk.objects()) == 1, "the checkpoint is gone"


def test_the_number_of_threads_does_not_matter(desk: Desk, tmp_path: Path) -> None:
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    one, three = desk.cmaes(workers=1, **SMALL), other.cmaes(workers=3, **SMALL)
    assert one.outputs["candidate"].sha256 == three.outputs["candidate"].sha256


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (8, 3)])
def test_workers_are_no_more_than_there_are_cores(
    cores: int, threads: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = _engine.play_matches
    taken: set[int] = set()

    def spy(*arguments: Any, **more: Any) -> Any:
        taken.add(more["threads"])
        return played(*arguments, **more)

    monkeypatch.setattr("ringrift_core.cmaes.stage.available_cores", lambda: cores)
    monkeypatch.setattr(_engine, "play_matches", spy)
    desk.cmaes(workers=3, **SMALL)
    assert taken == {threads}


def test_a_search_may_begin_with_what_games_say(desk: Desk, tmp_path: Path) -> None:
    given = desk.cmaes(**SMALL)
    fitted = desk.cmaes(iteration=2, regression_games=200, **SMALL)
    assert fitted.outputs["candidate"].sha256 != given.outputs["candidate"].sha256
    threads = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    again = threads.cmaes(iteration=2, regression_games=200, workers=1, **SMALL)
    assert again.outputs["candidate"].sha256 == fitted.outputs["candidate"].sha256


def test_weights_are_searched_for_the_player_that_is_named(desk: Desk) -> None:
    one_ply, deeper = desk.cmaes(**SMALL), desk.cmaes(iteration=2, player="weights:minimax:60", **SMALL)
    assert deeper.outputs["candidate"].sha256 != one_ply.outputs["candidate"].sha256
    named = desk.cmaes(iteration=3, player="weights:one-ply", **SMALL)
    assert named.outputs["candidate"].sha256 == one_ply.outputs["candidate"].sha256


@pytest.mark.parametrize(
    ("player", "sentence"),
    [
        ("network:gumbel:64", "expected weights without a version"),
        ("random", "expected weights without a version"),
        ("weights@2:one-ply", "expected weights without a version"),
        ("weights:minimax:6ms", "a game by time does not repeat"),
        ("weights:chess", "expected JUDGE:SEARCH"),
    ],
)
def test_players_without_weights_to_search_are_refused(player: str, sentence: str, desk: Desk) -> None:
    with pytest.raises(WrongInputError, match=sentence):
        desk.cmaes(player=player, **SMALL)


def test_opponents_are_where_it_began_and_means_on_the_way_and_a_mean_that_stands_ends_the_search(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = _engine.play_matches
    met: list[tuple[int, int]] = []

    def spy(board: str, players: int, candidates: Any, opponent: Any, **more: Any) -> Any:
        (game,) = _engine.play_games(board, players, [[opponent]], seed=1, games=1)
        met.append((more["first_group"] // 2, hash(game.game_id)))
        return played(board, players, candidates, opponent, **more)

    monkeypatch.setattr(_engine, "play_matches", spy)
    tests = iter([True, False, True, True])
    monkeypatch.setattr("ringrift_core.cmaes.stage.is_no_better", lambda *_: next(tests))
    result = desk.cmaes(**SMALL | {"generations": 300}).answer(CmaesResult)
    assert (result.generations, result.converged) == (250, True), "two tests in a row: one passed between them"
    assert {len({opponent for generation, opponent in met if generation in among}) for among in [range(20)]} == {1}
    of_stand = [
        {opponent for generation, opponent in met if generation in range(stand, stand + 20)} for stand in (0, 20, 80)
    ]
    assert [len(opponents) for opponents in of_stand] == [1, 2, 4]
    assert all(of_stand[0] < later for later in of_stand[1:]), "where it began is always among them"


def test_candidates_of_a_generation_share_openings_and_the_next_one_gets_new_ones(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = _engine.play_matches
    groups: list[list[set[int]]] = []

    def spy(*arguments: Any, **more: Any) -> Any:
        results = played(*arguments, **more)
        groups.append([{result.group for result in match} for match in results])
        return results

    monkeypatch.setattr(_engine, "play_matches", spy)
    desk.cmaes(**SMALL)
    assert all(len(generation) == 6 and all(match == generation[0] for match in generation) for generation in groups)
    assert len(set.union(*(generation[0] for generation in groups))) == 4 * 2


@pytest.mark.parametrize(("players", "games"), [(3, 6), (4, 4)])
def test_games_round_up_to_whole_groups(tmp_path: Path, players: int, games: int) -> None:
    desk = Desk(open_store((tmp_path / "store").as_uri()), tmp_path / "scratch", Board.HEX8, players)
    result = desk.cmaes(seed=1, generations=1, population_size=4, games_per_evaluation=4)
    assert result.answer(CmaesResult).games == 4 * games


def test_a_search_in_which_nobody_wins_has_not_converged_and_has_no_candidate(desk: Desk) -> None:
    result = desk.cmaes(seed=1, generations=60, population_size=6, games_per_evaluation=2, max_moves=1)
    told = result.answer(CmaesResult)
    assert not told.converged
    assert result.outputs == {}
    assert (told.generations, told.refused_generations, told.cut_share) == (60, 60, 1.0)
    assert told.refused == (
        "refused as evidence: in each of 60 generations more than 50% "
        "of the games were cut by the move limit of 1 turns"
    )
    assert result.message == f"no candidate: {told.refused}"
    warned = [line for line in desk.report.lines if line.startswith("warning: ")]
    assert warned[0] == (
        "warning: generation 1 refused as evidence: 100% of its games were cut by the move limit, 50% may be"
    )
    assert warned[-1] == "warning: 100% of the games were cut by the move limit, more than 5%"
    assert desk.cmaes(seed=1, generations=60, population_size=6, games_per_evaluation=2, max_moves=1).result == told, (
        "a repeat reports the same"
    )


def cut_in(monkeypatch: pytest.MonkeyPatch, generations: set[int], won: Callable[[int], list[Any]]) -> None:
    """Has the games of these generations come out as `won` says: `SMALL` has two groups of two games."""
    played = _engine.play_matches

    class Cut:
        def __init__(self, result: Any) -> None:
            self.group, self.candidate_won = result.group, won(result.group)
            self.score = sum(0.5 if each is None else float(each) for each in self.candidate_won)

    def some(*arguments: Any, **more: Any) -> Any:
        results = played(*arguments, **more)
        if more["first_group"] // more["groups"] not in generations:
            return results
        return [[Cut(result) for result in match] for match in results]

    monkeypatch.setattr(_engine, "play_matches", some)


def test_a_generation_of_which_more_than_half_was_cut_is_not_learnt_from(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_in(monkeypatch, {1, 3}, lambda group: [None, None] if group % 2 else [None, True])
    result = desk.cmaes(**SMALL)
    told = result.answer(CmaesResult)
    assert (told.generations, told.refused_generations, told.refused) == (4, 2, "")
    assert told.cut_games == 2 * 6 * 3
    assert result.message == "4 generations, 2 of them refused as evidence, the budget is spent"
    shares = iter([True, True])
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    cut_in(monkeypatch, {1, 3}, lambda group: [None, next(shares, True)] if group % 2 else [None, None])
    assert other.cmaes(**SMALL).outputs["candidate"].sha256 == result.outputs["candidate"].sha256, "whatever they were"


def test_a_generation_of_which_half_was_cut_is_learnt_from(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_in(monkeypatch, {0, 1, 2, 3}, lambda _: [None, True])
    told = desk.cmaes(**SMALL).answer(CmaesResult)
    assert (told.refused_generations, told.cut_share) == (0, 0.5)
    assert told.population_win_rate == 0.75


def test_a_killed_search_with_refused_generations_comes_to_the_same_result(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_in(monkeypatch, {0, 2}, lambda _: [None, None])
    whole = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2").cmaes(**SMALL)
    desk.stop_when(lambda fraction: fraction >= 0.7)
    with pytest.raises(NotNowError):
        desk.cmaes(**SMALL)
    desk.go_on()
    result = desk.cmaes(attempt=2, **SMALL)
    assert "going on after generation 3" in desk.report.lines or "going on after generation 2" in desk.report.lines
    assert result.outputs["candidate"].sha256 == whole.outputs["candidate"].sha256
    assert result.result == whole.result


def test_a_search_that_is_asked_for_from_another_champion_does_not_go_on_with_the_first_ones(
    desk: Desk, tmp_path: Path
) -> None:
    """A retry after the pointer moved, and self-play was begun anew from who is champion now."""
    whole = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2").cmaes(
        **SMALL | {"initial_weights": "baseline"}
    )
    desk.stop_when(lambda _: sum(line.startswith("generation") for line in desk.report.lines) == 2)
    with pytest.raises(NotNowError):
        desk.cmaes(**SMALL)
    desk.go_on()
    result = desk.cmaes(attempt=2, **SMALL | {"initial_weights": "baseline"})
    assert not any(line.startswith("going on") for line in desk.report.lines)
    assert result.outputs["candidate"].sha256 == whole.outputs["candidate"].sha256

"""The stage roundrobin at its contract: ratings, their history, what a stop costs, what a repeat does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringrift_core import _engine
from ringrift_core.arena import match
from ringrift_core.contract import Artifact, Board, Entrant, PlayerRating, RoundrobinResult, StageResult, Track
from ringrift_core.errors import NotNowError, WrongInputError
from ringrift_core.players.weights import FEATURE_NAMES, HeuristicWeights
from ringrift_core.registry.ratings import RatedRound, RatingHistory, keep_ratings, read_ratings
from ringrift_core.store import open_store
from tests.results import rating_of
from tests.unit.core.desk import Desk


def weights(desk: Desk, factor: float = 1.0) -> Artifact:
    """The hand-set weights times a factor: -1 wants everything which loses."""
    named = {
        name: factor * weight for name, weight in zip(FEATURE_NAMES, _engine.heuristic_weights("baseline"), strict=True)
    }
    return HeuristicWeights(board=desk.here["board"], players=desk.here["players"], weights=named).save(desk.archive)


def with_champions(desk: Desk) -> Desk:
    """Version 1 throws every game away, version 2 plays as the hand-set heuristic does."""
    desk.promote(track=Track.WEIGHTS, iteration=1, expected_version=0, candidate=weights(desk, -1.0))
    desk.promote(track=Track.WEIGHTS, iteration=2, expected_version=1, candidate=weights(desk))
    return desk


def another(tmp_path: Path, name: str, board: Board = Board.SQUARE8, players: int = 2) -> Desk:
    return with_champions(Desk(open_store((tmp_path / name).as_uri()), tmp_path / f"{name}-scratch", board, players))


def ratings(result: StageResult) -> dict[str, PlayerRating]:
    return {rating.player: rating for rating in result.answer(RoundrobinResult).ratings}


def without_times(result: StageResult) -> StageResult:
    return result.model_copy(update={"started_at": None, "finished_at": None, "outputs": {}})


def stored(desk: Desk, result: StageResult) -> Any:
    return json.loads(desk.archive.get_bytes(result.outputs["ratings"]))


def test_champions_predecessors_and_baselines_are_rated(desk: Desk) -> None:
    result = with_champions(desk).roundrobin(iteration=2, seed=5, games=20)
    found = ratings(result)
    assert list(found) == ["weights@2", "weights@1", "random", "heuristic"]
    assert max(found["weights@1"].high, found["random"].high) < found["weights@2"].low
    assert found["weights@2"].low < 0 < found["weights@2"].high, "it is the heuristic"
    assert (found["heuristic"].elo, found["heuristic"].low, found["heuristic"].high) == (0, 0, 0)
    assert result.answer(RoundrobinResult).games == 6 * 20
    assert all(rating.games == 3 * 20 for rating in found.values())
    assert found["weights@1"].win_rate < 0.3
    assert result.message.startswith("Elo above heuristic over 120 games: ")


def test_every_group_is_stored_with_who_played(desk: Desk) -> None:
    result = with_champions(desk).roundrobin(seed=5, games=4)
    evidence = stored(desk, result)
    assert evidence["entrants"] == {"weights@2": weights(desk).sha256, "weights@1": weights(desk, -1.0).sha256}
    assert [(each["one"], each["other"]) for each in evidence["pairings"]][:3] == [
        ("weights@2", "weights@1"),
        ("weights@2", "random"),
        ("weights@2", "heuristic"),
    ]
    assert [len(each["groups"]) for each in evidence["pairings"]] == [2] * 6
    assert [group["score"] for group in evidence["pairings"][2]["groups"]] == [0.5, 0.5], "one player against itself"
    games = [game for each in evidence["pairings"] for group in each["groups"] for game in set(group["games"])]
    assert len(set(games)) == len(games)


def test_three_players_meet_one_against_two_and_two_against_one(tmp_path: Path) -> None:
    desk = another(tmp_path, "store", players=3)
    result = desk.roundrobin(iteration=2, games=10)
    found = ratings(result)
    assert max(found["weights@1"].elo, found["random"].elo) < found["weights@2"].elo
    evidence = stored(desk, result)
    assert [(each["one"], each["other"], len(each["groups"])) for each in evidence["pairings"]][:2] == [
        ("weights@2", "weights@1", 2),
        ("weights@1", "weights@2", 2),
    ]


def test_the_same_seed_gives_the_same_ratings_on_any_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = (another(tmp_path, name) for name in ("one", "two", "three"))
    first = one.roundrobin(seed=9, games=10)
    monkeypatch.setattr(match, "available_cores", lambda: 1)
    second = two.roundrobin(seed=9, games=10)
    assert stored(one, first) == stored(two, second)
    assert without_times(first) == without_times(second)
    assert stored(three, three.roundrobin(seed=10, games=10))["pairings"] != stored(one, first)["pairings"]


@pytest.mark.parametrize("fraction", [0.1, 0.7])
def test_what_a_stopped_round_robin_has_played_is_kept(tmp_path: Path, fraction: float) -> None:
    undisturbed, stopped = another(tmp_path, "undisturbed"), another(tmp_path, "stopped")
    whole = undisturbed.roundrobin(seed=3, games=12)
    stopped.stop_when(lambda reached: reached >= fraction)
    with pytest.raises(NotNowError):
        stopped.roundrobin(seed=3, games=12)
    assert all(stopped.layouts()), "so that no other version takes it for its own"
    assert len(stopped.layouts()) == 1
    assert read_ratings(stopped.archive) == RatingHistory()
    stopped.go_on()
    stopped.report.fractions.clear()
    again = stopped.roundrobin(seed=3, games=12, attempt=2)
    assert any(line.startswith("going on after ") for line in stopped.report.lines)
    assert min(stopped.report.fractions) >= fraction - 6 * 2 / 72, "all but the groups under way"
    assert stored(stopped, again) == stored(undisturbed, whole)
    assert read_ratings(stopped.archive) == read_ratings(undisturbed.archive)
    assert not [key for key in stopped.archive.store.keys("") if ".checkpoint" in key]


def test_a_pointer_that_moved_between_two_attempts_begins_anew_where_nobody_was_named(desk: Desk) -> None:
    desk.promote(track=Track.WEIGHTS, iteration=1, expected_version=0, candidate=weights(desk, -1.0))
    desk.stop_when(lambda reached: reached >= 0.5)
    with pytest.raises(NotNowError):
        desk.roundrobin(iteration=2, games=20)
    desk.go_on()
    desk.promote(track=Track.WEIGHTS, iteration=2, expected_version=1, candidate=weights(desk))
    found = ratings(desk.roundrobin(iteration=2, games=20))
    assert list(found) == ["weights@2", "weights@1", "random", "heuristic"]
    assert not any(line.startswith("going on after ") for line in desk.report.lines)


def test_a_repeat_plays_nothing_and_leaves_the_history_as_it_is(desk: Desk) -> None:
    first = with_champions(desk).roundrobin(iteration=2, games=4)
    history, told = read_ratings(desk.archive), len(desk.report.fractions)
    again = desk.roundrobin(iteration=2, games=4, attempt=2)
    assert without_times(again).model_copy(update={"attempt": 1}) == without_times(first)
    assert read_ratings(desk.archive) == history
    assert len(desk.report.fractions) == told


def test_the_history_tells_who_was_how_strong_by_iteration(desk: Desk) -> None:
    named = (Entrant(Track.WEIGHTS, 1),)
    first = ratings(with_champions(desk).roundrobin(iteration=1, seed=1, games=4, entrants=named))
    second = ratings(desk.roundrobin(iteration=2, seed=2, games=4))
    history = read_ratings(desk.archive)
    assert [(each.iteration, each.seed, each.games) for each in history.rounds] == [(1, 1, 12), (2, 2, 24)]
    assert history.newest("weights@1") == (2, second["weights@1"])
    assert history.rounds[0].ratings == tuple(first.values())
    assert history.newest("weights@3") is None
    place = Path(desk.archive.store.uri.removeprefix("file://")) / "square8-2p/tracking/roundrobin/scalars.jsonl"
    points = [json.loads(line) for line in place.read_text().splitlines()]
    assert [point["step"] for point in points] == [1, 2]
    assert points[0]["roundrobin/weights/elo"] == first["weights@1"].elo
    assert points[1]["roundrobin/weights/elo"] == second["weights@2"].elo
    assert points[1]["roundrobin/weights/win_rate"] == pytest.approx(second["weights@2"].win_rate)


def rated_round(iteration: int, elo: int) -> RatedRound:
    return RatedRound(iteration=iteration, seed=iteration, games=10, ratings=(rating_of("weights@1", elo),))


def test_a_round_robin_takes_its_iterations_place_in_the_history() -> None:
    history = RatingHistory()
    for iteration, elo in ((3, 30), (1, 10), (2, 20), (3, 31), (3, 31)):
        history = history.with_round(rated_round(iteration, elo))
    assert [(each.iteration, each.ratings[0].elo) for each in history.rounds] == [(1, 10), (2, 20), (3, 31)]


def test_of_two_who_write_the_history_at_once_both_are_in_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    swap, outrun = type(desk.archive.store).swap, [rated_round(2, 20)]

    def slow(store: Any, *arguments: Any) -> bool:
        if outrun:
            keep_ratings(desk.archive, outrun.pop())
        return bool(swap(store, *arguments))

    monkeypatch.setattr(type(desk.archive.store), "swap", slow)
    keep_ratings(desk.archive, rated_round(1, 10))
    assert [each.iteration for each in read_ratings(desk.archive).rounds] == [1, 2]


def test_games_that_nobody_won_are_no_ratings(desk: Desk) -> None:
    result = with_champions(desk).roundrobin(games=4, max_moves=3)
    told = result.answer(RoundrobinResult)
    assert told.ratings == ()
    assert told.cut_share == 1
    assert told.refused == "refused as evidence: no games: nothing to rate"
    assert result.message == f"no ratings: {told.refused}"
    assert read_ratings(desk.archive) == RatingHistory()
    assert any("random against heuristic: refused as evidence: 100%" in line for line in desk.report.lines)


def test_who_was_never_champion_does_not_play(desk: Desk) -> None:
    with pytest.raises(WrongInputError, match=r"network version 3: never a champion of square8-2p in "):
        desk.roundrobin(entrants=(Entrant(Track.NETWORK, 3),))
    with pytest.raises(WrongInputError, match=r"track policy: there is no player of it yet|policy version 1: never"):
        desk.roundrobin(entrants=(Entrant(Track("policy"), 1),))


@pytest.mark.parametrize(
    "text", ["network", "network@0", "network@", "@3", "network@3@4", "Network@3", "network@9999999999"]
)
def test_an_entrant_is_a_track_and_a_version(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected TRACK@VERSION, as network@3, found "):
        Entrant.parse(text)
    assert str(Entrant.parse("network@3")) == "network@3"

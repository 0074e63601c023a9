from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ringrift_core import _engine
from ringrift_core.arena.match import Group, identical_share
from ringrift_core.contract import BASELINES, Artifact, Board, Decision, EvaluateResult, GateKind, Track
from ringrift_core.errors import StoreRefusedError, WrongInputError
from ringrift_core.players.weights import FEATURE_NAMES, HeuristicWeights
from ringrift_core.store import open_store
from tests.unit.core.desk import Desk


def weights(desk: Desk, setting: str = "baseline", **changed: float) -> Artifact:
    named = dict(zip(FEATURE_NAMES, _engine.heuristic_weights(setting), strict=True)) | changed
    return HeuristicWeights(board=desk.here["board"], players=desk.here["players"], weights=named).save(desk.archive)


def hopeless(desk: Desk) -> Artifact:
    """Weights that want everything which loses."""
    named = {name: -weight for name, weight in zip(FEATURE_NAMES, _engine.heuristic_weights("baseline"), strict=True)}
    return HeuristicWeights(board=desk.here["board"], players=desk.here["players"], weights=named).save(desk.archive)


def evaluate(desk: Desk, candidate: Artifact, **more: Any) -> Any:
    return desk.evaluate(track=Track.WEIGHTS, candidate=candidate, **more)


def test_weights_that_throw_the_game_away_are_rejected(desk: Desk) -> None:
    verdict = evaluate(desk, hopeless(desk)).verdict
    assert verdict.decision is Decision.REJECT
    assert verdict.champion == "baseline"
    assert verdict.high < 0.5
    assert verdict.games < 200


def test_far_better_weights_are_promoted(desk: Desk) -> None:
    bad = hopeless(desk)
    desk.promote(track=Track.WEIGHTS, iteration=1, expected_version=0, candidate=bad)
    verdict = evaluate(desk, weights(desk), iteration=2, champion_version=1).verdict
    assert verdict.decision is Decision.PROMOTE
    assert verdict.champion == "1"
    assert verdict.low > 0.5
    assert verdict.candidate == weights(desk).sha256


def test_a_candidate_that_is_its_opponent_scores_exactly_one_half(desk: Desk) -> None:
    """Without noise each group is one game, played from both seats: a seat-rotation that is wrong shows here."""
    result = evaluate(desk, weights(desk), gate=GateKind.FIXED, games=40)
    assert result.verdict.win_rate == 0.5
    assert result.verdict.games == 40


def test_the_verdict_is_stored_with_its_evidence(desk: Desk) -> None:
    result = evaluate(desk, hopeless(desk))
    stored = json.loads(desk.archive.get_bytes(result.outputs["verdict"]))
    assert stored["verdict"] == result.verdict.model_dump(mode="json", by_alias=True)
    assert len(stored["groups"]) * 2 == result.verdict.games
    assert sum(group["score"] for group in stored["groups"]) / len(stored["groups"]) == pytest.approx(
        result.verdict.raw_share
    )
    assert stored["gate"]["kind"] == "SprtGate"


def test_the_same_evaluation_gives_the_same_verdict(desk: Desk, tmp_path: Path) -> None:
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    one = evaluate(desk, weights(desk, "material"), seed=9, baseline_games=10)
    two = evaluate(other, weights(other, "material"), seed=9, baseline_games=10)
    assert one.verdict == two.verdict
    assert one.outputs["verdict"].sha256 == two.outputs["verdict"].sha256
    assert one.result == two.result


def test_baseline_games_tell_how_strong_it_is(desk: Desk) -> None:
    told = evaluate(desk, weights(desk), gate=GateKind.FIXED, games=2, baseline_games=60).answer(EvaluateResult)
    random, heuristic = told.baselines
    assert (random.opponent, heuristic.opponent) == BASELINES
    assert random.games == heuristic.games == 60
    assert random.low > 0.7
    assert heuristic.win_rate == 0.5
    assert heuristic.low < 0.5 < heuristic.high


def test_three_players_rotate_through_three_seats(tmp_path: Path) -> None:
    desk = Desk(open_store((tmp_path / "store").as_uri()), tmp_path / "scratch", Board.SQUARE8, 3)
    verdict = evaluate(desk, weights(desk), gate=GateKind.FIXED, games=20).verdict
    assert verdict.games == 21
    assert verdict.raw_share == pytest.approx(1 / 3)
    assert verdict.win_rate == pytest.approx(0.5)


def test_games_that_repeat_each_other_are_no_evidence() -> None:
    same = Group(1.0, ("a", "b"), 0)
    assert identical_share([Group(1.0, ("a", "b"), 0), Group(1.0, ("c", "d"), 0)]) == 0
    assert identical_share([same, same]) == 0.5
    assert identical_share([Group(1.0, ("a", "a"), 0), Group(1.0, ("c", "d"), 0)]) == 0, "one group, one observation"


def test_a_match_of_repeated_games_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    played = _engine.play_match

    def one_opening(*arguments: Any, **more: Any) -> Any:
        results = played(*arguments, **(more | {"first_group": 0, "groups": 1}))
        return results * more["groups"]

    monkeypatch.setattr(_engine, "play_match", one_opening)
    verdict = evaluate(desk, weights(desk, "material")).verdict
    assert verdict.decision is Decision.REJECT
    assert verdict.reason.startswith("refused as evidence:")


def test_wrong_candidates_are_named(desk: Desk, tmp_path: Path) -> None:
    other = Desk(open_store((tmp_path / "store").as_uri()), tmp_path / "scratch2", Board.HEX8, 2)
    for_hex8 = weights(other)
    desk.archive.put_bytes(other.archive.get_bytes(for_hex8), "json")
    with pytest.raises(StoreRefusedError, match="weights for hex8-2p, not square8-2p"):
        evaluate(desk, for_hex8)
    with pytest.raises(StoreRefusedError, match="not heuristic weights"):
        evaluate(desk, desk.archive.put_json({"weights": 3}))
    with pytest.raises(StoreRefusedError, match="not a model card"):
        desk.evaluate(track=Track.NETWORK, candidate=weights(desk))
    with pytest.raises(WrongInputError, match="track nnue: there is no player of it yet"):
        desk.evaluate(track=Track.NNUE, candidate=weights(desk))


def regression(desk: Desk, iteration: int, champion: int, games: int = 20) -> Any:
    return desk.evaluate(
        iteration=iteration, track=Track.WEIGHTS, kind="regression", champion_version=champion, games=games
    )


def test_the_first_champion_has_nothing_to_regress_from(desk: Desk) -> None:
    desk.promote(track=Track.WEIGHTS, iteration=1, expected_version=0, candidate=weights(desk))
    verdict = regression(desk, 1, 1).verdict
    assert (verdict.decision, verdict.games) == (Decision.KEEP, 0)


def test_regression_evidence_grows_over_iterations_until_it_decides(desk: Desk) -> None:
    desk.promote(track=Track.WEIGHTS, iteration=1, expected_version=0, candidate=weights(desk))
    desk.promote(track=Track.WEIGHTS, iteration=2, expected_version=1, candidate=hopeless(desk))
    verdicts = [regression(desk, iteration, 2).verdict for iteration in range(3, 7)]
    assert [verdict.games for verdict in verdicts[:2]] == [20, 40]
    assert verdicts[0].decision is Decision.KEEP
    assert verdicts[-1].decision is Decision.REGRESSED
    desk.archive.store.delete(desk.archive.key("tasks/i0003/regression-weights.json"))
    assert regression(desk, 3, 2).verdict == verdicts[0], "a repeat judges what was there in its iteration"


def test_a_killed_regression_test_repeats_to_the_same_verdict(desk: Desk) -> None:
    """Killed after its games were added to the evidence and before the task was recorded."""
    desk.promote(track=Track.WEIGHTS, iteration=1, expected_version=0, candidate=weights(desk))
    desk.promote(track=Track.WEIGHTS, iteration=2, expected_version=1, candidate=weights(desk, "material"))
    first = regression(desk, 3, 2)
    desk.archive.store.delete(desk.archive.key("tasks/i0003/regression-weights.json"))
    assert regression(desk, 3, 2).verdict == first.verdict


def test_a_regression_test_of_another_champion_is_refused(desk: Desk) -> None:
    desk.promote(track=Track.WEIGHTS, iteration=1, expected_version=0, candidate=weights(desk))
    desk.promote(track=Track.WEIGHTS, iteration=2, expected_version=1, candidate=weights(desk, "material"))
    with pytest.raises(WrongInputError, match="--champion-version 1: the champion of weights is 2"):
        regression(desk, 3, 1)

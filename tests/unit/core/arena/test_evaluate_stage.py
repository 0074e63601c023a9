from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ringrift_core import _engine
from ringrift_core.arena.match import Group, identical_share, refusal
from ringrift_core.contract import (
    BASELINES,
    Artifact,
    Board,
    Decision,
    EvaluateResult,
    GateKind,
    Track,
    cut_warning,
)
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
    result = evaluate(desk, weights(desk, "material"))
    assert result.verdict is None
    assert re.fullmatch(
        r"refused as evidence: \d+% of \d+ games are identical, 5% may be", result.answer(EvaluateResult).refused
    )


SHORT = {"max_moves": 3}
"""Nobody wins in three turns."""


def test_a_match_that_nobody_won_is_no_evidence(desk: Desk) -> None:
    result = evaluate(desk, hopeless(desk), **SHORT)
    told = result.answer(EvaluateResult)
    assert result.verdict is None
    assert told.cut_share == 1
    assert re.fullmatch(r"refused as evidence: 100% of \d+ games were cut by the move limit, 50% may be", told.refused)
    assert result.message == f"no verdict: {told.refused}"
    assert "warning: 100% of the games were cut by the move limit, more than 5%" in desk.report.lines
    stored = json.loads(desk.archive.get_bytes(result.outputs["verdict"]))
    assert (stored["verdict"], stored["refused"]) == (None, told.refused)
    assert evaluate(desk, hopeless(desk), **SHORT).result == told, "a repeat says the same"


@pytest.mark.parametrize(("gate", "players"), [(GateKind.FIXED, 2), (GateKind.SPRT, 2), (GateKind.FIXED, 3)])
def test_neither_gate_takes_cut_games_for_an_answer(tmp_path: Path, gate: GateKind, players: int) -> None:
    desk = Desk(open_store((tmp_path / "store").as_uri()), tmp_path / "scratch", Board.SQUARE8, players)
    assert evaluate(desk, weights(desk, "material"), gate=gate, games=20, **SHORT).verdict is None


def group(number: int, cut: int, won: int, games: int = 2) -> Group:
    return Group((won + cut / 2) / games, tuple(f"{number}-{game}" for game in range(games)), cut)


@pytest.mark.parametrize(("cut", "is_refused"), [(0, False), (9, False), (10, False), (11, True), (20, True)])
def test_half_of_the_games_may_be_cut_and_no_more(cut: int, is_refused: bool) -> None:
    groups = [group(number, min(2, max(0, cut - 2 * number)), 0) for number in range(10)]
    assert bool(refusal(groups)) == is_refused


def test_a_share_that_is_just_too_large_does_not_read_as_one_that_may_be() -> None:
    assert cut_warning(0.05) == ""
    assert cut_warning(0.054) == "5.4% of the games were cut by the move limit, more than 5%"


def test_a_baseline_of_cut_games_is_no_figure(desk: Desk) -> None:
    result = evaluate(desk, weights(desk), gate=GateKind.FIXED, games=2, baseline_games=10, **SHORT)
    told = result.answer(EvaluateResult)
    assert (told.baselines, told.unmeasured) == ((), BASELINES)
    assert any(
        line.startswith("warning: against random: refused as evidence: 100% of 10") for line in desk.report.lines
    )


def test_a_candidate_that_beats_nobody_by_the_clock_is_not_promoted(desk: Desk) -> None:
    candidate = hopeless(desk)
    verdict = evaluate(desk, candidate, **SHORT).outputs["verdict"]
    with pytest.raises(WrongInputError, match=r"--verdict: .* decides nothing: refused as evidence: 100%"):
        desk.promote(track=Track.WEIGHTS, iteration=1, expected_version=0, candidate=candidate, verdict=verdict)


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
    with pytest.raises(StoreRefusedError, match="not an NNUE's card"):
        desk.evaluate(track=Track.NNUE, candidate=weights(desk))


def regression(desk: Desk, iteration: int, champion: int, games: int = 20, **more: Any) -> Any:
    return desk.evaluate(
        iteration=iteration, track=Track.WEIGHTS, kind="regression", champion_version=champion, games=games, **more
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


def two_champions(desk: Desk) -> None:
    desk.promote(track=Track.WEIGHTS, iteration=1, expected_version=0, candidate=weights(desk))
    desk.promote(track=Track.WEIGHTS, iteration=2, expected_version=1, candidate=hopeless(desk))


def test_cut_games_of_a_regression_test_count_as_nothing(desk: Desk) -> None:
    two_champions(desk)
    cut = regression(desk, 3, 2, **SHORT)
    assert cut.verdict is None
    assert cut.answer(EvaluateResult).refused.startswith("refused as evidence: 100% of 20 games were cut")
    later = [regression(desk, iteration, 2) for iteration in range(4, 8)]
    assert [each.verdict.games for each in later[:2]] == [20, 40], "those of iteration 3 are left out"
    assert later[-1].verdict.decision is Decision.REGRESSED
    desk.archive.store.delete(desk.archive.key("tasks/i0003/regression-weights.json"))
    again = regression(desk, 3, 2, **SHORT)
    assert (again.verdict, again.result) == (None, cut.result)


def test_openings_of_cut_games_are_not_played_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    two_champions(desk)
    played = _engine.play_match
    firsts: list[int] = []

    def spy(*arguments: Any, **more: Any) -> Any:
        firsts.append(more["first_group"])
        return played(*arguments, **more)

    monkeypatch.setattr(_engine, "play_match", spy)
    for iteration in (3, 4, 5):
        regression(desk, iteration, 2, games=16, **(SHORT if iteration != 5 else {}))
    assert firsts == [0, 8, 16]


def test_a_regression_test_of_who_is_champion_no_more_is_superseded(desk: Desk) -> None:
    desk.promote(track=Track.WEIGHTS, iteration=1, expected_version=0, candidate=weights(desk))
    desk.promote(track=Track.WEIGHTS, iteration=2, expected_version=1, candidate=weights(desk, "material"))
    result = regression(desk, 3, 1)
    assert result.verdict is None
    assert result.answer(EvaluateResult).refused == "superseded: the champion of weights is 2, and no longer 1"
    found = result.answer(EvaluateResult)
    assert (found.champion, found.predecessor) == (2, 1)
    assert regression(desk, 3, 1).result == result.result, "a repeat says the same"
    with pytest.raises(WrongInputError, match="weights version 7: never a champion"):
        regression(desk, 4, 7)

"""Games that nobody won: no verdict, no rollback, a word in events, status and records."""

from __future__ import annotations

from typing import Any

import pytest

from ringrift_core.contract import BaselineRate, Decision, EvaluateResult, StageResult, Track
from ringrift_operator.api import ConditionType, StagePhase
from ringrift_operator.api.iteration import TrainingIteration
from ringrift_operator.domain.snapshot import TaskObservation
from ringrift_operator.telling.tracks import reason, warnings
from tests.results import JUDGED, SEARCHED, played
from tests.unit.domain.test_conditions import condition, holds
from tests.unit.domain.test_rollback import rollbacks, weights
from tests.unit.domain.test_tracks import decisions
from tests.unit.domain.world import World, champions, rejections, world

REFUSED = "refused as evidence: 98% of 40 games were cut by the move limit, 50% may be"


def no_verdict(result: StageResult, refused: str = REFUSED, cut_share: float = 0.98) -> StageResult:
    """As a match of cut games ends."""
    told = EvaluateResult(cut_share=cut_share, identical_share=0.0, refused=refused)
    return result.model_copy(update={"verdict": None, "result": told, "message": f"no verdict: {refused}"})


def no_candidate(result: StageResult) -> StageResult:
    told = SEARCHED.model_copy(update={"refused": REFUSED, "refused_generations": 10, "cut_games": 2400})
    return result.model_copy(update={"outputs": {}, "result": told, "message": f"no candidate: {REFUSED}"})


def run(one: World, cut: dict[str, set[int]], gates: Decision = Decision.PROMOTE) -> World:
    """Runs to the end; of these steps the games of these iterations were cut."""

    def answer(world: World, child: TaskObservation) -> None:
        result, step = world.result(child, gates), child.identity.step
        if child.identity.iteration in cut.get(step, set()):
            result = no_candidate(result) if step == "cmaes" else no_verdict(result)
        world.end(child, result=result)

    one.run(answer)
    return one


def record(one: World, iteration: int) -> TrainingIteration:
    return next(each for each in one.records.values() if each.spec.iteration == iteration)


def outcomes(one: World) -> list[str]:
    return [each["weights"].value for each in decisions(one)]


@pytest.mark.parametrize("step", ["evaluate-weights", "cmaes"])
def test_without_evidence_the_track_is_skipped_with_the_sentence_and_the_champion_stays(step: str) -> None:
    one = run(weights(iterations=6), {step: {3, 4, 5, 6}})
    assert outcomes(one) == ["Promoted"] * 2 + ["Skipped"] * 4
    assert champions(one.configuration()) == {"weights": "2"}
    assert rejections(one.configuration())["weights"] == 0
    assert rollbacks(one) == []
    assert one.statuses["tp"].tasks.failed == 0
    said = [event.message for event in one.events if event.reason == "TrackSkipped"]
    assert said[0] == f"square8-2p: weights ends iteration 3: no verdict, {REFUSED}"
    assert all(event.is_warning for event in one.events if event.reason in ("TrackSkipped", "NoEvidence"))
    (track,) = record(one, 3).spec.tracks
    assert REFUSED in reason(record(one, 3), track)


def test_rejections_in_a_row_are_neither_more_nor_fewer_for_it() -> None:
    one = weights(iterations=5, rollback={"maxConsecutiveFailures": 2})

    def answer(world: World, child: TaskObservation) -> None:
        iteration = child.identity.iteration
        result = world.result(child, Decision.REJECT if iteration in (3, 5) else Decision.PROMOTE)
        if child.identity.step == "evaluate-weights" and iteration == 4:
            result = no_verdict(result)
        world.end(child, result=result)

    one.run(answer)
    assert outcomes(one) == ["Promoted", "Promoted", "Rejected", "Skipped", "Rejected"]
    assert rollbacks(one) == [(5, "1")], "two rejections, whatever lies between"


def test_two_iterations_in_a_row_without_a_verdict_are_degraded() -> None:
    one = run(weights(iterations=3), {"evaluate-weights": {3, 4, 6}})
    assert not holds(one, ConditionType.DEGRADED)

    def until(iterations: int) -> None:
        one.specs["tp"] = one.specs["tp"].model_copy(update={"iterations": iterations})
        run(one, {"evaluate-weights": {3, 4, 6}})

    until(4)
    assert condition(one, ConditionType.DEGRADED).message == (
        f"square8-2p: weights came to no verdict in 2 iterations in a row: {REFUSED}"
    )
    until(5)
    assert not holds(one, ConditionType.DEGRADED)
    until(6)
    assert not holds(one, ConditionType.DEGRADED), "one again"


def test_a_search_without_a_candidate_is_not_skipped_for_good() -> None:
    one = run(weights(iterations=4), {"cmaes": {2, 3}})
    assert outcomes(one) == ["Promoted", "Skipped", "Skipped", "Promoted"]
    phases = {stage.name: stage.phase for stage in record(one, 2).spec.stages}
    assert phases["cmaes"] == StagePhase.SUCCEEDED
    assert phases["evaluate-weights"] == StagePhase.SKIPPED
    assert "promote-weights" not in phases


def test_a_regression_test_of_cut_games_rolls_nobody_back_and_is_told() -> None:
    one = run(weights(iterations=4), {"regression-weights": {3, 4}})
    assert outcomes(one) == ["Promoted"] * 4, "the gate's verdict stands"
    assert [event.message for event in one.events if event.reason == "NoEvidence"] == [
        f"square8-2p: regression-weights: {REFUSED}"
    ] * 2
    assert warnings(record(one, 3)) == (
        "regression-weights: 98% of the games were cut by the move limit, more than 5%",
        f"regression-weights: {REFUSED}",
    )
    assert record(one, 3).spec.tracks[0].regression is None


def test_a_gate_that_repeats_its_games_counts_as_nothing_either() -> None:
    one = weights(iterations=4)
    identical = "refused as evidence: 30% of 40 games are identical, 5% may be"

    def answer(world: World, child: TaskObservation) -> None:
        result = world.result(child)
        if child.identity.step == "evaluate-weights" and child.identity.iteration > 2:
            result = no_verdict(result, identical, cut_share=0.0)
        world.end(child, result=result)

    one.run(answer)
    assert outcomes(one) == ["Promoted", "Promoted", "Skipped", "Skipped"]
    assert rollbacks(one) == []
    assert not holds(one, ConditionType.GAMES_CUT)


def told(step: str, result: dict[str, Any], iterations: int = 1) -> World:
    one = world(iterations=iterations, tracks=["weights"])

    def answer(world: World, child: TaskObservation) -> None:
        answered = world.result(child)
        if child.identity.step == step and child.identity.iteration == 1:
            answered = answered.model_copy(update=result)
        world.end(child, result=answered)

    one.run(answer)
    return one


RATE = BaselineRate(opponent="random", games=40, win_rate=0.9, low=0.8, high=1.0, cut_share=0.25)


@pytest.mark.parametrize(
    ("step", "result", "sentences"),
    [
        ("selfplay", played(200, 11), ["selfplay: 5.5% of the games were cut by the move limit, more than 5%"]),
        ("selfplay", played(200, 10), []),
        (
            "cmaes",
            SEARCHED.model_copy(update={"cut_games": 480}),
            ["cmaes: 20% of the games were cut by the move limit, more than 5%"],
        ),
        (
            "evaluate-weights",
            JUDGED.model_copy(update={"cut_share": 0.5}),
            ["evaluate-weights: 50% of the games were cut by the move limit, more than 5%"],
        ),
        (
            "evaluate-weights",
            JUDGED.model_copy(update={"baselines": (RATE,), "unmeasured": ("heuristic",)}),
            [
                "evaluate-weights against random: 25% of the games were cut by the move limit, more than 5%",
                "evaluate-weights against heuristic: refused as evidence, so there is no rate",
            ],
        ),
    ],
)
def test_cut_games_are_told_in_events_in_the_status_and_of_the_record(
    step: str, result: Any, sentences: list[str]
) -> None:
    one = told(step, {"result": result})
    events = [event for event in one.events if event.reason == "GamesCut"]
    assert [event.message for event in events] == [f"square8-2p: {sentence}" for sentence in sentences]
    assert all(event.is_warning for event in events)
    assert holds(one, ConditionType.GAMES_CUT) == bool(sentences)
    assert condition(one, ConditionType.GAMES_CUT).message == (
        f"square8-2p: {'; '.join(sentences)}" if sentences else ""
    )
    assert warnings(record(one, 1)) == tuple(sentences)


def test_cut_games_are_told_until_the_next_iteration_is_over() -> None:
    assert not holds(told("selfplay", {"result": played(200, 150)}, iterations=2), ConditionType.GAMES_CUT)


def test_a_baseline_without_a_rate_leaves_the_strength_without_it() -> None:
    one = told("evaluate-weights", {"result": JUDGED.model_copy(update={"unmeasured": ("random",)})})
    strength = one.configuration().track(Track.WEIGHTS).strength
    assert strength is not None
    assert strength.against == {}

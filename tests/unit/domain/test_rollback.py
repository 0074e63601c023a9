"""When a champion gives way to its predecessor."""

from __future__ import annotations

from ringrift_core.contract import Decision, StageResult
from ringrift_operator.api import TrackDecision
from ringrift_operator.domain.snapshot import TaskObservation
from tests.unit.domain.world import World, champions, rejections, world


def weights(**changes: object) -> World:
    return world(tracks=["weights"], **{"iterations": 4, "rollback": {"maxConsecutiveFailures": 2}, **changes})


def with_decision(result: StageResult, decision: Decision) -> StageResult:
    assert result.verdict is not None
    return result.model_copy(update={"verdict": result.verdict.model_copy(update={"decision": decision})})


def run(one: World, gates: dict[int, Decision], tests: dict[int, Decision] | None = None) -> World:
    """Runs; the gate and the regression test of an iteration decide as told, Promote and Keep where untold."""

    def answer(world: World, child: TaskObservation) -> None:
        iteration = child.identity.iteration
        result = world.result(child)
        if child.identity.step == "evaluate-weights":
            result = with_decision(result, gates.get(iteration, Decision.PROMOTE))
        elif child.identity.step == "regression-weights":
            result = with_decision(result, (tests or {}).get(iteration, Decision.KEEP))
        world.end(child, result=result)

    one.run(answer)
    return one


def rollbacks(one: World) -> list[tuple[int, str]]:
    return [(m.iteration, m.version) for record in one.records.values() for m in record.spec.rollbacks]


def test_a_regressed_champion_is_rolled_back_in_the_same_iteration() -> None:
    one = run(weights(iterations=3), {3: Decision.REJECT}, {3: Decision.REGRESSED})
    assert rollbacks(one) == [(3, "1")]
    configuration = one.statuses["tp"].configurations[0]
    assert (champions(configuration), rejections(configuration)) == (
        {"weights": "1"},
        {"weights": 0, "nnue": 0, "network": 0},
    )
    assert one.statuses["tp"].rollbacks == 1
    assert one.statuses["tp"].last_rollback is not None
    assert "regressed" in one.statuses["tp"].last_rollback.reason


def test_a_candidate_that_was_accepted_against_a_regressed_champion_is_not_promoted() -> None:
    """It beat somebody who is worse than the one before, who comes back and meets the next."""
    one = run(weights(iterations=4), {}, {3: Decision.REGRESSED})
    assert rollbacks(one) == [(3, "1")]
    ends = [track.decision for record in one.records.values() for track in record.spec.tracks]
    assert ends == [TrackDecision.PROMOTED] * 2 + [TrackDecision.SKIPPED, TrackDecision.PROMOTED]
    assert champions(one.configuration()) == {"weights": "4"}
    said = [event.message for event in one.events if event.reason == "TrackSkipped"]
    assert said == [
        "square8-2p: weights ends iteration 3: superseded: its champion, whom the candidate met, has regressed"
    ]


def test_too_many_rejections_in_a_row_roll_back() -> None:
    one = run(weights(), {3: Decision.REJECT, 4: Decision.REJECT})
    assert rollbacks(one) == [(4, "1")]


def test_rejections_count_in_a_row_only() -> None:
    one = run(weights(iterations=5), {3: Decision.REJECT, 5: Decision.REJECT})
    assert rollbacks(one) == []


def test_without_a_predecessor_only_an_event_says_so_and_only_once() -> None:
    one = run(weights(iterations=6), dict.fromkeys(range(2, 7), Decision.REJECT))
    assert rollbacks(one) == []
    said = [event.message for event in one.events if event.reason == "NoPredecessor"]
    assert said == [
        "square8-2p: weights version 1 stays, there is no earlier champion to go back to: "
        "2 candidates rejected in a row"
    ]


def test_one_rollback_per_champion_version() -> None:
    """After going back to 1, which has no predecessor, further rejections change nothing."""
    one = run(weights(iterations=8), dict.fromkeys(range(3, 9), Decision.REJECT))
    assert rollbacks(one) == [(4, "1")]


def test_crashes_do_not_roll_back() -> None:
    one = weights(iterations=6)

    def answer(world: World, child: TaskObservation) -> None:
        if child.identity.step == "cmaes" and child.identity.iteration > 2:
            world.fail(child)
        else:
            world.end(child)

    one.run(answer)
    assert rollbacks(one) == []
    ends = [track.decision for record in one.records.values() for track in record.spec.tracks]
    assert ends == [TrackDecision.PROMOTED] * 2 + [TrackDecision.FAILED] * 4


def test_the_first_champion_is_not_tested_against_the_baseline() -> None:
    one = run(weights(iterations=2), {})
    assert not any(task.identity.step == "regression-weights" for task in one.created)

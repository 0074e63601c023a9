"""Conditions as kstatus reads them, and the alerts among them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ringrift_core.contract import Decision
from ringrift_operator.api import Condition, ConditionStatus, ConditionType
from ringrift_operator.api.pipeline_status import PipelinePhase
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.snapshot import ChildPhase, TaskObservation
from tests.unit.domain.test_rollback import with_decision
from tests.unit.domain.world import BEGINNING, World, pipeline_spec, pool, world


def condition(one: World, kind: ConditionType) -> Condition:
    return next(each for each in one.statuses["tp"].conditions if each.type == kind)


def holds(one: World, kind: ConditionType) -> bool:
    return condition(one, kind).status == ConditionStatus.TRUE


def playing(**changes: object) -> World:
    """Self-play runs."""
    one = world(**changes)
    one.step()
    one.end(one.live[0])
    one.step()
    one.step()
    return one


def fails(step: str, code: int, **changes: object) -> World:
    one = world(iterations=1, **changes)

    def answer(world: World, child: TaskObservation) -> None:
        if child.identity.step == step:
            world.fail(child, exit_code=code, message="loss is nan")
        else:
            world.end(child)

    one.run(answer)
    return one


def test_a_last_iteration_that_came_to_nothing_is_no_completion() -> None:
    one = fails("train", 137, tracks=["network"])
    status = one.statuses["tp"]
    assert (status.phase, status.iteration) == (PipelinePhase.FAILED, 1)
    assert not holds(one, ConditionType.READY)
    assert not holds(one, ConditionType.RECONCILING)
    assert holds(one, ConditionType.DEGRADED)
    said = condition(one, ConditionType.STALLED).message
    assert said.startswith("square8-2p: iteration 1 was the last and came to nothing: network failed: ")
    assert said.endswith("; mend that, then raise iterations")
    assert condition(one, ConditionType.READY).message == said


def test_raised_iterations_go_on_after_one_that_came_to_nothing() -> None:
    one = fails("train", 137, tracks=["network"])
    one.specs["tp"] = pipeline_spec(iterations=2, tracks=["network"])
    one.generation += 1
    one.run()
    assert one.statuses["tp"].phase == PipelinePhase.COMPLETED
    assert holds(one, ConditionType.READY)
    assert not holds(one, ConditionType.STALLED)


def test_an_iteration_that_judged_one_track_is_complete_and_degraded() -> None:
    one = fails("train", 139)
    assert one.statuses["tp"].phase == PipelinePhase.COMPLETED
    assert holds(one, ConditionType.READY)
    assert condition(one, ConditionType.DEGRADED).message.endswith("native code crashed (SIGSEGV): loss is nan")


def test_an_earlier_iteration_that_came_to_nothing_is_forgotten() -> None:
    one = world(iterations=2, tracks=["network"])

    def answer(world: World, child: TaskObservation) -> None:
        if child.identity.step == "train" and child.identity.iteration == 1:
            world.fail(child, exit_code=137)
        else:
            world.end(child)

    one.run(answer)
    assert one.statuses["tp"].phase == PipelinePhase.COMPLETED


def test_under_way_it_reconciles_and_says_what_runs() -> None:
    one = playing()
    assert holds(one, ConditionType.RECONCILING)
    assert not holds(one, ConditionType.READY)
    assert condition(one, ConditionType.READY).message == "square8-2p i1: selfplay"
    assert all(each.observed_generation == 1 for each in one.statuses["tp"].conditions)


@pytest.mark.parametrize(
    ("phase", "reason", "standing", "said"),
    [
        (ChildPhase.WAITING, "", "Waiting", "square8-2p selfplay is about to start"),
        (ChildPhase.WAITING, "Unschedulable", "Waiting", "square8-2p: selfplay does not start: Unschedulable: no room"),
        (ChildPhase.QUEUED, "", "Queued", "square8-2p selfplay is queued"),
        (ChildPhase.QUEUED, "Preempted", "Queued", "square8-2p: selfplay is held: Preempted: no room"),
    ],
)
def test_what_has_no_pod_that_works_does_not_run(phase: ChildPhase, reason: str, standing: str, said: str) -> None:
    one = playing(tracks=["network"])
    (child,) = one.live
    one.children[child.name] = replace(child, phase=phase, reason=reason, message="no room")
    (plan,) = one.plans()
    assert plan.status.running == ""
    assert plan.status.configurations[0].stages["selfplay"] == standing
    assert plan.status.configurations[0].running, "it cannot be removed"
    ready = next(each for each in plan.status.conditions if each.type == ConditionType.READY)
    assert ready.message == said, "once"


@pytest.mark.parametrize(("reason", "is_wrong"), [("Preempted", False), ("Pending", False), ("Inadmissible", True)])
def test_what_a_queue_holds_says_why_and_is_degraded_only_where_somebody_has_to_mend(
    reason: str, is_wrong: bool
) -> None:
    one = playing(tracks=["network"])
    (child,) = one.live
    one.children[child.name] = replace(child, phase=ChildPhase.QUEUED, reason=reason, message="LocalQueue games ...")
    one.step()
    said = f"square8-2p: selfplay is held: {reason}: LocalQueue games ..."
    assert said in condition(one, ConditionType.RECONCILING).message
    assert holds(one, ConditionType.DEGRADED) is is_wrong
    assert (said in condition(one, ConditionType.DEGRADED).message) is is_wrong


@pytest.mark.parametrize("phase", [ChildPhase.QUEUED, ChildPhase.WAITING])
def test_selfplay_that_waits_for_a_queue_or_a_node_is_not_silent(phase: ChildPhase) -> None:
    one = playing(alerts={"selfplayStall": "30m"}, tracks=["network"])
    (child,) = one.live
    one.children[child.name] = replace(child, phase=phase, reason="Preempted", message="held")
    for _ in range(3):
        one.now += timedelta(hours=1)
        one.step()
        assert not holds(one, ConditionType.SELFPLAY_STALLED)
    one.children[child.name] = replace(child, phase=ChildPhase.RUNNING)
    one.step()
    one.now += timedelta(minutes=29)
    one.step()
    assert not holds(one, ConditionType.SELFPLAY_STALLED)
    one.now += timedelta(minutes=2)
    one.step()
    assert holds(one, ConditionType.SELFPLAY_STALLED)


def test_it_is_ready_when_complete() -> None:
    one = world(iterations=1)
    one.run()
    assert holds(one, ConditionType.READY)
    assert not holds(one, ConditionType.RECONCILING)


def test_an_endless_pipeline_is_ready_after_its_bootstrap() -> None:
    one = world(iterations=None)
    while one.statuses.get("tp") is None or one.statuses["tp"].iteration < 1:
        assert not (one.statuses and holds(one, ConditionType.READY))
        one.step()
        for child in one.live:
            one.end(child)
    one.step()
    assert holds(one, ConditionType.READY)


def test_a_pool_that_is_suspended_is_said_by_what_waits_for_it() -> None:
    one = world(tracks=["network"])
    one.pools = (replace(pool(suspend=True), name="games"),)
    one.step()
    one.end(one.live[0])
    one.step()
    assert not holds(one, ConditionType.STALLED)
    said = "waits for a slot: square8-2p selfplay"
    assert condition(one, ConditionType.READY).message == f"{said} (WorkerPool games is suspended)"


def test_what_no_pool_takes_is_said_beside_what_runs() -> None:
    """The weights are searched while the network waits for a pool that is suspended."""
    one = world(tracks=["weights", "network"])
    resources = {"cpu": "2", "memory": "4Gi"}
    play = {"name": "play", "stages": ["selfplay", "evaluate", "cmaes"], "resources": resources}
    learn = {"name": "learn", "stages": ["train"], "resources": resources}
    one.pools = (pool("games", slots=[play]), pool("mac", slots=[learn], suspend=True))
    one.step()
    while not any(task.name == "train" and task.waiting_since for task in one.configuration().tasks):
        for child in one.live:
            if child.identity.step != "cmaes":
                one.end(child)
        one.step()
    said = "square8-2p i1: cmaes; waits for a slot: square8-2p train (WorkerPool mac is suspended)"
    assert condition(one, ConditionType.READY).message == said


def test_a_runner_that_is_away_is_said_by_what_waits_for_it() -> None:
    one = world(tracks=["network"])
    one.pools = (replace(pool(type="Runner"), name="mac", online=False),)
    one.step()
    one.end(one.live[0])
    one.step()
    assert condition(one, ConditionType.READY).message == (
        "waits for a slot: square8-2p selfplay (WorkerPool mac is offline)"
    )


def test_what_the_api_server_refuses_is_looked_at_again() -> None:
    one = world()
    one.run()
    assert [plan.wake_at for plan in one.plans()] == [None]
    one.refusals = ("the record of iteration 1 of square8-2p cannot be created: 403 Forbidden",)
    assert [plan.wake_at for plan in one.plans()] == [one.now + timedelta(seconds=30)]
    one.step()
    assert condition(one, ConditionType.DEGRADED).message == one.refusals[0]


def test_a_pause_is_said_with_its_end_and_its_cause() -> None:
    one = playing()
    one.fail(one.live[0], exit_code=1, message="disk full")
    one.step()
    said = condition(one, ConditionType.READY).message
    end = (one.now + timedelta(seconds=10)).strftime("%H:%M:%S UTC")
    assert said.endswith(f"square8-2p: selfplay begins again at {end}: exit code 1: disk full")


def test_the_time_of_a_condition_is_when_it_changed() -> None:
    one = playing()
    assert condition(one, ConditionType.RECONCILING).last_transition_time == BEGINNING
    one.run()
    assert condition(one, ConditionType.RECONCILING).last_transition_time > BEGINNING


def test_put_off_three_times_is_degraded_until_it_succeeds() -> None:
    one = playing(tracks=["network"])
    for number in range(1, 4):
        (child,) = [each for each in one.live if each.identity.step == "selfplay"]
        one.fail(child, exit_code=75, message="the store is away")
        one.step()
        assert holds(one, ConditionType.DEGRADED) == (number == 3)
        one.now += timedelta(minutes=11)
        one.step()
    assert "the store is away" in condition(one, ConditionType.DEGRADED).message
    one.run()
    assert not holds(one, ConditionType.DEGRADED)


def test_a_failed_track_degrades_the_next_iteration_too() -> None:
    one = fails("train", 2)
    assert condition(one, ConditionType.DEGRADED).message == (
        "square8-2p: network failed in iteration 1: train failed: loss is nan"
    )


def test_diverged_training_is_named_until_the_next_iteration_is_over() -> None:
    one = fails("train", 3)
    assert condition(one, ConditionType.LOSS_DIVERGED).message == "square8-2p: loss is nan"
    one.specs["tp"] = one.specs["tp"].model_copy(update={"iterations": 2})
    one.run()
    assert not holds(one, ConditionType.LOSS_DIVERGED)


def test_a_regression_is_named_until_the_next_iteration_is_over() -> None:
    one = world(iterations=3, tracks=["weights"])

    def answer(world: World, child: TaskObservation) -> None:
        result = world.result(child)
        if child.identity.step == "regression-weights" and child.identity.iteration == 3:
            result = with_decision(result, Decision.REGRESSED)
        world.end(child, result=result)

    one.run(answer)
    assert "weights champion lost to its predecessor" in condition(one, ConditionType.REGRESSED).message
    one.specs["tp"] = one.specs["tp"].model_copy(update={"iterations": 4})
    one.run(answer)
    assert not holds(one, ConditionType.REGRESSED)


def test_selfplay_without_new_games_stalls_and_wakes_the_operator() -> None:
    one = playing(alerts={"selfplayStall": "30m"})
    (plan,) = one.plans()
    assert plan.wake_at == BEGINNING + timedelta(minutes=30)
    one.now += timedelta(minutes=29)
    one.step()
    assert not holds(one, ConditionType.SELFPLAY_STALLED)
    one.now += timedelta(minutes=1)
    one.step()
    assert holds(one, ConditionType.SELFPLAY_STALLED)
    (child,) = one.live
    one.children[child.name] = replace(child, progress=0.1)
    one.step()
    assert not holds(one, ConditionType.SELFPLAY_STALLED)


def test_a_stage_without_progress_is_named_with_its_last_line_and_wakes_the_operator() -> None:
    one = playing(alerts={"progressStall": "10m"})
    (child,) = one.live
    one.children[child.name] = replace(child, heard_at=BEGINNING, progress=0.42, message="42 of 100 games")
    (plan,) = one.plans()
    assert plan.wake_at == BEGINNING + timedelta(minutes=10)
    one.now = BEGINNING + timedelta(minutes=9, seconds=59)
    one.step()
    assert not holds(one, ConditionType.DEGRADED)
    one.now += timedelta(seconds=1)
    one.step()
    found = condition(one, ConditionType.DEGRADED)
    assert (found.status, found.reason) == (ConditionStatus.TRUE, "NoProgress")
    assert found.message == (
        f"square8-2p: selfplay has told no progress since {BEGINNING:%H:%M:%S} UTC, longer than 10m; "
        "its last line: 42% 42 of 100 games"
    )
    assert [event.reason for event in one.events].count(EventReason.DEGRADED) == 1
    one.children[child.name] = replace(one.children[child.name], heard_at=one.now)
    one.step()
    assert not holds(one, ConditionType.DEGRADED)


def test_nothing_is_silent_that_nobody_has_looked_at_for_as_long() -> None:
    """With thousands of Jobs a round of looks takes longer than a silence may last."""
    one = playing(alerts={"progressStall": "10m", "selfplayStall": "30m"})
    (child,) = one.live
    one.children[child.name] = replace(child, heard_at=BEGINNING, looked_at=BEGINNING + timedelta(minutes=1))
    one.now = BEGINNING + timedelta(minutes=33)
    (plan,) = one.plans()
    assert plan.wake_at == one.now + timedelta(minutes=1)
    one.step()
    assert not holds(one, ConditionType.DEGRADED)
    assert not holds(one, ConditionType.SELFPLAY_STALLED)
    one.children[child.name] = replace(one.children[child.name], looked_at=one.now)
    one.step()
    assert holds(one, ConditionType.DEGRADED)
    assert holds(one, ConditionType.SELFPLAY_STALLED)


def test_a_stage_that_falls_silent_is_an_event_though_something_else_is_wrong_already() -> None:
    one = fails("train", 2)
    one.specs["tp"] = one.specs["tp"].model_copy(update={"iterations": 2})
    one.step()
    (child,) = one.live
    one.children[child.name] = replace(child, heard_at=one.now, progress=0.42, message="42 of 100 games")
    assert holds(one, ConditionType.DEGRADED)
    before = len(one.events)
    one.now += timedelta(minutes=10)
    one.step()
    one.step()
    told = [event.message for event in one.events[before:] if event.reason == EventReason.DEGRADED]
    assert len(told) == 1
    assert told[0].endswith("its last line: 42% 42 of 100 games")


def test_a_stage_that_never_said_a_word_is_silent_since_it_began() -> None:
    one = playing(alerts={"progressStall": "1m"})
    (child,) = one.live
    one.children[child.name] = replace(child, heard_at=BEGINNING)
    one.now = BEGINNING + timedelta(minutes=1)
    one.step()
    assert condition(one, ConditionType.DEGRADED).message.endswith("longer than 1m; none yet")


def test_a_silent_runner_is_named() -> None:
    one = playing(alerts={"runnerOffline": "2m"})
    runner = pool("mac", type="Runner")
    one.pools = (*one.pools, replace(runner, online=False, offline_since=one.now))
    one.step()
    assert not holds(one, ConditionType.WORKER_OFFLINE)
    one.now += timedelta(minutes=2)
    one.step()
    assert "mac" in condition(one, ConditionType.WORKER_OFFLINE).message


def test_a_condition_that_begins_is_an_event_once() -> None:
    one = playing(alerts={"selfplayStall": "1m"})
    one.now += timedelta(minutes=5)
    one.step()
    one.step()
    assert [event.reason for event in one.events].count(EventReason.SELFPLAY_STALLED) == 1


def test_of_a_child_that_is_deleted_nothing_is_said_any_more() -> None:
    one = world(configurations=[{"board": "square8", "players": 2}, {"board": "hex8", "players": 3}])
    one.step()
    (held,) = (child for child in one.live if child.identity.configuration == "hex8-3p")
    one.children[held.name] = replace(held, phase=ChildPhase.WAITING, reason="FailedCreate", message="no quota")
    one.step()
    assert "hex8-3p: adopt does not start: FailedCreate: no quota" in condition(one, ConditionType.DEGRADED).message
    one.specs["tp"] = pipeline_spec(configurations=[{"board": "square8", "players": 2}])
    one.step()
    assert one.leaving.keys() == {held.name}
    assert not holds(one, ConditionType.DEGRADED)
    assert all(plan.is_empty for plan in one.plans())

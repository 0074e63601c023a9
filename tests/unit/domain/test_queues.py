"""A queue holds Jobs and takes machines back: nothing is tried twice for it, and nobody's silence counts meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_operator.api import ConditionStatus, ConditionType
from ringrift_operator.api.pipeline_status import PipelinePhase, TaskStatus
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.snapshot import ChildPhase, TaskObservation
from tests.unit.domain.test_planning import check_room, namespaces
from tests.unit.domain.world import World, pool, world


def playing(**changes: object) -> World:
    """Self-play runs, and nothing else."""
    one = world(tracks=["network"], **changes)
    one.step()
    one.end(*one.live)
    one.step()
    one.step()
    (child,) = one.live
    assert (child.identity.step, child.phase) == ("selfplay", ChildPhase.RUNNING)
    return one


def task(one: World) -> TaskStatus:
    return next(each for each in one.configuration().tasks if each.name == "selfplay")


def is_true(one: World, kind: ConditionType) -> bool:
    return any(each.type == kind and each.status == ConditionStatus.TRUE for each in one.statuses["tp"].conditions)


@settings(max_examples=40, deadline=None)
@given(namespaces(), st.data())
def test_however_often_machines_are_taken_back_no_attempt_is_lost(world: World, data: st.DataObject) -> None:
    def answer(world: World, child: TaskObservation) -> None:
        check_room(world)
        match data.draw(st.sampled_from(["end", "end", "held", "admitted"])):
            case "end" if child.phase != ChildPhase.QUEUED:
                world.end(child)
            case moment:
                world.queue(child, is_held=moment == "held")

    world.run(answer, passes=3000)
    for status in world.statuses.values():
        assert (status.phase, status.tasks.failed) == (PipelinePhase.COMPLETED, 0)
    assert {task.identity.attempt for task in world.created} == {1}
    assert len({task.name for task in world.created}) == len(world.created)


def test_taking_a_machine_back_is_told_once_each_time() -> None:
    one = playing()

    def told() -> int:
        return sum(event.reason == EventReason.TASK_PREEMPTED for event in one.events)

    for times in (1, 2):
        one.queue(*one.live, is_held=True)
        for _ in range(3):
            one.step()
            assert told() == times
        one.queue(*one.live, is_held=False)
        one.step()
        assert told() == times
    (event,) = {event.message for event in one.events if event.reason == EventReason.TASK_PREEMPTED}
    assert event.startswith("square8-2p: selfplay is held again")


def test_a_job_that_was_never_admitted_is_not_preempted() -> None:
    one = world(tracks=["network"])
    one.step()
    one.end(*one.live)
    one.step()
    one.queue(*one.live, is_held=True)
    for _ in range(3):
        one.step()
    assert one.configuration().stages["selfplay"] == "Queued"
    assert not any(event.reason == EventReason.TASK_PREEMPTED for event in one.events)


def test_what_is_played_again_after_a_preemption_is_no_silence() -> None:
    one = playing(alerts={"selfplayStall": "30m"})
    (child,) = one.live
    one.now += timedelta(minutes=2)
    one.children[child.name] = replace(child, progress=0.5)
    one.step()
    assert task(one).progress == 0.5
    one.queue(child, is_held=True)
    one.now += timedelta(hours=3)
    one.step()
    assert not is_true(one, ConditionType.SELFPLAY_STALLED)
    for minutes in (0, 10, 20, 30):
        one.children[child.name] = replace(child, progress=0.4 + minutes / 1000)
        one.step()
        assert not is_true(one, ConditionType.SELFPLAY_STALLED), minutes
        one.now += timedelta(minutes=10)
    one.now += timedelta(minutes=20)
    one.step()
    assert is_true(one, ConditionType.SELFPLAY_STALLED)


def test_what_is_held_takes_its_slot_and_says_so_nowhere_as_running() -> None:
    slots = [
        {"name": "play", "stages": ["selfplay", "evaluate", "cmaes"], "resources": {"memory": "1Gi"}},
        {"name": "learn", "stages": ["train"], "resources": {"memory": "1Gi"}},
    ]
    one = world(tracks=["weights"])
    one.pools = (pool(slots=slots, queue={"name": "games"}),)
    one.step()
    one.end(*one.live)
    one.step()
    (first,) = one.live
    one.queue(first, is_held=True)
    for _ in range(3):
        one.step()
    assert [child.name for child in one.live] == [first.name], "one slot, one task in flight"
    status = one.statuses["tp"]
    assert status.running == ""
    assert one.configuration().stages[first.identity.step] == "Queued"

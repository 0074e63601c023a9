"""Only the operator retries."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ringrift_core.contract import Stage
from ringrift_operator.api import StagePhase, TaskStatus
from ringrift_operator.domain.outcomes import OutcomeKind
from ringrift_operator.domain.retries import after, pause
from ringrift_operator.domain.snapshot import TaskObservation
from tests.unit.domain.world import BEGINNING, World, world

TRAIN = TaskStatus(name="train", stage=Stage.TRAIN, phase=StagePhase.RUNNING)


def tried(task: TaskStatus, kind: OutcomeKind) -> TaskStatus:
    return after(task, kind, BEGINNING)


@pytest.mark.parametrize(("times", "seconds"), [(1, 10), (2, 20), (3, 40), (6, 320), (7, 600), (99, 600)])
def test_pauses_double_up_to_ten_minutes(times: int, seconds: int) -> None:
    assert pause(times) == timedelta(seconds=seconds)


def test_the_third_failure_is_the_last() -> None:
    first = tried(TRAIN, OutcomeKind.FAILED)
    assert (first.phase, first.attempt, first.not_before) == (
        StagePhase.PENDING,
        2,
        BEGINNING + timedelta(seconds=10),
    )
    second = tried(first, OutcomeKind.FAILED)
    third = tried(second, OutcomeKind.FAILED)
    assert (second.attempt, third.phase, third.attempt) == (3, StagePhase.FAILED, 3)


def test_not_now_counts_as_no_attempt() -> None:
    task = TRAIN
    for _ in range(10):
        task = tried(task, OutcomeKind.NOT_NOW)
    assert (task.phase, task.attempt, task.failures, task.delays) == (StagePhase.PENDING, 11, 0, 10)


def test_a_failure_ends_the_row_of_delays() -> None:
    assert tried(tried(TRAIN, OutcomeKind.NOT_NOW), OutcomeKind.FAILED).delays == 0


def test_hopeless_is_not_tried_again() -> None:
    assert tried(TRAIN, OutcomeKind.HOPELESS).phase == StagePhase.FAILED


def test_a_revived_task_has_all_its_attempts_and_a_new_name() -> None:
    given_up = tried(TRAIN, OutcomeKind.HOPELESS)
    again = given_up.revived()
    assert (again.phase, again.failures, again.attempt, again.finished_at) == (StagePhase.PENDING, 0, 2, None)


def test_a_failing_stage_is_tried_three_times_with_pauses() -> None:
    one = world(iterations=1, tracks=["network"])
    starts = []

    def answer(world: World, child: TaskObservation) -> None:
        if child.identity.step == "train":
            starts.append((child.name, child.started_at or BEGINNING))
            world.fail(child)
        else:
            world.end(child)

    one.run(answer)
    assert [name for name, _ in starts] == [f"tp-square8-2p-i1-train-a{n}" for n in (1, 2, 3)]
    times = [time for _, time in starts]
    assert times[1] - times[0] >= timedelta(seconds=10)
    assert one.statuses["tp"].tasks.failed == 3


def test_a_pause_that_a_fast_clock_has_written_ends_in_time() -> None:
    one = world(iterations=2, tracks=["network"])
    one.now += timedelta(days=1)
    has_failed = False

    def answer(world: World, child: TaskObservation) -> None:
        nonlocal has_failed
        if child.identity.step == "train" and not has_failed:
            has_failed = True
            world.fail(child)
            world.step()
            world.now -= timedelta(days=1)
        else:
            world.end(child)

    one.run(answer)
    assert one.statuses["tp"].iteration == 2
    assert one.now < BEGINNING + timedelta(hours=2)

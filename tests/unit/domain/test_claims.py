"""A store that another cluster's pipeline has: nothing is moved there, and it is said who has it and what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ringrift_core.contract import AdoptResult, ClaimParameters, ExitCode, Holder, StageParameters
from ringrift_operator.api import PipelinePhase
from ringrift_operator.domain.planning import plan
from ringrift_operator.domain.requests import ANNOTATIONS, TAKE_OVER
from ringrift_operator.domain.snapshot import TaskObservation
from tests.results import EMPTY_STORE
from tests.unit.domain.test_stalls import stalled
from tests.unit.domain.world import World, world

HELD = "square8-2p in s3://ringrift/test is held by pipeline games/demo of cluster 91aa"
ASKED = "2026-01-01T00:00:00Z"


def held(one: World, child: TaskObservation) -> None:
    """The store is another's until somebody asks for it."""
    parameters = next(task.parameters for task in one.created if task.name == child.name)
    if isinstance(parameters, ClaimParameters) and not parameters.take_over:
        one.fail(child, exit_code=ExitCode.HELD, message=HELD)
    else:
        one.end(child)


def asked(one: World, step: str) -> list[StageParameters]:
    return [task.parameters for task in one.created if task.identity.step == step]


def until_held(one: World, step: str) -> World:
    """Passes until the step has found the store held."""
    for _ in range(100):
        one.step()
        if any(task.exit_code == ExitCode.HELD for task in one.configuration().tasks):
            return one
        for child in one.live:
            (held if child.identity.step == step else World.end)(one, child)
        one.now += timedelta(minutes=1)
    raise AssertionError(f"{step} was not asked for")


def test_what_moves_something_says_for_whom() -> None:
    one = world(iterations=2, tracks=["weights"])
    one.run()
    moving = [task for task in one.created if isinstance(task.parameters, ClaimParameters)]
    assert {task.identity.step for task in moving} == {"adopt", "merge", "promote-weights"}
    holder = Holder(cluster="7f3c", namespace="games", pipeline="tp")
    assert {str(task.parameters.holder) for task in moving} == {str(holder)}  # type: ignore[attr-defined]


def test_where_nobody_knows_the_cluster_no_store_is_claimed() -> None:
    one = world(iterations=1)
    one.cluster = ""
    one.run()
    assert {each.holder for each in asked(one, "merge")} == {None}  # type: ignore[attr-defined]


@pytest.mark.parametrize("step", ["adopt", "merge", "promote-weights"])
def test_a_held_store_is_stalled_at_once_and_says_who_has_it_and_what_to_do(step: str) -> None:
    one = until_held(world(tracks=["weights"]), step)
    assert stalled(one).startswith(f"{HELD}: delete one of the two pipelines, or, to take the store over, annotate ")
    assert "ringrift.ai/take-over-requested-at=" in stalled(one)
    assert ("taken over by itself" in stalled(one)) == (step == "adopt")
    task = next(task for task in one.configuration().tasks if task.name == step)
    assert (task.failures, task.attempt) == (0, 2)
    assert one.statuses["tp"].tasks.failed == 0


def test_a_held_store_is_asked_for_again_and_gone_on_with_once_it_is_free() -> None:
    one = until_held(world(tracks=["weights"]), "adopt")
    one.run()
    assert one.statuses["tp"].phase == PipelinePhase.COMPLETED
    assert stalled(one) == ""


def test_an_annotation_takes_the_store_over_and_is_answered_once() -> None:
    one = until_held(world(tracks=["weights"], iterations=1), "merge")
    one.annotations = {ANNOTATIONS[TAKE_OVER]: ASKED}
    one.step()
    assert [each.take_over for each in asked(one, "merge")] == [False, True]  # type: ignore[attr-defined]
    assert one.statuses["tp"].handled_requests == {TAKE_OVER: ASKED}
    one.run(held_after_merge)
    assert one.statuses["tp"].phase == PipelinePhase.COMPLETED
    assert [each.take_over for each in asked(one, "promote-weights")] == [False]  # type: ignore[attr-defined]


def held_after_merge(one: World, child: TaskObservation) -> None:
    """Once it has taken the store over, it has it."""
    (held if child.identity.step in ("adopt", "merge") else World.end)(one, child)


def test_an_annotation_that_is_there_from_the_start_is_for_adopt() -> None:
    one = world(tracks=["weights"], iterations=1)
    one.annotations = {ANNOTATIONS[TAKE_OVER]: ASKED}
    one.step()
    assert [each.take_over for each in asked(one, "adopt")] == [True]  # type: ignore[attr-defined]


def test_while_it_is_suspended_the_annotation_waits_for_adopt() -> None:
    one = world(tracks=["weights"], suspend=True)
    one.annotations = {ANNOTATIONS[TAKE_OVER]: ASKED}
    one.step()
    assert one.statuses["tp"].handled_requests == {}


def test_a_store_that_was_taken_over_is_told_of() -> None:
    one = world(iterations=1)

    def answer(one: World, child: TaskObservation) -> None:
        result = one.result(child)
        if isinstance(result.result, AdoptResult):
            result = result.model_copy(update={"result": EMPTY_STORE.model_copy(update={"taken_over": "91aa/g/demo"})})
        one.end(child, result=result)

    one.run(answer)
    told = [event.message for event in one.events if event.reason == "TakenOver"]
    assert told == ["square8-2p: the store was claimed by 91aa/g/demo, which had gone or not written for an hour"]


def test_local_says_how_its_user_takes_the_store_over() -> None:
    one = until_held(world(), "adopt")
    status = plan(replace(one.snapshot(), local_store="s3://ringrift/test")).status
    (message,) = [each.message for each in status.conditions if each.type == "Stalled"]
    assert "=<time> in its file and run the same command again" in message

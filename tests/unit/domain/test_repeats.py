"""Steps that the whole iteration needs: repeated, and told of, but never counted as an iteration."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from ringrift_core.contract import Track
from ringrift_operator.api import ConditionType, PipelinePhase, StagePhase
from ringrift_operator.domain.configuration import single_task
from ringrift_operator.domain.snapshot import TaskObservation
from ringrift_operator.domain.stalls import STALLED_AFTER_REPEATS
from tests.unit.domain.world import MINUTE, World, world


def says(one: World, kind: ConditionType) -> tuple[bool, str]:
    condition = next(each for each in one.statuses["tp"].conditions if each.type == kind)
    return condition.status == "True", condition.message


def broken(one: World, *steps: str, passes: int) -> dict[str, list[str]]:
    """So many minutes in which these steps exit 1 and all others end well: names of the children of each."""
    seen: dict[str, list[str]] = {step: [] for step in steps}
    for _ in range(passes):
        one.step()
        for child in one.live:
            if child.identity.step in steps:
                seen[child.identity.step].append(child.name)
                one.fail(child)
            else:
                one.end(child)
        one.now += MINUTE
    one.step()
    return seen


@pytest.mark.parametrize("step", ["selfplay", "merge"])
def test_an_iteration_whose_shared_step_fails_is_not_counted(step: str) -> None:
    one = world(iterations=10)
    tries = broken(one, step, "cmaes", passes=100)[step]
    status = one.statuses["tp"]
    assert len(set(tries)) == len(tries) > 9, "another try never has the name of an earlier one"
    assert (status.phase, status.iteration, status.games, len(one.records)) == (PipelinePhase.FAILED, 0, 0, 0)
    assert says(one, ConditionType.READY)[0] is False
    stalled, said = says(one, ConditionType.STALLED)
    assert stalled
    assert said.startswith(f"square8-2p: {step} failed in all attempts, ")
    assert "times in a row (exit code 1: boom): mend that; it is repeated every 10m, or now if you annotate" in said
    assert says(one, ConditionType.DEGRADED)[0]


def test_what_is_mended_goes_on_where_it_was() -> None:
    one = world(iterations=2)
    broken(one, "selfplay", passes=60)
    assert one.configuration().track(Track.WEIGHTS).champion == "1", "its track needs no games"
    one.run()
    assert (one.statuses["tp"].phase, one.statuses["tp"].promotions) == (PipelinePhase.COMPLETED, 4)
    assert [record.spec.iteration for record in one.records.values()] == [1, 2]
    assert not says(one, ConditionType.STALLED)[0]
    assert not says(one, ConditionType.DEGRADED)[0]


def test_it_stands_still_after_the_third_time_and_pauses_ten_minutes_at_most() -> None:
    one = world(iterations=1, tracks=["network"])
    starts: dict[str, datetime] = {}
    for _ in range(400):
        one.step()
        for child in one.live:
            starts.setdefault(child.name, one.now)
            one.fail(child) if child.identity.step == "selfplay" else one.end(child)
        one.now += timedelta(seconds=10)
        one.step()
        task = next((each for each in one.configuration().tasks if each.name == "selfplay"), None)
        repeats = task.repeats if task else 0
        assert says(one, ConditionType.STALLED)[0] is (repeats >= STALLED_AFTER_REPEATS)
    times = [starts[name] for name in starts if "selfplay" in name]
    gaps = [after - before for before, after in pairwise(times)]
    assert timedelta(minutes=10) <= max(gaps) <= timedelta(minutes=11)


def test_who_asks_for_another_try_need_not_wait() -> None:
    one = world(iterations=1, tracks=["network"])
    broken(one, "selfplay", passes=40)
    task = single_task(one.configuration(), "selfplay")
    assert task.phase == StagePhase.PENDING
    assert task.not_before is not None
    assert task.not_before > one.now
    one.annotations = {"ringrift.ai/reconcile-requested-at": "now"}
    one.step()
    assert [child.identity.step for child in one.live] == ["selfplay"]


def test_a_reading_of_the_store_is_repeated_as_well() -> None:
    one = world(iterations=1)
    broken(one, "adopt", passes=60)
    assert says(one, ConditionType.STALLED)[1].startswith("square8-2p: adopt failed in all attempts, ")
    one.run()
    assert one.statuses["tp"].phase == PipelinePhase.COMPLETED


def test_wrong_input_waits_for_somebody() -> None:
    one = world(iterations=1, tracks=["network"])
    children = []

    def answer(world: World, child: TaskObservation) -> None:
        children.append(child.name)
        if child.identity.step == "selfplay":
            world.fail(child, exit_code=2)
        else:
            world.end(child)

    one.run(answer)
    assert len([name for name in children if "selfplay" in name]) == 1
    assert one.statuses["tp"].phase == PipelinePhase.FAILED

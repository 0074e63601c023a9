"""Which tasks a runner takes, and what it makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from ringrift_core.contract import SelfplayParameters
from ringrift_operator.builders.remote_task import remote_task
from ringrift_operator.runner.claiming import claimable, is_wanted, left_behind, work_of
from tests.unit.builders.test_remote_task import ran

GIB = 2**30


def task(name: str, phase: str = "", pool: str = "mac", created: str = "10:00:00", **metadata: Any) -> dict[str, Any]:
    moment = f"2026-01-31T{created}Z"
    return {
        "metadata": {"namespace": "home", "name": name, "uid": f"{name}-uid", "creationTimestamp": moment, **metadata},
        "spec": {"pool": pool},
        "status": {"phase": phase, "holder": "me"} if phase else {},
    }


def names(found: list[dict[str, Any]]) -> list[str]:
    return [each["metadata"]["name"] for each in found]


def test_it_takes_what_nobody_has_claimed_of_its_pool_the_oldest_first() -> None:
    tasks = [
        task("young", created="10:00:02"),
        task("old", "Pending", created="10:00:01"),
        task("another", pool="mini"),
        task("going", deletionTimestamp="2026-01-31T10:00:00Z"),
        task("under-way"),
        *(task(phase.lower(), phase) for phase in ("Claimed", "Running", "Succeeded", "Failed", "Lost")),
    ]
    assert names(claimable(tasks, "mac", {"under-way-uid"})) == ["old", "young"]


def test_what_it_had_claimed_before_it_was_started_anew_is_left_behind() -> None:
    tasks = [
        task("claimed", "Claimed"),
        task("running", "Running"),
        task("under-way", "Running"),
        task("ended", "Failed"),
        task("waiting", "Pending"),
    ]
    assert names(left_behind(tasks, "mac", "me", {"under-way-uid"})) == ["claimed", "running"]
    assert left_behind(tasks, "mac", "somebody", ()) == []


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (task("one", "Running"), True),
        (None, False),
        (task("one", "Running", uid="another"), False),
        (task("one", "Running", deletionTimestamp="2026-01-31T10:00:00Z"), False),
        (task("one", "Lost"), False),
    ],
    ids=["it runs", "deleted", "another of its name", "going", "lost"],
)
def test_a_task_is_wanted_as_long_as_it_is_there_and_has_not_ended(now: dict[str, Any] | None, wanted: bool) -> None:
    assert is_wanted(task("one"), now) == wanted


def test_what_the_operator_writes_is_understood() -> None:
    world = ran()
    placed = next(each for each in world.created if each.is_remote and isinstance(each.parameters, SelfplayParameters))
    work = work_of(remote_task(world.snapshot(), placed))
    assert work.parameters == placed.parameters
    assert work.limits.memory_bytes == 16 * GIB


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"stage": "dream"}, "stage"),
        ({"parameters": {"speed": 11}}, "understand the task: store: Field required"),
    ],
)
def test_what_a_later_version_asks_for_is_no_failure_of_the_task(change: dict[str, Any], said: str) -> None:
    world = ran()
    placed = next(each for each in world.created if each.is_remote)
    manifest = remote_task(world.snapshot(), placed)
    with pytest.raises(ValueError, match=said):
        work_of({**manifest, "spec": {**manifest["spec"], **change}})

"""What the mirror costs and keeps as a namespace lives on."""

from __future__ import annotations

import time

import pytest

from ringrift_operator.kube.resource import Object
from ringrift_operator.kube.watch import GONE_SECONDS, Mirror
from ringrift_operator.kube.world import World

DELETIONS = 30_000


def job(number: int, version: int = 1) -> Object:
    metadata = {"namespace": "games", "name": f"job-{number}", "uid": f"uid-{number}", "resourceVersion": str(version)}
    return {"metadata": {**metadata, "managedFields": [{"manager": "ringrift-operator", "fieldsV1": {}}]}}


def test_a_deletion_costs_the_same_however_many_there_were() -> None:
    mirror = Mirror(lambda _now, _before: None)
    start = time.process_time()
    for number in range(DELETIONS):
        mirror.put(job(number))
        mirror.drop(job(number))
    assert (time.process_time() - start) / DELETIONS < 0.000_2, "a table rebuilt each time takes ten times as long"


def test_a_deletion_is_remembered_for_a_while_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    mirror = Mirror(lambda _now, _before: None)
    for number in range(100):
        mirror.drop(job(number))
    mirror.put(job(0))
    assert len(mirror) == 0, "late news of what is gone"
    now += GONE_SECONDS - 1
    mirror.drop(job(0))
    now += 2
    mirror.drop(job(200))
    mirror.put(job(0))
    assert len(mirror) == 0, "it was told again that this one is gone"
    mirror.put(job(1))
    assert len(mirror) == 1, "nothing is known of that one any more"


def test_managed_fields_are_not_kept() -> None:
    mirror = Mirror(lambda _now, _before: None)
    told = job(1)
    mirror.put(told)
    (kept,) = mirror
    assert "managedFields" not in kept["metadata"]
    assert "managedFields" in told["metadata"], "what was told stays as it was"


def test_a_job_that_goes_or_comes_again_is_told_by_its_uid() -> None:
    world = World(lambda _: None)
    gone: list[str] = []
    world.when_a_job_goes(gone.append)
    world.jobs.put(job(1))
    world.jobs.put(job(1, version=2))
    assert gone == []
    another = job(1, version=3)
    another["metadata"]["uid"] = "another"
    world.jobs.put(another)
    assert gone == ["uid-1"]
    world.jobs.drop(another)
    assert gone == ["uid-1", "another"]

"""What a look at a Job's Pods finds out, from a server that has one Pod with a log."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from ringrift_operator.kube import sightings as looking
from ringrift_operator.kube.refusals import Refusals
from ringrift_operator.kube.sightings import Sightings
from ringrift_operator.kube.tasks import Usage
from tests import patience
from tests.unit.kube.test_client import Answer, asking
from tests.unit.kube.test_jobsets import jobset
from tests.unit.kube.test_tasks import NOW, job, pod

LINE = (
    '2026-01-31T12:00:05Z {"kind": "progress", "stage": "cmaes", "progress": 0.5, "message": "five", "cpuSeconds": 7.5}'
)


async def one_pod(request: web.Request) -> web.StreamResponse:
    if request.path.endswith("/log"):
        return web.Response(text=LINE)
    return web.json_response({"metadata": {"resourceVersion": "7"}, "items": [pod({"running": {"startedAt": NOW}})]})


async def two_pods(_: web.Request) -> web.StreamResponse:
    """One runs, the other finds no node."""
    full = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}
    items = [pod({"running": {"startedAt": NOW}}), pod({}, 1, phase="Pending", conditions=[full])]
    return web.json_response({"metadata": {"resourceVersion": "7"}, "items": items})


async def first_look(server: Answer, job: dict[str, Any]) -> Sightings:
    """What is known once the first look at a Job was news."""
    news = asyncio.Event()
    async with asking(server) as client, asyncio.timeout(patience.SECONDS):
        seen = Sightings(client, [job], lambda _: news.set(), Refusals())
        looks = asyncio.create_task(seen.run())
        await news.wait()
        looks.cancel()
        return seen


def test_of_pods_that_work_together_one_that_does_not_start_is_told_of_though_another_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looking, "FIRST_SECONDS", 0.0)
    waits = jobset(replicatedJobsStatus=[{"name": "node", "ready": 0, "active": 1}])
    found = asyncio.run(first_look(two_pods, waits)).get("u")
    assert found is not None
    assert (found.reason, found.message) == ("Unschedulable", "0/1 nodes are available")


def test_a_look_says_what_was_told_and_when_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "FIRST_SECONDS", 0.0)
    runs: dict[str, Any] = job()
    runs["metadata"]["uid"] = "uid"
    runs["status"]["ready"] = 1
    before = datetime.now(UTC)
    found = asyncio.run(first_look(one_pod, runs)).get("uid")
    assert found is not None
    assert (found.progress, found.message) == (0.5, "five")
    assert found.heard_at == datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)
    assert found.usage == (Usage(pod({})["metadata"]["name"], 7.5, None),)
    assert found.looked_at is not None
    assert before <= found.looked_at <= datetime.now(UTC)


async def no_pods(request: web.Request) -> web.StreamResponse:
    """Of a Job that waits there are none, and the event says why."""
    if request.path.endswith("/log"):
        return web.Response(text=LINE)
    items: list[dict[str, Any]] = []
    if "events" in request.path:
        told = "Error creating: pods is forbidden: exceeded quota: games"
        event = {"reason": "FailedCreate", "message": told, "type": "Warning", "lastTimestamp": NOW, "count": 1}
        items = [{"metadata": {"name": "event"}, **event}]
    elif WAITS not in str(request.query):
        items = [pod({"running": {"startedAt": NOW}})]
    return web.json_response({"metadata": {"resourceVersion": "7"}, "items": items})


WAITS = "waits"
RUNNING = 300


def test_one_that_does_not_start_is_explained_before_the_progress_of_hundreds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look takes its turn: all that run are overdue, and one that waits has been there for as long."""
    for name, value in (("FIRST_SECONDS", 0.0), ("AGAIN_SECONDS", 0.05), ("NO_PODS_SECONDS", 0.2)):
        monkeypatch.setattr(looking, name, value)
    monkeypatch.setattr(looking, "READS_PER_SECOND", 200.0)
    jobs = [named_job(f"runs-{number}", ready=1) for number in range(RUNNING)] + [named_job(WAITS, ready=0)]
    looked: set[str] = set()

    async def scenario() -> Sightings:
        async with asking(no_pods) as client, asyncio.timeout(patience.SECONDS):
            told = asyncio.Event()

            def changed(job: dict[str, Any]) -> None:
                looked.add(job["metadata"]["uid"])
                if job["metadata"]["uid"] == WAITS:
                    told.set()

            seen = Sightings(client, jobs, changed, Refusals())
            looks = asyncio.create_task(seen.run())
            await told.wait()
            looks.cancel()
            return seen

    found = asyncio.run(scenario()).get(WAITS)
    assert found is not None
    assert found.reason == "FailedCreate"
    assert "exceeded quota: games" in found.message
    assert len(looked) < RUNNING


def named_job(name: str, ready: int) -> dict[str, Any]:
    made: dict[str, Any] = job()
    made["metadata"] |= {"name": name, "uid": name, "labels": {**made["metadata"].get("labels", {})}}
    made["status"] |= {"active": 1, "ready": ready}
    return made

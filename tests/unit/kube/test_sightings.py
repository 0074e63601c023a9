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
from tests import patience
from tests.unit.kube.test_client import asking
from tests.unit.kube.test_tasks import NOW, job, pod

LINE = '2026-01-31T12:00:05Z {"kind": "progress", "stage": "cmaes", "progress": 0.5, "message": "five"}'


async def one_pod(request: web.Request) -> web.StreamResponse:
    if request.path.endswith("/log"):
        return web.Response(text=LINE)
    return web.json_response({"metadata": {"resourceVersion": "7"}, "items": [pod({"running": {"startedAt": NOW}})]})


def test_a_look_says_what_was_told_and_when_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "FIRST_SECONDS", 0.0)
    runs: dict[str, Any] = job()
    runs["metadata"]["uid"] = "uid"
    runs["status"]["ready"] = 1
    news = asyncio.Event()

    async def scenario() -> Sightings:
        async with asking(one_pod) as client, asyncio.timeout(patience.SECONDS):
            seen = Sightings(client, [runs], lambda _: news.set(), Refusals())
            looks = asyncio.create_task(seen.run())
            await news.wait()
            looks.cancel()
            return seen

    before = datetime.now(UTC)
    found = asyncio.run(scenario()).get("uid")
    assert found is not None
    assert (found.progress, found.message) == (0.5, "five")
    assert found.heard_at == datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)
    assert found.looked_at is not None
    assert before <= found.looked_at <= datetime.now(UTC)

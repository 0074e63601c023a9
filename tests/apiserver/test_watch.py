"""The mirror stays true to the API server, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from ringrift_operator.kube import watch as watching
from ringrift_operator.kube.client import Client
from ringrift_operator.kube.resource import JOBS, PIPELINES, POOLS, REMOTE_TASKS, Object, key_of, uid_of
from ringrift_operator.kube.watch import Mirror, RestoredError, Watch, look_again
from tests import patience
from tests.apiserver.connecting import eventually, login_to, port_of
from tests.apiserver.relay import Relay
from tests.cluster.control_plane import ControlPlane


def job(namespace: str, name: str, labels: dict[str, str] | None = None) -> Object:
    container = {"name": "stage", "image": "none"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"namespace": namespace, "name": name, "labels": labels or {}},
        "spec": {
            "suspend": True,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }


class Seen:
    """A mirror with its watch and the names of what it called news."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.mirror = Mirror(lambda now, before: self.news.append((now or before or {})["metadata"]["name"]))

    @property
    def names(self) -> set[str]:
        return {obj["metadata"]["name"] for obj in self.mirror}

    @asynccontextmanager
    async def watching(self, *arguments: Any, **keywords: Any) -> AsyncIterator[Watch]:
        watch = Watch(arguments[0], JOBS, self.mirror, *arguments[1:], **keywords)
        task = asyncio.create_task(watch.run())
        try:
            async with asyncio.timeout(patience.SECONDS):
                await watch.synced.wait()
            yield watch
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def test_shows_what_was_there_and_what_comes_and_goes(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> None:
        login, seen = login_to(control_plane.kubeconfig), Seen()
        async with Client(login) as client:
            await client.create(JOBS, job(namespace, "before", {"mine": "yes"}))
            await client.create(JOBS, job(namespace, "foreign"))
            async with seen.watching(login, namespace, labels="mine"):
                assert seen.names == {"before"}
                created = await client.create(JOBS, job(namespace, "after", {"mine": "yes"}))
                await eventually(lambda: seen.names == {"before", "after"})
                await client.delete(JOBS, (namespace, "after"), uid_of(created))
                await eventually(lambda: seen.names == {"before"})

    asyncio.run(scenario())


def test_what_a_write_returned_is_news_once_and_never_goes_back(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> None:
        login, seen = login_to(control_plane.kubeconfig), Seen()
        async with Client(login) as client:
            created = await client.create(JOBS, job(namespace, "ours"))
            seen.mirror.put(created)
            async with seen.watching(login, namespace):
                # The job controller writes to suspended Jobs too: news, after which our version is old.
                await eventually(lambda: seen.mirror.get((namespace, "ours")) != created)
                newer = seen.mirror.get((namespace, "ours"))
                heard = len(seen.news)
                seen.mirror.put(created)
                assert seen.mirror.get((namespace, "ours")) is newer
                assert len(seen.news) == heard

    asyncio.run(scenario())


def test_a_deletion_of_ours_is_final_even_when_old_news_comes_late(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> None:
        login, seen = login_to(control_plane.kubeconfig), Seen()
        async with Client(login) as client, seen.watching(login, namespace):
            created = await client.create(JOBS, job(namespace, "gone"))
            await eventually(lambda: "gone" in seen.names)
            await client.delete(JOBS, (namespace, "gone"), uid_of(created))
            seen.mirror.drop(created)
            seen.mirror.put(created)
            assert seen.names == set()
            await client.create(JOBS, job(namespace, "gone"))  # another object of the same name is news
            await eventually(lambda: seen.names == {"gone"})

    asyncio.run(scenario())


@pytest.mark.parametrize("accident", ["cut", "go_dead"])
def test_a_broken_path_loses_nothing(
    control_plane: ControlPlane, namespace: str, accident: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "INACTIVITY_SECONDS", 2)
    monkeypatch.setattr(watching, "SERVER_TIMEOUT_SECONDS", 60)

    async def scenario() -> None:
        seen = Seen()
        async with Relay(port_of(control_plane)) as relay, Client(login_to(control_plane.kubeconfig)) as client:
            gone = await client.create(JOBS, job(namespace, "gone"))
            async with seen.watching(login_to(control_plane.kubeconfig, relay.port), namespace):
                getattr(relay, accident)()
                await client.delete(JOBS, (namespace, "gone"), uid_of(gone))
                await client.create(JOBS, job(namespace, "new"))
                await eventually(lambda: seen.names == {"new"})

    asyncio.run(scenario())


def test_an_api_server_that_knows_less_than_it_did_is_no_place_to_go_on_from(
    control_plane: ControlPlane, namespace: str
) -> None:
    """As after etcd was restored from a backup: what is left in memory is of a world that is gone. Of what kopf watches
    the operator learns it by its own lists."""

    async def scenario() -> None:
        seen = Seen()
        seen.mirror.put(
            {"metadata": {"namespace": namespace, "name": "ghost", "uid": "ghost", "resourceVersion": str(2**60)}}
        )
        login = login_to(control_plane.kubeconfig)
        watch = Watch(login, JOBS, seen.mirror, namespace)
        with pytest.raises(RestoredError, match=r"jobs were listed at version \d+, after 1152921504606846976"):
            async with asyncio.timeout(patience.SECONDS):
                await watch.run()
        async with Client(login) as client:
            for resource in (PIPELINES, POOLS, REMOTE_TASKS):
                with pytest.raises(RestoredError, match=rf"{resource.plural} were listed at version \d+, after 11529"):
                    await look_again(client, resource, seen.mirror, namespace)

    asyncio.run(scenario())


def test_a_second_look_finds_what_was_missed(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> None:
        seen = Seen()
        async with Client(login_to(control_plane.kubeconfig)) as client:
            await client.create(JOBS, job(namespace, "missed"))
            ghost = {"namespace": namespace, "name": "ghost", "uid": "ghost", "resourceVersion": "1"}
            seen.mirror.put({"metadata": ghost})
            seen.mirror.put({"metadata": {**ghost, "namespace": "elsewhere", "uid": "another"}})
            await look_again(client, JOBS, seen.mirror, namespace)
        assert sorted(key_of(each) for each in seen.mirror) == [("elsewhere", "ghost"), (namespace, "missed")]

    asyncio.run(scenario())


def test_a_write_that_is_answered_while_a_list_is_on_its_way_is_no_journey_back(
    control_plane: ControlPlane, namespace: str
) -> None:
    async def scenario() -> None:
        seen = Seen()
        login = login_to(control_plane.kubeconfig)
        async with Client(login) as client:
            for number in range(20):
                async with seen.watching(login, namespace):
                    seen.mirror.put(await client.create(JOBS, job(namespace, f"job-{number}")))
            assert len(seen.names) == 20

    asyncio.run(scenario())

"""One operator at a time: who loses the Lease stops, and writes nothing more."""

from __future__ import annotations

import asyncio

import pytest

from ringrift_operator.api import TrainingPipelineStatus
from ringrift_operator.kube import lease as leasing
from ringrift_operator.kube.client import TIMEOUT_SECONDS, ApiError, Client, FencedError
from ringrift_operator.kube.lease import LEASE, RELEASED_0_1_0, Fence, Fences, LeaseLostError
from ringrift_operator.kube.resource import JOBS, LEASES, PIPELINES, Key, Object, Resource
from tests import patience
from tests.apiserver.connecting import login_to, port_of
from tests.apiserver.person import pipeline
from tests.apiserver.relay import Relay
from tests.apiserver.test_watch import job
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl


def alone(namespace: str, identity: str) -> Fences:
    return Fences([Fence((namespace, "operator"), identity)])


def made_by_the_chart(kubectl: Kubectl) -> None:
    kubectl.apply({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": LEASE}})


def test_the_second_waits_until_the_first_lets_go(
    control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leasing, "DURATION_SECONDS", 10 * patience.SECONDS)

    async def scenario() -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            first, second = alone(namespace, "first"), alone(namespace, "second")
            await first.acquire(client)
            waiting = asyncio.create_task(second.acquire(client))
            await asyncio.sleep(0.5)
            assert not waiting.done()
            assert not second.seconds_left
            await first.release(client)
            async with asyncio.timeout(patience.SECONDS):
                await waiting
            assert second.seconds_left
            assert not first.seconds_left

    asyncio.run(scenario())


def test_a_dead_holder_is_waited_out_and_a_restarted_one_is_not(
    control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            monkeypatch.setattr(leasing, "DURATION_SECONDS", 10 * patience.SECONDS)
            await alone(namespace, "pod-1").acquire(client)
            monkeypatch.setattr(leasing, "DURATION_SECONDS", 2)
            async with asyncio.timeout(patience.SECONDS):  # the same Pod, its container restarted
                await alone(namespace, "pod-1").acquire(client)
            loop = asyncio.get_running_loop()
            start = loop.time()
            async with asyncio.timeout(patience.SECONDS):
                await alone(namespace, "pod-2").acquire(client)
            assert loop.time() - start >= 2
            lease = await client.get(LEASES, (namespace, "operator"))
            assert lease is not None
            assert lease["spec"]["holderIdentity"] == "pod-2"
            assert lease["spec"]["leaseTransitions"] == 1

    asyncio.run(scenario())


def test_the_loser_stops_and_its_writes_are_refused(
    control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leasing, "RENEW_SECONDS", 0.2)

    async def scenario() -> None:
        login = login_to(control_plane.kubeconfig)
        fence = alone(namespace, "first")
        async with Client(login) as client, Client(login, lambda: fence.seconds_left) as fenced:
            with pytest.raises(FencedError):
                await fenced.create(JOBS, job(namespace, "too-early"))
            await fence.acquire(client)
            await fenced.create(JOBS, job(namespace, "in-time"))
            lease = await client.get(LEASES, (namespace, "operator"))
            assert lease is not None
            lease["spec"]["holderIdentity"] = "usurper"
            await client.replace(LEASES, lease)
            with pytest.raises(LeaseLostError, match="held by usurper"):
                async with asyncio.timeout(patience.SECONDS):
                    await fence.keep(client)
            with pytest.raises(FencedError):
                await fenced.create(JOBS, job(namespace, "too-late"))

    asyncio.run(scenario())


def test_a_lease_that_somebody_annotates_is_still_ours(
    control_plane: ControlPlane, namespace: str, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leasing, "RENEW_SECONDS", 0.2)

    class Disturbed(Client):
        """Somebody writes to the Lease after each of the first reads of it."""

        left = 3

        async def get(self, resource: Resource, key: Key) -> Object | None:
            found = await super().get(resource, key)
            if self.left and found is not None:
                self.left -= 1
                await asyncio.to_thread(
                    kubectl, "annotate", "lease", key[1], f"somebody=wrote-{self.left}", "--overwrite"
                )
            return found

    async def scenario() -> None:
        login = login_to(control_plane.kubeconfig)
        fence = alone(namespace, "first")
        async with Client(login) as client, Disturbed(login) as disturbed:
            await fence.acquire(client)
            before = await client.get(LEASES, (namespace, "operator"))
            assert before is not None
            keeping = asyncio.create_task(fence.keep(disturbed))
            async with asyncio.timeout(patience.SECONDS):
                while not keeping.done():
                    after = await client.get(LEASES, (namespace, "operator"))
                    assert after is not None
                    if not disturbed.left and after["spec"]["renewTime"] > before["spec"]["renewTime"]:
                        break
                    await asyncio.sleep(0.05)
            assert not keeping.done()
            assert fence.seconds_left
            keeping.cancel()

    asyncio.run(scenario())


def test_a_write_that_hangs_is_given_up_before_another_may_write(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> None:
        left = [60.0]
        async with Relay(port_of(control_plane)) as relay:
            login = login_to(control_plane.kubeconfig, relay.port)
            async with Client(login, lambda: left[0]) as client:
                await client.create(JOBS, job(namespace, "answered"))
                relay.go_dead()
                left[0] = 0.5
                loop = asyncio.get_running_loop()
                start = loop.time()
                with pytest.raises(TimeoutError):
                    await client.create(JOBS, job(namespace, "hangs"))
                assert 0.4 < loop.time() - start < TIMEOUT_SECONDS

    asyncio.run(scenario())


def test_a_status_replaces_none_that_its_writer_has_not_read(
    control_plane: ControlPlane, namespace: str, kubectl: Kubectl
) -> None:
    kubectl.apply(pipeline(namespace))

    async def scenario() -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            read = await client.get(PIPELINES, (namespace, "tiny"))
            assert read is not None
            metadata = {name: read["metadata"][name] for name in ("namespace", "name", "uid", "resourceVersion")}
            first = TrainingPipelineStatus(games=1)
            await client.apply_status(PIPELINES, "TrainingPipeline", metadata, first)
            with pytest.raises(ApiError, match="409 Conflict"):
                await client.apply_status(PIPELINES, "TrainingPipeline", metadata, TrainingPipelineStatus(games=2))
            found = await client.get(PIPELINES, (namespace, "tiny"))
            assert found is not None
            assert found["status"]["games"] == 1

    asyncio.run(scenario())


def test_a_second_release_over_one_namespace_waits_and_says_whose_it_is(
    control_plane: ControlPlane, namespace: str, kubectl: Kubectl, caplog: pytest.LogCaptureFixture
) -> None:
    made_by_the_chart(kubectl)

    async def scenario() -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            first = Fences.of([namespace], "default-one", "pod-1", "one/ringrift")
            second = Fences.of([namespace], "default-two", "pod-2", "two/games")
            await first.acquire(client)
            waiting = asyncio.create_task(second.acquire(client))
            async with asyncio.timeout(patience.SECONDS):
                while f"namespace {namespace} is looked after by release one/ringrift" not in caplog.text:
                    await asyncio.sleep(0.05)
            assert not second.seconds_left
            await first.release(client)
            async with asyncio.timeout(patience.SECONDS):
                await waiting
            found = await client.get(LEASES, (namespace, LEASE))
            assert found is not None
            assert found["metadata"]["annotations"]["ringrift.ai/release"] == "two/games"

    asyncio.run(scenario())


def test_in_an_upgrade_the_lease_of_0_1_0_is_held_too_and_without_one_nobody_makes_it(
    control_plane: ControlPlane, namespace: str, kubectl: Kubectl
) -> None:
    made_by_the_chart(kubectl)

    async def scenario() -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            earlier = Fence((namespace, RELEASED_0_1_0), "pod-0")
            assert await earlier.take(client) == ""
            upgraded = Fences.of([namespace], namespace, "pod-1", "one/ringrift")
            waiting = asyncio.create_task(upgraded.acquire(client))
            await asyncio.sleep(1.5)
            assert not waiting.done()
            assert not upgraded.seconds_left
            await earlier.release(client)
            async with asyncio.timeout(patience.SECONDS):
                await waiting
            assert upgraded.seconds_left
            await upgraded.release(client)
            await asyncio.to_thread(kubectl, "delete", "lease", RELEASED_0_1_0)
            await upgraded.acquire(client)
            assert upgraded.seconds_left
            assert await client.get(LEASES, (namespace, RELEASED_0_1_0)) is None

    asyncio.run(scenario())


def test_nothing_is_written_unless_every_namespace_is_ours(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            here, there = ((namespace, name) for name in ("here", "there"))
            other = Fence(there, "other")
            await other.take(client)
            both = Fences([Fence(here, "both"), Fence(there, "both")])
            waiting = asyncio.create_task(both.acquire(client))
            await asyncio.sleep(1.5)
            assert not both.seconds_left
            await other.release(client)
            async with asyncio.timeout(patience.SECONDS):
                await waiting
            assert both.seconds_left

    asyncio.run(scenario())

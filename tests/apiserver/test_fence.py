"""One operator at a time: who loses the Lease stops, and writes nothing more."""

from __future__ import annotations

import asyncio

import pytest

from ringrift_operator.kube import lease as leasing
from ringrift_operator.kube.client import Client, FencedError
from ringrift_operator.kube.lease import Fence, LeaseLostError
from ringrift_operator.kube.resource import JOBS, LEASES
from tests import patience
from tests.apiserver.connecting import login_to
from tests.apiserver.test_watch import job
from tests.cluster.control_plane import ControlPlane


def test_the_second_waits_until_the_first_lets_go(
    control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leasing, "DURATION_SECONDS", 10 * patience.SECONDS)

    async def scenario() -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            first, second = Fence((namespace, "operator"), "first"), Fence((namespace, "operator"), "second")
            await first.acquire(client)
            waiting = asyncio.create_task(second.acquire(client))
            await asyncio.sleep(0.5)
            assert not waiting.done()
            assert not second.is_held
            await first.release(client)
            async with asyncio.timeout(patience.SECONDS):
                await waiting
            assert second.is_held
            assert not first.is_held

    asyncio.run(scenario())


def test_a_dead_holder_is_waited_out_and_a_restarted_one_is_not(
    control_plane: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            monkeypatch.setattr(leasing, "DURATION_SECONDS", 10 * patience.SECONDS)
            await Fence((namespace, "operator"), "pod-1").acquire(client)
            monkeypatch.setattr(leasing, "DURATION_SECONDS", 2)
            async with asyncio.timeout(patience.SECONDS):  # the same Pod, its container restarted
                await Fence((namespace, "operator"), "pod-1").acquire(client)
            loop = asyncio.get_running_loop()
            start = loop.time()
            async with asyncio.timeout(patience.SECONDS):
                await Fence((namespace, "operator"), "pod-2").acquire(client)
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
        fence = Fence((namespace, "operator"), "first")
        async with Client(login) as client, Client(login, lambda: fence.is_held) as fenced:
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

"""What was connected is closed when its session ends, also where the other side no longer answers."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable
from contextlib import suppress

import kopf
import pytest

from ringrift_operator.kube import client as requesting
from ringrift_operator.kube.client import Client
from ringrift_operator.kube.resource import JOBS
from tests.apiserver.connecting import login_to, port_of
from tests.apiserver.relay import Relay
from tests.apiserver.test_watch import Seen
from tests.cluster.control_plane import ControlPlane

Login = Callable[[], kopf.ConnectionInfo]
GoDead = Callable[[], None]


async def in_mid_watch(login: Login, namespace: str, go_dead: GoDead) -> None:
    async with Seen().watching(login, namespace):
        go_dead()


async def waiting_for_an_answer(login: Login, namespace: str, go_dead: GoDead) -> None:
    async with Client(login) as client:
        await client.items(JOBS, namespace)
        go_dead()
        request = asyncio.create_task(client.items(JOBS, namespace))
        await asyncio.sleep(0.1)
        assert not request.done()
        request.cancel()
        with suppress(asyncio.CancelledError):
            await request


async def idle_for_longer_than_is_kept(login: Login, namespace: str, go_dead: GoDead) -> None:
    async with Client(login) as client:
        await client.items(JOBS, namespace)
        go_dead()
        await asyncio.sleep(3 * requesting.KEEP_ALIVE_SECONDS)


@pytest.mark.parametrize("ends", [in_mid_watch, waiting_for_an_answer, idle_for_longer_than_is_kept])
def test_a_session_that_ends_on_a_dead_path_leaves_no_socket_open(
    control_plane: ControlPlane,
    namespace: str,
    ends: Callable[[Login, str, GoDead], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requesting, "KEEP_ALIVE_SECONDS", 0.1)

    async def scenario() -> None:
        async with Relay(port_of(control_plane)) as relay:
            login, loop = login_to(control_plane.kubeconfig, relay.port), asyncio.get_running_loop()

            async def go_dead() -> None:
                relay.go_dead()

            async def session() -> None:
                await ends(login, namespace, lambda: asyncio.run_coroutine_threadsafe(go_dead(), loop).result())

            # A loop of its own, which ends while the path is dead.
            await asyncio.to_thread(asyncio.run, session())

    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        asyncio.run(scenario())
        gc.collect()
    assert [str(each.message) for each in caught] == []

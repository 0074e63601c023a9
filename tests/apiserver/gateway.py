"""The way between the operator and the API server: it notes every write, and may act after each."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from ringrift_operator.kube.client import Connector
from tests import patience
from tests.cluster.control_plane import ControlPlane

HOP_BY_HOP = {"connection", "host", "transfer-encoding", "content-length", "content-encoding"}


@dataclass(frozen=True)
class Write:
    """A request of the operator that the API server accepted."""

    method: str
    path: str
    name: str
    """Of a created object."""

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.name}".strip()


class Gateway:
    """A reverse proxy with the administrator's rights, on a thread of its own. Leases and events are not counted."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._server = control_plane.server
        pki = control_plane.authority.directory
        self._tls = ssl.create_default_context(cafile=control_plane.authority.certificate)
        self._tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        self.writes: list[Write] = []
        self.is_down = False
        """While true every request, and every watch under way, is answered by a broken connection."""
        self.after_write: Callable[[Write], None] = lambda _: None
        """Called when the API server has accepted a write, before the operator hears of it."""
        self.holds: Callable[[str, str], float] = lambda _method, _path: 0.0
        """Seconds for which a request lies on its way; it arrives even if nobody waits for its answer any more."""
        self.on_their_way = 0
        """How many of these have not arrived yet."""
        self.late: list[str] = []
        """What those that arrived late were answered."""
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(patience.SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(patience.SECONDS)
        assert not self._thread.is_alive()

    @property
    def created(self) -> list[str]:
        """Names of what was created, in order: `jobs/<name>`."""
        return [f"{write.path.rsplit('/', 1)[-1]}/{write.name}" for write in self.writes if write.method == "POST"]

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._forward)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        connector = Connector(ssl=self._tls, limit=0)
        async with aiohttp.ClientSession(self._server, connector=connector, auto_decompress=False) as self._upstream:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.port: int = runner.addresses[0][1]
            self._started.set()
            await self._stop.wait()
            await runner.cleanup()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if self.is_down:
            raise _broken_off(request)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        data = await request.read()
        if seconds := self.holds(request.method, request.path):
            await asyncio.shield(asyncio.ensure_future(self._arrives_late(request, headers, data, seconds)))
            raise ConnectionResetError
        async with self._request(request, headers, data) as answer:
            self._note(request, data, answer.status)
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            response = web.StreamResponse(status=answer.status, headers=kept)
            with suppress(ConnectionError):  # the operator was killed
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    if self.is_down:
                        raise _broken_off(request)
                    await response.write(chunk)
                await response.write_eof()
            return response

    def _request(
        self, request: web.Request, headers: dict[str, str], data: bytes
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        timeout = aiohttp.ClientTimeout(total=None)
        return self._upstream.request(
            request.method, request.rel_url, headers=headers, data=data or None, timeout=timeout
        )

    async def _arrives_late(self, request: web.Request, headers: dict[str, str], data: bytes, seconds: float) -> None:
        self.on_their_way += 1
        await asyncio.sleep(seconds)
        async with self._request(request, headers, data) as answer:
            self.late.append(f"{request.method} {request.path}: {answer.status}")
        self.on_their_way -= 1

    def _note(self, request: web.Request, data: bytes, status: int) -> None:
        counts = not any(each in request.path for each in ("/leases", "/events"))
        if request.method in ("POST", "PUT", "PATCH", "DELETE") and counts and status < 300:
            name = json.loads(data)["metadata"]["name"] if request.method == "POST" else ""
            write = Write(request.method, request.path, name)
            self.writes.append(write)
            self.after_write(write)


def _broken_off(request: web.Request) -> ConnectionResetError:
    """The connection is no more: what was answered so far must not look whole."""
    assert request.transport is not None
    request.transport.abort()
    return ConnectionResetError()

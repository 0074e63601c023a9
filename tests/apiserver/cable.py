"""The way between a machine outside the cluster and the API server, which can be pulled out and put back."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

from tests import patience
from tests.apiserver.connecting import port_of
from tests.apiserver.relay import Relay
from tests.cluster.control_plane import ControlPlane


class Cable:
    """A relay on a thread of its own."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._target = port_of(control_plane)
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
    def server(self) -> str:
        return f"https://127.0.0.1:{self._relay.port}"

    def unplug(self) -> None:
        """Breaks what is connected, and every connection that comes."""
        self._loop.call_soon_threadsafe(self._relay.unplug)

    def plug(self) -> None:
        self._loop.call_soon_threadsafe(self._relay.plug)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with _Pluggable(self._target) as self._relay:
            self._started.set()
            await self._stop.wait()


class _Pluggable(Relay):
    is_unplugged = False

    def unplug(self) -> None:
        self.is_unplugged = True
        self.cut()

    def plug(self) -> None:
        self.is_unplugged = False

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_unplugged:
            writer.transport.abort()
            return
        super()._accept(reader, writer)

"""A network path to the API server that can be cut, or go dead without a word."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self


class Relay:
    """Passes bytes between a local port and the API server (TLS and all)."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._streams: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._server.close()
        self.go_dead()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.cut()
        await asyncio.gather(*(stream.wait_closed() for stream in self._streams), return_exceptions=True)
        await self._server.wait_closed()

    def cut(self) -> None:
        """Breaks every connection; new ones are taken."""
        for stream in self._streams:
            stream.transport.abort()

    def go_dead(self) -> None:
        """From now on what is connected passes nothing, and nobody is told; new connections work."""
        for task in self._tasks:
            task.cancel()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closing:  # accepted by the loop before the server closed
            writer.transport.abort()
            return
        self._streams.append(writer)
        self._start(self._connect(reader, writer))

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._streams.append(upstream_writer)
        self._start(self._pump(reader, upstream_writer))
        self._start(self._pump(upstream_reader, writer))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
            sink.close()
        except ConnectionError:
            sink.transport.abort()

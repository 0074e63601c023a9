"""A network path to the API server that can be cut, or go dead without a word."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class Relay:
    """Passes bytes between a local port and the API server (TLS and all)."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._streams: list[asyncio.StreamWriter] = []
        self._pumps: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        self.cut()
        await asyncio.sleep(0.05)  # the transports close in the loop's next rounds

    def cut(self) -> None:
        """Breaks every connection; new ones are taken."""
        for stream in self._streams:
            stream.transport.abort()
        self._streams.clear()

    def go_dead(self) -> None:
        """From now on what is connected passes nothing, and nobody is told; new connections work."""
        for pump in self._pumps:
            pump.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._streams.append(writer)
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._streams.append(upstream_writer)
        for source, sink in ((reader, upstream_writer), (upstream_reader, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
            sink.close()
        except ConnectionError:
            pass

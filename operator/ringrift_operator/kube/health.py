"""The operator's own HTTP endpoint: /healthz, /readyz and /metrics."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], str]
"""Empty when all is well, otherwise a sentence."""


class Pulse:
    """Says how long ago something last showed that it lives."""

    def __init__(self) -> None:
        self._beat = time.monotonic()

    def beat(self) -> None:
        self._beat = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since the last beat."""
        return time.monotonic() - self._beat


class Health:
    """What /healthz and /readyz ask; parts of the operator add their checks as they start."""

    def __init__(self) -> None:
        self.live: dict[str, Check] = {}
        self.ready: dict[str, Check] = {"started": lambda: "waiting for the API server and the Lease"}

    async def healthz(self, _: web.Request) -> web.Response:
        """Fails when a restart would help."""
        return _answer(self.live)

    async def readyz(self, _: web.Request) -> web.Response:
        """Fails while the operator does not know the state of the world, or may not act on it."""
        return _answer({**self.live, **self.ready})


def _answer(checks: Mapping[str, Check]) -> web.Response:
    failed = {name: sentence for name, check in checks.items() if (sentence := check())}
    lines = [f"[{'-' if name in failed else '+'}] {name} {failed.get(name, 'ok')}" for name in checks]
    return web.Response(status=503 if failed else 200, text="\n".join([*lines, "failed" if failed else "ok", ""]))


@asynccontextmanager
async def serving(address: str, port: int, health: Health, metrics: CollectorRegistry) -> AsyncIterator[int]:
    """Serves while the block runs; yields the port (of use when 0 was asked for)."""

    async def scrape(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", health.healthz)
    app.router.add_get("/readyz", health.readyz)
    app.router.add_get("/metrics", scrape)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, address, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()

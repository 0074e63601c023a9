"""A limit on requests that are nice to have, so that they never crowd out those that matter."""

from __future__ import annotations

import asyncio


class Rate:
    """At most `per_second` turns a second, evenly spaced, in the order of asking."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._next = 0.0

    async def turn(self) -> None:
        """Waits for its turn."""
        loop = asyncio.get_running_loop()
        at = max(self._next, loop.time())
        self._next = at + self._interval
        await asyncio.sleep(at - loop.time())

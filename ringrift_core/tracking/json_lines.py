"""A curve as JSON lines, one object a step: `{"step": 20, "loss": 4.1}`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ringrift_core.tracking.place import Place

__all__ = ["FILE", "JsonLines"]

FILE = "scalars.jsonl"


class JsonLines:
    """Always kept: whoever reads nothing else can read this."""

    def __init__(self, place: Place, after: int) -> None:
        self._store, self._key = place.archive.store, place.key(FILE)
        found = self._store.read(self._key)
        lines = found.content.decode().splitlines() if found is not None else []
        self._points: list[dict[str, float]] = [point for point in map(json.loads, lines) if point["step"] <= after]

    def tell(self, step: int, figures: Mapping[str, float]) -> None:
        """As a sink."""
        if not self._points or self._points[-1]["step"] != step:
            self._points.append({"step": step})
        self._points[-1].update(figures)

    def keep(self) -> None:
        """As a sink."""
        self._store.put(self._key, "".join(f"{json.dumps(point)}\n" for point in self._points).encode())

    def close(self) -> None:
        """As a sink: nothing is open."""

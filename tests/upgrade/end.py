"""What a run ended with, in words that do not depend on the version that wrote it: no clock, no address, no schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def truth(data: Path) -> dict[str, Any]:
    """Games, champions, what every task made, verdicts with every group's score, and the totals of each status."""
    found: dict[str, Any] = {}
    for folder in sorted(path.parent for path in data.glob("[!_]*/*/games.json")):
        name = f"{folder.parent.name}/{folder.name}"
        found[f"{name}/games"] = _read(folder / "games.json")
        for path in sorted(folder.glob("registry/*.json")):
            registry = _read(path)
            for move in registry["log"]:
                move["verdict"] = _verdict(folder, move["verdict"]) if move["verdict"] else None
            found[f"{name}/registry/{path.stem}"] = registry
        for path in sorted(folder.glob("regression/*.json")):
            found[f"{name}/regression/{path.stem}"] = _read(path)
        for path in sorted(folder.glob("tasks/*/*.json")):
            task = f"{name}/{path.parent.name}/{path.stem}"
            if path.stem.endswith(".checkpoint"):
                found[task] = "left behind"
                continue
            outputs = _read(path)["result"]["outputs"]
            found[task] = {
                output: _verdict(folder, artifact) if output == "verdict" else artifact["sha256"]
                for output, artifact in outputs.items()
            }
    for path in sorted(data.glob("_local/*/pipeline.json")):
        status = _read(path)["status"]
        totals = ("phase", "iteration", "games", "promotions", "rollbacks")
        found[f"{path.parent.name}/status"] = {name: status.get(name, 0) for name in totals}
    for path in sorted(data.glob("_local/*/iterations/*.json")):
        spec = _read(path)["spec"]
        names = ("configuration", "iteration", "games", "summary")
        found[f"{path.parent.parent.name}/records/{path.stem}"] = {name: spec[name] for name in names}
    return found


def _verdict(folder: Path, artifact: dict[str, Any]) -> dict[str, Any]:
    """A stored verdict with its evidence; what was asked for stands beside it in the words of the version."""
    stored = _read(folder / "objects" / artifact["uri"].rpartition("/")[2])
    return {name: stored[name] for name in ("verdict", "groups")}


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content

"""`make lint`: modules and folders of the engine use one another in one direction. Exit 1, and each circle, if not."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.structure.rust import circles, folded, uses

SOURCE = Path(__file__).resolve().parents[2] / "ringrift_core" / "engine" / "src"


def main() -> int:
    """A line per circle, then the count."""
    graph = uses(SOURCE)
    found = [circle for view in (graph, folded(graph, 2), folded(graph, 1)) for circle in circles(view)]
    for circle in found:
        print(f"circle: {' -> '.join(circle)}", file=sys.stderr)
    print(f"{len(graph)} Rust modules, {sum(map(len, graph.values()))} uses, {len(found)} circles")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())

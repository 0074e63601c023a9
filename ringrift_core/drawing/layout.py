"""What a picture needs of a board and a state: the cells, where they lie, and what is on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Cell = tuple[int, int]
"""(x, y) of rules.md section 1; on hexagonal boards z = -x-y is implied."""


@dataclass(frozen=True)
class Layout:
    """A board's shape. `extent` is the side of a square board, the radius of a hexagon."""

    hexagonal: bool
    extent: int

    def rows(self) -> list[list[Cell]]:
        """Cells row by row: y ascending, then x ascending."""
        if not self.hexagonal:
            return [[(x, y) for x in range(self.extent)] for y in range(self.extent)]
        radius = self.extent
        return [
            [(x, y) for x in range(max(-radius, -radius - y), min(radius, radius - y) + 1)]
            for y in range(-radius, radius + 1)
        ]


LAYOUTS = {
    "square8": Layout(hexagonal=False, extent=8),
    "square19": Layout(hexagonal=False, extent=19),
    "hex8": Layout(hexagonal=True, extent=4),
    "hexagonal": Layout(hexagonal=True, extent=12),
}


def parse_cell(text: str) -> Cell:
    x, _, y = text.partition(",")
    return int(x), int(y)


@dataclass(frozen=True)
class Contents:
    """A state by cell. Stacks are ring colours bottom to top; all owners are seats 1..4."""

    stacks: Mapping[Cell, tuple[int, ...]]
    markers: Mapping[Cell, int]
    collapsed: Mapping[Cell, int]
    highlighted: Cell | None
    """The stack that must move or go on capturing, if any."""

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Contents:
        """From the trace form of a state (docs/trace-format.md)."""
        highlighted = state.get("chain") or state.get("must")
        return cls(
            stacks={parse_cell(cell): tuple(map(int, rings)) for cell, rings in state["stk"].items()},
            markers={parse_cell(cell): owner for cell, owner in state["mk"].items()},
            collapsed={parse_cell(cell): owner for cell, owner in state["col"].items()},
            highlighted=parse_cell(highlighted) if highlighted else None,
        )


def cap_height(rings: tuple[int, ...]) -> int:
    """Length of the run of the controller's colour at the top."""
    height = 1
    while height < len(rings) and rings[-height - 1] == rings[-1]:
        height += 1
    return height

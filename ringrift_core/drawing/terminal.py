"""A state as Unicode text.

Every seat has its own shape as well as its own colour, so the picture also reads without colour:

    ●3    a stack of seat 1, three rings high          ●5/2  five rings high, cap of two
    •     a marker                                     ▐1▌   a collapsed cell of seat 1
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ringrift_core.drawing.layout import LAYOUTS, Cell, Contents, Layout, cap_height

STACK_SHAPES = "●○■□"
MARKER_SHAPES = "•◦▪▫"
SEAT_COLOURS = (33, 208, 41, 177)
"""Codes of the 256-colour palette: blue, orange, green, violet."""

_LABEL_COLUMNS = 3
"""Before the first cell of a square board's row."""


class Painter:
    """Wraps text in SGR sequences, or leaves it alone."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def seat(self, text: str, seat: int, *, reverse: bool = False, bold: bool = False, underline: bool = False) -> str:
        codes = f"38;5;{SEAT_COLOURS[seat - 1]}"
        codes += (";7" if reverse else "") + (";1" if bold else "") + (";4" if underline else "")
        return self._wrap(text, codes)

    def dim(self, text: str, *, underline: bool = False) -> str:
        return self._wrap(text, "2;4" if underline else "2")

    def bold(self, text: str) -> str:
        return self._wrap(text, "1")

    def _wrap(self, text: str, codes: str) -> str:
        return f"\x1b[{codes}m{text}\x1b[0m" if self.colour and text else text


@dataclass(frozen=True)
class BoardText:
    """A board as lines, and where its cells lie in them."""

    lines: list[str]
    places: dict[Cell, tuple[int, int]]
    """(line, column) of the middle of each cell; SGR sequences take no column."""
    width: int
    """Columns of the longest line."""


def draw_text(
    board: str, state: Mapping[str, Any], *, colour: bool = False, outcome: Mapping[str, Any] | None = None
) -> str:
    """The board, then one line per seat, then whose move it is (or who won)."""
    painter = Painter(colour)
    lines = draw_board(board, state, colour=colour).lines
    return "\n".join([*lines, "", *_seat_lines(state, painter), _status_line(state, outcome, painter)])


def draw_board(
    board: str,
    state: Mapping[str, Any],
    *,
    colour: bool = False,
    labels: Mapping[Cell, str] | None = None,
    underlined: Collection[Cell] = (),
) -> BoardText:
    """The board alone. A label is written into its cell if that is empty, and behind a marker.

    In colour the `underlined` cells are underlined.
    """
    layout, contents, painter = LAYOUTS[board], Contents.of(state), Painter(colour)
    texts = {cell: _cell_text(cell, contents, labels or {}) for row in layout.rows() for cell in row}
    width = max(4, max(len(text) for text, _ in texts.values()) + 1)
    width += width % 2 if layout.hexagonal else 0  # a hexagonal row is shifted by half a cell

    def paint(cell: Cell) -> str:
        return _painted(cell, *texts[cell], contents, width, painter, underline=cell in underlined)

    draw_rows = _hexagonal_rows if layout.hexagonal else _square_rows
    return BoardText(draw_rows(layout, paint, width, painter), _places(layout, width), _columns(layout, width))


def _cell_text(cell: Cell, contents: Contents, labels: Mapping[Cell, str]) -> tuple[str, int]:
    """Uncoloured text of a cell, and the seat it belongs to (0: nobody)."""
    if rings := contents.stacks.get(cell):
        height, cap, seat = len(rings), cap_height(rings), rings[-1]
        text = f"{STACK_SHAPES[seat - 1]}{height}" + ("" if cap == height else f"/{cap}")
        return (f"[{text}]" if cell == contents.highlighted else text), seat
    if seat := contents.markers.get(cell, 0):
        return MARKER_SHAPES[seat - 1] + labels.get(cell, ""), seat
    if seat := contents.collapsed.get(cell, 0):
        return f"▐{seat}▌", seat
    return labels.get(cell, "·"), 0


def _painted(
    cell: Cell, text: str, seat: int, contents: Contents, width: int, painter: Painter, *, underline: bool
) -> str:
    left = (width - len(text)) // 2
    right = width - len(text) - left
    if seat == 0:
        shown = painter.bold(text) if text != "·" else painter.dim(text, underline=underline)
    elif painter.colour and cell in contents.collapsed:
        shown = painter.seat(f" {seat} ", seat, reverse=True)
    else:
        shown = painter.seat(text, seat, bold=cell in contents.stacks, underline=underline)
    return " " * left + shown + " " * right


def _places(layout: Layout, width: int) -> dict[Cell, tuple[int, int]]:
    """Line and column of the middle of each cell."""
    places = {}
    for line, row in enumerate(layout.rows(), start=1):
        before = abs(row[0][1]) * width // 2 + width if layout.hexagonal else _LABEL_COLUMNS
        for index, cell in enumerate(row):
            places[cell] = line, before + index * width + (width - 1) // 2
    return places


def _columns(layout: Layout, width: int) -> int:
    """Columns of the longest line, labels included."""
    if layout.hexagonal:
        return (2 * layout.extent + 2) * width + len(" y=0")
    return _LABEL_COLUMNS + layout.extent * width


def _square_rows(layout: Layout, paint: Any, width: int, painter: Painter) -> list[str]:
    header = " " * _LABEL_COLUMNS + "".join(str(x).center(width) for x in range(layout.extent))
    lines = [painter.dim(header.rstrip())]
    for y, row in enumerate(layout.rows()):
        lines.append(painter.dim(f"{y:>2} ") + "".join(paint(cell) for cell in row).rstrip())
    return lines


def _hexagonal_rows(layout: Layout, paint: Any, width: int, painter: Painter) -> list[str]:
    """Rows shifted by half a cell. Lines of equal x run down to the right: each begins at its label."""
    radius = layout.extent
    top = "".join(str(x).center(width) for x in range(radius + 1))
    lines = [" " * (radius * width // 2) + painter.dim(top.rstrip())]
    for row in layout.rows():
        y = row[0][1]
        label = str(row[0][0] - 1) if y < 0 else ""
        indent = " " * (abs(y) * width // 2)
        left = indent + painter.dim(label.center(width))
        lines.append(left + "".join(paint(cell) for cell in row) + painter.dim(f" y={y}"))
    return lines


def _seat_lines(state: Mapping[str, Any], painter: Painter) -> list[str]:
    over = state["ph"] == "game_over"
    lines = []
    for index, (hand, credited, territory) in enumerate(zip(state["hand"], state["elim"], state["terr"], strict=True)):
        seat = index + 1
        arrow = "▸" if seat == state["p"] and not over else " "
        name = painter.seat(f"{STACK_SHAPES[index]} player {seat}", seat, bold=True)
        lines.append(f"{arrow} {name}   hand {hand:>3}   eliminated {credited:>3}   territory {territory:>3}")
    return lines


def _status_line(state: Mapping[str, Any], outcome: Mapping[str, Any] | None, painter: Painter) -> str:
    if outcome:
        winner, reason = outcome["winner"], str(outcome["reason"]).replace("_", " ")
        return painter.seat(f"player {winner} wins", winner, bold=True) + f" by {reason}"
    phase = str(state["ph"]).replace("_", " ")
    return "game over" if state["ph"] == "game_over" else f"player {state['p']} to move: {phase}"

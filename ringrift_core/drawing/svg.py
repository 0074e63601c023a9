"""A state as a self-contained SVG, for notebooks and web pages.

A stack is drawn as its rings lying on one another, in their colours, with its height written in the top ring. A marker
is a small disc, a collapsed cell is filled in its owner's colour. Colours are told apart by colour-blind readers as
well (Okabe and Ito's palette), and each seat's panel names its number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ringrift_core.drawing.layout import LAYOUTS, Cell, Contents, Layout

SEAT_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")
SEAT_SHADES = ("#00507d", "#a87400", "#006f51", "#99557a")
TEXT_COLOUR = "#2b2b2b"
BOARD_COLOUR = "#f4efe4"
CELL_COLOUR = "#fbf8f1"
LINE_COLOUR = "#cfc5b0"
UNIT = 40.0
"""Distance between neighbouring cells, in pixels."""
MARGIN = 26.0
PANEL_HEIGHT = 46.0
PANEL_WIDTH = 130.0


def draw_svg(board: str, state: Mapping[str, Any], *, outcome: Mapping[str, Any] | None = None) -> str:
    """The whole picture: panels of the seats above the board."""
    layout, contents = LAYOUTS[board], Contents.of(state)
    centres = _centres(layout)
    board_width = max(x for x, _ in centres.values()) + UNIT / 2 + MARGIN
    board_height = max(y for _, y in centres.values()) + UNIT / 2 + MARGIN
    seats = len(state["hand"])
    columns = max(1, min(seats, int(board_width // PANEL_WIDTH)))
    panels_height = 10 + PANEL_HEIGHT * math.ceil(seats / columns)
    width, height = max(board_width, PANEL_WIDTH), board_height + panels_height + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-family="Helvetica, Arial, sans-serif" fill="{TEXT_COLOUR}">',
        f'<rect width="{width:.0f}" height="{height:.0f}" rx="10" fill="{BOARD_COLOUR}"/>',
        *_panels(state, outcome, columns, width),
        f'<g transform="translate({(width - board_width) / 2:.1f} {panels_height:.1f})">',
        *_coordinates(layout, centres),
        *(_cell(layout, centre, contents.collapsed.get(cell, 0)) for cell, centre in centres.items()),
        *(_marker(centres[cell], seat) for cell, seat in contents.markers.items()),
        *(
            _stack(centres[cell], rings, cell == contents.highlighted)
            for cell, rings in sorted(contents.stacks.items(), key=lambda item: item[0][1])
        ),
        "</g>",
        f'<text x="{width / 2:.1f}" y="{height - 12:.1f}" text-anchor="middle" font-size="13">'
        f"{_status(state, outcome)}</text>",
        "</svg>",
    ]
    return "\n".join(parts)


def _centres(layout: Layout) -> dict[Cell, tuple[float, float]]:
    """Centre of every cell, the board's upper left corner at the margin."""
    start = MARGIN + UNIT / 2
    if not layout.hexagonal:
        return {(x, y): (start + x * UNIT, start + y * UNIT) for row in layout.rows() for x, y in row}
    row_height, radius = UNIT * math.sqrt(3) / 2, layout.extent
    return {
        (x, y): (start + (x + y / 2 + radius) * UNIT, start + (y + radius) * row_height)
        for row in layout.rows()
        for x, y in row
    }


def _cell(layout: Layout, centre: tuple[float, float], collapsed_by: int) -> str:
    cx, cy = centre
    fill = SEAT_COLOURS[collapsed_by - 1] if collapsed_by else CELL_COLOUR
    style = f'fill="{fill}" stroke="{LINE_COLOUR}"' + (' fill-opacity="0.6"' if collapsed_by else "")
    if not layout.hexagonal:
        corner = UNIT / 2 - 0.75
        return (
            f'<rect x="{cx - corner:.1f}" y="{cy - corner:.1f}" width="{2 * corner:.1f}" height="{2 * corner:.1f}" '
            f'rx="3" {style}/>'
        )
    radius = UNIT / math.sqrt(3) - 0.8
    points = " ".join(
        f"{cx + radius * math.sin(k * math.pi / 3):.1f},{cy + radius * math.cos(k * math.pi / 3):.1f}" for k in range(6)
    )
    return f'<polygon points="{points}" {style}/>'


def _marker(centre: tuple[float, float], seat: int) -> str:
    cx, cy = centre
    return (
        f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="{UNIT * 0.15:.1f}" fill="{SEAT_COLOURS[seat - 1]}" '
        f'stroke="{SEAT_SHADES[seat - 1]}" stroke-width="1.5"/>'
    )


def _stack(centre: tuple[float, float], rings: tuple[int, ...], highlighted: bool) -> str:
    """Rings bottom to top, each a little above the one below; tall stacks are squeezed to stay on their cell."""
    cx, cy = centre
    step = min(3.6, 15.0 / max(1, len(rings) - 1))
    bottom = cy + 3 + step * (len(rings) - 1) / 2
    rx, ry, thickness = UNIT * 0.38, UNIT * 0.27, min(3.0, step)
    parts = []
    if highlighted:
        parts.append(
            f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="{UNIT * 0.47:.1f}" fill="none" stroke="#d55e00" '
            'stroke-width="2.5" stroke-dasharray="4 3"/>'
        )
    parts.append(
        f'<ellipse cx="{cx + 1:.1f}" cy="{bottom + thickness + 1:.1f}" rx="{rx:.1f}" ry="{ry:.1f}" fill="#000" '
        'fill-opacity="0.18"/>'
    )
    for level, seat in enumerate(rings):
        y = bottom - level * step
        ellipse = f'rx="{rx:.1f}" ry="{ry:.1f}"'
        parts.append(f'<ellipse cx="{cx:.1f}" cy="{y + thickness:.1f}" {ellipse} fill="{SEAT_SHADES[seat - 1]}"/>')
        parts.append(
            f'<ellipse cx="{cx:.1f}" cy="{y:.1f}" {ellipse} fill="{SEAT_COLOURS[seat - 1]}" '
            f'stroke="{SEAT_SHADES[seat - 1]}" stroke-width="0.8"/>'
        )
    top = bottom - (len(rings) - 1) * step
    parts.append(
        f'<ellipse cx="{cx:.1f}" cy="{top:.1f}" rx="{rx * 0.62:.1f}" ry="{ry * 0.62:.1f}" fill="{CELL_COLOUR}" '
        f'stroke="{SEAT_SHADES[rings[-1] - 1]}" stroke-width="0.8"/>'
        f'<text x="{cx:.1f}" y="{top + 4.3:.1f}" text-anchor="middle" font-size="12" font-weight="bold">'
        f"{len(rings)}</text>"
    )
    return "".join(parts)


def _coordinates(layout: Layout, centres: Mapping[Cell, tuple[float, float]]) -> list[str]:
    """Columns above, rows at the left; on a hexagon each line of equal x is labelled at its upper end."""
    rows = layout.rows()
    labels = [(str(row[0][1]), centres[row[0]][0] - UNIT * 0.82, centres[row[0]][1] + 4) for row in rows]
    if layout.hexagonal:
        radius = layout.extent
        row_labels = [(f"{row[-1][1]}", centres[row[-1]][0] + UNIT * 0.8, centres[row[-1]][1] + 4) for row in rows]
        columns = [(x, max(-radius, -radius - x)) for x in range(-radius, radius + 1)]
        column_labels = [(str(x), centres[x, y][0] - UNIT * 0.42, centres[x, y][1] - UNIT * 0.62) for x, y in columns]
        labels = row_labels + column_labels
    else:
        labels += [(str(x), centres[x, 0][0], centres[x, 0][1] - UNIT * 0.65) for x in range(layout.extent)]
    return [
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="10" fill="#8a7f6a">{text}</text>'
        for text, x, y in labels
    ]


def _panels(state: Mapping[str, Any], outcome: Mapping[str, Any] | None, columns: int, width: float) -> list[str]:
    panel_width = (width - 12) / columns
    parts = []
    for index, (hand, credited, territory) in enumerate(zip(state["hand"], state["elim"], state["terr"], strict=True)):
        x, y = 6 + (index % columns) * panel_width, 8 + (index // columns) * PANEL_HEIGHT
        chosen = (outcome["winner"] if outcome else state["p"]) == index + 1
        border = f'stroke="{SEAT_COLOURS[index]}" stroke-width="{2.5 if chosen else 0.8}"'
        parts.append(
            f'<rect x="{x + 3:.1f}" y="{y:.1f}" width="{panel_width - 6:.1f}" height="{PANEL_HEIGHT - 6:.1f}" rx="6" '
            f'fill="{CELL_COLOUR}" {border}/>'
            f'<circle cx="{x + 17:.1f}" cy="{y + 13:.1f}" r="6" fill="{SEAT_COLOURS[index]}"/>'
            f'<text x="{x + 28:.1f}" y="{y + 17.5:.1f}" font-size="12.5" font-weight="bold">Player {index + 1}</text>'
            f'<text x="{x + 11:.1f}" y="{y + 33:.1f}" font-size="10.5">hand {hand} · out {credited} · '
            f"terr {territory}</text>"
        )
    return parts


def _status(state: Mapping[str, Any], outcome: Mapping[str, Any] | None) -> str:
    if outcome:
        return f"Player {outcome['winner']} wins by {str(outcome['reason']).replace('_', ' ')}"
    phase = str(state["ph"]).replace("_", " ")
    return "Game over" if state["ph"] == "game_over" else f"Player {state['p']} to move: {phase}"

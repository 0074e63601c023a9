"""Pictures of a state: text for a terminal, SVG for a notebook. Both read the exact JSON state, nothing else."""

from ringrift_core.drawing.svg import draw_svg
from ringrift_core.drawing.terminal import draw_board, draw_text

__all__ = ["draw_board", "draw_svg", "draw_text"]

"""What stands on the terminal: the board, the seats with their chances, what was played, what may be played."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from ringrift_core._engine import Move
from ringrift_core.drawing.layout import LAYOUTS, Cell, Contents
from ringrift_core.drawing.terminal import SEAT_COLOURS, STACK_SHAPES, BoardText, draw_board
from ringrift_core.game import Game
from ringrift_core.play.table import Played, Table
from ringrift_core.play.typed import cells_of

__all__ = ["Screen"]

PANEL_COLUMNS = 34
NAME_COLUMNS = 16
BAR_COLUMNS = 12
GAP = 2
"""Between board and panel."""
GUTTER = 4
"""Before the rows of a board that is seen in part: their y."""
LEAST_BOARD_LINES = 9
"""A board is cut to no fewer lines, however small the terminal."""
LEAST_LIST_LINES, MOST_LIST_LINES = 4, 12

ASKED = {
    "ring_placement": "place rings",
    "movement": "move or capture",
    "capture": "capture on, or skip",
    "chain_capture": "the chain goes on: capture",
    "line_processing": "collapse a line, or pay for it",
    "territory_processing": "claim a region, pay for it, or skip",
    "forced_elimination": "nothing can move: give up a cap",
}
"""What the agent to move is asked for, by phase."""


class Screen:
    """Draws frames for one console. In a terminal each frame replaces the one before; elsewhere it is printed below."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.centre: Cell | None = None
        """Middle of the visible part of a board that does not fit; None follows the game."""

    @property
    def _coloured(self) -> bool:
        return self.console.color_system is not None and not self.console.no_color

    def show(
        self,
        table: Table,
        *,
        chances: Sequence[float] | None = None,
        since: Sequence[Played] = (),
        listed: Sequence[Move] = (),
        below: Sequence[Text] = (),
    ) -> None:
        """A frame: board and seats, then the lines `below`."""
        if self.console.is_terminal:
            self.console.clear()
        told = self.told(table, since)
        board = draw_board(
            table.game.board,
            table.game.state(),
            colour=self._coloured,
            labels=_labels(listed),
            underlined=_touched(since),
        )
        if self.console.is_terminal and board.width + GAP + PANEL_COLUMNS <= self.console.width:
            panel = self._panel(table, chances)
            told = self._last(told, self.console.width - board.width - GAP, len(panel) + len(below) + 3)
            self._print([*self._beside(board, [*panel, Text(), *told]), Text(), *below])
            return
        panel = self._panel_in_rows(table, chances)
        told = self._last(told, self.console.width, LEAST_BOARD_LINES + len(panel) + len(below) + 1)
        room = self.console.height - len(panel) - len(told) - len(below) - 1
        self._print(
            [*self._part(board, max(LEAST_BOARD_LINES, room), self._middle(board, table, since)), *panel, *told, *below]
        )

    def _last(self, told: Iterable[Text], width: int, taken: int) -> list[Text]:
        """What was played, wrapped; only its end where `taken` lines of the terminal leave no room for more."""
        lines = _wrapped(told, width)
        room = max(1, self.console.height - taken)
        return lines[-room:] if self.console.is_terminal and len(lines) > room else lines

    def say(self, *lines: Text | str) -> None:
        """Lines below the frame."""
        for line in lines:
            self.console.print(line, markup=False, soft_wrap=not self.console.is_terminal)

    def told(self, table: Table, since: Iterable[Played]) -> list[Text]:
        """What was played, one line a turn and agent; swaps say who sits where now."""
        lines = []
        for (agent, seat, _), turn in groupby(since, key=lambda played: (played.agent, played.seat, played.turn)):
            moves = list(turn)
            if any(played.move.kind == "swap_sides" for played in moves):
                lines.append(self._swap_line(table, agent))
                moves = [played for played in moves if played.move.kind != "swap_sides"]
            human = table.agents[agent].is_human
            chosen = [str(played.move) for played in moves if not played.forced]
            forced = [str(played.move) for played in moves if played.forced]
            if chosen:
                lines.append(self._name(table, agent, seat).append(": " + ", ".join(map(shortened, chosen))))
            if forced and human:
                said = f"played for {table.agents[agent].name}: {', '.join(map(shortened, forced))}"
                lines.append(Text(said, style="dim"))
            elif forced and not all(played.move.automatic for played in moves if played.forced):
                kept = [str(played.move) for played in moves if played.forced and not played.move.automatic]
                lines.append(self._name(table, agent, seat).append(" had to: " + ", ".join(map(shortened, kept))))
        return lines

    def asked(self, table: Table) -> Text:
        """Who is to do what."""
        line = self._name(table, table.to_decide, table.game.mover)
        return line.append(f": {ASKED.get(table.game.phase, table.game.phase)}")

    def ending(self, table: Table) -> list[Text]:
        """Result, ranks and reason."""
        outcome, winner = table.game.outcome(), table.winner
        if outcome is None or winner is None:
            return []
        verb = "win" if table.agents[winner].name == "you" else "wins"
        head = self._name(table, winner, outcome.winner)
        head.append(f" {verb} by {outcome.reason.replace('_', ' ')} in turn {table.log[-1].turn}.")
        ranked = sorted((rank, seat) for seat, rank in enumerate(outcome.ranks, start=1))
        lines = [head]
        for rank, seat in ranked:
            lines.append(Text(f"  {rank}. ").append_text(self._name(table, table.agent_at(seat), seat)))
        if table.swapped:
            lines.append(Text("  (sides were swapped in this game)", style="dim"))
        return lines

    def can_list(self, game: Game, moves: Sequence[Move]) -> bool:
        """Do these moves with their numbers leave room for the board?"""
        room = (
            self.console.height - len(LAYOUTS[game.board].rows()) - 5 if self.console.is_terminal else MOST_LIST_LINES
        )
        return len(self.numbered(moves)) <= min(MOST_LIST_LINES, max(LEAST_LIST_LINES, room))

    def numbered(self, moves: Sequence[Move]) -> list[Text]:
        """Moves with their numbers, in columns; what all have in common is said once."""
        words = [str(move).split(" ", 1) for move in moves]
        origins = {str(cells_of(move)[:1]) for move in moves}
        if len(moves) < 3 or len({kind for kind, *_ in words}) > 1 or len(origins) > 1:
            return [Text(line) for line in _columns(_with_numbers(map(str, moves)), self._width)]
        x, y = cells_of(moves[0])[0]
        ends = _with_numbers(body.removeprefix(f"{x},{y}").strip() for _, body in words)
        return [Text(f"  {words[0][0]} {x},{y}"), *(Text(line) for line in _columns(ends, self._width))]

    def overview(self, moves: Sequence[Move]) -> list[Text]:
        """How many moves of each kind start where."""
        return [Text(line) for line in _overview(moves, self._width)]

    @property
    def _width(self) -> int:
        return self.console.width if self.console.is_terminal else 100

    def _print(self, lines: Iterable[Text]) -> None:
        for line in lines:
            if self.console.is_terminal:
                self.console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
            else:
                self.console.print(line, soft_wrap=True)

    def _name(self, table: Table, agent: int, seat: int) -> Text:
        return Text(
            f"{STACK_SHAPES[seat - 1]} {table.agents[agent].name}", style=f"bold color({SEAT_COLOURS[seat - 1]})"
        )

    def _swap_line(self, table: Table, agent: int) -> Text:
        name = table.agents[agent].name
        line = Text(f"{name} {'swap' if name == 'you' else 'swaps'} sides: ", style="bold reverse")
        for seat in (1, 2):
            sitting = table.agents[table.agent_at(seat)].name
            verb = "play" if sitting == "you" else "plays"
            line.append(f"{sitting} now {verb} {STACK_SHAPES[seat - 1]} seat {seat}" + ("; " if seat == 1 else ""))
        return line

    def _panel(self, table: Table, chances: Sequence[float] | None) -> list[Text]:
        """Two lines a seat."""
        lines = [Text(_heading(table.game), style="bold"), Text()]
        for seat, counts in enumerate(_counts(table.game), start=1):
            line = self._seat_head(table, seat)
            line.pad_right(max(0, NAME_COLUMNS - line.cell_len))
            lines += [line.append_text(_bar(chances, seat)), Text(f"    {counts}", style="dim")]
        return lines

    def _panel_in_rows(self, table: Table, chances: Sequence[float] | None) -> list[Text]:
        """A line a seat, for boards that take the whole width."""
        lines = [Text(_heading(table.game), style="bold")]
        for seat, counts in enumerate(_counts(table.game), start=1):
            line = self._seat_head(table, seat)
            line.pad_right(max(0, NAME_COLUMNS - line.cell_len))
            chance = "" if chances is None else f"{chances[seat - 1]:4.0%}  "
            lines.append(line.append(f"{chance}{counts}"))
        return lines

    def _seat_head(self, table: Table, seat: int) -> Text:
        to_move = seat == table.game.mover and not table.is_over
        line = Text("▸ " if to_move else "  ")
        return line.append_text(self._name(table, table.agent_at(seat), seat)).append(" ")

    def _beside(self, board: BoardText, panel: Sequence[Text]) -> list[Text]:
        lines = []
        for index in range(max(len(board.lines), len(panel))):
            line = Text.from_ansi(board.lines[index]) if index < len(board.lines) else Text()
            line.pad_right(max(0, board.width + GAP - line.cell_len))
            lines.append(line.append_text(panel[index]) if index < len(panel) else line)
        return lines

    def _part(self, board: BoardText, most_lines: int, middle: Cell) -> list[Text]:
        """As much of the board as fits, around the centre, with the coordinates of what is seen."""
        lines = [Text.from_ansi(line) for line in board.lines]
        if not self.console.is_terminal or (len(lines) <= most_lines and board.width <= self.console.width):
            return lines
        rows, columns = most_lines - 2, self.console.width - GUTTER  # a header above, a note below
        line, column = board.places[middle]
        top = max(1, min(line - rows // 2, len(lines) - rows))
        left = max(0, min(column - columns // 2, board.width - columns))
        seen = {
            cell: (line - top, column - left)
            for cell, (line, column) in board.places.items()
            if 0 <= line - top < rows and 0 <= column - left < columns
        }
        header = [" "] * (columns + GUTTER)
        for (x, _), (row, column) in seen.items():
            if row == 0:
                header[column + GUTTER : column + GUTTER + len(str(x))] = str(x)
        labels = {row: str(y) for (_, y), (row, _) in seen.items()}
        shown = [
            Text(labels.get(row, "").rjust(GUTTER - 1) + " ", style="dim").append_text(line[left : left + columns])
            for row, line in enumerate(lines[top : top + rows])
        ]
        note = f"{len(seen)} of {len(board.places)} cells; `look 3,4` moves the view, `board` prints the whole board"
        return [Text("".join(header)[: self.console.width], style="dim"), *shown, Text(note, style="dim")]

    def _middle(self, board: BoardText, table: Table, since: Sequence[Played]) -> Cell:
        """Where the view is centred: where the person looks, on the stack to move, or where something was played."""
        cells = list(board.places)
        moving = Contents.of(table.game.state()).highlighted
        return self.centre or moving or next(reversed(_touched(since)), cells[len(cells) // 2])

    def whole_board(self, table: Table) -> list[Text]:
        """The board without a frame, cut nowhere: a wide one is printed in parts that fit."""
        board = draw_board(table.game.board, table.game.state(), colour=self._coloured)
        lines = [Text.from_ansi(line) for line in board.lines]
        if not self.console.is_terminal:
            return lines
        step = self.console.width
        return [line[left : left + step] for left in range(0, board.width, step) for line in [*lines, Text()]]


def shortened(notation: str, most: int = 56) -> str:
    """A move whose cell lists are cut short: 12 cells become their first two and the count."""
    if len(notation) <= most:
        return notation
    parts = []
    for word in notation.split():
        before, bracket, inner = word.partition("[")
        cells = inner.rstrip("]").split(";")
        parts.append(f"{before}[{';'.join(cells[:2])};... {len(cells)} cells]" if bracket and len(cells) > 3 else word)
    return " ".join(parts)


def _wrapped(lines: Iterable[Text], width: int) -> list[Text]:
    wrapped: list[Text] = []
    console = Console(width=max(20, width))
    for line in lines:
        wrapped.extend(line.wrap(console, max(20, width)))
    return wrapped


def _heading(game: Game) -> str:
    return f"{game.board} · {game.players} players · turn {game.turn}"


def _counts(game: Game) -> list[str]:
    """By seat: hand, eliminations and territory towards their targets (docs/rules.md section 1)."""
    state = game.state()
    cells = sum(map(len, LAYOUTS[game.board].rows()))
    rings = Game(game.board, game.players).state()["hand"][0]
    eliminations, territory = rings * (game.players + 1) // 3, cells // game.players + 1
    return [
        f"hand {hand:>2}  out {out:>2}/{eliminations}  land {held:>2}/{territory}"
        for hand, out, held in zip(state["hand"], state["elim"], state["terr"], strict=True)
    ]


def _bar(chances: Sequence[float] | None, seat: int) -> Text:
    if chances is None:
        return Text()
    filled = round(chances[seat - 1] * BAR_COLUMNS)
    bar = Text("█" * filled, style=f"color({SEAT_COLOURS[seat - 1]})").append("░" * (BAR_COLUMNS - filled), style="dim")
    return Text(f"{chances[seat - 1]:4.0%} ").append_text(bar)


def _touched(since: Sequence[Played]) -> list[Cell]:
    """Cells of the last decision that names a place."""
    for played in reversed(since):
        if cells := cells_of(played.move):
            return cells
    return []


def _labels(listed: Sequence[Move]) -> Mapping[Cell, str]:
    """The numbers of listed moves, at the cells where they end, where that tells them apart."""
    ends = [cells_of(move) for move in listed]
    moving = [move.kind in ("move_stack", "overtaking_capture", "continue_capture_segment") for move in listed]
    landings = {cells[-1] for cells, moves in zip(ends, moving, strict=True) if moves}
    if not landings or len(landings) < sum(moving):
        return {}
    return {cells[-1]: str(number) for number, (cells, moves) in enumerate(zip(ends, moving, strict=True), 1) if moves}


def _with_numbers(notations: Iterable[str]) -> list[str]:
    return [f"{number:>3} {shortened(notation)}" for number, notation in enumerate(notations, start=1)]


def _columns(items: Sequence[str], width: int) -> list[str]:
    if not items:
        return []
    column = max(map(len, items)) + 2
    rows = math.ceil(len(items) / max(1, (width + 2) // column))
    return ["".join(item.ljust(column) for item in items[row::rows]).rstrip() for row in range(rows)]


def _overview(moves: Sequence[Move], width: int) -> list[str]:
    """A line or two a kind: where its moves start, and how many there are."""
    lines: list[str] = []
    bare = [move.kind for move in moves if str(move) == move.kind]
    kinds = sorted({move.kind for move in moves} - set(bare))
    for kind in kinds:
        origins: dict[Cell, int] = {}
        for move in (move for move in moves if move.kind == kind):
            origins[cells_of(move)[0]] = origins.get(cells_of(move)[0], 0) + 1
        if kind == "place_ring":
            lines.append(f"  place_ring on {len(origins)} cells: type a cell and how many rings, as 3,4 2")
            continue
        starts = "  ".join(f"{x},{y} ({count})" for (x, y), count in sorted(origins.items()))
        lines += textwrap.wrap(
            f"{kind} from {starts}", width - 2, initial_indent="  ", subsequent_indent="      ", max_lines=2
        )
    return lines + ([f"  {' or '.join(sorted(set(bare)))}"] if bare else [])

from __future__ import annotations

import io

import pytest
from rich.console import Console

from ringrift_core import Game
from ringrift_core._engine import Player
from ringrift_core.play.screen import Screen, shortened
from ringrift_core.play.table import Agent, Human, Table


def late_table(board: str = "square8", players: int = 2) -> Table:
    """Some collapsed cells, stacks and markers; nobody's turn in particular."""
    agents = [Agent(f"random {seat}", Player.random()) for seat in range(1, players + 1)]
    table = Table(Game(board, players), agents, seed=3)
    while not table.is_over and len(table.game.state()["col"]) < 3:
        table.play(table.choose().move)
    return table


def shown(table: Table, **console: object) -> str:
    output = io.StringIO()
    screen = Screen(Console(file=output, highlight=False, width=80, height=24, **console))  # type: ignore[arg-type]
    screen.show(table, chances=(0.25, 0.75))
    return output.getvalue()


@pytest.mark.parametrize(
    ("console", "coloured"),
    [
        ({"force_terminal": True, "color_system": "256"}, True),
        ({"force_terminal": True, "color_system": "256", "no_color": True}, False),
        ({"force_terminal": False}, False),
    ],
)
def test_collapsed_cells_have_a_frame_where_they_have_no_colour(console: dict[str, object], coloured: bool) -> None:
    text = shown(late_table(), **console)
    assert ("▐" in text) is not coloured
    assert ("38;5;" in text) is coloured


def test_what_is_printed_elsewhere_is_neither_cut_nor_wrapped() -> None:
    lines = shown(late_table("hexagonal")).splitlines()
    assert max(map(len, lines)) > 100
    assert sum(" y=" in line for line in lines) == 25


def test_the_bar_is_as_long_as_the_chance() -> None:
    bars = [line for line in shown(late_table(), force_terminal=True, color_system=None).splitlines() if "█" in line]
    assert [(line.count("█"), line.count("░")) for line in bars] == [(3, 9), (9, 3)]
    assert "25%" in bars[0]
    assert "75%" in bars[1]


def test_when_a_player_swaps_the_person_is_told_where_they_sit() -> None:
    table = Table(Game(), [Agent("you", Human()), Agent("minimax-2", Player.random())], seed=1)
    for move in ("place_ring 3,3 n=1", "move_stack 3,3>3,4", "swap_sides"):
        table.play(move)
    told = [str(line) for line in Screen(Console(width=80)).told(table, table.log[-1:])]
    assert told == ["minimax-2 swaps sides: minimax-2 now plays ● seat 1; you now play ○ seat 2"]


def test_a_forced_move_of_a_player_is_told_unless_it_is_bookkeeping() -> None:
    table = late_table("hex8", 3)
    told = " ".join(str(line) for line in Screen(Console(width=80)).told(table, table.log))
    forced = {str(played.move) for played in table.log if played.forced and not played.move.automatic}
    assert all(shortened(move) in told for move in forced)
    assert "no_line_action" not in told


def test_the_ending_ranks_agents_at_their_seats() -> None:
    table = late_table()
    while not table.is_over:
        table.play(table.choose().move)
    head, *ranks = (str(line) for line in Screen(Console(width=80)).ending(table))
    assert table.winner is not None
    winner = table.agents[table.winner].name
    assert f"{winner} wins by " in head
    assert ranks[0].split(None, 2)[0::2] == ["1.", winner]
    assert ("swapped" in ranks[-1]) is table.swapped


def test_long_cell_lists_are_cut_and_short_moves_are_not() -> None:
    region = ";".join(f"{x},0" for x in range(12))
    assert shortened(f"choose_territory_option [{region}]") == "choose_territory_option [0,0;1,0;... 12 cells]"
    assert shortened("place_ring 3,3 n=2") == "place_ring 3,3 n=2"

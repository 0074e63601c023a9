from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from ringrift_core import Game
from ringrift_core.drawing import draw_text
from ringrift_core.drawing.layout import LAYOUTS, cap_height
from tests import patience

CELLS = {"square8": 64, "square19": 361, "hex8": 61, "hexagonal": 469}
SVG = "{http://www.w3.org/2000/svg}"
BARE = {"p": 1, "ph": "movement", "stk": {}, "mk": {}, "col": {}, "hand": [9, 18], "elim": [0, 3], "terr": [1, 2]}


def played(board: str, players: int) -> Game:
    game = Game(board, players, seed=3)
    game.random_playout(120)
    return game


def test_a_square_board_is_drawn_cell_by_cell() -> None:
    state = BARE | {
        "stk": {"0,0": "111", "3,0": "2", "2,1": "12211"},
        "mk": {"1,0": 1, "7,1": 2},
        "col": {"0,1": 1, "6,1": 2},
        "must": "3,0",
    }
    lines = draw_text("square8", state).splitlines()
    assert lines[1].split() == ["0", "●3", "•", "·", "[○1]", "·", "·", "·", "·"]
    assert lines[2].split() == ["1", "▐1▌", "·", "●5/2", "·", "·", "·", "▐2▌", "◦"]
    assert lines[10].split() == ["▸", "●", "player", "1", "hand", "9", "eliminated", "0", "territory", "1"]
    assert lines[-1] == "player 1 to move: movement"


def test_neighbours_on_a_hexagon_are_drawn_beside_and_half_a_cell_off() -> None:
    state = BARE | {"mk": {"0,0": 1, "1,0": 1, "0,1": 1, "1,-1": 1}}
    lines = [line for line in draw_text("hex8", state).splitlines() if "•" in line]
    above, middle, below = ([match.start() for match in re.finditer("•", line)] for line in lines)
    assert middle[1] - middle[0] == 4
    assert (above, below) == ([middle[0] + 2], [middle[0] + 2])


@pytest.mark.parametrize("board", LAYOUTS)
@pytest.mark.parametrize("players", [2, 3, 4])
def test_colour_adds_nothing_but_colour(board: str, players: int) -> None:
    game = played(board, players)
    plain = re.sub("\x1b\\[[0-9;]*m", "", game.render(colour=True))
    bricks = str.maketrans("▐▌", "  ")  # a coloured cell needs no frame
    assert plain == game.render().translate(bricks)
    assert "\x1b" not in game.render()


@pytest.mark.parametrize("board", LAYOUTS)
@pytest.mark.parametrize("players", [2, 3, 4])
def test_the_svg_shows_every_cell_and_every_piece(board: str, players: int) -> None:
    game = played(board, players)
    state = game.state()
    root = ElementTree.fromstring(game._repr_svg_())
    shapes = [shape.tag.removeprefix(SVG) for shape in root.iter()]
    cells = shapes.count("polygon") if LAYOUTS[board].hexagonal else shapes.count("rect") - players - 1
    assert cells == CELLS[board]
    rings = sum(map(len, state["stk"].values()))
    assert shapes.count("ellipse") == 2 * rings + 2 * len(state["stk"])
    highlights = 1 if "must" in state or "chain" in state else 0
    assert shapes.count("circle") == len(state["mk"]) + players + highlights
    heights = [int(text.text or "") for text in root.iter(f"{SVG}text") if text.get("font-size") == "12"]
    assert sorted(heights) == sorted(map(len, state["stk"].values()))


def test_a_finished_game_names_its_winner() -> None:
    game = Game(seed=1)
    game.random_playout()
    outcome = game.outcome()
    assert outcome is not None
    sentence = f"layer {outcome.winner} wins by {outcome.reason.replace('_', ' ')}"
    assert game.render().endswith("p" + sentence)
    assert "P" + sentence in game._repr_svg_()
    assert f"player {outcome.winner} won" in repr(game)


def test_a_cap_is_the_run_at_the_top() -> None:
    assert [cap_height(rings) for rings in [(1,), (1, 1), (1, 2), (2, 1, 1), (1, 2, 1)]] == [1, 2, 1, 2, 1]


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_a_terminal_gets_colour_unless_it_declines(variables: dict[str, str], coloured: bool) -> None:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {"TERM": "xterm-256color"} | variables
    program = [sys.executable, "-P", "-c", "from ringrift_core import Game; print(Game('hex8'))"]
    subprocess.run(program, stdout=theirs, env=environment, check=True, timeout=patience.SECONDS)
    os.close(theirs)
    assert (b"\x1b[" in os.read(ours, 65536)) is coloured
    os.close(ours)


def test_a_file_gets_no_colour() -> None:
    program = [sys.executable, "-P", "-c", "from ringrift_core import Game; print(Game('hex8'))"]
    assert b"\x1b[" not in subprocess.run(program, capture_output=True, check=True, timeout=patience.SECONDS).stdout

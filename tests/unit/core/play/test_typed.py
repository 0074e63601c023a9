from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringrift_core import Game
from ringrift_core._engine import Move
from ringrift_core.play.typed import NoFit, Picked, Reading, Several, cells_of, read_move


def moves_after(*moves: str, board: str = "square8") -> list[Move]:
    game = Game(board)
    for move in moves:
        game.play(move)
    return game.legal_moves()


START = moves_after()
PLACED = moves_after("place_ring 3,3 n=2")


def picked(text: str, legal: list[Move], listed: list[Move] | None = None) -> str:
    reading = read_move(text, legal, listed or [])
    assert isinstance(reading, Picked)
    return str(reading.move)


def several(text: str, legal: list[Move]) -> list[str]:
    reading = read_move(text, legal, [])
    assert isinstance(reading, Several)
    return [str(move) for move in reading.moves]


def refused(text: str, legal: list[Move], listed: list[Move] | None = None) -> str:
    reading = read_move(text, legal, listed or [])
    assert isinstance(reading, NoFit)
    return reading.sentence


@st.composite
def positions(draw: st.DrawFn) -> list[Move]:
    board, players = draw(st.sampled_from([("square8", 2), ("square8", 3), ("hex8", 2), ("hex8", 4)]))
    game = Game(board, players, seed=draw(st.integers(0, 2**32)))
    game.random_playout(draw(st.integers(0, 150)))
    return game.legal_moves()


@given(positions())
def test_whole_notation_and_the_number_in_the_list_pick_any_move(legal: list[Move]) -> None:
    for number, move in enumerate(legal, start=1):
        assert read_move(str(move), legal, []) == Picked(move)
        assert read_move(str(number), legal, legal) == Picked(move)


@given(positions(), st.data())
def test_what_is_read_is_legal_and_fits_the_kind(legal: list[Move], data: st.DataObject) -> None:
    if not legal:
        return
    kind = data.draw(st.sampled_from(legal)).kind
    reading = read_move(kind, legal, [])
    chosen = (reading.move,) if isinstance(reading, Picked) else reading.moves if isinstance(reading, Several) else ()
    assert set(chosen) == {move for move in legal if move.kind.startswith(kind)}


@given(st.text(max_size=30).filter(str.strip))
def test_no_text_breaks_it(text: str) -> None:
    reading: Reading = read_move(text, START, START[:5])
    assert isinstance(reading, NoFit) or str(reading)


def test_a_number_of_any_length_is_answered() -> None:
    legal = Game("square8", seed=1).legal_moves()
    for digits in ("0", "9" * 5, "9" * 5000):
        assert isinstance(read_move(digits, legal, legal), NoFit)


def test_a_cell_and_a_number_of_rings_place() -> None:
    assert picked("3,4 2", START) == "place_ring 3,4 n=2"
    assert picked("place 3,4 n=3", START) == "place_ring 3,4 n=3"
    assert several("3,4", START) == [f"place_ring 3,4 n={count}" for count in (1, 2, 3)]
    assert several("1,1", moves_after(board="hex8")) == [f"place_ring 1,1 n={count}" for count in (1, 2, 3)]


def test_from_and_to_move() -> None:
    assert picked("3,3>3,5", PLACED) == "move_stack 3,3>3,5"
    assert picked("3,5", PLACED) == "move_stack 3,3>3,5"  # nothing starts there, one move ends there
    assert set(several("3,3>3", PLACED)) == {f"move_stack 3,3>3,{y}" for y in (0, 1, 5, 6, 7)}


def test_from_and_to_capture_as_well() -> None:
    state = {"p": 1, "ph": "movement", "stk": {"0,0": "1", "0,2": "2"}, "mk": {}, "col": {}}
    state |= {"hand": [17, 17], "elim": [0, 0], "terr": [0, 0]}
    legal = Game.from_state(state).legal_moves()
    assert picked("0,0>0,4", legal) == "overtaking_capture 0,0x0,2>0,4"
    assert picked("capture 0,4", legal) == "overtaking_capture 0,0x0,2>0,4"
    assert all(move.startswith("overtaking_capture 0,0x0,2>") for move in several("0,0x", legal))
    assert picked("0,0>0,1", legal) == "move_stack 0,0>0,1"


def test_a_cell_means_the_moves_from_there_before_those_that_name_it() -> None:
    state = {"p": 1, "ph": "movement", "stk": {"0,2": "1", "0,4": "1"}, "mk": {}, "col": {}}
    state |= {"hand": [16, 18], "elim": [0, 0], "terr": [0, 0]}
    legal = Game.from_state(state).legal_moves()
    assert "overtaking_capture 0,4x0,2>0,1" in {str(move) for move in legal}
    assert all(move.split()[1].startswith("0,2") for move in several("0,2", legal))


def test_swap_and_skip_are_words() -> None:
    legal = moves_after("place_ring 3,3 n=1", "move_stack 3,3>3,4", "no_line_action", "no_territory_action")
    assert picked("swap", legal) == "swap_sides"


def test_what_does_not_fit_is_answered_with_what_would() -> None:
    assert refused("capture", PLACED) == "capture: no legal move fits. Legal now: move_stack; `moves` lists them"
    assert "(at 9,9)" in refused("place 9,9", START)
    assert refused("7", START, START[:3]) == "7: the numbered moves are 1 to 3"
    assert refused("7", START).startswith("7: no moves are numbered now")
    assert refused("0", START, START[:3]) == "0: the numbered moves are 1 to 3"


def test_cells_of_a_hexagonal_move_keep_their_signs() -> None:
    (move,) = [move for move in moves_after("place_ring -1,-2 n=1", board="hex8") if str(move).endswith(">-2,-2")]
    assert cells_of(move) == [(-1, -2), (-2, -2)]

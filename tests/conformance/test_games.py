"""The recorded games that people can read, played again: the first line that comes out otherwise is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import takewhile, zip_longest
from pathlib import Path

import pytest

from ringrift_core import Game, RulesError
from ringrift_core.contract import Board, configuration_name
from tests.conformance.readable import CONFIGURATIONS, GAMES, Turn, ending, heading, moves_of, text_of


def played_again(lines: list[str], board: Board, players: int) -> Iterator[str]:
    """The same text, each line from what the engine makes of the moves in it."""
    rule, _, source = lines[0].partition(": ")
    game = Game(board, players, swap=rule.endswith(" on"))
    above = [*heading(board, players, game.swap, source)]
    yield from above
    for number, line in enumerate(takewhile(bool, lines[len(above) :]), 1):
        seat, moves = game.mover, moves_of(line)
        play_turn(game, moves)
        yield str(Turn(number, seat, moves, game.state()))
    outcome = game.outcome()
    assert outcome is not None
    yield from ending(board, game.state(), outcome.winner, outcome.reason, outcome.ranks)


def play_turn(game: Game, moves: tuple[str, ...]) -> None:
    """Plays one whole turn: these moves, and between them what is nobody's choice."""
    left, turn = list(moves), game.turn
    while game.outcome() is None and (left or game.turn == turn):
        (first, *others) = game.legal_moves()
        game.play(first if first.automatic and not others else left.pop(0))


def hold(path: Path, board: Board, players: int) -> None:
    """Fails at the first line that the engine would write otherwise."""
    lines = path.read_text(encoding="utf-8").splitlines()
    again = played_again(lines, board, players)
    for number, written in enumerate(lines, 1):
        try:
            line = next(again, None)
        except (RulesError, IndexError) as error:
            pytest.fail(f"{path.name}:{number}: {written}\n{error}")
        assert line == written, f"{path.name}:{number}"
    assert next(again, None) is None


@pytest.mark.parametrize(("board", "players"), CONFIGURATIONS)
def test_a_game_of_each_configuration_comes_out_as_it_is_written(board: Board, players: int) -> None:
    hold(GAMES / f"{configuration_name(board, players)}.txt", board, players)


def test_each_text_is_the_record_of_the_archive(traces: Path) -> None:
    for board, players in CONFIGURATIONS:
        lines = (GAMES / f"{configuration_name(board, players)}.txt").read_text(encoding="utf-8").splitlines()
        name = lines[0].rpartition("(")[2].rstrip(")")
        record = (traces / name).read_text(encoding="utf-8").splitlines()
        assert json.loads(record[0])["board"] == board
        for number, (written, line) in enumerate(zip_longest(lines, text_of(name, record)), 1):
            assert written == line, f"{name}:{number}"


@pytest.mark.parametrize(
    ("line", "changed", "said"),
    [
        ("   1     1  15 18 18", "   1     1  14 18 18", "square8-3p.txt:7"),
        ("move_stack 6,4>6,0", "move_stack 6,4>6,9", "square8-3p.txt:7"),
        ("; skip_capture", "", "square8-3p.txt:12"),
        ("seat 3 wins by territory_control", "seat 2 wins by territory_control", "square8-3p.txt:20"),
    ],
)
def test_a_line_that_is_not_so_is_named(tmp_path: Path, line: str, changed: str, said: str) -> None:
    text = (GAMES / "square8-3p.txt").read_text(encoding="utf-8")
    assert line in text
    (tmp_path / "square8-3p.txt").write_text(text.replace(line, changed, 1), encoding="utf-8")
    with pytest.raises((AssertionError, pytest.fail.Exception), match=rf"^{said}\b"):
        hold(tmp_path / "square8-3p.txt", Board.SQUARE8, 3)

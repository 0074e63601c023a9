"""`ringrift play` as a process: piped, and in a terminal."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from ringrift_core.contract import STAGE_PROGRAM, ExitCode
from ringrift_core.play.session import INTERRUPTED
from tests import patience
from tests.unit.core.play.terminal import CLEARED, Terminal


def play(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    program = [*STAGE_PROGRAM, "play", *arguments]
    return subprocess.run(program, input=typed, capture_output=True, text=True, timeout=patience.SECONDS)


class TestPiped:
    def test_moves_come_from_stdin_and_the_end_of_input_ends_the_game(self) -> None:
        found = play("2", "--seed", "1", typed="3,3 2\n3,3>3,5\n")
        assert (found.returncode, found.stderr) == (0, "")
        assert "\x1b" not in found.stdout
        assert "> 3,3 2\n" in found.stdout
        assert "[●2]" in found.stdout
        assert "played for you: no_line_action, no_territory_action" in found.stdout
        assert "○ heuristic: " in found.stdout
        assert found.stdout.endswith("End of input: the game stops in turn 3.\n")

    def test_who_plays_in_place_of_a_network_is_told_once(self) -> None:
        found = play("9", "--board", "square19", "--players", "4", typed="moves\nmoves\n")
        first = found.stdout.splitlines()[0]
        assert first.startswith("difficulty 9 is played by weights:minimax:100000, which takes about as long as ")
        assert "no network-square19-4p.onnx comes with the package" in first
        assert found.stdout.count("is played by") == 1

    def test_bad_input_gets_one_sentence_and_another_try(self) -> None:
        found = play("1", "--seed", "1", typed="fly\n9,9\n77\n3,3 2\nquit\n")
        lines = found.stdout.splitlines()
        for typed in ("fly", "9,9"):
            answer = lines[lines.index(f"> {typed}") + 1]
            assert answer == f"{typed}: no legal move fits. Legal now: place_ring; `moves` lists them"
        assert lines[lines.index("> 77") + 1].startswith("77: no moves are numbered now")
        assert "[●2]" in found.stdout
        assert found.returncode == 0

    def test_a_number_of_the_list_and_undo(self) -> None:
        found = play("1", "--seed", "1", typed="undo\n3,3\n2\nundo\nmoves\nboard\nquit\n")
        assert "There is nothing to take back" in found.stdout
        assert "  place_ring 3,3\n  1 n=1    2 n=2    3 n=3\n" in found.stdout
        after = found.stdout.partition("> undo\n")[2].partition("> undo\n")[2]
        assert after.splitlines()[0].split() == list("01234567")
        assert "hand 18" in after.partition("> moves")[0]
        assert "192 place_ring 7,7 n=3" in after

    def test_a_hint_can_be_played_by_its_number(self) -> None:
        found = play("1", "--seed", "1", typed="hint\n1\nquit\n")
        hint = found.stdout.partition("> hint\n")[2].splitlines()[0]
        number, kind, cell, count, *chance = hint.split()
        assert (number, kind, chance[:3]) == ("1", "place_ring", ["you", "win", "with"])
        assert f"hand {18 - int(count[2])}" in found.stdout.partition("> 1\n")[2]
        assert cell

    def test_players_among_themselves_end_with_result_ranks_and_reason(self) -> None:
        found = play("1", "2", "1", "--board", "hex8", "--seed", "4")
        assert (found.returncode, found.stderr) == (0, "")
        assert "\x1b" not in found.stdout
        assert "   1 ● random 1: place_ring" in found.stdout
        assert " wins by " in found.stdout
        assert [line.split(".")[0].strip() for line in found.stdout.splitlines()[-3:]] == ["1", "2", "3"]

    def test_a_seed_gives_the_same_game(self) -> None:
        first, second, other = (play("1", "2", "--board", "hex8", "--seed", seed).stdout for seed in "778")
        assert first == second != other

    def test_after_a_swap_it_is_said_who_plays_which_seat(self) -> None:
        found = play("human", "human", typed="3,3 1\n3,3>3,4\nswap\nundo\nquit\n")
        swapped, _, undone = found.stdout.partition("> undo\n")
        assert "human 2 swaps sides: human 2 now plays ● seat 1; human 1 now plays ○ seat 2" in swapped
        assert "▸ ○ human 1" in swapped.partition("> swap\n")[2]
        assert "▸ ○ human 2" in undone

    def test_a_game_is_saved_and_goes_on(self, tmp_path: Path) -> None:
        path = tmp_path / "my game.json"
        first = play("2", "--seed", "1", typed=f"3,3 2\n3,3>3,5\nsave '{path}'\nquit\n")
        assert f"--load '{path}'" in first.stdout
        assert json.loads(path.read_text())["moves"][:2] == ["place_ring 3,3 n=2", "move_stack 3,3>3,5"]
        again = play("--load", str(path), typed="undo\nquit\n")
        assert "turn 3" in again.stdout.partition("> undo")[0]
        assert "turn 1" in again.stdout.partition("> undo")[2]

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ("save", "save: to which file?"),
            ("save a b", "save: to which file?"),
            ("save 'a", "save: to which file?"),
            ("save /nowhere/at/all.json", "save: /nowhere/at/all.json: No such file"),
            ("look", "look: which cell?"),
            ("look 9,9", "look: 9,9 is off the board"),
        ],
    )
    def test_a_word_that_misses_something_says_what(self, typed: str, sentence: str) -> None:
        assert sentence in play("1", typed=f"{typed}\nquit\n").stdout

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["alice"], "'alice' is nobody: name human, "),
            (["1", "2", "--players", "3"], "2 players named, but --players 3"),
            (["--players", "3", "--swap"], "swap: the pie rule is for two players, not 3"),
            (["--load", "/nowhere.json"], "/nowhere.json: No such file or directory"),
            (["weights", "--store", "gopher://x"], "gopher://x"),
        ],
    )
    def test_wrong_arguments_are_one_sentence(self, arguments: list[str], sentence: str) -> None:
        found = play(*arguments)
        assert (found.returncode, found.stdout) == (ExitCode.WRONG_INPUT, "")
        assert found.stderr.startswith("ringrift play: ")
        assert sentence in found.stderr
        assert found.stderr.count("\n") == 1


class TestInATerminal:
    def test_what_appeared_at_once_is_waited_for_piece_by_piece(self) -> None:
        with Terminal("1", "1", "--board", "hex8", "--seed", "4", "--delay", "0") as terminal:
            assert terminal.end() == 0
            assert "random 2" not in terminal.wait_for("random 1")
            terminal.wait_for("wins by")

    def test_every_frame_fits_and_replaces_the_one_before(self) -> None:
        with Terminal("2", "--seed", "2") as terminal:
            terminal.wait_for("> ")
            for typed in ("3,3 2", "3,3>3,5", "0,0 1"):
                terminal.type(typed)
                terminal.wait_for("> ")
                lines = terminal.frame.splitlines()
                assert len(lines) <= 24
                assert max(map(len, lines)) <= 80
            assert terminal.raw.count(CLEARED) == 4
            assert "\x1b[1;38;5;33m" in terminal.raw
            terminal.type("q")
            assert terminal.end() == 0

    @pytest.mark.parametrize("board", ["square8", "hex8", "square19", "hexagonal"])
    @pytest.mark.parametrize("lines", [24, 30])
    def test_four_players_fit_as_well(self, board: str, lines: int) -> None:
        with Terminal("1", "--players", "4", "--board", board, "--seed", "2", lines=lines) as terminal:
            terminal.wait_for("> ")
            for _ in range(4):
                terminal.type("hint")
                terminal.wait_for("> ")
                terminal.type("1")
                terminal.wait_for("> ")
                assert len(terminal.frame.splitlines()) <= lines
                assert max(map(len, terminal.frame.splitlines())) <= 80
                assert all(f"{shape} " in terminal.frame for shape in "●○■□")

    @pytest.mark.parametrize("board", ["square19", "hexagonal"])
    def test_of_a_large_board_a_part_is_shown_that_moves(self, board: str) -> None:
        with Terminal("1", "--board", board, "--seed", "2") as terminal:
            terminal.wait_for("> ")
            assert "the whole board" in terminal.frame
            for cell in ("2,3", "3,8"):
                terminal.type(f"look {cell}")
                terminal.wait_for("> ")
                header, *rows = terminal.frame.splitlines()
                x, y = cell.split(",")
                assert x in header.split()
                assert y in [row.split()[0] for row in rows[:12]]
                assert len(terminal.frame.splitlines()) <= 24
            terminal.type("0,0 1")  # far from what was looked at: the view goes to the stack that must move
            terminal.wait_for("> ")
            assert "[●1]" in terminal.frame
            terminal.press("d")
            assert terminal.end() == 0

    def test_who_plays_in_place_of_a_network_stands_below_the_first_frame(self) -> None:
        with Terminal("9", "--board", "square19", "--players", "4", columns=80, lines=40) as terminal:
            terminal.wait_for("difficulty 9 is played by")
            terminal.wait_for("> ")
            terminal.type("bar")
            assert "is played by" not in terminal.wait_for("> ")

    def test_without_colour_it_is_only_the_colour_that_goes(self) -> None:
        with Terminal("1", "--seed", "2", NO_COLOR="1") as terminal:
            terminal.wait_for("> ")
            terminal.type("3,3 2")
            terminal.wait_for("[●2]")
            assert "38;5;" not in terminal.raw
            assert CLEARED in terminal.raw

    def test_ctrl_c_at_the_prompt_ends_the_game(self) -> None:
        with Terminal("1") as terminal:
            terminal.wait_for("> ")
            terminal.press("c")
            assert terminal.end() == INTERRUPTED
            assert "Stopped in turn 1." in terminal.raw
            assert "Traceback" not in terminal.raw

    def test_ctrl_c_while_watching_ends_the_game(self) -> None:
        with Terminal("1", "1", "--delay", "30") as terminal:
            terminal.wait_for("random 2")
            terminal.interrupt()
            assert terminal.end() == INTERRUPTED
            assert "Traceback" not in terminal.raw

    def test_watching_goes_on_at_enter(self) -> None:
        with Terminal("1", "1", "--step", "--seed", "1") as terminal:
            terminal.wait_for("q: quit> ")
            terminal.type("")
            terminal.wait_for("q: quit> ")
            terminal.type("q")
            assert terminal.end() == 0
            assert terminal.raw.count(CLEARED) == 2

    def test_the_chances_can_be_hidden(self) -> None:
        with Terminal("1", "--seed", "2") as terminal:
            terminal.wait_for("> ")
            assert "%" in terminal.frame
            terminal.type("bar")
            terminal.wait_for("> ")
            assert "%" not in terminal.frame


def test_a_reader_that_leaves_early_is_no_crash() -> None:
    reading, writing = os.pipe()
    program = [*STAGE_PROGRAM, "play", "1", "1", "--seed", "1"]
    with subprocess.Popen(program, stdout=writing, stderr=subprocess.PIPE, text=True) as process:
        os.close(writing)
        os.close(reading)
        assert "Traceback" not in process.communicate(timeout=patience.SECONDS)[1]

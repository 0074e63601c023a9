from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console

from ringrift_core.contract import Stage
from ringrift_core.reporting import JsonReporter, TerminalReporter

SAID = "205 of 1,500 games, 12.7 turns, seats win 26 24 25 25 %, 3% cut"


def last_picture(columns: int) -> list[str]:
    """The lines that are left of a display with one step of progress."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=columns, height=24, highlight=False)
    with TerminalReporter(Stage.SELFPLAY, console) as report:
        report.progress(0.14, SAID, 1047.6, "games/s")
    pictures = re.split(r"\x1b\[2K", stream.getvalue())
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", pictures[-1])
    return [line.rstrip() for line in text.replace("\r", "").splitlines() if line.strip()]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_terminal_of_any_width_shows_the_bar_and_all_that_is_said(columns: int) -> None:
    bar, *said = last_picture(columns)
    assert re.fullmatch(r"selfplay [━╸╺]{10,} +14% 1,047\.6 games/s 0:00:0\d", bar)
    assert " ".join(said) == SAID
    assert max(map(len, (bar, *said))) <= columns


def test_a_log_line_is_a_sentence_to_a_person_and_has_its_figures_for_a_program() -> None:
    sentence, figures = "shard 3: 75 games of 12.7 turns", {"shard": 3, "games": 75}
    terminal, lines = io.StringIO(), io.StringIO()
    with TerminalReporter(Stage.SELFPLAY, Console(file=terminal, width=80, highlight=False)) as report:
        report.log(sentence, figures)
    JsonReporter(Stage.SELFPLAY, lines).log(sentence, figures)
    assert terminal.getvalue().splitlines()[0] == sentence
    assert "{" not in terminal.getvalue()
    assert json.loads(lines.getvalue()) == {
        "kind": "log",
        "stage": "selfplay",
        "message": sentence,
        "figures": figures,
    }

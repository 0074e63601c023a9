from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from rich.console import Console

from ringrift_core.contract import Stage, StageResult
from ringrift_core.reporting import Complaints, JsonLines, PlainLines, Reporter, Sink, Terminal

SAID = "205 of 1,500 games, 12.7 turns, seats win 26 24 25 25 %, 3% cut"


def last_picture(columns: int) -> list[str]:
    """The lines that are left of a display with one step of progress."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=columns, height=24, highlight=False)
    with Reporter(Terminal(Stage.SELFPLAY, console)) as report:
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
    console = Console(file=terminal, width=80, highlight=False)
    with Reporter(Terminal(Stage.SELFPLAY, console), JsonLines(Stage.SELFPLAY, lines)) as report:
        report.log(sentence, figures)
    assert terminal.getvalue().splitlines()[0] == sentence
    assert "{" not in terminal.getvalue()
    assert json.loads(lines.getvalue()) == {
        "kind": "log",
        "stage": "selfplay",
        "message": sentence,
        "figures": figures,
    }


def test_a_terminal_that_cannot_be_drawn_over_gets_a_line_now_and_then() -> None:
    stream = io.StringIO()
    with Reporter(PlainLines(Stage.SELFPLAY, Console(file=stream, width=80, highlight=False))) as report:
        for step in range(100):
            report.progress(step / 100, SAID, 1047.6, "games/s")
        report.log("shard 3: 75 games", {"shard": 3})
        report.warn("look [here]")
    assert stream.getvalue().splitlines() == [
        f"selfplay   0%  {SAID}, 1,047.6 games/s",
        "shard 3: 75 games",
        "warning: look [here]",
    ]


class Heard(Sink):
    """Notes what it hears, in a list that several share."""

    def __init__(self, name: str, notes: list[tuple[object, ...]]) -> None:
        self._name, self._notes = name, notes

    def _note(self, *said: object) -> None:
        self._notes.append((self._name, *said))

    def open(self) -> None:
        self._note("open")

    def close(self) -> None:
        self._note("close")

    def progress(self, fraction: float, message: str, rate: float | None, unit: str) -> None:
        self._note(fraction, message, rate, unit)

    def log(self, message: str, figures: Mapping[str, object]) -> None:
        self._note(message, figures)

    def warn(self, message: str) -> None:
        self._note("warning", message)

    def fail(self, message: str) -> None:
        self._note("failure", message)

    def finish(self, result: StageResult) -> None:
        self._note(result)


def test_a_program_gets_a_line_of_progress_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("ringrift_core.reporting.time.monotonic", lambda: now[0])
    lines = io.StringIO()
    with Reporter(JsonLines(Stage.SELFPLAY, lines)) as report:
        for step in range(101):
            now[0] = step / 50
            report.progress(step / 100, SAID, 1047.6, "games/s")
    told = [json.loads(line)["progress"] for line in lines.getvalue().splitlines()]
    assert told == [0, 0.25, 0.5, 0.75, 1], "two seconds, and at most two lines in each"


def test_a_line_of_progress_says_what_the_process_has_taken_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringrift_core.reporting._SECONDS_BETWEEN_LINES", 0.0)
    lines = io.StringIO()
    with Reporter(JsonLines(Stage.SELFPLAY, lines)) as report:
        report.progress(0.1)
        began = time.process_time()
        while time.process_time() < began + 0.25:
            pass
        report.progress(0.2)
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert 0.2 <= second["cpuSeconds"] - first["cpuSeconds"] < 1
    assert "gpu" not in second, "of a stage without one nothing is said"


def test_every_sink_hears_all_that_is_said_in_order() -> None:
    notes: list[tuple[object, ...]] = []
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    result = StageResult(stage=Stage.EXPORT, started_at=moment, finished_at=moment)
    with Reporter(Heard("first", notes), Heard("second", notes)) as report:
        report.progress(0.5, "half")
        report.log("a sentence")
        report.warn("look")
        report.fail("no")
        report.finish(result)
    said: list[tuple[object, ...]] = [
        ("open",),
        (0.5, "half", None, ""),
        ("a sentence", {}),
        ("warning", "look"),
        ("failure", "no"),
        (result,),
    ]
    assert notes[:-2] == [(name, *each) for each in said for name in ("first", "second")]
    assert notes[-2:] == [("second", "close"), ("first", "close")]


def test_sinks_are_closed_when_the_stage_breaks_off() -> None:
    notes: list[tuple[object, ...]] = []
    with pytest.raises(RuntimeError), Reporter(Heard("sink", notes)):
        raise RuntimeError
    assert notes == [("sink", "open"), ("sink", "close")]


def test_a_failure_is_a_sentence_for_people_and_no_line_for_programs() -> None:
    lines, complaints = io.StringIO(), io.StringIO()
    with Reporter(JsonLines(Stage.MERGE, lines), Complaints(Stage.MERGE, complaints)) as report:
        report.fail("the manifest is no manifest")
    assert (lines.getvalue(), complaints.getvalue()) == ("", "ringrift merge: the manifest is no manifest\n")

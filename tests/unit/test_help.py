"""Help loses nothing, whatever the width: no name is broken, no word is cut."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

import ringrift_core.cli
import ringrift_operator.cli
import ringrift_operator.runner.cli

PROGRAMS = {
    "ringrift": ringrift_core.cli.app,
    "ringrift-operator": ringrift_operator.cli.app,
    "ringrift-runner": ringrift_operator.runner.cli.app,
}
WIDTHS = ("1", "40", "60", "80", "100", "200", "0", "-5", "", "wide")


def commands(group: object) -> Iterator[tuple[str, ...]]:
    """Every command and group of commands, by its words."""
    for child_name, child in getattr(group, "commands", {}).items():
        yield (child_name,)
        yield from ((child_name, *rest) for rest in commands(child))


EVERY = [
    (program, words) for program, app in PROGRAMS.items() for words in ((), *commands(typer.main.get_command(app)))
]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("program", "words"), EVERY, ids=[" ".join([program, *words]) for program, words in EVERY])
def test_help_says_all_of_it(program: str, words: tuple[str, ...], width: str) -> None:
    app = PROGRAMS[program]
    result = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": width}, prog_name=program)
    assert result.exit_code == 0, result.output
    assert "…" not in result.output
    command = typer.main.get_command(app)
    for word in words:
        command = command.commands[word]  # type: ignore[attr-defined]
    said = squeezed(result.output)
    assert squeezed(command.help or "") in said
    assert squeezed(command.epilog or "") in said
    context = command.make_context(program, [], resilient_parsing=True)
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            names, explained = record
            assert re.search(rf"^ *{re.escape(names)}(  |$)", result.output, re.MULTILINE), names
            assert squeezed(explained) in said


def squeezed(text: str) -> str:
    """Without white space, where lines may be broken."""
    return re.sub(r"[\s\b]+", "", text)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("FORCE_COLOR", "1"), ("TERM", "dumb"), ("TERMINAL_WIDTH", "20"), ("TERMINAL_WIDTH", "wide")],
)
def test_help_through_a_pipe_is_plain_text(variable: str, value: str) -> None:
    environment = {name: given for name, given in os.environ.items() if name != "COLUMNS"} | {variable: value}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ringrift_core", "evaluate", "--help"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 100
    assert "--baseline-games" in done.stdout


def test_an_example_is_one_line_to_be_pasted() -> None:
    result = CliRunner().invoke(ringrift_core.cli.app, ["merge", "--help"], env={"COLUMNS": "60"})
    (example,) = [line.strip() for line in result.output.splitlines() if line.strip().startswith("Example:")]
    assert example.startswith("Example: ringrift merge --store ")
    assert "--players" in example

"""What the program says of itself."""

from __future__ import annotations

from importlib.metadata import version

from typer.testing import CliRunner

from ringrift_operator.cli import app


def test_it_says_its_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"ringrift-operator {version('ringrift-operator')}\n")


def test_help_of_local_says_what_its_exit_status_means() -> None:
    result = CliRunner().invoke(app, ["local", "--help"])
    said = " ".join(result.output.split())
    for words in ("0 complete", "1 at a standstill", "2 wrong input", "130 stopped"):
        assert words in said

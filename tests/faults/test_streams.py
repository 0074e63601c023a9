"""Readers that go away, streams that are closed, and a disk behind standard output that is full."""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ringrift_core.contract import AdoptParameters, ExitCode, SelfplayParameters, to_arguments
from tests import patience
from tests.commands import Commands
from tests.faults.workshop import Record, Said

READER_GONE = 128 + signal.SIGPIPE
SHOWS = ("version", "help", "bench rules", "bench search", "replay list", "replay list --json", "replay stats")
JUDGES = ("replay verify", "conform", "play", "watch")
"""These do something besides."""


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """With something in the store to be shown."""
    one = Commands(tmp_path_factory.mktemp("streams") / "here")
    stages = one.stages(train=False)
    assert [next(stages).stage, next(stages).stage] == ["selfplay", "merge"]
    return one


def shell(commands: Commands, line: str, fault: str, name: str, record: Record, *, typed: str = "3,3\nquit\n") -> Said:
    """A line of bash, `{}` in it being the command; pipes end with the first command's status."""
    command = shlex.join([*commands.core, *commands.shows()[name]])
    return said_by(line.replace("{}", command), commands.folder, fault, name, record, typed)


def said_by(line: str, folder: Path, fault: str, name: str, record: Record, typed: str = "") -> Said:
    done = subprocess.run(
        ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"],
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
        check=False,
    )
    said = Said(done.returncode, done.stderr.strip())
    record(fault, name, said)
    assert "Traceback" not in said.message
    assert "Exception ignored" not in said.message
    assert len(said.message.splitlines()) <= 1, said.message
    return said


@pytest.mark.parametrize("name", [*SHOWS, *JUDGES])
def test_a_reader_who_goes_away_ends_what_is_only_shown(name: str, commands: Commands, record: Record) -> None:
    """As SIGPIPE would; the sleep sees to it that nothing fits into the pipe before."""
    said = shell(commands, "{ sleep 0.2; {}; } | true", "reader gone", name, record)
    assert said == Said(READER_GONE, "")


@pytest.mark.parametrize("name", [*SHOWS, *JUDGES])
def test_a_full_disk_behind_standard_output_is_one_sentence(name: str, commands: Commands, record: Record) -> None:
    said = shell(commands, "{} > /dev/full", "full standard output", name, record)
    assert said == Said(ExitCode.NOT_NOW, "ringrift: standard output: No space left on device")


@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&-", "<&- >&- 2>&-", "2> /dev/full"])
@pytest.mark.parametrize("name", [*SHOWS, *JUDGES])
def test_closed_streams_are_as_good_as_none(streams: str, name: str, commands: Commands, record: Record) -> None:
    assert shell(commands, f"{{}} {streams}", f"streams {streams}", name, record) == Said(0, "")


def test_what_is_found_is_told_by_the_status_though_nobody_can_be_told(
    commands: Commands, tmp_path: Path, record: Record
) -> None:
    """A mismatch is 1, unreadable input 2, whatever becomes of the output."""
    broken = tmp_path / "games.sqlite"
    broken.write_text("no games")
    for streams in ("> /dev/full", ">&-", "2>&-", "> /dev/full 2>&1"):
        line = f"{shlex.join([*commands.core, 'replay', 'verify', str(broken)])} {streams}"
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=patience.SECONDS)
        record(f"streams {streams}", "replay verify, no games", Said(done.returncode, done.stderr.strip()))
        assert done.returncode == ExitCode.WRONG_INPUT
        assert "Traceback" not in done.stderr


STAGES = ("selfplay", "adopt")


def stage(commands: Commands, name: str, folder: Path, *, iteration: int) -> Sequence[str]:
    parameters = (
        SelfplayParameters(**commands.here, iteration=iteration, seed=1, games=60)
        if name == "selfplay"
        else AdoptParameters(**commands.here)
    )
    return [*commands.core, *to_arguments(parameters), "--result", str(folder / "result.json")]


def iterations() -> Iterator[int]:
    yield from range(100, 1000)


ITERATION = iterations()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{} | true", ""),
        ("{} | head -1", ""),
        ("{} > /dev/full", "standard output: No space left on device; the work goes on"),
        ("{} >&-", ""),
        ("{} 2> /dev/full", ""),
        ("{} <&- >&- 2>&-", ""),
        ("{} > /dev/full 2>&1", ""),
    ],
)
@pytest.mark.parametrize("name", STAGES)
def test_a_stage_works_on_whoever_hears_of_it(
    name: str, line: str, sentence: str, commands: Commands, tmp_path: Path, record: Record
) -> None:
    command = stage(commands, name, tmp_path, iteration=next(ITERATION))
    said = said_by(line.replace("{}", shlex.join(command)), tmp_path, line.replace("{}", ""), name, record)
    assert said == Said(0, f"ringrift: {sentence}" if sentence else "")
    assert '"games"' in (tmp_path / "result.json").read_text()


@pytest.mark.parametrize("streams", ["2>&-", "2> /dev/full", "> /dev/full 2>&1", "<&- >&- 2>&-"])
def test_a_stage_that_fails_keeps_its_status_and_its_result(
    streams: str, commands: Commands, tmp_path: Path, record: Record
) -> None:
    command = [*commands.core, "merge", "--store", (tmp_path / "none").as_uri(), "--board", "hex8", "--players", "2"]
    command += ["--iteration", "1", "--result", str(tmp_path / "result.json")]
    said = said_by(f"{shlex.join(command)} {streams}", tmp_path, f"streams {streams}", "merge, no games", record)
    assert said.exit_code == ExitCode.WRONG_INPUT
    assert "run ringrift selfplay first" in (tmp_path / "result.json").read_text()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{} | head -1 > /dev/null", ""),
        ("{} > /dev/full", "ringrift-operator: standard output: No space left on device; the work goes on"),
        ("{} <&- >&- 2>&-", ""),
        ("{} 2> /dev/full > /dev/null", ""),
    ],
)
def test_local_works_on_whoever_hears_of_it(line: str, sentence: str, tmp_path: Path, record: Record) -> None:
    commands = Commands(tmp_path / "here")
    assert commands.local("--dry-run").returncode == 0
    command = shlex.join([*commands.operator, "local", "-f", "pipeline.yaml"])
    said = said_by(line.replace("{}", command), commands.folder, line.replace("{}", ""), "local", record)
    assert said == Said(0, sentence)
    again = commands.run("again", [*commands.operator, "local", "-f", "pipeline.yaml"])
    assert "is complete already" in again.stdout


@pytest.mark.parametrize(("encoding", "name"), [("ascii", "play"), ("ascii", "help"), ("latin-1", "bench rules")])
def test_a_character_that_the_encoding_lacks_stops_nothing(
    encoding: str, name: str, commands: Commands, record: Record
) -> None:
    line = f"PYTHONIOENCODING={encoding} {{}} > /dev/null"
    assert shell(commands, line, f"standard output in {encoding}", name, record) == Said(0, "")

from __future__ import annotations

import json
import os
import re
import signal
import stat
import tempfile
from pathlib import Path

import pytest

from ringrift_core.contract import (
    CONTRACT_VERSION,
    AdoptParameters,
    Board,
    ExitCode,
    MergeParameters,
    Stage,
    StageResult,
)
from ringrift_core.errors import DivergedError, NotNowError, StoreAwayError, StoreRefusedError, WrongInputError
from ringrift_core.stage import Outcome, Run, execute, write_result
from tests.results import EMPTY_STORE


@pytest.fixture
def parameters(tmp_path: Path) -> AdoptParameters:
    return AdoptParameters(store=(tmp_path / "store").as_uri(), board=Board.SQUARE8, players=2)


def result_of(path: Path) -> StageResult:
    return StageResult.model_validate_json(path.read_text())


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (WrongInputError("no such board"), ExitCode.WRONG_INPUT),
        (StoreRefusedError("no such bucket"), ExitCode.WRONG_INPUT),
        (DivergedError("the loss is not a number"), ExitCode.DIVERGED),
        (NotNowError("stopped"), ExitCode.NOT_NOW),
        (StoreAwayError("no answer"), ExitCode.NOT_NOW),
    ],
)
def test_known_failures_are_one_sentence_and_an_exit_code(
    parameters: AdoptParameters, tmp_path: Path, capsys: pytest.CaptureFixture[str], failure: Exception, code: int
) -> None:
    def body(_parameters: AdoptParameters, _run: Run) -> StageResult:
        raise failure

    assert execute(parameters, body, result_path=tmp_path / "result.json") == code
    assert capsys.readouterr().err == f"ringrift adopt: {failure}\n"
    assert result_of(tmp_path / "result.json").message == str(failure)


def test_a_defect_keeps_its_traceback_and_is_no_known_exit_code(
    parameters: AdoptParameters, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(_parameters: AdoptParameters, _run: Run) -> StageResult:
        raise ZeroDivisionError("a defect")

    assert execute(parameters, body, result_path=tmp_path / "result.json") not in set(ExitCode)
    assert "Traceback" in capsys.readouterr().err
    assert result_of(tmp_path / "result.json").message == "ZeroDivisionError: a defect"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_at_the_next_pause_point(
    parameters: AdoptParameters, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = []

    def body(_parameters: AdoptParameters, run: Run) -> StageResult:
        os.kill(os.getpid(), number)
        saved.append("this shard")
        run.pause_point()
        raise AssertionError("unreachable")

    assert execute(parameters, body) == ExitCode.NOT_NOW
    assert saved == ["this shard"]
    assert "saved" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_the_result_replaces_a_file_in_a_folder_that_takes_no_others(tmp_path: Path) -> None:
    """A Pod's termination message: a mounted file in a read-only folder (as root the folder's mode does not bind)."""
    folder = tmp_path / "dev"
    folder.mkdir()
    log = folder / "termination-log"
    log.touch()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    now = "2026-01-01T00:00:00Z"
    result = StageResult.model_validate({"stage": Stage.ADOPT, "startedAt": now, "finishedAt": now})
    try:
        write_result(log, result)
    finally:
        folder.chmod(stat.S_IRWXU)
    assert json.loads(log.read_text())["stage"] == "adopt"
    assert [entry.name for entry in folder.iterdir()] == ["termination-log"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/proc/nobody/r.json", "No such file or directory"),
        ("{folder}", "Is a directory"),
        ("/dev/null/r", "Not a dir"),
    ],
)
def test_a_result_that_could_not_be_written_is_refused_before_the_work(
    parameters: AdoptParameters, tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, said: str
) -> None:
    def body(_parameters: AdoptParameters, _run: Run) -> StageResult:
        raise AssertionError("the work began")

    named = Path(path.format(folder=tmp_path))
    assert execute(parameters, body, result_path=named) == ExitCode.WRONG_INPUT
    sentence = capsys.readouterr().err
    assert sentence.startswith(f"ringrift adopt: --result {named}: {said}")
    assert sentence.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_result_that_cannot_be_written_any_more_asks_for_a_repeat(
    parameters: AdoptParameters, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "result.json"

    def body(parameters: AdoptParameters, run: Run) -> StageResult:
        path.mkdir()
        return run.result(parameters, Outcome())

    assert execute(parameters, body, result_path=path) == ExitCode.NOT_NOW
    assert capsys.readouterr().err == (
        f"ringrift adopt: the work is done, but --result {path}: Is a directory; begin again to hear of it\n"
    )


def test_a_pipe_is_written_to_and_not_replaced(parameters: AdoptParameters, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert execute(parameters, lambda given, run: run.result(given, Outcome()), result_path=pipe) == ExitCode.DONE
        assert StageResult.model_validate_json(os.read(reader, 1 << 16)).stage is Stage.ADOPT
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_panic_of_a_native_library_is_one_sentence(
    parameters: AdoptParameters, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # What pyo3 raises; its class cannot be imported.
    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})

    def body(_parameters: AdoptParameters, _run: Run) -> StageResult:
        raise panic("called `Result::unwrap()` on an `Err` value")

    assert execute(parameters, body, result_path=tmp_path / "result.json") not in set(ExitCode)
    sentence = "defect in a native library: called `Result::unwrap()` on an `Err` value"
    assert capsys.readouterr().err == f"ringrift adopt: {sentence}\n"
    assert result_of(tmp_path / "result.json").message == sentence


def test_progress_is_json_lines_at_most_two_a_second(
    parameters: AdoptParameters, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(parameters: AdoptParameters, run: Run) -> StageResult:
        for step in range(1000):
            run.report.progress(step / 1000, "playing", rate=12.5, unit="games/s")
        return run.result(parameters, Outcome(result=EMPTY_STORE.model_copy(update={"games": 1000}), message="done"))

    assert execute(parameters, body) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["kind"] for line in lines] == ["progress", "result"]
    assert lines[0].pop("cpuSeconds") > 0
    assert lines[0] == {
        "kind": "progress",
        "stage": "adopt",
        "progress": 0.0,
        "message": "playing",
        "rate": 12.5,
        "unit": "games/s",
    }
    assert (lines[1]["contractVersion"], lines[1]["result"]["games"]) == (CONTRACT_VERSION, 1000)


def test_a_scratch_folder_is_removed_and_a_given_one_kept(parameters: AdoptParameters, tmp_path: Path) -> None:
    folders = []

    def body(parameters: AdoptParameters, run: Run) -> StageResult:
        (run.folder / "file").touch()
        folders.append(run.folder)
        return run.result(parameters, Outcome())

    execute(parameters, body)
    execute(parameters, body, work_dir=tmp_path / "scratch")
    assert folders[0].match(f"{tempfile.gettempdir()}/ringrift-adopt-*"), "as --help says"
    assert not folders[0].exists()
    assert (tmp_path / "scratch" / "file").exists()


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("/sys", "Permission denied|Read-only file system"),
        ("/proc/nobody", "No such file or directory"),
        ("/dev/null", "File exists"),
    ],
)
def test_a_scratch_folder_that_takes_no_files_is_refused_before_the_work(
    parameters: AdoptParameters, capsys: pytest.CaptureFixture[str], folder: str, said: str
) -> None:
    def body(_parameters: AdoptParameters, _run: Run) -> StageResult:
        raise AssertionError("the work began")

    assert execute(parameters, body, work_dir=Path(folder)) == ExitCode.WRONG_INPUT
    assert re.search(f"--work-dir {folder}: ({said})", capsys.readouterr().err)


def test_work_begins_only_where_it_can_be_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    parameters = MergeParameters(store="file:///proc/nobody", board=Board.SQUARE8, players=2, iteration=1)

    def work() -> Outcome:
        raise AssertionError("the work began")

    code = execute(parameters, lambda given, run: run.once(1, "train", given, work))
    assert code == ExitCode.WRONG_INPUT
    assert "/proc/nobody, square8-2p/tasks/i0001/train.json: No such file" in capsys.readouterr().err

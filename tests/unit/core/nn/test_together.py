"""What several processes end with, as one exit status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ringrift_core.contract import ExitCode
from ringrift_core.nn.together import first_to_fail
from tests import patience

ROOT = Path(__file__).parents[4]
TOGETHER = [sys.executable, "-m", "ringrift_core.nn.together", "--standalone", "--nproc-per-node", "2"]
SURROUNDINGS = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def started(folder: Path, body: str) -> subprocess.Popen[str]:
    """Two processes that run `body`, in which `rank` is known; `print` tells when they are there."""
    script = folder / "process.py"
    script.write_text(
        "import os, signal, sys, time\nrank = int(os.environ['RANK'])\nprint('here', flush=True)\n"
        + textwrap.dedent(body)
    )
    return subprocess.Popen(
        [*TOGETHER, str(script)],
        env=SURROUNDINGS,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", ExitCode.DONE),
        ("sys.exit(3) if rank else time.sleep(600)", ExitCode.DIVERGED),
        ("os.kill(os.getpid(), signal.SIGKILL) if rank else time.sleep(600)", 128 + signal.SIGKILL),
        ("sys.exit(75)", ExitCode.NOT_NOW),
    ],
)
def test_the_status_is_that_of_the_process_which_failed(body: str, status: int, tmp_path: Path) -> None:
    process = started(tmp_path, body)
    said, _ = process.communicate(timeout=patience.SECONDS)
    assert process.returncode == status, said


def test_told_to_stop_it_lets_all_of_them_save_and_says_not_now(tmp_path: Path) -> None:
    process = started(
        tmp_path,
        """
        def save(*_):
            time.sleep(rank)
            open(f"saved-{rank}", "w").close()
            sys.exit(75)
        signal.signal(signal.SIGTERM, save)
        print('ready', flush=True)
        time.sleep(600)
        """,
    )
    assert process.stdout is not None
    said = ""
    while said.count("ready") < 2:
        said += process.stdout.readline()
    process.terminate()
    process.communicate(timeout=patience.SECONDS)
    assert process.returncode == ExitCode.NOT_NOW
    assert {path.name for path in tmp_path.glob("saved-*")} == {"saved-0", "saved-1"}


@pytest.mark.parametrize(
    ("failures", "status"),
    [
        ([(8, 75), (8, -9)], 137),
        ([(8, 1), (8, 75)], 1),
        ([(8, 2), (11, 75)], 2),
        ([(8, 1), (8, 1)], 1),
        ([(8, 3), (8, -15)], 3),
        ([(8, 1), (8, -15)], 1),
        ([(8, -9), (8, 75)], 137),
        ([(8, 75), (33, 75)], 75),
        ([(8, 75), (8, -15)], 75),
    ],
)
def test_who_lost_its_connection_or_was_ended_for_it_did_not_begin_it(
    failures: list[tuple[int, int]], status: int
) -> None:
    assert first_to_fail(failures) == status

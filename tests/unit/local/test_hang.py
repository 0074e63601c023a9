"""A stage of a pipeline that hangs in native code: it is told of, and stopped with the rest."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.core.test_deaf import HANGS, PROGRAM
from tests.unit.local.running import Local

LOCAL = """
import sys
from pathlib import Path
from ringrift_operator.local.command import local
program = (sys.executable, "-P", sys.argv[1], "--seconds=1")
sys.exit(local([Path("pipeline.yaml")], Path("ringrift-data"), plain=True, program=program))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
def test_a_stage_that_hangs_is_named_with_its_last_line_and_does_not_outlive_local(tmp_path: Path) -> None:
    local = Local(tmp_path, alerts={"progressStall": "5s"}, iterations=1)
    stage = tmp_path / "stage.py"
    stage.write_text(PROGRAM.replace("{hang}", HANGS["with the interpreter"]))
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", LOCAL, str(stage)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    while "cmaes has told no progress" not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    assert re.search(
        r"small: warning: square8-2p: cmaes has told no progress since \d\d:\d\d:\d\d UTC, longer than 5s; "
        r"its last line: \d+% generation 1$",
        said,
        re.MULTILINE,
    ), said
    (degraded,) = (each for each in local.status()["conditions"] if each["type"] == "Degraded")  # type: ignore[attr-defined]
    assert (degraded["status"], degraded["reason"]) == ("True", "NoProgress")
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert "stopped, nothing is lost" in rest
    assert local.processes() == []

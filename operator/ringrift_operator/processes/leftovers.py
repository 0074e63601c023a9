"""Children that outlived whoever started them: noted in .pid files, found by the next one, and ended.

On Linux there are none but those that escaped, since children die with their parent; elsewhere this is all there is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from ringrift_operator.files import replace_file


def note(path: Path, pid: int) -> None:
    """Writes down a process, so that it can be told from a later one of the same number."""
    replace_file(path, f"{pid} {_started_at(pid)}")


def end_leftovers(folder: Path) -> int:
    """Ends the process groups that are noted in a folder and still run; how many there were."""
    ended = 0
    for path in folder.glob("*.pid"):
        ended += _end(path)
        path.unlink()
    return ended


def signal_group(pid: int, number: signal.Signals) -> None:
    """Sends a signal to a child and all that it started; nothing when they are gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _end(path: Path) -> bool:
    """Kills the process group of a .pid file if it is still the process that was started."""
    try:
        number, _, started = path.read_text(encoding="utf-8").partition(" ")
        pid = int(number)
    except (OSError, ValueError):
        return False
    if not started or _started_at(pid) != started:
        return False
    signal_group(pid, signal.SIGKILL)
    while _started_at(pid) == started:
        time.sleep(0.05)
    return True


def _started_at(pid: int) -> str:
    """When a process was started, in the system's own words; empty when it is not there."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        state, *fields = stat.rpartition(")")[2].split()
        return "" if state == "Z" else fields[18]
    except FileNotFoundError:
        program = shutil.which("ps") if sys.platform != "linux" else None
    if program is None:
        return ""
    found = subprocess.run([program, "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()

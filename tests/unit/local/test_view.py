"""The live view, on a real terminal of the test's own."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import patience
from tests.unit.local.running import COMMAND, Local

CONTROL_C = b"\x03"


class Terminal:
    """A pseudo-terminal with `local` in it."""

    def __init__(self, master: int, child: int) -> None:
        self._master = master
        self._child = child
        self._sent = b""

    @property
    def shown(self) -> str:
        """Everything so far, without control codes; a read may end in the middle of one, or of a character."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._sent.decode(errors="ignore"))

    def read(self, until: str, seconds: float = patience.SECONDS) -> str:
        """Everything shown so far, once it contains `until`."""
        deadline = time.monotonic() + seconds
        while until not in self.shown:
            assert time.monotonic() < deadline, f"{until!r} is not in {self.shown[-3000:]}"
            if not self._read_some():
                break
        assert until in self.shown, self.shown[-3000:]
        return self.shown

    def press(self, key: bytes) -> None:
        os.write(self._master, key)

    def end(self) -> int:
        """Exit status, after the last word."""
        while self._read_some():
            pass
        _, status = os.waitpid(self._child, 0)
        return os.waitstatus_to_exitcode(status)

    def _read_some(self) -> bool:
        try:
            found = os.read(self._master, 65536)
        except OSError:  # the other side has closed
            return False
        self._sent += found
        return bool(found)


@contextmanager
def terminal(local: Local, columns: int = 80) -> Iterator[Terminal]:
    child, master = pty.fork()
    if child == 0:
        os.chdir(local.folder)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 45, columns, 0, 0))
        os.environ |= {"TERM": "xterm-256color"}
        for name in ("COLUMNS", "LINES", "NO_COLOR", "CI"):
            os.environ.pop(name, None)
        os.execv(COMMAND[0], [*COMMAND, "-f", "pipeline.yaml"])
    try:
        yield Terminal(master, child)
    finally:
        os.close(master)


def test_it_shows_stages_verdicts_and_champions_and_ends_with_the_summary(tmp_path: Path) -> None:
    local = Local(tmp_path, iterations=1)
    with terminal(local) as screen:
        screen.read("small is complete")
        assert screen.end() == 0
    # Whatever is too quick to be drawn, the last picture holds.
    for words in (
        "small  Completed",
        "square8-2p  iteration 1 of 1  60 games",
        "iteration 1 ends",
        "Ctrl-C stops cleanly",
    ):
        assert words in screen.shown, words
    assert re.search(r"iteration 1  weights (promoted|rejected) 0\.\d{3} \(0\.\d{3} to \d\.\d{3}\)", screen.shown)
    assert re.search(r"weights( champion, version 1|: no champion yet)", screen.shown)
    assert "Traceback" not in screen.shown


def test_control_c_stops_it_and_says_how_to_go_on(tmp_path: Path) -> None:
    local = Local(tmp_path, cmaes={"generations": 400, "populationSize": 20, "gamesPerEvaluation": 20}, iterations=1)
    with terminal(local) as screen:
        screen.read("▶  cmaes")
        screen.read("━")
        assert "✓  merge" in screen.read("60 games in all, 60 new")
        screen.press(CONTROL_C)
        screen.read("stopped, nothing is lost: ringrift-operator local -f pipeline.yaml continues")
        assert screen.end() == 130
    assert "stopping: the running stages save what they have" in screen.shown
    assert local.processes() == []
    assert "Traceback" not in screen.shown

"""`ringrift play` in a terminal of its own, as a person has it in front of them."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from types import TracebackType
from typing import Self

from ringrift_core.contract import STAGE_PROGRAM
from tests import patience

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
CLEARED = "\x1b[2J"


class Terminal:
    """Type, and wait for what appears."""

    def __init__(self, *arguments: str, columns: int = 80, lines: int = 24, **variables: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environment = {
            name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")
        }
        environment |= {"TERM": "xterm-256color"} | variables
        self._process = subprocess.Popen(
            [*STAGE_PROGRAM, "play", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),  # Ctrl-C then reaches the program
        )
        os.close(theirs)
        self.raw = ""
        # A read may end in the middle of a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._waited_for = 0  # characters of what appeared, control codes left out

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def wait_for(self, text: str, seconds: float = patience.SECONDS) -> str:
        """What appeared since the last wait, up to and with `text`, without control codes."""
        until = time.monotonic() + seconds
        while True:
            fresh = _CONTROL.sub("", self.raw)[self._waited_for :]
            before, found, _ = fresh.partition(text)
            if found:
                self._waited_for += len(before) + len(text)  # what came along with it is there for the next wait
                return before + text
            if time.monotonic() > until or not self._receive():
                raise AssertionError(f"{text!r} did not appear; this did:\n{fresh}")

    def type(self, line: str) -> None:
        os.write(self._ours, f"{line}\n".encode())

    def press(self, control: str) -> None:
        """Ctrl and a letter, as the terminal's driver sees it."""
        time.sleep(0.5)  # readline begins to listen a moment after its prompt
        os.write(self._ours, bytes([ord(control.upper()) - ord("@")]))

    def interrupt(self) -> None:
        """Ctrl-C while nothing is read."""
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self) -> int:
        """The exit status, everything read."""
        while self._process.poll() is None:
            self._receive()
        while self._receive(wait=0):
            pass
        return self._process.wait()

    @property
    def frame(self) -> str:
        """What was drawn since the screen was last cleared."""
        return _CONTROL.sub("", self.raw.rpartition(CLEARED)[2])

    def _receive(self, wait: float = 1) -> bool:
        """False at the end, or where nothing is to be had without waiting."""
        if not select.select([self._ours], [], [], wait)[0]:
            return wait > 0
        try:
            read = os.read(self._ours, 65536)
        except OSError:  # the other end is closed
            return False
        self.raw += self._decoder.decode(read)
        return bool(read)

"""Standard input, output and error of a command, and what is done when one of them is closed, full or gone.

Nothing that becomes of an output is ever an error of the work. A reader who goes away (`| head -1`) ends a command that
only shows something, quietly and with the status of SIGPIPE; a stage or `local` goes on without being heard. A full
disk behind standard output is said once on stderr; what a command could not show is told by its exit status. A terminal
that is gone means a hang-up, as if SIGHUP had come.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, TextIO

from rich.console import Console

from ringrift_core.contract import ExitCode

__all__ = ["can_be_redrawn", "console", "go_on_unheard", "run"]

READER_GONE = 128 + signal.SIGPIPE
"""As shells have it of a program that SIGPIPE ended."""

LEAST_COLUMNS, MOST_COLUMNS = 20, 1000
"""Of a line: in none nothing would be shown, and a billion, as COLUMNS may ask for, would be filled with blanks."""

_NEVER_AGAIN = (errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO)
"""What ends an output for good; a full disk may have room again."""


def run(program: str, command: Callable[[], object]) -> NoReturn:
    """Runs a command line on standard streams that hold, and exits with its status."""
    _open_closed_ones()
    if not os.environ.get("TERMINAL_WIDTH", "80").isdecimal():
        del os.environ["TERMINAL_WIDTH"]  # Typer takes it for a number, as it is imported.
    sys.stderr = heard = _Heard.of(sys.stderr)
    sys.stdout = shown = _Shown.of(sys.stdout, program, heard)
    try:
        command()
        status: object = None
    except SystemExit as end:
        status = end.code
    except BaseException:
        shown.is_work = shown.has_lost = True  # The traceback says why it ended, and nothing else does.
        shown.flush()
        raise
    try:
        shown.flush()
    except SystemExit as end:
        status = status or end.code
    if not status and shown.has_lost and not shown.is_work:
        status = ExitCode.NOT_NOW.value
    sys.exit(status if status is None or isinstance(status, int) else str(status))


def go_on_unheard() -> None:
    """What this command does is worth doing though nobody hears of it: standard output may go away."""
    if isinstance(sys.stdout, _Shown):
        sys.stdout.is_work = True


def can_be_redrawn(stream: TextIO) -> bool:
    """Whether a display may be drawn over: a terminal that can, and whose user wants it."""
    environment = os.environ
    is_dumb = environment.get("TERM", "").lower() in ("", "dumb", "unknown")
    is_refused = "0" in (environment.get("TTY_COMPATIBLE"), environment.get("TTY_INTERACTIVE"))
    return stream.isatty() and not is_dumb and not is_refused


def console(*, stderr: bool = False) -> Console:
    """A console on standard output or error, which is a terminal where one can be drawn over.

    FORCE_COLOR and TTY_COMPATIBLE ask for colours; they make no terminal of a file, whose lines are as long as they
    come out.
    """
    stream = sys.stderr if stderr else sys.stdout
    is_terminal = can_be_redrawn(stream)
    is_coloured = bool(os.environ.get("FORCE_COLOR")) or os.environ.get("TTY_COMPATIBLE") == "1"
    columns = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() else MOST_COLUMNS
    return Console(
        stderr=stderr,
        width=min(max(int(columns), LEAST_COLUMNS), MOST_COLUMNS) if columns.isdecimal() else width,
        highlight=False,
        force_terminal=is_terminal,
        force_interactive=is_terminal,
        color_system="standard" if is_coloured and not is_terminal else "auto",
    )


class _Heard(io.TextIOWrapper):
    """Standard error: whatever becomes of it, nobody else could be told."""

    @classmethod
    def of(cls, stream: TextIO) -> _Heard:
        return cls(_bytes_of(stream), stream.encoding, "backslashreplace", line_buffering=True)

    def write(self, text: str) -> int:
        with suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()


class _Shown(io.TextIOWrapper):
    """Standard output. A character that its encoding lacks is no reason to stop either."""

    program = ""
    complaints: TextIO
    was_terminal = False
    """When it was opened: of a terminal that is gone nobody can tell any more."""
    is_work = False
    """Whether the command goes on without a reader."""
    has_lost = False
    """Whether something could not be written."""

    @classmethod
    def of(cls, stream: TextIO, program: str, complaints: TextIO) -> _Shown:
        line_buffering = isinstance(stream, io.TextIOWrapper) and stream.line_buffering
        shown = cls(_bytes_of(stream), stream.encoding, "replace", line_buffering=line_buffering)
        shown.program, shown.complaints, shown.was_terminal = program, complaints, stream.isatty()
        return shown

    def write(self, text: str) -> int:
        try:
            super().write(text)
        except OSError as error:
            self._lose(error)
        return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        is_news, self.has_lost = not self.has_lost, True
        if error.errno in _NEVER_AGAIN:
            with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - no path of ours
                os.dup2(nothing.fileno(), self.fileno())
        if error.errno == errno.EPIPE:
            if not self.is_work:
                raise SystemExit(READER_GONE)
            return
        if error.errno == errno.EIO and self.was_terminal:
            signal.raise_signal(signal.SIGHUP)
            return
        if is_news:
            goes_on = "; the work goes on" if self.is_work else ""
            print(f"{self.program}: standard output: {error.strerror}{goes_on}", file=self.complaints)


def _bytes_of(stream: TextIO) -> io.BufferedWriter:
    """What a text stream writes to, with nothing left in the stream."""
    with suppress(OSError):
        stream.flush()
    return io.BufferedWriter(io.FileIO(stream.fileno(), "wb", closefd=False))


def _open_closed_ones() -> None:
    """A standard stream that is closed (`>&-`) is nothing at all, or the next file to be opened would be written to."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # Takes the lowest number that is free, which is this one.
        if getattr(sys, name) is None:
            stream = open(number, "r" if number == 0 else "w", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)

"""What a running stage tells, and who hears it.

A stage reports to one `Reporter`; what it says goes to every sink that is subscribed. On a terminal that is a progress
bar, or lines where nothing can be drawn over; elsewhere JSON lines (at most two of progress a second). Why a stage
failed goes to stderr besides.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from ringrift_core import contract, usage
from ringrift_core.contract import Contract, Stage, StageResult
from ringrift_core.streams import can_be_redrawn, console

__all__ = ["Complaints", "JsonLines", "PlainLines", "Reporter", "Sink", "Terminal"]

_SECONDS_BETWEEN_LINES = 0.5
_SECONDS_BETWEEN_PLAIN_LINES = 5.0


class Sink:
    """One who is told. A sink overrides what it wants to hear of."""

    def open(self) -> None:
        """Before anything is said."""

    def close(self) -> None:
        """After the last word, also when the stage breaks off."""

    def progress(self, fraction: float, message: str, rate: float | None, unit: str) -> None:
        """How much is done, 0 to 1, in a line of text; `rate` is work per second in `unit`."""

    def log(self, message: str, figures: Mapping[str, Any]) -> None:
        """A line for the record: a sentence, and for programs the figures behind it."""

    def warn(self, message: str) -> None:
        """A line that somebody should read."""

    def fail(self, message: str) -> None:
        """Why the stage ends without a result."""

    def finish(self, result: StageResult) -> None:
        """The stage's result."""


class Reporter:
    """What a stage reports to: each sink hears all of it, in the order in which they were given."""

    def __init__(self, *sinks: Sink) -> None:
        self._sinks = sinks
        self._opened = ExitStack()

    @staticmethod
    def for_stdout(stage: Stage) -> Reporter:
        """A progress bar or plain lines when stdout is a terminal, else JSON lines; failures to stderr."""
        return Reporter(_shown(stage), Complaints(stage, sys.stderr))

    @staticmethod
    def for_complaints(stage: Stage) -> Reporter:
        """Nothing but failures, to stderr."""
        return Reporter(Complaints(stage, sys.stderr))

    def __enter__(self) -> Self:
        for sink in self._sinks:
            sink.open()
            self._opened.callback(sink.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def progress(self, fraction: float, message: str = "", rate: float | None = None, unit: str = "") -> None:
        """How much is done, 0 to 1, in a line of text; `rate` is work per second in `unit`."""
        for sink in self._sinks:
            sink.progress(fraction, message, rate, unit)

    def log(self, message: str, figures: Mapping[str, Any] | None = None, /) -> None:
        """A line for the record: a sentence, and for programs the figures behind it."""
        for sink in self._sinks:
            sink.log(message, figures or {})

    def warn(self, message: str) -> None:
        """A line that somebody should read."""
        for sink in self._sinks:
            sink.warn(message)

    def fail(self, message: str) -> None:
        """Why the stage ends without a result."""
        for sink in self._sinks:
            sink.fail(message)

    def finish(self, result: StageResult) -> None:
        """The stage's result."""
        for sink in self._sinks:
            sink.finish(result)


def _shown(stage: Stage) -> Sink:
    if can_be_redrawn(sys.stdout):
        return Terminal(stage)
    return PlainLines(stage) if sys.stdout.isatty() else JsonLines(stage, sys.stdout)


class Complaints(Sink):
    """Failures alone, as a sentence."""

    def __init__(self, stage: Stage, stream: TextIO) -> None:
        self._stage = stage
        self._stream = stream

    def fail(self, message: str) -> None:
        print(f"ringrift {self._stage}: {message}", file=self._stream)


class JsonLines(Sink):
    """One JSON object a line: kind `progress`, `log`, `warning` or `result`."""

    def __init__(self, stage: Stage, stream: TextIO) -> None:
        self._stage = stage
        self._stream = stream
        self._last = float("-inf")

    def progress(self, fraction: float, message: str, rate: float | None, unit: str) -> None:
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN_LINES:
            return
        self._last = now
        line = contract.Progress(
            stage=self._stage,
            progress=min(1.0, max(0.0, fraction)),
            message=message,
            rate=rate,
            unit=unit,
            cpu_seconds=round(usage.cpu_seconds(), 2),
            gpu=usage.gpu_busy(),
        )
        self._write(line.model_dump_json(by_alias=True, exclude_none=True))

    def log(self, message: str, figures: Mapping[str, Any]) -> None:
        line = {"kind": "log", "stage": self._stage, "message": message}
        self._write(json.dumps(line | ({"figures": figures} if figures else {})))

    def warn(self, message: str) -> None:
        self._write(json.dumps({"kind": "warning", "stage": self._stage, "message": message}))

    def finish(self, result: StageResult) -> None:
        self._write(json.dumps({"kind": "result", **json.loads(result.to_json())}))

    def _write(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class _Bar(Progress):
    """A bar as wide as the terminal leaves room for, and below it what is said, which may take several lines."""

    said = ""

    def get_renderables(self) -> Iterator[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        if self.said:
            yield Text(self.said)


class Terminal(Sink):
    """A progress bar, with log lines above it."""

    def __init__(self, stage: Stage, on: Console | None = None) -> None:
        self._console = on or console()
        self._bar = _Bar(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[pace]}"),
            TimeElapsedColumn(),
            console=self._console,
            expand=True,
        )
        self._task = self._bar.add_task(stage.value, total=1.0, pace="")

    def open(self) -> None:
        self._bar.start()

    def close(self) -> None:
        self._bar.stop()

    def progress(self, fraction: float, message: str, rate: float | None, unit: str) -> None:
        pace = f"{rate:,.1f} {unit}" if rate is not None else ""
        self._bar.said = message
        self._bar.update(self._task, completed=fraction, pace=pace)

    def log(self, message: str, figures: Mapping[str, Any]) -> None:  # noqa: ARG002  # they are for programs
        self._console.print(message, markup=False)

    def warn(self, message: str) -> None:
        self._console.print(f"warning: {message}", style="yellow", markup=False)

    def fail(self, message: str) -> None:  # noqa: ARG002  # it is said on stderr
        self._bar.stop()

    def finish(self, result: StageResult) -> None:
        self._bar.said = ""
        self._bar.update(self._task, completed=1.0, pace="")
        self._bar.stop()
        _show_result(self._console, result)


class PlainLines(Sink):
    """Lines for people: on a terminal where nothing can be drawn over."""

    def __init__(self, stage: Stage, on: Console | None = None) -> None:
        self._console = on or console()
        self._stage = stage
        self._last = float("-inf")

    def progress(self, fraction: float, message: str, rate: float | None, unit: str) -> None:
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN_PLAIN_LINES:
            return
        self._last = now
        pace = f", {rate:,.1f} {unit}" if rate is not None else ""
        self._say(f"{self._stage} {fraction:4.0%}  {message}{pace}")

    def log(self, message: str, figures: Mapping[str, Any]) -> None:  # noqa: ARG002  # they are for programs
        self._say(message)

    def warn(self, message: str) -> None:
        self._say(f"warning: {message}")

    def finish(self, result: StageResult) -> None:
        _show_result(self._console, result)

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)


def _show_result(on: Console, result: StageResult) -> None:
    if result.message:
        on.print(result.message, markup=False)
    for name, value in _lines(result.result):
        on.print(f"  {name:<28} {value}", markup=False)
    for name, artifact in result.outputs.items():
        on.print(f"  {name:<28} {artifact.uri}", markup=False, soft_wrap=True)


def _lines(model: Contract | None) -> Iterator[tuple[str, str]]:
    """Name and value of every figure; models inside stand in a line each."""
    for name in type(model).model_fields if model is not None else ():
        value = getattr(model, name)
        items = value if isinstance(value, tuple) else (value,)
        if any(isinstance(item, Contract) for item in items):
            for item in items:
                yield name, "  ".join(f"{label} {text}" for label, text in _lines(item))
        else:
            yield (
                name,
                " ".join(
                    f"{item:,.6g}" if isinstance(item, float) else f"{item:,}" if type(item) is int else f"{item}"
                    for item in items
                ),
            )

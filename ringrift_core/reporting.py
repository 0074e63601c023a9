"""What a running stage tells: a progress bar on a terminal, JSON lines (at most two a second) otherwise."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from ringrift_core import contract
from ringrift_core.contract import Contract, Stage, StageResult

__all__ = ["Reporter"]

_SECONDS_BETWEEN_LINES = 0.5


class Reporter:
    """Base: a reporter that says nothing."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @staticmethod
    def for_stdout(stage: Stage) -> Reporter:
        """A progress bar when stdout is a terminal, else JSON lines."""
        return TerminalReporter(stage) if sys.stdout.isatty() else JsonReporter(stage, sys.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the display."""

    def progress(self, fraction: float, message: str = "", rate: float | None = None, unit: str = "") -> None:
        """How much is done, 0 to 1, in a line of text; `rate` is work per second in `unit`."""

    def log(self, message: str, figures: Mapping[str, Any] | None = None, /) -> None:
        """A line for the record: a sentence, and for programs the figures behind it."""

    def warn(self, message: str) -> None:
        """A line that somebody should read."""

    def fail(self, message: str) -> None:
        """Why the stage ends without a result; goes to stderr."""
        print(f"ringrift {self.stage}: {message}", file=sys.stderr)

    def finish(self, result: StageResult) -> None:
        """The stage's result."""


class JsonReporter(Reporter):
    """One JSON object a line: kind `progress`, `log`, `warning` or `result`."""

    def __init__(self, stage: Stage, stream: TextIO) -> None:
        super().__init__(stage)
        self._stream = stream
        self._last = float("-inf")

    def progress(self, fraction: float, message: str = "", rate: float | None = None, unit: str = "") -> None:
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN_LINES:
            return
        self._last = now
        line = contract.Progress(
            stage=self.stage, progress=min(1.0, max(0.0, fraction)), message=message, rate=rate, unit=unit
        )
        self._write(line.model_dump_json(by_alias=True, exclude_none=True))

    def log(self, message: str, figures: Mapping[str, Any] | None = None, /) -> None:
        line = {"kind": "log", "stage": self.stage, "message": message}
        self._write(json.dumps(line | ({"figures": figures} if figures else {})))

    def warn(self, message: str) -> None:
        self._write(json.dumps({"kind": "warning", "stage": self.stage, "message": message}))

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


class TerminalReporter(Reporter):
    """A progress bar, with log lines above it."""

    def __init__(self, stage: Stage, console: Console | None = None) -> None:
        super().__init__(stage)
        self._console = console or Console(highlight=False)
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

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def progress(self, fraction: float, message: str = "", rate: float | None = None, unit: str = "") -> None:
        pace = f"{rate:,.1f} {unit}" if rate is not None else ""
        self._bar.said = message
        self._bar.update(self._task, completed=fraction, pace=pace)

    def log(self, message: str, _figures: Mapping[str, Any] | None = None, /) -> None:
        self._console.print(message, markup=False)

    def warn(self, message: str) -> None:
        self._console.print(f"warning: {message}", style="yellow", markup=False)

    def fail(self, message: str) -> None:
        self._bar.stop()
        super().fail(message)

    def finish(self, result: StageResult) -> None:
        self._bar.said = ""
        self._bar.update(self._task, completed=1.0, pace="")
        self._bar.stop()
        if result.message:
            self._console.print(result.message, markup=False)
        for name, value in _lines(result.result):
            self._console.print(f"  {name:<28} {value}", markup=False)
        for name, artifact in result.outputs.items():
            self._console.print(f"  {name:<28} {artifact.uri}", markup=False, soft_wrap=True)


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

"""The live view: a panel per configuration with its stages, their progress and verdicts, and the latest events."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from rich.box import ROUNDED
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ringrift_core.contract import BASELINES, Progress
from ringrift_operator.api.iteration import TrainingIteration
from ringrift_operator.api.pipeline_status import (
    ConfigurationStatus,
    StagePhase,
    TaskStatus,
    TrackDecision,
    TrackStatus,
)
from ringrift_operator.domain.configuration import combined
from ringrift_operator.domain.plan import Event
from ringrift_operator.local.invocation import Invocation
from ringrift_operator.local.reconcile import Local
from ringrift_operator.local.stores import shown
from ringrift_operator.local.summary import show_summary, to_continue
from ringrift_operator.telling.pipelines import counts, iterations
from ringrift_operator.telling.steps import fraction, outcome, took, waiting
from ringrift_operator.telling.tracks import decision_in_short
from ringrift_operator.telling.words import counted, duration, interval, pace

MOST_EVENTS = 6
MOST_RECORDS = 4

HINT = "Ctrl-C stops cleanly; the same command continues"

_LESS_AND_LESS = (
    *((events, MOST_RECORDS) for events in range(MOST_EVENTS, 0, -1)),
    *((1, records) for records in range(MOST_RECORDS - 1, 0, -1)),
    (0, 1),
    (0, 0),
)
"""How many events and records to show, as the terminal gets shorter."""

_NAME_WIDTH = 18
_PANEL_WIDTH = 4
"""Columns of a panel's borders and padding."""

_MARKS = {
    StagePhase.PENDING: ("·", "dim"),
    StagePhase.RUNNING: ("▶", "cyan"),
    StagePhase.SUCCEEDED: ("✓", "green"),
    StagePhase.FAILED: ("✗", "red"),
    StagePhase.SKIPPED: ("–", "dim"),
}
_COLOURS = {
    TrackDecision.PROMOTED: "green",
    TrackDecision.REJECTED: "yellow",
    TrackDecision.FAILED: "red",
    TrackDecision.SKIPPED: "dim",
    TrackDecision.REGRESSED: "red",
}

ToldEvent = tuple[datetime, str, Event]
"""When, of which pipeline, what."""


class LiveShow:
    """`Show` on a terminal."""

    def __init__(self, console: Console, invocation: Invocation) -> None:
        self._console = console
        self._invocation = invocation
        self._events: deque[ToldEvent] = deque(maxlen=MOST_EVENTS)
        self._started = time.monotonic()
        self._live: Live | None = None

    def begins(self, local: Local) -> None:
        """Nothing: the view shows it."""

    @contextmanager
    def running(self, locals_: Sequence[Local]) -> Iterator[None]:
        with Live(self._render(locals_), console=self._console, refresh_per_second=8, transient=False) as live:
            self._live = live
            yield
        self._live = None

    def tell(self, now: datetime, pipeline: str, events: Sequence[Event]) -> None:
        self._events += [(now, pipeline, event) for event in events]

    def update(self, locals_: Sequence[Local]) -> None:
        if self._live is not None:
            self._live.update(self._render(locals_))

    def stopping(self) -> None:
        self._console.print("[yellow]stopping: the running stages save what they have (Ctrl-C again: at once)")

    def stopped(self) -> None:
        self._console.print(to_continue(self._invocation), soft_wrap=True)

    def ends(self, locals_: Sequence[Local], *, was_complete: bool = False) -> None:
        for local in locals_:
            show_summary(self._console, local, self._invocation, was_complete=was_complete)

    def _render(self, locals_: Sequence[Local]) -> RenderableType:
        elapsed = timedelta(seconds=time.monotonic() - self._started)
        return fitting(self._console, locals_, tuple(self._events), elapsed)


def fitting(
    console: Console, locals_: Sequence[Local], events: Sequence[ToldEvent], elapsed: timedelta
) -> RenderableType:
    """The view at one moment with as much of the past as the terminal has lines for, the newest of it."""
    for most_events, most_records in _LESS_AND_LESS:
        newest = events[max(0, len(events) - most_events) :]
        found = dashboard(console, locals_, newest, most_records, elapsed)
        if len(console.render_lines(found)) < console.height:  # the last line is the cursor's
            break
    return found


def dashboard(
    console: Console, locals_: Sequence[Local], events: Sequence[ToldEvent], most_records: int, elapsed: timedelta
) -> RenderableType:
    """The whole view at one moment, with all these events and the newest records of every configuration."""
    parts: list[RenderableType] = []
    for position, local in enumerate(locals_):
        parts.append(_header(local, elapsed, HINT if position == 0 else ""))
        parts += [
            _configuration(console, local, configuration, most_records)
            for configuration in local.pipeline.status.configurations
        ]
    if events:
        parts.append(_events(events))
    return Group(*parts)


def _header(local: Local, elapsed: timedelta, hint: str) -> RenderableType:
    status = local.pipeline.status
    first = Text()
    first.append(local.name, style="bold")
    first.append(f"  {status.phase.value}", style="bold cyan")
    first.append(f"  {duration(elapsed)}")
    first.append(f"  {hint}", style="dim")
    said = (*counts(status), shown(local.store))
    return Group(first, Text("  ".join(said), style="dim"))


def _configuration(
    console: Console, local: Local, configuration: ConfigurationStatus, most_records: int
) -> RenderableType:
    content: list[RenderableType] = []
    if configuration.tasks:
        content.append(_stages(local, configuration))
    content.append(_tracks(console, local, configuration))
    records = [record for record in local.records if record.spec.configuration == configuration.name]
    content += [_record(record) for record in records[max(0, len(records) - most_records) :]]
    so_far = f"{iterations(local.pipeline.spec, configuration)}  {counted(configuration.games, 'game')}"
    title = f"[bold]{configuration.name}[/]  {so_far}"
    return Panel(Group(*content), title=title, title_align="left", box=ROUNDED, border_style="blue")


def _stages(local: Local, configuration: ConfigurationStatus) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False, expand=True)
    table.add_column(width=1)
    table.add_column(min_width=_NAME_WIDTH, no_wrap=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    live = _progress_by_step(local, configuration)
    for name in local.recipes.steps:
        tasks = [task for task in configuration.tasks if task.name == name]
        if tasks:
            table.add_row(*_stage(tasks, live.get(name, [])))
    return table


def _progress_by_step(local: Local, configuration: ConfigurationStatus) -> dict[str, list[Progress]]:
    found: dict[str, list[Progress]] = {}
    progress = local.progress
    for child in local.children:
        if child.identity.configuration == configuration.name and child.name in progress:
            found.setdefault(child.identity.step, []).append(progress[child.name])
    return found


def _stage(tasks: Sequence[TaskStatus], live: Sequence[Progress]) -> tuple[RenderableType, ...]:
    phase, now = combined([task.phase for task in tasks]), datetime.now(UTC)
    mark, colour = _MARKS[phase]
    match phase:
        case StagePhase.RUNNING:
            said = _under_way(tasks, live)
        case StagePhase.PENDING:
            said = Text(waiting(tasks[0], now))
        case _:
            said = Text(outcome(tasks))
    return Text(mark, style=colour), Text(tasks[0].name, style=colour), said, Text(took(tasks, now), style="dim")


def _under_way(tasks: Sequence[TaskStatus], live: Sequence[Progress]) -> RenderableType:
    """A bar over all parts of the step, and what the running ones say."""
    row = Table.grid(padding=(0, 2), expand=True)
    row.add_column(ratio=2)
    row.add_column(ratio=5, no_wrap=True, overflow="ellipsis")
    row.add_row(ProgressBar(total=1.0, completed=fraction(tasks, live)), Text("; ".join(pace(each) for each in live)))
    return row


def _tracks(console: Console, local: Local, configuration: ConfigurationStatus) -> RenderableType:
    """The champions, and how strong they are: what does not fit in the panel is left out or rounded, never cut."""
    room = console.width - _PANEL_WIDTH
    asked = local.pipeline.spec.tracks
    tracks = [track for track in configuration.tracks if track.name in asked or track.champion]
    if not tracks:
        return Text("")
    tables = [
        _tracks_table(tracks, gap=2, digits=3, with_failures=True),
        _tracks_table(tracks, gap=2, digits=3, with_failures=False),
        _tracks_table(tracks, gap=1, digits=2, with_failures=False),
    ]
    return next((table for table in tables if console.measure(table).maximum <= room), tables[-1])


def _tracks_table(tracks: Sequence[TrackStatus], *, gap: int, digits: int, with_failures: bool) -> Table:
    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False)
    for name in ("champion", "version"):
        table.add_column(name, no_wrap=True, header_style="dim", min_width=len(name))
    for name in ("against random", "against hand-set", *(["rejected in a row"] if with_failures else [])):
        table.add_column(name, no_wrap=True, header_style="dim")
    for track in tracks:
        against = track.strength.against if track.strength is not None else {}
        cells = [track.name.value, track.champion or "none"]
        cells += [interval(against[name], digits) if name in against else "" for name in BASELINES]
        if with_failures:
            cells.append(str(track.consecutive_failures))
        table.add_row(*cells)
    return table


def _record(record: TrainingIteration) -> RenderableType:
    row = Table.grid(padding=(0, 2))
    row.add_column(no_wrap=True, style="dim")
    row.add_column()
    decisions = [Text(decision_in_short(track), style=_COLOURS[track.decision]) for track in record.spec.tracks]
    row.add_row(f"iteration {record.spec.iteration}", Columns(decisions, padding=(0, 3)))
    return row


def _events(events: Sequence[ToldEvent]) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(ratio=1, overflow="fold")
    for now, _, event in events:
        style = "yellow" if event.is_warning else ""
        table.add_row(now.astimezone().strftime("%H:%M:%S"), Text(event.message, style=style))
    return Panel(table, title="events", title_align="left", box=ROUNDED, border_style="dim")

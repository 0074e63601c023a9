"""The last words of a run: who was promoted or why not, how strong champions are, where things lie, what is next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.markup import escape
from rich.text import Text

from ringrift_operator.api.iteration import TrackRecord
from ringrift_operator.api.pipeline_status import PipelinePhase, TrackDecision
from ringrift_operator.local.invocation import Invocation
from ringrift_operator.local.reconcile import Local
from ringrift_operator.local.stores import shown, shown_path
from ringrift_operator.telling.pipelines import iteration, standing
from ringrift_operator.telling.tracks import decision, figures_against, reason, strength, warnings
from ringrift_operator.telling.words import counted

_COLOURS = {TrackDecision.PROMOTED: "green", TrackDecision.REJECTED: "yellow", TrackDecision.SKIPPED: ""}
"""Red otherwise."""
_LABEL_WIDTH = 19


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the summary, in rich's markup."""

    markup: str
    label: int = 0
    """Width of the label it begins with."""
    is_whole: bool = False
    """Never broken: it is there to be pasted."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = Text.from_markup(self.markup)
        if self.is_whole or options.no_wrap:
            text.no_wrap, text.overflow = True, "ignore"
            yield text
            return
        start = self.label or len(text.plain) - len(text.plain.lstrip())
        margin = start if self.label else start + 2
        head, body = text.divide([start]) if start else (Text(), text)
        for number, part in enumerate(body.wrap(console, max(20, options.max_width - margin)) or [body]):
            yield Text.assemble(" " * margin if number else head, part)


def show_summary(console: Console, local: Local, invocation: Invocation, *, was_complete: bool = False) -> None:
    """Prints what came of a pipeline; a terminal gets it wrapped at words, a log a line for each statement."""
    lines = Group(*_lines(local, invocation, was_complete))
    console.print(lines, soft_wrap=not console.is_terminal, crop=False)


def to_continue(invocation: Invocation) -> str:
    """What to type after a stop."""
    return f"stopped, nothing is lost: {invocation} continues"


def _lines(local: Local, invocation: Invocation, was_complete: bool) -> Iterator[Line]:
    yield Line("")
    yield Line(_verdict_on_the_whole(local, was_complete))
    for configuration in local.pipeline.status.configurations:
        yield Line("")
        yield Line(f"[bold]{configuration.name}[/]: {counted(configuration.games, 'game')}")
        for record in (r for r in local.records if r.spec.configuration == configuration.name):
            yield Line(f"  {iteration(record)}")
            for track in record.spec.tracks:
                yield Line(f"    {_outcome(track)}")
                if why := reason(record, track):
                    yield Line(f"[dim]      {escape(why)}[/]")
            for sentence in warnings(record):
                yield Line(f"    [yellow]warning: {escape(sentence)}[/]")
        for champion, rates in strength(configuration, local.pipeline.spec.tracks, local.records):
            yield Line(f"  {champion}")
            yield from (Line(f"    {each}") for each in rates)
    yield Line("")
    yield from _next_steps(local, invocation)


def _verdict_on_the_whole(local: Local, was_complete: bool) -> str:
    how, said = standing(local.pipeline.status, was_complete=was_complete)
    colour = {PipelinePhase.COMPLETED: " green", PipelinePhase.SUSPENDED: ""}.get(local.phase, " red")
    return f"[bold{colour}]{local.name} {how}[/]: {escape(said)}"


def _outcome(track: TrackRecord) -> str:
    colour, figures = _COLOURS.get(track.decision, "red"), figures_against(track)
    said = f"[{colour}]{decision(track)}[/]" if colour else decision(track)
    return f"{said}: {figures}" if figures else said


def _next_steps(local: Local, invocation: Invocation) -> Iterator[Line]:
    yield _step("artifacts", escape(shown(local.store)), is_whole=True)
    yield _step("", "docs/store.md says what is what")
    yield _step("logs and records", escape(shown_path(local.folder.path)), is_whole=True)
    if local.phase == PipelinePhase.COMPLETED:
        yield _step("more iterations", f"raise {_limit(local)} in {escape(invocation.quoted_files)}, then")
    elif local.phase == PipelinePhase.SUSPENDED:
        yield _step("to go on", f"set spec.suspend to false in {escape(invocation.quoted_files)}, then")
    else:
        yield _step("to go on", "mend what is said above, then")
    yield _step("", escape(str(invocation)), is_whole=True)
    if local.phase == PipelinePhase.COMPLETED:
        yield from _in_a_cluster(local, invocation)
        yield _step(
            "the rules engine", "ringrift conform PATH replays recorded games, ringrift bench rules measures it"
        )


def _limit(local: Local) -> str:
    """The field that says how many iterations there are."""
    spec = local.pipeline.spec
    has_own = all(configuration.iterations is not None for configuration in spec.configurations)
    return "iterations of its configurations" if has_own else "spec.iterations"


def _in_a_cluster(local: Local, invocation: Invocation) -> Iterator[Line]:
    uri = local.pipeline.spec.artifacts.uri
    if uri is not None and uri.startswith("file://"):
        file = escape(invocation.quoted_files)
        yield _step("in a cluster", f"copy {file} and change spec.artifacts: Pods need s3:// or a claim, not file://")
        return
    yield _step("in a cluster", "helm install ringrift-crds charts/ringrift-crds --wait", is_whole=True)
    release = "helm install ringrift charts/ringrift -f charts/ringrift/environments/local.yaml"
    yield _step("", release, is_whole=True)
    yield _step("", escape(shlex.join(["kubectl", "apply", *invocation.options])), is_whole=True)


def _step(label: str, markup: str, *, is_whole: bool = False) -> Line:
    return Line(f"{label:<{_LABEL_WIDTH}}{markup}", label=_LABEL_WIDTH, is_whole=is_whole)

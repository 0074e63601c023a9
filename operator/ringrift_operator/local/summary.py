"""The last words of a run: who was promoted or why not, how strong champions are, where things lie, what is next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.markup import escape
from rich.text import Text

from ringrift_core.contract import BASELINES, EvaluateResult, Track
from ringrift_operator.api.conditions import ConditionStatus, ConditionType
from ringrift_operator.api.iteration import TrackRecord, TrainingIteration
from ringrift_operator.api.pipeline_status import ConfigurationStatus, PipelinePhase, TrackDecision, WinRate
from ringrift_operator.domain.tracks import baseline_rates
from ringrift_operator.local.invocation import Invocation
from ringrift_operator.local.reconcile import Local
from ringrift_operator.local.stores import shown, shown_path
from ringrift_operator.local.wording import counted, duration, rate

_CHAMPION_NAMES = {"baseline": "the hand-set heuristic", "material": "material alone"}
_LABEL_WIDTH = 19
_OPPONENT_NAMES = {"random": "against random", "heuristic": "against the hand-set heuristic"}


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
            took = ""
            if record.spec.started_at is not None:
                took = f" ({duration(record.spec.finished_at - record.spec.started_at)})"
            yield Line(f"  iteration {record.spec.iteration}{took}")
            for track in record.spec.tracks:
                yield Line(f"    {_outcome(track)}")
                if track.verdict is not None:
                    yield Line(f"[dim]      {escape(track.verdict.reason)}[/]")
                elif track.decision == TrackDecision.FAILED:
                    yield Line(f"[dim]      {escape(_failure(record, track))}[/]")
        yield from map(Line, _strength(local, configuration))
    yield Line("")
    yield from _next_steps(local, invocation)


def _verdict_on_the_whole(local: Local, was_complete: bool) -> str:
    status = local.pipeline.status
    if status.phase == PipelinePhase.COMPLETED:
        how = "is complete already" if was_complete else "is complete"
        return (
            f"[bold green]{local.name} {how}[/]: {counted(status.iteration, 'iteration')}, "
            f"{counted(status.promotions, 'promotion')}, {counted(status.rollbacks, 'rollback')}, "
            f"{counted(status.tasks.succeeded, 'task')} succeeded and {status.tasks.failed} failed"
        )
    if status.phase == PipelinePhase.SUSPENDED:
        return f"[bold]{local.name} is suspended[/]: set spec.suspend to false to go on"
    stalled = next((c for c in status.conditions if c.type == ConditionType.STALLED), None)
    is_stalled = stalled is not None and stalled.status == ConditionStatus.TRUE
    why = stalled.message if stalled is not None and is_stalled else f"it stopped while {status.phase.value}"
    return f"[bold red]{local.name} cannot go on[/]: {escape(why)}"


def _outcome(track: TrackRecord) -> str:
    verdict = track.verdict
    figures = ""
    if verdict is not None:
        opponent = _CHAMPION_NAMES.get(verdict.champion, f"version {verdict.champion}")
        figures = (
            f": {verdict.win_rate:.3f} ({verdict.low:.3f} to {verdict.high:.3f}) against {opponent} "
            f"over {counted(verdict.games, 'game')}"
        )
    match track.decision:
        case TrackDecision.PROMOTED:
            return f"[green]{track.track} promoted[/]{figures}"
        case TrackDecision.REJECTED:
            return f"[yellow]{track.track} rejected[/]{figures}"
        case TrackDecision.SKIPPED:
            return f"{track.track} skipped"
        case _:
            return f"[red]{track.track} failed[/]{figures}"


def _failure(record: TrainingIteration, track: TrackRecord) -> str:
    """The words of the step that failed the track."""
    names = (f"promote-{track.track}", f"evaluate-{track.track}")
    return next((stage.message for name in names for stage in record.spec.stages if stage.name == name), "")


def _strength(local: Local, configuration: ConfigurationStatus) -> Iterator[str]:
    """Rates are two-player equivalents with their 95 % interval: 0.5 is equal."""
    for track in local.pipeline.spec.tracks:
        status = configuration.track(track)
        if status.champion:
            rates = status.strength.against if status.strength is not None else {}
            unmeasured = "" if rates else ": not measured against the baselines"
            yield f"  {track} champion, version {status.champion}{unmeasured}"
        else:
            rates = _last_candidate(local, configuration, track)
            yield f"  {track}: no champion yet" + ("; its last candidate" if rates else "")
        for name in BASELINES:
            if name in rates:
                yield f"    {_OPPONENT_NAMES[name]} {rate(rates[name])}"


def _last_candidate(local: Local, configuration: ConfigurationStatus, track: Track) -> dict[str, WinRate]:
    """The baselines' matches of the newest candidate that was judged."""
    for record in reversed(local.records):
        for stage in record.spec.stages:
            if record.spec.configuration == configuration.name and stage.name == f"evaluate-{track}":
                return baseline_rates(stage.found(EvaluateResult))
    return {}


def _next_steps(local: Local, invocation: Invocation) -> Iterator[Line]:
    yield _step("artifacts", escape(shown(local.store)), is_whole=True)
    yield _step("", "docs/store.md says what is what")
    yield _step("logs and records", escape(shown_path(local.folder.path)), is_whole=True)
    if local.phase == PipelinePhase.COMPLETED:
        yield _step("more iterations", f"raise {_limit(local)} in {escape(invocation.quoted_file)}, then")
    elif local.phase == PipelinePhase.SUSPENDED:
        yield _step("to go on", f"set spec.suspend to false in {escape(invocation.quoted_file)}, then")
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
        file = escape(invocation.quoted_file)
        yield _step("in a cluster", f"copy {file} and change spec.artifacts: Pods need s3:// or a claim, not file://")
        return
    yield _step("in a cluster", "helm install ringrift-crds charts/ringrift-crds", is_whole=True)
    release = "helm install ringrift charts/ringrift -f charts/ringrift/environments/local.yaml"
    yield _step("", release, is_whole=True)
    yield _step("", f"kubectl apply -f {escape(invocation.quoted_file)}", is_whole=True)


def _step(label: str, markup: str, *, is_whole: bool = False) -> Line:
    return Line(f"{label:<{_LABEL_WIDTH}}{markup}", label=_LABEL_WIDTH, is_whole=is_whole)

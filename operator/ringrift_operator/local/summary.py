"""The last words of a run: who was promoted or why not, how strong champions are, where things lie, what is next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from ringrift_core.contract import Track
from ringrift_operator.api.conditions import ConditionStatus, ConditionType
from ringrift_operator.api.iteration import TrackRecord
from ringrift_operator.api.pipeline_status import ConfigurationStatus, PipelinePhase, TrackDecision, WinRate
from ringrift_operator.domain.tracks import OPPONENTS, baseline_rates
from ringrift_operator.local.reconcile import Local
from ringrift_operator.local.stores import shown, shown_path
from ringrift_operator.local.wording import counted, duration, rate

_CHAMPION_NAMES = {"baseline": "the hand-set heuristic", "material": "material alone"}
_OPPONENT_NAMES = {"random": "against random", "heuristic": "against the hand-set heuristic"}


def summary(local: Local, file: str, *, was_complete: bool = False) -> RenderableType:
    """What came of a pipeline, as lines for a terminal or a log."""
    return Group(*(Text.from_markup(line) for line in _lines(local, file, was_complete)))


def to_continue(file: str) -> str:
    """What to type after a stop."""
    return f"stopped, nothing is lost: ringrift-operator local -f {shlex.quote(file)} continues"


def _lines(local: Local, file: str, was_complete: bool) -> Iterator[str]:
    yield ""
    yield _verdict_on_the_whole(local, was_complete)
    for configuration in local.pipeline.status.configurations:
        yield ""
        yield f"[bold]{configuration.name}[/]: {counted(configuration.games, 'game')}"
        for record in (r for r in local.records if r.spec.configuration == configuration.name):
            took = ""
            if record.spec.started_at is not None:
                took = f" ({duration(record.spec.finished_at - record.spec.started_at)})"
            yield f"  iteration {record.spec.iteration}{took}"
            for track in record.spec.tracks:
                yield f"    {_outcome(track)}"
                if track.verdict is not None:
                    yield f"[dim]      {escape(track.verdict.reason)}[/]"
        yield from _strength(local, configuration)
    yield ""
    yield from _next_steps(local, file)


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
    return f"[bold red]{local.name} cannot go on[/]: {why}"


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


def _strength(local: Local, configuration: ConfigurationStatus) -> Iterator[str]:
    """Rates are two-player equivalents with their 95 % interval: 0.5 is equal."""
    for track in local.pipeline.spec.tracks:
        version = configuration.champions.get(track.value)
        strength = configuration.strength.get(track.value)
        if version is not None:
            rates = strength.against if strength is not None else {}
            yield f"  {track} champion, version {version}" + ("" if rates else ": not measured against the baselines")
        else:
            rates = _last_candidate(local, configuration, track)
            yield f"  {track}: no champion yet" + ("; its last candidate" if rates else "")
        for name in OPPONENTS:
            if name in rates:
                yield f"    {_OPPONENT_NAMES[name]} {rate(rates[name])}"


def _last_candidate(local: Local, configuration: ConfigurationStatus, track: Track) -> dict[str, WinRate]:
    """The baselines' matches of the newest candidate that was judged."""
    for record in reversed(local.records):
        for stage in record.spec.stages:
            if record.spec.configuration == configuration.name and stage.name == f"evaluate-{track}":
                return baseline_rates(stage.metrics)
    return {}


def _next_steps(local: Local, file: str) -> Iterator[str]:
    quoted = escape(shlex.quote(file))
    yield f"artifacts          {escape(shown(local.store))} (docs/store.md says what is what)"
    yield f"logs and records   {escape(shown_path(local.folder.path))}"
    yield f"more iterations    raise spec.iterations in {quoted}, then"
    yield f"                   ringrift-operator local -f {quoted}"
    yield "in a cluster       helm install ringrift-crds charts/ringrift-crds"
    yield "                   helm install ringrift charts/ringrift -f charts/ringrift/environments/local.yaml"
    yield f"                   kubectl apply -f {quoted}"
    yield "the rules engine   ringrift conform PATH replays recorded games, ringrift bench rules measures it"

"""The last words of a run: who was promoted or why not, how strong champions are, where things lie, what is next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from ringrift_core.contract import Track
from ringrift_operator.api.conditions import ConditionStatus, ConditionType
from ringrift_operator.api.iteration import TrackRecord
from ringrift_operator.api.pipeline_status import ConfigurationStatus, PipelinePhase, TrackDecision, WinRate
from ringrift_operator.domain.tracks import OPPONENTS, baseline_rates
from ringrift_operator.local.reconcile import Local
from ringrift_operator.local.stores import shown
from ringrift_operator.local.wording import counted, duration, rate

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
        opponent = "the baseline" if verdict.champion in ("", "0") else verdict.champion
        figures = (
            f": {verdict.win_rate:.3f} ({verdict.low:.3f} to {verdict.high:.3f}) against {opponent} "
            f"over {verdict.games} games; {verdict.reason}"
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
        if version is None:
            played = _against(_last_candidate(local, configuration, track))
            yield f"  {track}: no champion yet" + (f"; the last candidate was {played}" if played else "")
            continue
        strength = configuration.strength.get(track.value)
        played = _against(strength.against if strength is not None else {})
        yield f"  {track} champion, version {version}: {played or 'not measured against the baselines'}"


def _last_candidate(local: Local, configuration: ConfigurationStatus, track: Track) -> dict[str, WinRate]:
    """The baselines' matches of the newest candidate that was judged."""
    for record in reversed(local.records):
        for stage in record.spec.stages:
            if record.spec.configuration == configuration.name and stage.name == f"evaluate-{track}":
                return baseline_rates(stage.metrics)
    return {}


def _against(rates: dict[str, WinRate]) -> str:
    return "; ".join(f"{_OPPONENT_NAMES[name]} {rate(rates[name])}" for name in OPPONENTS if name in rates)


def _next_steps(local: Local, file: str) -> Iterator[str]:
    quoted = shlex.quote(file)
    store = shown(local.store)
    yield f"artifacts      {store} (docs/store.md says what is what)"
    yield f"logs, records  {shown(local.folder.path.resolve().as_uri())}"
    yield f"go on          raise spec.iterations in {quoted}, then: ringrift-operator local -f {quoted}"
    yield f"in a cluster   helm upgrade --install ringrift charts/ringrift && kubectl apply -f {quoted}"
    yield "check the rules engine   ringrift conform tests/conformance"

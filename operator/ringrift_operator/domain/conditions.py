"""Conditions as kstatus reads them, and the alerts among them. Every one says why in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringrift_core.contract import Decision, ExitCode
from ringrift_operator.api.conditions import Condition, ConditionStatus, ConditionType
from ringrift_operator.api.pipeline_status import (
    ConfigurationStatus,
    PipelinePhase,
    StagePhase,
    Standing,
    TaskStatus,
    TrackStatus,
    TrainingPipelineStatus,
)
from ringrift_operator.api.pool import PoolType
from ringrift_operator.api.scalars import format_duration
from ringrift_operator.domain.evidence import cut_games
from ringrift_operator.domain.phases import has_come_to_nothing
from ringrift_operator.domain.reasons import ONLY_WAITING, FindingReason
from ringrift_operator.domain.remedies import with_remedy
from ringrift_operator.domain.retries import DEGRADED_AFTER_DELAYS
from ringrift_operator.domain.slots import is_selected
from ringrift_operator.domain.snapshot import ChildPhase, Snapshot, TaskObservation
from ringrift_operator.domain.stalls import stalled_as_a_whole, stalled_in_part, without_jobsets
from ringrift_operator.domain.starting import is_endless
from ringrift_operator.domain.steps import SELFPLAY
from ringrift_operator.domain.waiting import waiting

MESSAGE_LENGTH = 1024

LOOKED_AGAIN = timedelta(minutes=1)
"""After which a silence is judged anew that was too long for the last look at it."""

DEGRADED_AFTER_UNJUDGED = 2
"""Iterations in a row in which a track came to no verdict."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: whether the condition holds, and why."""

    holds: bool
    reason: FindingReason
    message: str = ""


Check = Callable[[Snapshot, TrainingPipelineStatus], Finding]


def conditions_of(snapshot: Snapshot, status: TrainingPipelineStatus) -> tuple[Condition, ...]:
    """All conditions of the status as it will be written; times change only when a condition does."""
    previous = {condition.type: condition for condition in snapshot.status.conditions}
    return tuple(_condition(snapshot, previous, kind, check(snapshot, status)) for kind, check in CHECKS)


def _condition(
    snapshot: Snapshot, previous: dict[ConditionType, Condition], kind: ConditionType, finding: Finding
) -> Condition:
    value = ConditionStatus.TRUE if finding.holds else ConditionStatus.FALSE
    before = previous.get(kind)
    since = before.last_transition_time if before is not None and before.status == value else snapshot.now
    return Condition(
        type=kind,
        status=value,
        reason=finding.reason.value,
        message=finding.message[:MESSAGE_LENGTH],
        observed_generation=snapshot.generation,
        last_transition_time=since,
    )


def _found(sentences: Sequence[str], of_some: FindingReason, of_none: FindingReason) -> Finding:
    """Holds when there is anything to say."""
    return Finding(True, of_some, "; ".join(sentences)) if sentences else Finding(False, of_none)


def _stalled(snapshot: Snapshot, status: TrainingPipelineStatus) -> Finding:
    sentences = [*stalled_as_a_whole(snapshot), *stalled_in_part(snapshot, status.configurations)]
    sentences += [
        f"{each.name}: iteration {each.iteration} was the last and came to nothing: {each.failed}; "
        "mend that, then raise iterations"
        for each in status.configurations
        if has_come_to_nothing(snapshot, each)
    ]
    is_jobset = sentences == [*without_jobsets(snapshot)]
    reason = FindingReason.JOBSET_MISSING if is_jobset else FindingReason.CHANGE_NEEDED
    return _found(sentences, reason, FindingReason.UNHINDERED)


def _reconciling(snapshot: Snapshot, status: TrainingPipelineStatus) -> Finding:
    """Under way to what the spec asks for. An endless pipeline has arrived once its bootstrap is over."""
    if status.phase in (PipelinePhase.COMPLETED, PipelinePhase.SUSPENDED, PipelinePhase.FAILED):
        return Finding(False, FindingReason(status.phase))
    if stalled_as_a_whole(snapshot):
        return Finding(False, FindingReason.STALLED)
    if snapshot.spec.dry_run:
        return Finding(False, FindingReason.DRY_RUN)
    if is_endless(snapshot.spec) and status.phase == PipelinePhase.IMPROVING:
        return Finding(False, FindingReason.IMPROVING)
    return Finding(True, FindingReason.PROGRESSING, _doing(snapshot, status))


def _ready(snapshot: Snapshot, status: TrainingPipelineStatus) -> Finding:
    if status.phase == PipelinePhase.COMPLETED:
        all_of_them = "1 iteration is" if status.iteration == 1 else f"{status.iteration} iterations are"
        return Finding(True, FindingReason.COMPLETED, f"{all_of_them} complete")
    stalled = _stalled(snapshot, status)
    if stalled.holds:
        return Finding(False, FindingReason.STALLED, stalled.message)
    if status.phase == PipelinePhase.SUSPENDED:
        return Finding(False, FindingReason.SUSPENDED, "spec.suspend is true: nothing new starts")
    if snapshot.spec.dry_run:
        return Finding(False, FindingReason.DRY_RUN, "spec.dryRun is true: status.plan says what would be created")
    is_endless_and_on = is_endless(snapshot.spec) and status.phase == PipelinePhase.IMPROVING
    return Finding(is_endless_and_on, FindingReason(status.phase), _doing(snapshot, status))


def _doing(snapshot: Snapshot, status: TrainingPipelineStatus) -> str:
    """What runs or waits, what is refused, what is created but does not start, and what pauses."""
    held_up = (*_refused(snapshot), *_not_starting(snapshot), *_pausing(snapshot, status))
    parts = (status.running, waiting(snapshot, status), _not_yet_running(snapshot, status), *held_up)
    return "; ".join(part for part in parts if part)


def _not_yet_running(snapshot: Snapshot, status: TrainingPipelineStatus) -> str:
    """What has a slot, and no Pod or runner that works; of what says why itself no more is said."""
    said = {Standing.QUEUED: "is queued", Standing.WAITING: "is about to start"}
    placed = {(each.name, task.name) for each, task in _tasks(status) if task.phase == StagePhase.RUNNING}
    explained = {(child.identity.configuration, child.identity.step) for child in _held_up(snapshot)}
    return "; ".join(
        f"{configuration.name} {name} {said[standing]}"
        for configuration in status.configurations
        for name, standing in configuration.stages.items()
        if standing in said and (configuration.name, name) in placed - explained
    )


def _pausing(snapshot: Snapshot, status: TrainingPipelineStatus) -> tuple[str, ...]:
    """Tasks that are to begin, or to begin again, at a certain time."""
    return tuple(
        f"{configuration.name}: {task.name} begins{' again' if task.attempt > 1 else ''} at {_clock(task.not_before)}"
        f"{': ' if task.message else ''}{task.message}"
        for configuration, task in _tasks(status)
        if task.pauses(snapshot.now)
    )


_HELD_UP = {ChildPhase.WAITING: "does not start", ChildPhase.QUEUED: "is held"}


def _held_up(snapshot: Snapshot) -> list[TaskObservation]:
    """Children that do not start or are held, and say why."""
    return [child for child in snapshot.tasks if child.phase in _HELD_UP and child.reason]


def _refused(snapshot: Snapshot) -> tuple[str, ...]:
    return tuple(map(with_remedy, snapshot.refusals))


def _not_starting(snapshot: Snapshot, patiently: bool = True) -> tuple[str, ...]:
    """Why they do not; without those that only wait, unless `patiently`."""
    held_up = (child for child in _held_up(snapshot) if patiently or child.reason not in ONLY_WAITING)
    return tuple(
        with_remedy(f"{_called(child)} {_HELD_UP[child.phase]}: {child.reason}: {child.message}") for child in held_up
    )


def _called(child: TaskObservation) -> str:
    return f"{child.identity.configuration}: {child.identity.step}"


def _degraded(snapshot: Snapshot, status: TrainingPipelineStatus) -> Finding:
    sentences = [*_refused(snapshot), *_not_starting(snapshot, patiently=False)]
    sentences += [
        f"{configuration.name}: {task.name} has been put off {task.delays} times: {task.message}"
        for configuration, task in _tasks(status)
        if task.delays >= DEGRADED_AFTER_DELAYS
    ]
    sentences += [
        f"{configuration.name}: {task.name} failed: {task.message}"
        for configuration, task in _tasks(status)
        if task.phase == StagePhase.FAILED
    ]
    sentences += [
        f"{configuration.name}: {task.name} failed in all attempts and is repeated: {task.message}"
        for configuration, task in _tasks(status)
        if task.repeats and not task.has_ended
    ]
    sentences += [
        f"{configuration.name}: {track.name} failed in iteration {configuration.iteration}: {track.failure}"
        for configuration, track in _tracks(status)
        if track.failure
    ]
    sentences += [
        f"{configuration.name}: {track.name} came to no verdict in {track.unjudged} iterations in a row: "
        f"{track.refusal}"
        for configuration, track in _tracks(status)
        if track.unjudged >= DEGRADED_AFTER_UNJUDGED
    ]
    silent = silent_stages(snapshot)
    return _found(
        [*sentences, *silent],
        FindingReason.TASKS_FAIL if sentences else FindingReason.NO_PROGRESS,
        FindingReason.TASKS_SUCCEED,
    )


def silent_stages(snapshot: Snapshot) -> list[str]:
    """Stages that have told no progress for too long: they hang, or work without a word."""
    limit = snapshot.spec.alerts.progress_stall
    return [
        f"{child.identity.configuration}: {child.identity.step} has told no progress since {_clock(child.heard_at)}, "
        f"longer than {format_duration(limit)}; "
        + (
            f"its last line: {child.progress:.0%} {child.message}".rstrip()
            if child.progress is not None
            else "none yet"
        )
        for child in snapshot.tasks
        if child.phase == ChildPhase.RUNNING
        and child.heard_at is not None
        and _known_until(snapshot, (child,)) - child.heard_at >= limit
    ]


def _known_until(snapshot: Snapshot, children: Sequence[TaskObservation]) -> datetime:
    """Until when it is known that they told nothing: of many Jobs a look at each takes its time, and what one has told
    since the last is no silence."""
    return min((child.looked_at for child in children if child.looked_at is not None), default=snapshot.now)


def _regressed(_: Snapshot, status: TrainingPipelineStatus) -> Finding:
    """In the iteration under way, or in the last one."""
    sentences = [
        f"{configuration.name}: the {task.verdict.track} champion lost to its predecessor: {task.verdict.reason}"
        for configuration, task in _tasks(status)
        if task.verdict is not None and task.verdict.decision == Decision.REGRESSED
    ]
    sentences += [
        f"{configuration.name}: the {track.name} champion lost to its predecessor: {track.regression}"
        for configuration, track in _tracks(status)
        if track.regression
    ]
    return _found(sentences, FindingReason.CHAMPION_REGRESSED, FindingReason.CHAMPIONS_HOLD)


def _games_cut(_: Snapshot, status: TrainingPipelineStatus) -> Finding:
    """In the iteration under way, or in the last one."""
    sentences = [
        f"{configuration.name}: {sentence}" for configuration, task in _tasks(status) for sentence in cut_games(task)
    ]
    sentences += [f"{each.name}: {each.games_cut}" for each in status.configurations if each.games_cut]
    # Parts of divided self-play may say the same.
    return _found(tuple(dict.fromkeys(sentences)), FindingReason.MOVE_LIMIT_REACHED, FindingReason.GAMES_END)


def _selfplay_stalled(snapshot: Snapshot, status: TrainingPipelineStatus) -> Finding:
    limit = snapshot.spec.alerts.selfplay_stall
    sentences = [
        f"{configuration.name}: no new games since {_clock(since)}, longer than {format_duration(limit)}"
        for configuration in status.configurations
        if (since := selfplay_silent_since(snapshot, configuration)) is not None
        and _known_until(snapshot, _playing(snapshot, configuration)) - since >= limit
    ]
    return _found(sentences, FindingReason.NO_NEW_GAMES, FindingReason.GAMES_ARRIVE)


def selfplay_silent_since(snapshot: Snapshot, configuration: ConfigurationStatus) -> datetime | None:
    """When the running self-play of a configuration last grew; None while none runs, or while it grows."""
    running = [t for t in configuration.tasks if t.name == SELFPLAY and t.phase == StagePhase.RUNNING]
    grown = {
        child.identity.part
        for child in snapshot.tasks
        if child.identity.configuration == configuration.name
        and any(
            task.part == child.identity.part
            and child.identity.attempt == task.attempt
            and child.identity.step == task.name
            and (child.progress or 0) > task.progress
            for task in running
        )
    }
    if not running or grown:
        return None
    return max((task.progress_at for task in running if task.progress_at is not None), default=None)


def _playing(snapshot: Snapshot, configuration: ConfigurationStatus) -> list[TaskObservation]:
    """The self-play of a configuration that runs."""
    return [
        child
        for child in snapshot.tasks
        if child.identity.configuration == configuration.name
        and child.identity.step == SELFPLAY
        and child.phase == ChildPhase.RUNNING
    ]


def _loss_diverged(_: Snapshot, status: TrainingPipelineStatus) -> Finding:
    """In the iteration under way, or in the last one."""
    sentences = [
        f"{configuration.name}: {task.message}"
        for configuration, task in _tasks(status)
        if task.phase == StagePhase.FAILED and task.exit_code == ExitCode.DIVERGED
    ]
    sentences += [f"{each.name}: {each.diverged}" for each in status.configurations if each.diverged]
    return _found(sentences, FindingReason.TRAINING_DIVERGED, FindingReason.LOSS_FINITE)


def _worker_offline(snapshot: Snapshot, _: TrainingPipelineStatus) -> Finding:
    limit = snapshot.spec.alerts.runner_offline
    sentences = [
        f"{pool.name} was last heard of at {_clock(pool.offline_since)}"
        for pool in snapshot.pools
        if pool.spec.type == PoolType.RUNNER
        and is_selected(snapshot, pool)
        and not pool.spec.suspend
        and not pool.online
        and pool.offline_since is not None
        and snapshot.now - pool.offline_since >= limit
    ]
    return _found(sentences, FindingReason.RUNNER_SILENT, FindingReason.WORKERS_ONLINE)


def next_alert(snapshot: Snapshot, status: TrainingPipelineStatus) -> datetime | None:
    """When one of the timed conditions could begin to hold if nothing happens until then."""
    silences = [
        (since + snapshot.spec.alerts.selfplay_stall, _known_until(snapshot, _playing(snapshot, configuration)))
        for configuration in status.configurations
        if (since := selfplay_silent_since(snapshot, configuration)) is not None
    ]
    silences += [
        (child.heard_at + snapshot.spec.alerts.progress_stall, _known_until(snapshot, (child,)))
        for child in snapshot.tasks
        if child.phase == ChildPhase.RUNNING and child.heard_at is not None
    ]
    alerts = [alert for alert, _ in silences]
    alerts += [snapshot.now + LOOKED_AGAIN for alert, known_until in silences if known_until < alert <= snapshot.now]
    alerts += [
        pool.offline_since + snapshot.spec.alerts.runner_offline
        for pool in snapshot.pools
        if pool.spec.type == PoolType.RUNNER and not pool.online and pool.offline_since is not None
    ]
    return min((alert for alert in alerts if alert > snapshot.now), default=None)


def _tasks(status: TrainingPipelineStatus) -> list[tuple[ConfigurationStatus, TaskStatus]]:
    return [(configuration, task) for configuration in status.configurations for task in configuration.tasks]


def _tracks(status: TrainingPipelineStatus) -> list[tuple[ConfigurationStatus, TrackStatus]]:
    return [(configuration, track) for configuration in status.configurations for track in configuration.tracks]


def _clock(moment: datetime | None) -> str:
    return moment.strftime("%H:%M:%S UTC") if moment is not None else "an unknown time"


CHECKS: tuple[tuple[ConditionType, Check], ...] = (
    (ConditionType.READY, _ready),
    (ConditionType.RECONCILING, _reconciling),
    (ConditionType.STALLED, _stalled),
    (ConditionType.DEGRADED, _degraded),
    (ConditionType.REGRESSED, _regressed),
    (ConditionType.GAMES_CUT, _games_cut),
    (ConditionType.SELFPLAY_STALLED, _selfplay_stalled),
    (ConditionType.LOSS_DIVERGED, _loss_diverged),
    (ConditionType.WORKER_OFFLINE, _worker_offline),
)

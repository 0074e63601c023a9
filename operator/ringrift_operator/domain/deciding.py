"""A pass over one pipeline: what its children show is recorded, the loop moves on, and what should run is named.

Each policy takes a configuration's Situation to the next; they are applied in this order until nothing changes, so
that one pass does all that can be done (plan(apply(plan(s))) is empty). Placement follows (domain/planning.py).
"""

from __future__ import annotations

from collections.abc import Callable

from ringrift_core.contract import MergeResult
from ringrift_operator.api.pipeline_status import (
    ConfigurationStatus,
    StagePhase,
    TrainingPipelineStatus,
)
from ringrift_operator.api.resolve import resolve
from ringrift_operator.domain import requests
from ringrift_operator.domain.adoption import adopt
from ringrift_operator.domain.bootstrap import top_up
from ringrift_operator.domain.completion import finish_iteration
from ringrift_operator.domain.configuration import single_task, step_phase
from ringrift_operator.domain.history import expired_records
from ringrift_operator.domain.plan import Decision, Event
from ringrift_operator.domain.rating import rate_champions
from ringrift_operator.domain.readiness import note_waiting, unwanted_children, wanted_tasks
from ringrift_operator.domain.recording import record_children
from ringrift_operator.domain.retries import LONGEST_PAUSE
from ringrift_operator.domain.rollback import roll_back, take_over_pointers
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.snapshot import Snapshot
from ringrift_operator.domain.stalls import stalled_as_a_whole
from ringrift_operator.domain.starting import start_iteration
from ringrift_operator.domain.steps import MERGE, SYNC
from ringrift_operator.domain.syncing import sync_games
from ringrift_operator.domain.tracks import settle_tracks, skip_unreachable

Policy = Callable[[Situation], Situation]


def copy_games(situation: Situation) -> Situation:
    """The total of unique games is the newest merge's, never counted up here."""
    configuration = situation.configuration
    if step_phase(configuration, MERGE) == StagePhase.SUCCEEDED:
        games = single_task(configuration, MERGE).answer(MergeResult).games
        return situation.become(configuration.with_games(games))
    if step_phase(configuration, SYNC) == StagePhase.SUCCEEDED:
        games = single_task(configuration, SYNC).answer(MergeResult).games
        # A merge that is asked for anew, for a further round, has told of more.
        return situation.become(configuration.with_games(max(games, configuration.games)))
    return situation


def bound_pauses(situation: Situation) -> Situation:
    """A pause ends no later than one that begins now: a clock that was fast has written a time far ahead."""
    frozen, now = situation.configuration.frozen, situation.now
    for task in situation.configuration.tasks:
        longest = frozen.selfplay.cooldown if frozen is not None and task.attempt == 1 else LONGEST_PAUSE
        if task.not_before is not None and task.not_before > now + longest:
            situation = situation.with_task(task.paused(now + longest))
    return situation


POLICIES: tuple[Policy, ...] = (
    bound_pauses,
    record_children,  # outcomes and progress of what runs
    requests.answer_reconcile,  # pauses end early when somebody asks
    adopt,  # an empty status first reads the store
    requests.answer_take_over,  # whose claim is another's until somebody asks
    sync_games,  # while self-play goes on
    copy_games,
    top_up,  # a bootstrap of which too few games were unique
    skip_unreachable,  # what waits for something that failed
    take_over_pointers,  # champions that rollbacks, or others, moved
    settle_tracks,  # Promoted, Rejected, Failed or Skipped
    roll_back,  # champions that regressed, or failed to find a better one too often
    requests.answer_rollback,
    rate_champions,  # once all that is settled
    finish_iteration,  # the record, and room for the next
    start_iteration,
    note_waiting,
)

_MOST_ROUNDS = 50
"""Policies settle within a few rounds; a pair that undo each other must not hang the operator."""


def decide(snapshot: Snapshot) -> Decision:
    """Everything about one pipeline but where its tasks run."""
    may_start = not (snapshot.spec.suspend or snapshot.spec.dry_run or stalled_as_a_whole(snapshot))
    situations = tuple(
        _settled(Situation(snapshot, configuration, may_start)) for configuration in _configurations(snapshot)
    )
    status, events = _status(snapshot, situations)
    return Decision(
        snapshot=snapshot,
        status=status,
        wanted=tuple(task for situation in situations for task in wanted_tasks(situation)),
        delete=(
            *(name for situation in situations for name in unwanted_children(situation)),
            *_orphans(snapshot, frozenset(situation.configuration.name for situation in situations)),
        ),
        records=tuple(record for situation in situations for record in situation.records),
        expired_records=expired_records(snapshot, status.configurations),
        events=events,
    )


def _settled(situation: Situation) -> Situation:
    for _ in range(_MOST_ROUNDS):
        before = situation
        for policy in POLICIES:
            situation = policy(situation)
        if situation == before:
            return situation
    raise RuntimeError(f"{situation.configuration.name}: the policies do not come to rest")


def _configurations(snapshot: Snapshot) -> tuple[ConfigurationStatus, ...]:
    """The spec's configurations with what is known of each; those that left the spec are forgotten."""
    known = {configuration.name: configuration for configuration in snapshot.status.configurations}
    values = [resolve(configuration, snapshot.spec) for configuration in snapshot.spec.configurations]
    return tuple(
        known.get(each.name, ConfigurationStatus(name=each.name, board=each.board, players=each.players))
        for each in values
    )


def _orphans(snapshot: Snapshot, configurations: frozenset[str]) -> tuple[str, ...]:
    """Children of configurations that left the spec."""
    return tuple(
        child.name
        for child in snapshot.tasks
        if child.identity.configuration not in configurations and not child.deleting
    )


def _left(status: TrainingPipelineStatus, configurations: tuple[ConfigurationStatus, ...]) -> tuple[str, ...]:
    """Configurations that were taken up once and are not now: what their registries remember is in the totals."""
    known = {each.name for each in status.configurations if each.adopted} | set(status.left_configurations)
    return tuple(sorted(known - {each.name for each in configurations if each.adopted}))


def _status(snapshot: Snapshot, situations: tuple[Situation, ...]) -> tuple[TrainingPipelineStatus, tuple[Event, ...]]:
    """The totals; phase, conditions and places come with placement."""
    status = snapshot.status
    configurations = tuple(situation.configuration for situation in situations)
    events = tuple(event for situation in situations for event in situation.events)
    handled = dict(status.handled_requests)
    for situation in situations:
        handled |= {kind: value[: requests.VALUE_LENGTH] for kind, value in situation.handled_requests if value}
    refused = requests.refused_rollback(snapshot, frozenset(each.name for each in configurations))
    if refused is not None:
        value = snapshot.annotations[requests.ANNOTATIONS[requests.ROLLBACK]]
        handled[requests.ROLLBACK] = value[: requests.VALUE_LENGTH]
        events = (*events, refused)
    decided = status.decided(
        generation=snapshot.generation,
        configurations=configurations,
        left_configurations=_left(status, configurations),
        promotions=tuple(move for situation in situations for move in situation.promotions),
        rollbacks=tuple(move for situation in situations for move in situation.rollbacks),
        handled_requests=handled,
    )
    for_the_first_time = [each for each in situations if each.configuration.name not in status.left_configurations]
    counted = decided.counted(
        promotions=sum(situation.adopted_promotions for situation in for_the_first_time),
        rollbacks=sum(situation.adopted_rollbacks for situation in for_the_first_time),
        succeeded=sum(situation.succeeded for situation in situations),
        failed=sum(situation.failed for situation in situations),
    )
    return counted, events

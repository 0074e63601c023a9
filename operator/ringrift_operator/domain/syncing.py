"""Merges what is finished while self-play goes on, every `sync.interval` (design.md section 4).

These numbered merges are a step of their own, which nothing needs: whatever becomes of them, the iteration's merge
comes after the one under way, takes the rest, and leaves the same games in the same order as if it had been the only
one.
"""

from __future__ import annotations

import math
from datetime import datetime

from ringrift_core.contract import MergeResult
from ringrift_operator.api.pipeline_status import ConfigurationStatus, StagePhase, TaskStatus
from ringrift_operator.domain.configuration import iteration_under_way, single_task, step_phase
from ringrift_operator.domain.recording import children_of
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.snapshot import Snapshot, TaskObservation
from ringrift_operator.domain.stalls import blocking_task
from ringrift_operator.domain.steps import SELFPLAY, SYNC


def sync_games(situation: Situation) -> Situation:
    """Asks for the next merge when it is due, and no longer for one that has not begun when self-play has ended."""
    configuration = situation.configuration
    newest = _newest(configuration)
    if _playing_since(configuration) is None:
        if newest is None or newest.phase != StagePhase.PENDING:
            return situation
        return situation.with_task(newest.skipped("no self-play goes on: the iteration's merge does it", situation.now))
    due = next_sync(situation.snapshot, configuration)
    if due is None or due > situation.now or not situation.may_start or blocking_task(configuration) is not None:
        return situation
    number = 1 if newest is None else newest.part + 1
    task = TaskStatus(name=SYNC, stage=situation.recipes.steps[SYNC].stage, part=number)
    return situation.without_step(SYNC).with_task(task)


def next_sync(snapshot: Snapshot, configuration: ConfigurationStatus) -> datetime | None:
    """When the next merge is due: the interval after self-play began or the last one ended, whichever is later.

    None where nobody asks for any, where no self-play goes on, while one is under way, and as long as no shard has
    ended that the last one did not take.
    """
    asked, newest, since = snapshot.spec.sync, _newest(configuration), _playing_since(configuration)
    if asked is None or since is None or (newest is not None and not newest.has_ended):
        return None
    if not _is_something_new(snapshot, configuration):
        return None
    last = since if newest is None or newest.finished_at is None else max(since, newest.finished_at)
    # A clock that was fast has written a time that has not come yet.
    return last + asked.interval if last <= snapshot.now else snapshot.now


def _newest(configuration: ConfigurationStatus) -> TaskStatus | None:
    """Status keeps one of them, the last."""
    return single_task(configuration, SYNC) if step_phase(configuration, SYNC) is not None else None


def _playing_since(configuration: ConfigurationStatus) -> datetime | None:
    """When the self-play that goes on began; None when none does."""
    parts = (task for task in configuration.tasks if task.name == SELFPLAY and not task.has_ended)
    return min((task.started_at for task in parts if task.started_at is not None), default=None)


def _is_something_new(snapshot: Snapshot, configuration: ConfigurationStatus) -> bool:
    """Whether more shards of this round of self-play have ended than the last merge found, as far as both tell.

    What it found is known in games; shards have the same number of them, or one more.
    """
    assert configuration.frozen is not None
    first_part, first_game, games = 0, 0, configuration.frozen.games(iteration_under_way(configuration))
    if configuration.top_ups:
        newest_round = configuration.top_ups[-1]
        first_part, first_game, games = newest_round.part, newest_round.first_game, newest_round.games
    children = children_of(snapshot, configuration)
    ended, total = 0, 1
    for task in configuration.tasks:
        shards = task.placement.shards if task.placement is not None else None
        if task.name == SELFPLAY and task.part >= first_part and shards is not None:
            ended += _ended_shards(
                task, shards.last - shards.first + 1, children.get((SELFPLAY, task.part, task.attempt))
            )
            total = shards.total
    newest = _newest(configuration)
    found = None if newest is None else newest.found(MergeResult)
    merged = 0 if found is None else max(0, found.new_games + found.duplicates - first_game)
    return ended > round(merged * total / games)


def _ended_shards(task: TaskStatus, shards: int, child: TaskObservation | None) -> int:
    """How many of a part's shards have ended, by its Job's own count, else by how far it is; they end in turn."""
    if task.has_ended:
        return shards
    if child is not None and child.ended_indexes is not None:
        return child.ended_indexes
    # A later attempt tells how far it is with what was left, not what the earlier ones finished.
    if task.failures or task.delays or task.repeats:
        return shards
    return 0 if child is None else math.floor(shards * (child.progress or 0.0) + 1e-6)

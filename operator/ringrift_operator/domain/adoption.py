"""A configuration whose status is empty reads its past from the store before anything else (design.md section 3)."""

from __future__ import annotations

from dataclasses import replace

from ringrift_operator.api.pipeline_status import StagePhase, TaskStatus
from ringrift_operator.domain.configuration import single_task, with_task, without_step
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.steps import ADOPT, TRACKS_WITH_STAGES


def adopt(situation: Situation) -> Situation:
    """Asks for the adopt stage, and takes over what it found."""
    configuration = situation.configuration
    if configuration.adopted:
        return situation
    if not configuration.tasks:
        if not situation.may_start:
            return situation
        return situation.become(with_task(configuration, TaskStatus(name=ADOPT.name)))
    task = single_task(configuration, ADOPT)
    if task.phase != StagePhase.SUCCEEDED:
        return situation
    found = without_step(configuration, ADOPT).taken_up(
        iteration=int(task.metrics.get("iteration", 0)), games=int(task.metrics.get("games", 0))
    )
    for track in TRACKS_WITH_STAGES:
        found = found.with_track(
            found.track(track).adopted(
                champion=int(task.metrics.get(f"champion_{track}", 0)),
                predecessor=int(task.metrics.get(f"predecessor_{track}", 0)),
                failures=int(task.metrics.get(f"failures_{track}", 0)),
            )
        )
    situation = replace(
        situation.become(found),
        adopted_promotions=int(task.metrics.get("promotions", 0)),
        adopted_rollbacks=int(task.metrics.get("rollbacks", 0)),
    )
    if found.iteration or found.games:
        return situation.say(
            EventReason.ADOPTED, f"the store holds {found.iteration} iterations and {found.games} games"
        )
    return situation

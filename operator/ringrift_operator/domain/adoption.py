"""A configuration whose status is empty reads its past from the store before anything else (design.md section 3)."""

from __future__ import annotations

from dataclasses import replace

from ringrift_core.contract import AdoptResult
from ringrift_operator.api.pipeline_status import StagePhase
from ringrift_operator.domain.configuration import single_task
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.steps import ADOPT


def adopt(situation: Situation) -> Situation:
    """Asks for the adopt stage, and takes over what it found."""
    configuration = situation.configuration
    if configuration.adopted:
        return situation
    if not configuration.tasks:
        if not situation.may_start:
            return situation
        return situation.ask(ADOPT)
    task = single_task(configuration, ADOPT)
    if task.phase != StagePhase.SUCCEEDED:
        return situation
    told = task.answer(AdoptResult)
    found = situation.without_step(ADOPT).configuration.taken_up(iteration=told.iteration, games=told.games)
    for each in told.tracks:
        if each.track in situation.recipes.tracks:
            adopted = found.track(each.track).adopted(each.champion, each.predecessor, each.failures)
            if each.moved_since:
                adopted = adopted.resumed(each.start)
            found = found.with_track(adopted)
    if told.taken_over:
        said = f"the store was claimed by {told.taken_over}, which had gone or not written for an hour"
        if task.take_over:
            said = f"the store was claimed by {told.taken_over}, and is taken over as requested"
        situation = situation.say(EventReason.TAKEN_OVER, said, is_warning=True)
    situation = replace(situation.become(found), adopted_promotions=told.promotions, adopted_rollbacks=told.rollbacks)
    if found.iteration or found.games:
        return situation.say(
            EventReason.ADOPTED, f"the store holds {found.iteration} iterations and {found.games} games"
        )
    return situation

"""Tops the bootstrap up to the games that were asked for.

What counts are unique games, after the merge; of two that came out the same one is left out, and then some are missing.
Self-play gets a further round for these, with the numbers that follow those of all games that were asked for or merged,
so that they are other games whatever happened meanwhile; another merge follows. A round may repeat games, too: after
MOST_TOP_UPS of them the iteration goes on with what there is, and says so.
"""

from __future__ import annotations

from ringrift_core.contract import MergeResult
from ringrift_operator.api.pipeline_status import MOST_TOP_UPS, StagePhase, TaskStatus, TopUp
from ringrift_operator.domain.configuration import iteration_under_way, single_task, step_phase
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.steps import MERGE, SELFPLAY

_NOT_BEGUN = (StagePhase.PENDING, StagePhase.SKIPPED)


def top_up(situation: Situation) -> Situation:
    """Asks for the games that the bootstrap's merge found missing, or says that they stay so."""
    configuration = situation.configuration
    frozen = configuration.frozen
    if frozen is None or iteration_under_way(configuration) > 1 or configuration.missing_games:
        return situation
    if step_phase(configuration, MERGE) != StagePhase.SUCCEEDED or _is_learnt_from(situation):
        return situation
    merged = single_task(configuration, MERGE).answer(MergeResult)
    missing = frozen.bootstrap_games - merged.new_games
    if missing <= 0:
        return situation
    unique = f"{merged.new_games:,} of {frozen.bootstrap_games:,} games of the bootstrap are unique"
    if len(configuration.top_ups) == MOST_TOP_UPS:
        lacking = situation.become(configuration.lacking(missing))
        said = f"{unique} after {MOST_TOP_UPS} further rounds: it goes on without the others"
        return lacking.say(EventReason.GAMES_MISSING, said, is_warning=True)
    asked = frozen.bootstrap_games + sum(each.games for each in configuration.top_ups)
    played = merged.new_games + merged.duplicates  # more, once a status was lost in a round
    parts = [task for task in configuration.tasks if task.name == SELFPLAY]
    part = max(task.part for task in parts) + 1
    round_ = TaskStatus(
        name=SELFPLAY,
        stage=situation.recipes.steps[SELFPLAY].stage,
        part=part,
        attempt=max(task.attempt for task in parts),
    )
    attempt = single_task(configuration, MERGE).attempt + 1
    topped_up = configuration.topped_up(TopUp(part=part, first_game=max(asked, played), games=missing))
    situation = situation.become(topped_up).with_task(round_).ask(MERGE, attempt=attempt)
    return situation.say(EventReason.TOPPED_UP, f"{unique}: self-play is asked for {missing:,} more")


def _is_learnt_from(situation: Situation) -> bool:
    """Whether something has begun that needs the games to be merged: what it reads must not change."""
    needing = {name for name, step in situation.recipes.steps.items() if MERGE in step.needs}
    return any(task.name in needing and task.phase not in _NOT_BEGUN for task in situation.configuration.tasks)

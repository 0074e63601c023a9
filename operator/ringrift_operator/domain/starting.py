"""Begins the next iteration: freezes the spec's values, notes the champions, lists the steps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ringrift_core.contract import Track
from ringrift_operator.api.pipeline import TrainingPipelineSpec
from ringrift_operator.api.pipeline_status import ConfigurationStatus, StagePhase, TaskStatus, TrackDecision
from ringrift_operator.api.resolve import resolve
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.domain.configuration import (
    is_in_iteration,
    iteration_under_way,
)
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.recipe import Step
from ringrift_operator.domain.recipes import Recipes
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.snapshot import Snapshot
from ringrift_operator.domain.stalls import blocking_task
from ringrift_operator.domain.steps import SELFPLAY


def start_iteration(situation: Situation) -> Situation:
    """Starts the next iteration of an adopted configuration that has not had all of them."""
    configuration = situation.configuration
    if not configuration.adopted or is_in_iteration(configuration) or not situation.may_start:
        return situation
    if has_all_iterations(situation.snapshot, configuration) or configuration.tasks:
        return situation
    frozen = resolved(situation.snapshot, configuration.name)
    number = iteration_under_way(configuration)
    champions, predecessors = champions_before(situation.recipes, configuration, number)
    tested = frozenset(track for track in predecessors if track in champions)
    begins = situation.now + frozen.selfplay.cooldown if number > 1 else None
    started = _from(situation.recipes, configuration.begun(frozen, situation.now), champions)
    skipped = _skipped(situation.recipes, started, frozen, number)
    for track in skipped:
        started = started.with_track(started.track(track).decided(TrackDecision.SKIPPED))
    trained = tuple(track for track in frozen.tracks if track not in skipped)
    steps = situation.recipes.of_iteration(trained, champions, tested & set(frozen.tracks))
    situation = situation.become(started.with_tasks(tuple(_first_try(step, begins) for step in steps)))
    for track, why in skipped.items():
        situation = situation.say(EventReason.TRACK_SKIPPED, f"{track} is skipped: {why}")
    return situation.say(EventReason.ITERATION_STARTED, f"iteration {number} begins with {frozen.games(number)} games")


def begin_selfplay_anew(situation: Situation) -> Situation:
    """Self-play that found its input wrong is asked for again, by the spec and from the champions of now.

    Nothing came of the values that the iteration began with, and to keep them would be to be refused for ever. Its
    tracks stay: their tasks are under way.
    """
    configuration = situation.configuration
    task = blocking_task(configuration)
    if task is None or task.name != SELFPLAY or configuration.frozen is None:
        return situation
    attempt = max(each.attempt for each in configuration.tasks if each.name == SELFPLAY) + 1
    values = resolved(situation.snapshot, configuration.name)
    begun = configuration.begun_anew(values.with_tracks(configuration.frozen.tracks))
    champions, _ = champions_before(situation.recipes, configuration, iteration_under_way(configuration))
    situation = situation.become(_from(situation.recipes, begun, champions))
    return situation.without_step(SELFPLAY).ask(SELFPLAY, attempt=attempt)


def _from(recipes: Recipes, configuration: ConfigurationStatus, champions: Mapping[Track, int]) -> ConfigurationStatus:
    """The configuration with every track's part of the iteration starting from these champions."""
    for track in recipes.tracks:
        configuration = configuration.with_track(configuration.track(track).begun(champions.get(track, 0)))
    return configuration


def resolved(snapshot: Snapshot, name: str) -> ResolvedConfiguration:
    """The spec's values for one configuration. KeyError when the spec does not have it."""
    for configuration in snapshot.spec.configurations:
        values = resolve(configuration, snapshot.spec)
        if values.name == name:
            return values
    raise KeyError(name)


def has_all_iterations(snapshot: Snapshot, configuration: ConfigurationStatus) -> bool:
    """Whether as many iterations are complete as the spec asks for; never when it asks for no end."""
    limit = iteration_limit(snapshot.spec, configuration.name)
    return limit is not None and configuration.iteration >= limit


def iteration_limit(spec: TrainingPipelineSpec, name: str) -> int | None:
    """Iterations that a configuration is to have: its own number, or the pipeline's; None is without end."""
    own = next((each.iterations for each in spec.configurations if resolve(each, spec).name == name), None)
    return own if own is not None else spec.iterations


def is_endless(spec: TrainingPipelineSpec) -> bool:
    """Whether some configuration is to go on for ever."""
    return spec.iterations is None and any(each.iterations is None for each in spec.configurations)


def champions_before(
    recipes: Recipes, configuration: ConfigurationStatus, iteration: int
) -> tuple[dict[Track, int], dict[Track, int]]:
    """Champions and predecessors as they were when `iteration` began.

    They differ from today's when the status was lost in mid-iteration and adopted again: then `adopt` has noted with
    whom it began. In an iteration they do when it has made a champion, who bears its number: the predecessor was
    champion. A person's champions bear any number.
    """
    champions: dict[Track, int] = {}
    predecessors: dict[Track, int] = {}
    for track in recipes.tracks:
        status = configuration.track(track)
        champion, predecessor = status.champion_version, status.predecessor_version
        if is_in_iteration(configuration):
            if champion == iteration:
                champion, predecessor = predecessor, 0
        elif status.start_champion:
            champion, predecessor = status.start_version, 0
        if champion:
            champions[track] = champion
        if predecessor:
            predecessors[track] = predecessor
    return champions, predecessors


def _skipped(
    recipes: Recipes, configuration: ConfigurationStatus, frozen: ResolvedConfiguration, number: int
) -> dict[Track, str]:
    """Tracks that this iteration leaves out, and why."""
    skipped = {track: "it has no stages yet" for track in frozen.tracks if track not in recipes.tracks}
    for track, recipe in recipes.tracks.items():
        if track in frozen.tracks and (why := recipe.skipped(configuration, frozen, number)):
            skipped[track] = why
    return skipped


def _first_try(step: Step, selfplay_begins: datetime | None) -> TaskStatus:
    return TaskStatus(
        name=step.name,
        stage=step.stage,
        phase=StagePhase.PENDING,
        not_before=selfplay_begins if step.name == SELFPLAY else None,
    )

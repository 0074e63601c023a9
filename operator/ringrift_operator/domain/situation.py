"""One configuration in the middle of a pass: how it stands, and what has happened to it so far.

A policy is a function from one Situation to the next; `deciding.py` lists them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ringrift_operator.api.iteration import TrainingIteration
from ringrift_operator.api.pipeline_status import ConfigurationStatus, PointerMove, TaskStatus, TrackStatus
from ringrift_operator.domain.configuration import without_step
from ringrift_operator.domain.plan import Event
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.recipes import Recipes
from ringrift_operator.domain.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Situation:
    snapshot: Snapshot
    configuration: ConfigurationStatus
    may_start: bool = True
    """False while suspended, in a dry run, or when the whole pipeline is stalled: nothing new begins."""
    events: tuple[Event, ...] = ()
    records: tuple[TrainingIteration, ...] = ()
    succeeded: int = 0
    """Tasks that ended well in this pass."""
    failed: int = 0
    promotions: tuple[PointerMove, ...] = ()
    rollbacks: tuple[PointerMove, ...] = ()
    adopted_promotions: int = 0
    """Promotions that the registry remembers from before, found by adopt in this pass."""
    adopted_rollbacks: int = 0
    handled_requests: tuple[tuple[str, str], ...] = ()
    """Requests answered in this pass: kind and value of the annotation."""

    @property
    def now(self) -> datetime:
        return self.snapshot.now

    def become(self, configuration: ConfigurationStatus) -> Situation:
        return replace(self, configuration=configuration)

    @property
    def recipes(self) -> Recipes:
        return self.snapshot.recipes

    def ask(self, step: str, *, attempt: int = 1, request: str = "") -> Situation:
        """Adds the task of a step; it begins when what it needs has succeeded."""
        task = TaskStatus(name=step, stage=self.recipes.steps[step].stage, attempt=attempt, request=request)
        return self.with_task(task)

    def with_task(self, task: TaskStatus) -> Situation:
        """With this task in place of the one with its name and part, or added."""
        return self.become(self.recipes.with_task(self.configuration, task))

    def without_step(self, step: str) -> Situation:
        return self.become(without_step(self.configuration, step))

    def with_track(self, track: TrackStatus) -> Situation:
        return self.become(self.configuration.with_track(track))

    def say(self, reason: EventReason, message: str, *, is_warning: bool = False) -> Situation:
        """Adds an event, prefixed with the configuration's name."""
        event = Event(reason, f"{self.configuration.name}: {message}", is_warning)
        return replace(self, events=(*self.events, event))

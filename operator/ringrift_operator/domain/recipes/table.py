"""The tables as one value: every step there is, and each track's recipe. A snapshot carries the one to go by."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property

from ringrift_core.contract import Track
from ringrift_operator.api.pipeline_status import ConfigurationStatus, TaskStatus
from ringrift_operator.domain import steps
from ringrift_operator.domain.recipe import Recipe, Step
from ringrift_operator.domain.recipes.gates import going_back, judging
from ringrift_operator.domain.recipes.shared import ADOPT, MERGE, ROUNDROBIN, SELFPLAY, SYNC


@dataclass(frozen=True)
class Recipes:
    """Recipes of tracks, around the steps that all of them share."""

    recipes: tuple[Recipe, ...]
    shared: tuple[Step, ...] = (SELFPLAY, MERGE)
    """Steps of every iteration, whatever it trains."""

    @cached_property
    def tracks(self) -> Mapping[Track, Recipe]:
        """Tracks that can be trained, each with its recipe."""
        return {recipe.track: recipe for recipe in self.recipes}

    @cached_property
    def steps(self) -> Mapping[str, Step]:
        """Every step by its name, in the order in which status and views list them, and in which they get slots."""
        return {step.name: step for step in self._all_steps()}

    @cached_property
    def order(self) -> Mapping[str, int]:
        """Each step's place in that order."""
        return {name: position for position, name in enumerate(self.steps)}

    @cached_property
    def makers_first(self) -> tuple[Recipe, ...]:
        """Recipes that learn from the iteration's games, then those that need none and could begin at once."""
        return tuple(sorted(self.recipes, key=lambda recipe: not recipe.makers[0].needs))

    def _all_steps(self) -> Iterator[Step]:
        yield ADOPT
        yield from self.shared
        yield SYNC
        for recipe in self.makers_first:
            yield from recipe.all_makers
        for recipe in self.recipes:
            yield from judging(recipe)
        # Any track can be rolled back, whether the spec trains it or not.
        for recipe in self.recipes:
            yield from going_back(recipe.track)
        yield ROUNDROBIN

    def of_iteration(
        self, tracks: Iterable[Track], champions: Container[Track], tested_champions: Set[Track]
    ) -> tuple[Step, ...]:
        """Steps with which an iteration of these tracks begins; `champions` are there, and of these
        `tested_champions` have a predecessor to meet."""
        names = {step.name for step in self.shared}
        for track in tracks:
            if track in self.tracks:
                names |= {step.name for step in self.tracks[track].makers_with(champions)} | {steps.evaluate(track)}
        names |= {steps.regression(track) for track in tested_champions if track in self.tracks}
        return tuple(step for step in self.steps.values() if step.name in names)

    def ordered(self, tasks: Iterable[TaskStatus]) -> tuple[TaskStatus, ...]:
        """Tasks in the steps' order, parts by their number."""
        return tuple(sorted(tasks, key=lambda task: (self.order[task.name], task.part)))

    def with_task(self, configuration: ConfigurationStatus, task: TaskStatus) -> ConfigurationStatus:
        """The configuration with this task in place of the one with its name and part, or added."""
        others = (each for each in configuration.tasks if (each.name, each.part) != (task.name, task.part))
        return configuration.with_tasks(self.ordered((*others, task)))

"""What a step is, and what a track's recipe is: the forms of the tables in domain/recipes."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from typing import Any

from ringrift_core.contract import Artifact, Holder, Stage, StageFacts, StageParameters, Track
from ringrift_operator.api.pipeline_status import ConfigurationStatus, TaskStatus
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.domain.configuration import champion_at_start, iteration_under_way, single_task, step_phase

SEEDS_PER_ITERATION = 1000
"""Distance between the run seeds of two iterations (plan.md: seed = iteration x 1000)."""


def run_seed(frozen: ResolvedConfiguration, iteration: int) -> int:
    """Seed of everything random in an iteration."""
    return frozen.selfplay.seed + SEEDS_PER_ITERATION * iteration


@dataclass(frozen=True, slots=True)
class Handling:
    """How the operator treats a stage: the contract's facts, and its own."""

    facts: StageFacts
    needs_result: bool = True
    """Exit 0 without a valid result fails the try."""
    needs_output: bool = False
    """Exit 0 without its output fails the try: the next step cannot do without."""
    needs_verdict: bool = False
    """Exit 0 without a verdict fails the try."""
    is_repeated: bool = False
    """The whole iteration needs it: when its attempts have failed it begins anew, and nothing goes on without it."""
    is_said_otherwise: bool = False
    """Verdict, games or versions say what its message says: the status need not keep that."""
    is_way_out: bool = False
    """Runs while its configuration stands still, too: it may be what mends that."""
    remembers_place: bool = False
    """Ended, it still tells a pool when its cool-down is due (domain/placement.py)."""
    takes_device: bool = False
    """It is told what the slot computes with."""
    takes_workers: bool = False
    """It is told how many threads the slot allows."""
    prefers_accelerator: bool = False
    """Looks for the fastest device; everything else leaves those free."""

    @property
    def stage(self) -> Stage:
        return self.facts.stage


@dataclass(frozen=True, slots=True)
class Demand:
    """What a step asks of the slot that takes it, besides that the slot lists its stage."""

    cuda: str = ""
    """Why it takes cuda slots only; empty when any device will do."""
    batch: int = 0
    """Positions of a training's step; 0 of what trains nothing."""
    places: int = 1
    """Places of one slot that it takes at once, a Pod each."""
    processes: int = 1
    """In each place; several train together on its GPUs, or on its cores."""

    @property
    def is_distributed(self) -> bool:
        """Whether several processes do it together."""
        return self.places * self.processes > 1

    @property
    def alone(self) -> Demand:
        """The same in one process: it comes to the same at equal batches."""
        return replace(self, places=1, processes=1)


ANYTHING = Demand()
"""Any slot that lists the stage will do."""


def _anything(_: ResolvedConfiguration) -> Demand:
    return ANYTHING


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an iteration; `name` is how status, child names and labels call it (domain/steps.py)."""

    name: str
    handling: Handling
    parameters: Callable[[Commission], StageParameters]
    """What its process is told."""
    track: Track | None = None
    needs: tuple[str, ...] = ()
    """Steps that must have succeeded first; when one cannot, neither can this."""
    one_of: tuple[str, ...] = ()
    """Steps of which an iteration has one, which must have succeeded first as well."""
    after: tuple[str, ...] = ()
    """Steps that must have ended first, however; those that the iteration does not have keep nobody waiting."""
    demand: Callable[[ResolvedConfiguration], Demand] = _anything
    """What it asks of a slot."""

    @property
    def stage(self) -> Stage:
        return self.handling.stage

    @property
    def listed_as(self) -> Stage:
        """The name by which slots take it."""
        return self.handling.facts.listed_as

    @property
    def is_listed(self) -> bool:
        """Slots name its stage: it takes one, and not one that another stage is named for."""
        return not self.is_light and self.listed_as == self.stage

    @property
    def is_light(self) -> bool:
        """Takes no slot."""
        return self.handling.facts.is_light


@dataclass(frozen=True, slots=True)
class Commission:
    """A task that is about to run, with all that its parameters are made of. The steps it needs have succeeded."""

    step: Step
    task: TaskStatus
    configuration: ConfigurationStatus
    store: str
    tracks: tuple[Track, ...]
    """Tracks of the spec that can be trained."""
    holder: Holder | None = None
    """By which name the pipeline claims its store."""

    @property
    def common(self) -> dict[str, Any]:
        """What every stage is told."""
        configuration = self.configuration
        return {
            "store": self.store,
            "board": configuration.board,
            "players": configuration.players,
            "attempt": self.task.attempt,
        }

    @property
    def claim(self) -> dict[str, Any]:
        """What a stage is told besides that moves what others read."""
        return {"holder": self.holder, "take_over": self.task.take_over}

    @property
    def in_iteration(self) -> dict[str, Any]:
        """What every stage of an iteration is told."""
        return {**self.common, "iteration": self.iteration}

    @property
    def with_curves(self) -> dict[str, Any]:
        """What a stage of an iteration is told that has curves."""
        tracking = self.frozen.tracking
        told: dict[str, Any] = {**self.in_iteration, "tensorboard": tracking.tensorboard}
        if tracking.wandb is not None:
            told |= {"wandb_project": tracking.wandb.project, "wandb_mode": tracking.wandb.mode}
        return told

    @property
    def frozen(self) -> ResolvedConfiguration:
        """Values of the iteration under way; ValueError without one."""
        if self.configuration.frozen is None:
            raise ValueError(f"{self.configuration.name}: {self.step.name} without an iteration under way")
        return self.configuration.frozen

    @property
    def iteration(self) -> int:
        return iteration_under_way(self.configuration)

    @property
    def seed(self) -> int:
        return run_seed(self.frozen, self.iteration)

    @property
    def track(self) -> Track:
        """The step's own; ValueError when it belongs to none."""
        if self.step.track is None:
            raise ValueError(f"{self.step.name} belongs to no track")
        return self.step.track

    def champion(self, track: Track) -> int:
        """Version with which the iteration began; 0 is none."""
        return champion_at_start(self.configuration, track)

    def output(self, step: str) -> Artifact | None:
        """What an earlier step of this iteration left for the next; None when it left nothing."""
        return next(iter(single_task(self.configuration, step).outputs.values()), None)

    @property
    def candidate(self) -> Artifact:
        """What the one of the step's `one_of` has made that this iteration has."""
        (maker,) = (name for name in self.step.one_of if step_phase(self.configuration, name) is not None)
        return self.made_by(maker)

    def made_by(self, step: str) -> Artifact:
        """The same of a step that always leaves something: no result is accepted without (domain/outcomes.py)."""
        made = self.output(step)
        if made is None:
            raise ValueError(f"{self.configuration.name}: {step} has left nothing for {self.step.name}")
        return made


def _never(_: ConfigurationStatus, __: ResolvedConfiguration, ___: int) -> str:
    return ""


def _no_evaluator(_: ConfigurationStatus) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Taught:
    """Another way to a candidate: it learns from another track's champion."""

    teacher: Track
    maker: Step
    described: Callable[[ResolvedConfiguration, int], str]
    """As a recipe's."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a track's candidate is made. What comes after that is the same for every track (domain/recipes/gates.py)."""

    track: Track
    makers: tuple[Step, ...]
    """Steps that make the candidate, each needing the ones before; it is the last one's output."""
    described: Callable[[ResolvedConfiguration, int], str]
    """What an iteration does for it, up to the gate: a line of a dry run."""
    skipped: Callable[[ConfigurationStatus, ResolvedConfiguration, int], str] = _never
    """Why an iteration that begins leaves it out; empty when it does not."""
    converged: Callable[[ConfigurationStatus, ResolvedConfiguration, int], str] = _never
    """What the last maker, which has succeeded, has converged under; empty when it has not."""
    evaluator: Callable[[ConfigurationStatus], str] = _no_evaluator
    """What scored the candidates of the last maker, which has succeeded, and why; empty where nothing does."""
    taught: Taught | None = None
    """What takes the last maker's place in an iteration that begins with a champion of its teacher's track."""

    @property
    def last_makers(self) -> tuple[Step, ...]:
        """The steps whose output is the candidate; an iteration has one of them."""
        return (self.makers[-1],) if self.taught is None else (self.makers[-1], self.taught.maker)

    @property
    def all_makers(self) -> tuple[Step, ...]:
        """Those of every iteration."""
        return (*self.makers[:-1], *self.last_makers)

    def makers_with(self, champions: Container[Track]) -> tuple[Step, ...]:
        """Those of an iteration that begins with champions of these tracks."""
        taught = self._taught_by(champions)
        return self.makers if taught is None else (*self.makers[:-1], taught.maker)

    def describe(self, values: ResolvedConfiguration, iteration: int, champions: Container[Track]) -> str:
        """What an iteration that begins with champions of these tracks does for it."""
        return (self._taught_by(champions) or self).described(values, iteration)

    def maker(self, configuration: ConfigurationStatus) -> Step | None:
        """The step of the iteration under way whose output is the candidate; None when it has none."""
        return next((step for step in self.last_makers if step_phase(configuration, step.name) is not None), None)

    def _taught_by(self, champions: Container[Track]) -> Taught | None:
        return self.taught if self.taught is not None and self.taught.teacher in champions else None

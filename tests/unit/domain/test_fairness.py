"""Nobody waits for ever: who starts within how many completions, and the starvation that plain longest wait allows.

A few thousand worlds in the suite; `make properties` draws 100,000.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from ringrift_core.contract import Stage
from ringrift_operator.api.pool import Slot
from ringrift_operator.domain.placement import place
from ringrift_operator.domain.plan import PlacedTask, WantedTask
from ringrift_operator.domain.snapshot import PoolObservation
from ringrift_operator.domain.steps import SELFPLAY
from tests.unit.domain.slots_world import STEPS, Pipeline, SlotsWorld, is_cooldown, spec
from tests.unit.domain.world import pool

WORLDS = int(os.environ.get("RINGRIFT_WORLDS", "2000"))
GROUPS = 20
PASSES = 30

SlotKey = tuple[str, str]


def drawn(random: Random) -> SlotsWorld:
    """A namespace with some pools, cool-downs among them, and some pipelines, of which some use one tier of pools."""
    pools = []
    for number in range(random.randint(1, 3)):
        slots = []
        for name in range(random.randint(1, 3)):
            stages = random.sample(["selfplay", "cmaes", "train", "evaluate"], random.randint(1, 4))
            when = "Cooldown" if stages == ["cmaes"] or random.random() < 0.1 else "Always"
            resources = {"cpu": str(random.randint(1, 8)), "memory": "1Gi"}
            slots.append(
                {
                    "name": f"s{name}",
                    "stages": stages,
                    "count": random.randint(1, 4),
                    "resources": resources,
                    "when": when,
                }
            )
        kind = random.choice(["Cluster", "Runner"])
        labels = {"tier": random.choice("xy")}
        pools.append(replace(pool(f"pool{number}", type=kind, slots=slots), labels=labels))
    names = random.sample("abcde", random.randint(1, 5))
    return SlotsWorld(tuple(pools), {name: Pipeline(spec(random.choice(["", "", "x", "y"]))) for name in names})


@dataclass
class Wait:
    """What has happened since a task began to wait."""

    pipeline: str
    task: WantedTask
    older: int
    """Tasks of its pipeline that wait and are not younger, itself among them: q."""
    completions: dict[SlotKey, int] = field(default_factory=lambda: defaultdict(int))
    """At slots that it fits, while its way there was open."""
    rivals: dict[SlotKey, int] = field(default_factory=lambda: defaultdict(int))
    """The most pipelines that waited there at once: W."""
    reserved: dict[SlotKey, int] = field(default_factory=lambda: defaultdict(int))
    """Places beyond the first of tasks that started there."""


class Observer:
    """Holds a world to the bound of domain/fairness.py."""

    def __init__(self, world: SlotsWorld) -> None:
        self.world = world
        self.waits: dict[int, Wait] = {}

    def note_arrivals(self) -> None:
        for name, pipeline in self.world.pipelines.items():
            line = sorted(pipeline.waiting, key=lambda task: (task.waiting_since, task.configuration))
            for place_in_line, task in enumerate(line, start=1):
                number = int(task.configuration.rpartition("-")[2])
                if number not in self.waits:
                    self.waits[number] = Wait(name, task, place_in_line)

    def note_pass(self, ended: tuple[SlotKey, Stage] | None, started: list[tuple[str, PlacedTask]]) -> None:
        """After a pass that followed the end of a task at a slot, or of none."""
        begun = {int(task.identity.configuration.rpartition("-")[2]) for _, task in started}
        crowd = self._crowd()
        reserved: dict[SlotKey, int] = defaultdict(int)
        for _, task in started:
            if task.stage != Stage.SELFPLAY:  # whose parts take what is free, and no more
                reserved[task.identity.pool, task.identity.slot] += task.identity.parallelism - 1
        wanting = list(self.waits.values())
        self.waits = {number: wait for number, wait in self.waits.items() if number not in begun}
        for wait in self.waits.values():
            for where, slot in self.world.places(wait.pipeline, wait.task):
                key = (where.name, slot.name)
                wait.rivals[key] = max(wait.rivals[key], crowd[key])
                wait.reserved[key] += reserved[key]
                if ended is not None and ended[0] == key and self._is_open(wait, where, slot, wanting):
                    wait.completions[key] += 1
                    self._check(wait, key)

    def _check(self, wait: Wait, key: SlotKey) -> None:
        others = [
            other.task.demand.places - 1
            for other in self.waits.values()
            if other is not wait
            and other.task.demand.places > 1
            and key in [(where.name, slot.name) for where, slot in self.world.places(other.pipeline, other.task)]
        ]
        own = wait.task.demand.places - 1
        bound = wait.older * wait.rivals[key] + wait.reserved[key] + max(others, default=0) + own
        assert wait.completions[key] < bound, (wait, key)

    def _crowd(self) -> dict[SlotKey, int]:
        """Pipelines that wait, slot by slot; on a pool with a cool-down those of self-play and of others."""
        who: dict[SlotKey, set[tuple[str, bool]]] = defaultdict(set)
        for wait in self.waits.values():
            for where, slot in self.world.places(wait.pipeline, wait.task):
                is_apart = has_cooldown(where) and wait.task.stage == Stage.SELFPLAY
                who[where.name, slot.name].add((wait.pipeline, is_apart))
        return defaultdict(int, {key: len(names) for key, names in who.items()})

    def _is_open(self, wait: Wait, where: PoolObservation, slot: Slot, waited: list[Wait]) -> bool:
        """Whether nothing of self-play or cool-down is in the way of the other; `waited` are those that did when the
        place was freed, some of which may have gone first."""
        if not has_cooldown(where):
            return True
        here = [child for _, child in self.world.running() if child.identity.pool == where.name]
        cooldowns = {each.name for each in where.spec.slots if is_cooldown(each)}
        plays = any(child.stage == Stage.SELFPLAY for child in here)
        rests = any(child.identity.slot in cooldowns for child in here)
        wanting = [
            (other.task.stage == Stage.SELFPLAY, each.name in cooldowns)
            for other in waited
            for pool_, each in self.world.places(other.pipeline, other.task)
            if pool_.name == where.name
        ]
        if wait.task.stage == Stage.SELFPLAY:
            return not rests and not (plays and any(in_cooldown for _, in_cooldown in wanting))
        return not is_cooldown(slot) or not (plays or any(is_selfplay for is_selfplay, _ in wanting))


def has_cooldown(where: PoolObservation) -> bool:
    return any(is_cooldown(slot) for slot in where.spec.slots)


def live_through(seed: int) -> int:
    """Lets a world run, with whatever may happen; how many waits ended."""
    random = Random(seed)
    world = drawn(random)
    observer = Observer(world)
    immortal: set[str] = set()
    ended: tuple[SlotKey, Stage] | None = None
    starts = 0
    for number in range(PASSES):
        for name, pipeline in world.pipelines.items():
            for _ in range(random.choice([0, 0, 1, 2])):
                if len(pipeline.waiting) < 6:
                    step = random.choice(STEPS)
                    world.ask(name, step, random.randint(2, 4) if step == "train" and random.random() < 0.3 else 1)
        observer.note_arrivals()
        started = world.step()
        starts += len(started)
        immortal |= {task.name for _, task in started if random.random() < 0.03}
        if number % 5 == 0:
            assert not any(place(world.decisions())), "a pass leaves nothing that the next would do"
        observer.note_pass(ended, started)
        mortal = [(name, child) for name, child in world.running() if child.name not in immortal]
        ended = None
        if mortal and random.random() < 0.9:
            name, child = random.choice(mortal)
            ended = (world.end(name, child), child.stage)
    return starts


@pytest.mark.parametrize("group", range(GROUPS))
def test_every_task_that_fits_a_pool_starts_within_the_bound(group: int) -> None:
    assert sum(live_through(seed) for seed in range(group, WORLDS, GROUPS)) > WORLDS // GROUPS


def test_a_pass_leaves_nothing_that_the_next_would_do() -> None:
    """World 3219 of those above, where a task that had been passed by could begin at the end of the pass."""
    live_through(3219)


def one_slot(count: int = 1) -> tuple[PoolObservation, ...]:
    slot = {"name": "s", "stages": ["evaluate", "train"], "count": count, "resources": {"memory": "1Gi"}}
    return (pool("pool", slots=[slot]),)


def completions_until(world: SlotsWorld, last: WantedTask, refill: bool = False) -> int:
    """How many tasks end, one a pass and the longest running first, before this one starts."""
    for completions in range(1000):
        if refill:  # whoever is served wants more at once
            for name in world.pipelines:
                world.ask(name, "evaluate-weights")
        begun = {task.identity.configuration for _, task in world.step()}
        if last.configuration in begun:
            return completions
        name, child = min(world.running(), key=lambda each: (each[1].started_at or world.now, each[0]))
        world.end(name, child)
    raise AssertionError(f"{last.configuration} never starts")


@pytest.mark.parametrize(("pipelines", "tasks"), [(1, 1), (1, 5), (2, 1), (3, 4), (5, 12)])
def test_the_bound_is_tight(pipelines: int, tasks: int) -> None:
    """q W completions: each of W pipelines has q tasks, and all but one of what runs is older."""
    names = [f"p{number}" for number in range(pipelines)]
    world = SlotsWorld(one_slot(), {name: Pipeline() for name in (*names, "before")})
    world.ask("before", "evaluate-weights")
    world.step()
    asked = [[world.ask(name, "evaluate-weights") for _ in range(tasks)] for name in names]
    assert completions_until(world, asked[-1][-1]) == pipelines * tasks


@pytest.mark.parametrize(("pipelines", "tasks", "slots"), [(1, 1, 4), (3, 2, 4), (4, 3, 2)])
def test_the_bound_is_tight_for_a_task_that_takes_several_places(pipelines: int, tasks: int, slots: int) -> None:
    """q W + n - 1: the places of a task of n are freed one by one, and kept for it."""
    names = [f"p{number}" for number in range(pipelines)]
    world = SlotsWorld(one_slot(slots), {name: Pipeline() for name in (*names, "before")})
    for _ in range(slots):
        world.ask("before", "evaluate-weights")
    world.step()
    for name in names:
        for _ in range(tasks - 1 if name == names[-1] else tasks):
            world.ask(name, "evaluate-weights")
    last = world.ask(names[-1], "train", slots)
    assert completions_until(world, last) == pipelines * tasks + slots - 1


def test_a_task_that_takes_several_places_starts_however_many_ask_for_one() -> None:
    """Were nothing kept for it, whoever needs one place would take each that is freed, for ever."""
    world = SlotsWorld(one_slot(3), {name: Pipeline() for name in "abc"})
    for name in world.pipelines:
        for _ in range(3):
            world.ask(name, "evaluate-weights")
    world.step()
    assert completions_until(world, world.ask("a", "train", 3), refill=True) <= 3 * 3 + 2


def test_a_pipeline_of_twelve_configurations_has_one_share() -> None:
    """By plain longest wait it has twelve: the other's task waits for all of them."""
    world = SlotsWorld(one_slot(), {"one": Pipeline(), "twelve": Pipeline()})
    for _ in range(12):
        world.ask("twelve", "evaluate-weights")
    world.step()
    for _ in range(8):
        assert completions_until(world, world.ask("one", "evaluate-weights")) <= 2
        world.ask("twelve", "evaluate-weights")


def test_one_that_comes_anew_waits_behind_those_who_wait_already() -> None:
    world = SlotsWorld(one_slot(), {name: Pipeline() for name in ("a", "z")})
    world.ask("a", "evaluate-weights")
    world.step()
    first, second = world.ask("z", "evaluate-weights"), world.ask("z", "evaluate-weights")
    world.step()
    for number in range(50):
        world.pipelines[f"new-{number}"] = Pipeline()
        world.ask(f"new-{number}", "evaluate-weights")
        begun = {task.identity.configuration for _, task in world.step()}
        if first.configuration in begun:
            assert number <= 1
        if second.configuration in begun:
            assert number <= 4
            return
        for name, child in world.running():
            world.end(name, child)
    raise AssertionError("new pipelines, of which each wants one task, keep the old one waiting for ever")


def test_what_nobody_else_waits_for_costs_no_turn_elsewhere() -> None:
    slots = [
        {"name": name, "stages": [stage], "count": 1, "resources": {"memory": "1Gi"}}
        for name, stage in (("mine", "train"), ("ours", "evaluate"))
    ]
    world = SlotsWorld((pool("pool", slots=slots),), {name: Pipeline() for name in ("a", "b")})
    world.ask("b", "evaluate-weights")
    world.step()
    last = world.ask("a", "evaluate-weights")
    for _ in range(3):
        world.ask("a", "train")
        world.ask("b", "evaluate-weights")
        world.step()
        for name, child in world.running():
            if child.stage == Stage.TRAIN:
                world.end(name, child)
    assert completions_until(world, last) == 1


def test_selfplay_waits_for_one_cooldown_and_not_for_all_that_overlap() -> None:
    """By plain longest wait it never starts: each task of a cool-down of two places begins while another runs."""
    slots = [
        {"name": "play", "stages": ["selfplay"], "count": 1, "resources": {"memory": "1Gi"}},
        {"name": "rest", "stages": ["cmaes"], "count": 2, "when": "Cooldown", "resources": {"memory": "1Gi"}},
    ]
    world = SlotsWorld((pool("pool", slots=slots),), {name: Pipeline() for name in ("player", "a", "b")})
    for name in "ab":
        world.ask(name, "cmaes")
        world.step()
    asked = world.ask("player", SELFPLAY)
    world.step()
    for passes in range(30):
        for name in "ab":
            if not world.pipelines[name].waiting:
                world.ask(name, "cmaes")
        if asked.configuration in {task.identity.configuration for _, task in world.step()}:
            assert passes <= 2
            return
        world.end(*min(world.running(), key=lambda each: each[1].started_at or world.now))
    raise AssertionError("self-play never starts")

"""Properties of the whole step, over namespaces in which anything may have happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core.contract import ClaimParameters, Decision, MergeResult, Stage, StageResult, changed
from ringrift_operator.api import PipelinePhase, StagePhase, TrainingPipelineStatus
from ringrift_operator.api.pool import SlotTime
from ringrift_operator.domain.naming import LIMIT
from ringrift_operator.domain.planning import plan_all
from ringrift_operator.domain.retries import ATTEMPTS
from ringrift_operator.domain.snapshot import ChildPhase, PoolObservation, TaskObservation
from tests.unit.domain.world import World, pipeline_spec, pool

STAGES = ["selfplay", "train", "nnue", "cmaes", "evaluate"]


@st.composite
def slots(draw: st.DrawFn) -> list[dict[str, object]]:
    """Slots that together take every stage, some of them in the cool-down."""
    found: list[dict[str, object]] = []
    for number, stages in enumerate(draw(st.sampled_from([[STAGES], [STAGES[:1], STAGES[1:]], [[s] for s in STAGES]]))):
        is_cooldown = stages == ["cmaes"] and draw(st.booleans())
        found.append(
            {
                "name": f"slot{number}",
                "stages": stages,
                "count": draw(st.integers(1, 3)),
                "resources": {"cpu": str(draw(st.integers(1, 8))), "memory": "1Gi"},
                "when": "Cooldown" if is_cooldown else "Always",
            }
        )
    return found


@st.composite
def namespaces(draw: st.DrawFn) -> World:
    kinds = draw(st.lists(st.sampled_from(["Cluster", "Runner"]), min_size=1, max_size=3))
    pools = [pool(f"pool{n}", type=kind, slots=draw(slots())) for n, kind in enumerate(kinds)]
    specs = {}
    for name in draw(st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2, unique=True)):
        specs[name] = pipeline_spec(
            artifacts={"uri": f"s3://ringrift/{name}"},
            configurations=[
                {"board": board, "players": 2, "bootstrapGames": 60, "gamesPerIteration": 30}
                for board in draw(st.lists(st.sampled_from(["square8", "hex8"]), min_size=1, max_size=2, unique=True))
            ],
            tracks=draw(st.sampled_from([["weights"], ["network"], ["weights", "network"], ["nnue", "weights"]])),
            iterations=draw(st.integers(1, 4)),
            selfplay={"shardGames": 10},
            rollback={"maxConsecutiveFailures": draw(st.integers(1, 3))},
            sync=draw(st.sampled_from([None, {"interval": "1s"}, {"interval": "5m"}])),
        )
    return World(pools=tuple(pools), specs=specs)


ENDINGS = st.sampled_from(
    ["well"] * 12 + ["reject"] * 4 + ["regressed", "repeats", "crash", "oom", "not now", "held", "wrong input", "lost"]
)


def end(world: World, child: TaskObservation, ending: str) -> None:
    """One way for a child to end."""
    is_gate = child.stage == Stage.EVALUATE
    match ending:
        case "crash":
            world.fail(child)
        case "oom":
            world.fail(child, exit_code=137, message="OOMKilled")
        case "not now":
            world.fail(child, exit_code=75, message="the store is away")
        case "held" if issubclass(world.recipes.steps[child.identity.step].handling.facts.parameters, ClaimParameters):
            world.fail(child, exit_code=4, message="another pipeline has the store")
        case "wrong input" if child.stage not in (Stage.ADOPT, Stage.MERGE):
            world.fail(child, exit_code=2, message="the input is wrong")
        case "repeats" if child.stage == Stage.MERGE:
            result = world.result(child)
            found = changed(result.answer(MergeResult), new_games=40, duplicates=20)
            world.end(child, result=result.model_copy(update={"result": found}))
        case "lost":
            world.end(child, phase=ChildPhase.LOST, exit_code=None)
        case "reject" if is_gate and child.identity.step.startswith("evaluate"):
            world.end(child, result=world.result(child, Decision.REJECT))
        case "regressed" if child.identity.step.startswith("regression"):
            world.end(child, result=with_decision(world.result(child), Decision.REGRESSED))
        case _:
            world.end(child)


def with_decision(result: StageResult, decision: Decision) -> StageResult:
    assert result.verdict is not None
    return result.model_copy(update={"verdict": result.verdict.model_copy(update={"decision": decision})})


def disturb(world: World, data: st.DataObject) -> None:
    """Some live children end, some vanish, queues hold some, pools go and come, time passes."""
    for child in list(world.live):
        match data.draw(st.sampled_from(["end", "end", "end", "stay", "vanish", "held", "admitted"])):
            case "end":
                end(world, child, data.draw(ENDINGS))
            case "vanish" if data.draw(st.integers(0, 5)) == 0:
                del world.children[child.name]
            case "held" | "admitted" as moment:
                world.queue(child, is_held=moment == "held")
            case _:
                pass
    if data.draw(st.integers(0, 9)) == 0:
        world.pools = tuple(flipped(each) for each in world.pools)
    world.now += timedelta(seconds=data.draw(st.integers(0, 700)))


def flipped(each: PoolObservation) -> PoolObservation:
    return replace(each, online=not each.online)


def check_room(world: World) -> None:
    """No slot holds more than it has room for, and cool-down slots and self-play never run together on a pool; nor do
    two merges of a configuration."""
    merging = [(c.identity.pipeline, c.identity.configuration) for c in world.live if c.stage == Stage.MERGE]
    assert len(set(merging)) == len(merging)
    for each in world.pools:
        for slot in each.spec.slots:
            here = [c for c in world.live if (c.identity.pool, c.identity.slot) == (each.name, slot.name)]
            assert sum(child.identity.parallelism for child in here) <= slot.count
        slot_time = {slot.name: slot.when for slot in each.spec.slots}
        live = [child for child in world.live if child.identity.pool == each.name]
        in_cooldown = [c for c in live if slot_time[c.identity.slot] == SlotTime.COOLDOWN]
        assert not (in_cooldown and any(child.stage == Stage.SELFPLAY for child in live))


@settings(max_examples=80, deadline=None)
@given(namespaces(), st.data())
def test_a_plan_carried_out_leaves_nothing_to_plan(world: World, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 40))):
        world.step()
        check_room(world)
        statuses = dict(world.statuses)
        again = world.plans()
        for name, plan in zip(sorted(world.specs), again, strict=True):
            assert plan.is_empty, plan
            assert not plan.events, plan.events
            assert plan.status == statuses[name]
        disturb(world, data)


@settings(max_examples=50, deadline=None)
@given(namespaces(), st.data())
def test_whatever_fails_the_iterations_come_to_their_end(world: World, data: st.DataObject) -> None:
    def answer(world: World, child: TaskObservation) -> None:
        end(world, child, data.draw(ENDINGS))

    world.run(answer, passes=3000)
    for name, status in world.statuses.items():
        spec = world.specs[name]
        if status.phase == PipelinePhase.FAILED:
            blocked = any(task.phase == StagePhase.FAILED for c in status.configurations for task in c.tasks)
            came_to_nothing = any(c.failed for c in status.configurations)
            assert blocked or came_to_nothing
            if blocked:
                continue
        else:
            assert status.phase == PipelinePhase.COMPLETED
            assert not any(c.failed for c in status.configurations)
        assert status.iteration == spec.iterations
        assert not [child for child in world.children.values() if child.identity.pipeline == name]
        records = [record for record in world.records.values() if record.spec.pipeline == name]
        assert len(records) == len(spec.configurations) * (spec.iterations or 0)
        assert status.promotions == sum(len(record.spec.promotions) for record in records)
        assert status.rollbacks == sum(len(record.spec.rollbacks) for record in records)


@settings(max_examples=30, deadline=None)
@given(namespaces(), st.data())
def test_no_task_is_tried_too_often_and_no_name_comes_twice(world: World, data: st.DataObject) -> None:
    def answer(world: World, child: TaskObservation) -> None:
        end(world, child, data.draw(st.sampled_from(["well", "crash", "reject"])))

    world.run(answer, passes=3000)
    names = [task.name for task in world.created]
    assert len(set(names)) == len(names)
    assert all(len(name) <= LIMIT for name in names)
    assert all(
        task.identity.attempt <= ATTEMPTS
        for task in world.created
        if not world.recipes.steps[task.identity.step].handling.is_repeated
    )


@settings(max_examples=30, deadline=None)
@given(namespaces(), st.data())
def test_a_child_is_deleted_only_when_its_outcome_is_in_the_status(world: World, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 30))):
        counted = {name: status.tasks for name, status in world.statuses.items()}
        live = {child.name for child in world.live}
        plans = world.plans()
        for name, plan in zip(sorted(world.specs), plans, strict=True):
            ended = [
                child for child in plan.delete if child not in live and world.children[child].exit_code not in (75, 4)
            ]
            ended = [child for child in ended if world.children[child].phase != ChildPhase.LOST]
            before = counted.get(name, TrainingPipelineStatus().tasks)
            after = plan.status.tasks
            assert after.succeeded + after.failed - before.succeeded - before.failed == len(ended)
            world.apply(name, plan)
        disturb(world, data)


@settings(max_examples=30, deadline=None)
@given(namespaces(), st.data())
def test_a_pass_that_breaks_off_is_made_up_for(world: World, data: st.DataObject) -> None:
    """Killed between any two actions, the next pass comes to the same status and children."""
    for _ in range(data.draw(st.integers(0, 15))):
        world.step()
        disturb(world, data)
    plans = plan_all(world.snapshots())
    names = sorted(world.specs)
    for name, plan in zip(names, plans, strict=True):
        kept = data.draw(st.integers(0, len(plan.create)))
        deleted = plan.delete if kept == len(plan.create) and data.draw(st.booleans()) else ()
        is_written = data.draw(st.booleans()) or kept > 0 or bool(deleted)
        if is_written:
            world.apply(name, replace(plan, create=plan.create[:kept], delete=deleted, expired_records=()))
    world.step()
    check_room(world)
    for name, plan in zip(names, plans, strict=True):
        if len(world.pools) == 1:  # with several pools what is left may find another place
            assert {child for child in world.children if world.children[child].identity.pipeline == name} >= {
                task.name for task in plan.create
            }
    assert all(plan.is_empty for plan in world.plans())

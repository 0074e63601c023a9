"""Who gets which slot."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ringrift_core.contract import Stage
from ringrift_operator.api import TrainingPipelineSpec
from ringrift_operator.domain.snapshot import PoolObservation
from tests.unit.domain.world import World, artifact, pipeline_spec, pool

MEMORY = "1Gi"


def slot(name: str, *stages: str, cpu: str = "1", **changes: object) -> dict[str, object]:
    return {"name": name, "stages": list(stages), "resources": {"cpu": cpu, "memory": MEMORY}, **changes}


ALL = slot("all", "selfplay", "train", "cmaes", "evaluate")


def started(*pools: PoolObservation, **specs: TrainingPipelineSpec) -> World:
    """Pipelines whose stores have been read: their first iterations have just begun."""
    one = World(pools=pools, specs=specs or {"tp": pipeline_spec()})
    one.step()
    for child in one.live:
        one.end(child)
    one.step()
    return one


def live(one: World) -> set[tuple[str, str, str]]:
    return {(child.identity.pipeline, child.identity.step, child.identity.pool) for child in one.live}


def test_a_task_goes_where_its_stage_and_board_are_taken() -> None:
    one = started(
        pool("hexes", boards=["hex8"], slots=[ALL]),
        pool("four", players=[4], slots=[ALL]),
        pool("trainers", slots=[slot("t", "train")]),
        pool("right", boards=["square8"], players=[2], slots=[ALL]),
    )
    assert {name for _, _, name in live(one)} == {"right"}


def test_a_pool_that_the_selector_leaves_out_is_not_used() -> None:
    spec = pipeline_spec(poolSelector={"matchLabels": {"tier": "cpu"}})
    unlabelled, labelled = pool("a", slots=[ALL]), replace(pool("b", slots=[ALL]), labels={"tier": "cpu"})
    assert {name for _, _, name in live(started(unlabelled, labelled, tp=spec))} == {"b"}


def test_a_suspended_pool_gets_nothing_new() -> None:
    assert live(started(pool(slots=[ALL], suspend=True))) == set()


def test_cluster_pools_are_used_even_when_offline_and_runners_only_when_online() -> None:
    asleep = replace(pool("cluster", slots=[ALL]), online=False)
    away = replace(pool("runner", type="Runner", slots=[ALL]), online=False)
    assert {name for _, _, name in live(started(asleep, away))} == {"cluster"}


def test_a_claim_keeps_to_cluster_pools_and_runners_with_a_folder() -> None:
    spec = pipeline_spec(artifacts={"persistentVolumeClaim": {"claimName": "games"}}, tracks=["weights"])
    blind = pool("blind", type="Runner", slots=[slot("s", "selfplay", "cmaes", "evaluate", cpu="64")])
    sees = pool("sees", type="Runner", artifactsPath="/Volumes/games", slots=[slot("c", "cmaes", "evaluate")])
    one = started(blind, sees, pool("cluster", slots=[slot("s", "selfplay")]), tp=spec)
    stores = {task.stage: task.parameters.store for task in one.created if task.pool is not None}
    assert stores == {Stage.SELFPLAY: "file:///artifacts", Stage.CMAES: "file:///Volumes/games"}


def test_a_runner_finds_the_candidate_under_its_own_folder() -> None:
    spec = pipeline_spec(artifacts={"persistentVolumeClaim": {"claimName": "games"}}, tracks=["weights"], iterations=1)
    runner = pool("mac", type="Runner", artifactsPath="/Volumes/games", slots=[slot("e", "evaluate")])
    one = World(pools=(runner, pool("c", slots=[slot("s", "selfplay", "cmaes")])), specs={"tp": spec})

    def answer(world: World, child: object) -> None:
        result = world.result(child)  # type: ignore[arg-type]
        if result.stage == Stage.CMAES:
            made = artifact("x.json").model_copy(update={"uri": "file:///artifacts/square8-2p/objects/x.json"})
            result = result.model_copy(update={"outputs": {"candidate": made}})
        world.end(child, result=result)  # type: ignore[arg-type]

    one.run(answer)
    (gate,) = [task for task in one.created if task.stage == Stage.EVALUATE]
    assert gate.parameters.candidate.uri == "file:///Volumes/games/square8-2p/objects/x.json"  # type: ignore[attr-defined]


def test_a_batch_above_512_takes_cuda_slots_only() -> None:
    on_cpu = pool("cpu", slots=[slot("s", "selfplay", "evaluate"), slot("t", "train", cpu="64")])
    on_gpu = pool("gpu", slots=[slot("t", "train", device="cuda")])

    def trains_on(batch: int, *pools: PoolObservation) -> set[str]:
        spec = pipeline_spec(tracks=["network"], iterations=1, network={"batchSize": batch})
        one = World(pools=pools, specs={"tp": spec})
        one.run()
        return {task.identity.pool for task in one.created if task.stage == Stage.TRAIN}

    assert trains_on(1024, on_cpu, on_gpu) == {"gpu"}
    assert trains_on(1024, on_cpu) == set()
    assert trains_on(512, on_cpu) == {"cpu"}


def test_training_prefers_the_gpu_and_tells_the_stage() -> None:
    one = World(
        pools=(
            pool("cpu", slots=[slot("s", "selfplay", "evaluate"), slot("t", "train", cpu="64")]),
            pool("gpu", slots=[slot("t", "train", device="cuda")]),
        ),
        specs={"tp": pipeline_spec(tracks=["network"], iterations=1)},
    )
    one.run()
    (train,) = [task for task in one.created if task.stage == Stage.TRAIN]
    assert (train.identity.pool, train.parameters.device) == ("gpu", "cuda")  # type: ignore[attr-defined]


def test_whatever_asks_or_trains_a_network_is_told_the_slots_device() -> None:
    everything = slot("s", "selfplay", "train", "nnue", "distill", "cmaes", "evaluate", device="mps")
    one = World(
        pools=(pool(slots=[everything]),),
        specs={"tp": pipeline_spec(iterations=2, tracks=["weights", "nnue", "network"])},
    )
    one.run()
    told = {task.stage: task.parameters.device for task in one.created if not task.is_remote and task.slot is not None}  # type: ignore[attr-defined]
    asking = {Stage.SELFPLAY, Stage.CMAES, Stage.EVALUATE, Stage.ROUNDROBIN}
    assert told == dict.fromkeys(asking | {Stage.TRAIN, Stage.NNUE, Stage.DISTILL}, "mps")


def test_the_smaller_number_of_workers_holds() -> None:
    one = started(pool(slots=[slot("s", "selfplay"), slot("c", "cmaes", "evaluate", maxWorkers=1)]))
    workers = [task.parameters.workers for task in one.created if task.stage == Stage.CMAES]  # type: ignore[attr-defined]
    assert workers == [1]


def test_the_configuration_that_waited_longest_goes_first() -> None:
    one = started(pool(slots=[ALL]), a=pipeline_spec(artifacts={"uri": "s3://a/a"}))
    one.specs["b"] = pipeline_spec(artifacts={"uri": "s3://b/b"}, tracks=["network"])
    one.now += timedelta(seconds=1)
    for kept in ("none", "cmaes", "none"):  # a plays; a searches while b reads its store; then both wait
        for child in one.live:
            if child.identity.step != kept:
                one.end(child)
        one.step()
        one.now += timedelta(seconds=1)
    assert [(p, s) for p, s, name in live(one) if name] == [("b", "selfplay")], "a's gate is ready later"


def test_pipelines_take_turns_from_pass_to_pass() -> None:
    """What a pipeline has had stands in its status, as long as an older task of it waits."""
    two = [{"board": board, "players": 2} for board in ("square8", "hex8")]
    specs = {
        name: pipeline_spec(artifacts={"uri": f"s3://{name}/x"}, tracks=["network"], configurations=configurations)
        for name, configurations in (("a", two), ("b", two[:1]))
    }
    one = started(pool(slots=[ALL]), **specs)
    (first,) = [child for child in one.live if child.identity.pool]
    assert first.identity.pipeline == "a"
    (turn,) = one.statuses["a"].turns
    assert (turn.pool, turn.slot, turn.selfplay) == ("pool", "all", False)
    one.now += timedelta(seconds=1)
    one.end(first)
    one.step()
    assert live(one) >= {("b", "selfplay", "pool")}, (
        "a's other configuration has waited as long, and a has had its turn"
    )
    assert one.statuses["b"].turns == (), "none of b's tasks waits behind it"


def test_live_children_of_other_pipelines_take_room() -> None:
    one = started(pool(slots=[ALL]), a=pipeline_spec(artifacts={"uri": "s3://a/a"}))
    assert len([child for child in one.live if child.identity.pool]) == 1
    one.specs["b"] = pipeline_spec(artifacts={"uri": "s3://b/b"})
    one.step()
    for child in one.live:
        if child.identity.pipeline == "b":
            one.end(child)
    one.step()
    assert not [child for child in one.live if child.identity.pipeline == "b" and child.identity.pool]


class TestCooldown:
    """Cool-down slots and self-play take turns on a pool."""

    POOL = pool(slots=[slot("play", "selfplay", "evaluate", count=2), slot("rest", "cmaes", when="Cooldown")])

    def test_a_cooldown_slot_waits_while_selfplay_runs(self) -> None:
        one = started(self.POOL)
        assert {step for _, step, _ in live(one)} == {"selfplay"}

    def test_it_goes_first_once_selfplay_has_ended(self) -> None:
        specs = {name: pipeline_spec(artifacts={"uri": f"s3://{name}/x"}) for name in ("a", "b")}
        one = started(self.POOL, **specs)
        assert live(one) == {("a", "selfplay", "pool")}
        for child in one.live:
            one.end(child)
        one.step()
        running = {(pipeline, step) for pipeline, step, name in live(one) if name}
        assert running == {("a", "cmaes")}, "b's self-play has waited as long, and is held back"

    def test_selfplay_waits_while_it_runs_and_goes_on_after(self) -> None:
        specs = {name: pipeline_spec(artifacts={"uri": f"s3://{name}/x"}) for name in ("a", "b")}
        one = started(self.POOL, **specs)
        for _ in range(2):
            for child in one.live:
                one.end(child)
            one.now += timedelta(seconds=1)
            one.step()
        assert ("b", "selfplay", "pool") in live(one)
        assert not any(step == "cmaes" for _, step, _ in live(one))

    def test_a_slot_that_is_always_open_is_taken_before(self) -> None:
        elsewhere = pool("spare", slots=[slot("c", "cmaes")])
        one = started(self.POOL, elsewhere)
        assert ("tp", "cmaes", "spare") in live(one)

    def test_while_it_waits_for_the_last_selfplay_no_new_one_begins(self) -> None:
        def spec(name: str, games: int) -> TrainingPipelineSpec:
            small = {"board": "square8", "players": 2, "bootstrapGames": games}
            return pipeline_spec(artifacts={"uri": f"s3://{name}/x"}, configurations=[small])

        one = started(self.POOL, a=spec("a", 10), b=spec("b", 10))
        assert live(one) == {("a", "selfplay", "pool"), ("b", "selfplay", "pool")}
        one.specs["c"] = spec("c", 10)
        one.step()
        for child in one.live:
            if (child.identity.pipeline, child.identity.step) != ("b", "selfplay"):
                one.end(child)
        one.step()
        assert {(p, s) for p, s, name in live(one) if name} == {("b", "selfplay")}, "c's self-play is held back"
        for child in one.live:
            one.end(child)
        one.step()
        assert {(p, s) for p, s, name in live(one) if name} == {("a", "cmaes")}

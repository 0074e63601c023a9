"""A track that nobody ships, added by rows of tables alone, goes through plan, dry run, records, status and `local`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringrift_core.archive import Archive
from ringrift_core.contract import Decision, Stage
from ringrift_core.registry.records import read_registry
from ringrift_core.store import open_store
from ringrift_operator.api import TrackDecision, TrainingIteration, TrainingPipeline
from ringrift_operator.api.crd import open_api_schema
from ringrift_operator.domain.recipes import Recipes
from ringrift_operator.domain.snapshot import TaskObservation
from ringrift_operator.local.command import local
from tests.toy.stages import TOY, CountResult, PickResult
from tests.unit.domain.world import World, pool, world

PROGRAM = (sys.executable, "-P", str(Path(__file__).with_name("ringrift.py")))

RESULTS = {Stage("toy-count"): CountResult(games=100), Stage("toy-pick"): PickResult(is_hand_set=True)}

PIPELINE: dict[str, Any] = {
    "apiVersion": "ringrift.ai/v1alpha1",
    "kind": "TrainingPipeline",
    "metadata": {"name": "toys"},
    "spec": {
        "artifacts": {"persistentVolumeClaim": {"claimName": "games"}},
        "configurations": [{"board": "square8", "players": 2, "bootstrapGames": 12, "gamesPerIteration": 12}],
        "iterations": 2,
        "tracks": ["toy"],
        "selfplay": {"engineModes": ["random-only"], "shardGames": 12, "cooldown": "0s"},
        "evaluation": {"gate": "Fixed", "games": 16},
    },
}


@pytest.fixture
def one(recipes: Recipes) -> World:
    """A namespace in which a pipeline trains the toy track beside a shipped one."""
    made = world(tracks=["weights", "toy"], iterations=2)
    made.recipes, made.results = recipes, RESULTS
    stages = ["selfplay", "evaluate", "cmaes", "toy-pick"]
    made.pools = (pool(slots=[{"name": "all", "stages": stages, "count": 3, "resources": {"memory": "1Gi"}}]),)
    return made


def test_without_its_rows_nobody_can_ask_for_it() -> None:
    with pytest.raises(ValueError, match="Input should be 'weights', 'nnue' or 'network'"):
        world(tracks=["toy"])


def test_it_is_planned_in_order(one: World) -> None:
    one.run()
    made = [task.identity.step for task in one.created if task.identity.iteration == 1]
    order = ["merge", "toy-count", "toy-pick", "evaluate-toy", "promote-toy"]
    assert [step for step in made if step in order] == order
    placed = {task.identity.step: task.slot and task.slot.name for task in one.created}
    assert (placed["toy-count"], placed["toy-pick"]) == (None, "all")
    told = next(task.parameters for task in one.created if task.identity.step == "toy-pick")
    assert told.model_dump(mode="json", by_alias=True)["counted"]["uri"].endswith("toy-count.bin")


def test_a_dry_run_describes_it(one: World) -> None:
    one.specs["tp"] = one.specs["tp"].model_copy(update={"dry_run": True})
    (plan,) = one.step()
    assert any("count the games of 1 iterations and pick weights, then a gate" in line for line in plan.status.plan)
    assert plan.create == ()


def test_its_status_and_records_hold_what_its_stages_found(one: World) -> None:
    one.run()
    (configuration,) = one.statuses["tp"].configurations
    toy = configuration.track(TOY)
    assert (toy.champion, toy.predecessor) == ("2", "1")
    record = max(one.records.values(), key=lambda each: each.spec.iteration)
    assert {track.track: track.decision for track in record.spec.tracks}[TOY] == TrackDecision.PROMOTED
    stages = {stage.name: stage for stage in record.spec.stages}
    assert stages["toy-count"].answer(CountResult) == CountResult(games=100)
    assert TrainingIteration.model_validate(json.loads(json.dumps(record.to_manifest()))) == record


def test_its_champion_is_tested_and_rolled_back_as_any_other(one: World) -> None:
    def answer(world: World, child: TaskObservation) -> None:
        result = world.result(child, Decision.REJECT if child.identity.iteration == 3 else Decision.PROMOTE)
        if child.identity.step == "regression-toy" and result.verdict is not None:
            regressed = result.verdict.model_copy(update={"decision": Decision.REGRESSED})
            result = result.model_copy(update={"verdict": regressed})
        world.end(child, result=result)

    one.specs["tp"] = one.specs["tp"].model_copy(update={"iterations": 3})
    one.run(answer)
    assert any(task.identity.step == "rollback-toy" for task in one.created)
    assert one.statuses["tp"].rollbacks == 1


@pytest.mark.usefixtures("recipes")
def test_the_schemas_of_the_crds_know_it() -> None:
    schema = open_api_schema(TrainingPipeline)["properties"]
    assert "toy" in schema["spec"]["properties"]["tracks"]["items"]["enum"]
    task = schema["status"]["properties"]["configurations"]["items"]["properties"]["tasks"]["items"]
    assert task["properties"]["result"]["properties"]["isHandSet"]["type"] == "boolean"


def test_local_runs_it_with_real_processes(
    recipes: Recipes, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    file, data = Path("pipeline.yaml"), Path("ringrift-data")
    file.write_text(yaml.safe_dump(PIPELINE))
    assert local([file], data, dry_run=True, program=PROGRAM, recipes=recipes) == 0
    assert "iteration 1: count the games of 1 iterations and pick weights, then a gate of 16" in capsys.readouterr().out
    code = local([file], data, plain=True, program=PROGRAM, recipes=recipes)
    said = capsys.readouterr().out
    assert code == 0, said
    records = [json.loads(path.read_text())["spec"] for path in sorted(data.glob("_local/toys/iterations/*.json"))]
    stages = {stage["name"]: stage for stage in records[0]["stages"]}
    assert stages["toy-count"]["result"] == {"games": 12}
    assert stages["toy-pick"]["result"] == {"isHandSet": True}
    assert [record["tracks"][0]["decision"] for record in records] == ["Promoted", "Rejected"]
    assert "toy champion, version 1" in said
    archive = Archive(open_store((tmp_path / data / "games").as_uri()), "square8-2p")
    assert read_registry(archive, TOY).version == 1

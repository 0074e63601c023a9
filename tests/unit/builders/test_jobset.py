"""JobSets of tasks that several Pods do together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ringrift_core.contract import TrainParameters
from ringrift_operator.api import TrainingPipeline, WorkerPoolSpec
from ringrift_operator.api.load import load_file
from ringrift_operator.builders.jobset import jobset
from ringrift_operator.builders.release import Release
from ringrift_operator.domain.labels import identity_from
from ringrift_operator.domain.plan import PlacedTask
from ringrift_operator.domain.snapshot import PoolObservation
from tests.cluster.requirement import required_jobset_definition
from tests.unit.api.test_bounds import faults
from tests.unit.builders.test_job import PLAY, PRIORITY, QUEUE, TEMPLATE
from tests.unit.domain.world import World, pipeline_spec, pool

ROOT = Path(__file__).parents[3]
RELEASE = Release.model_validate({"trainerImage": "trainer:1"})
GPUS = {
    "name": "learn",
    "stages": ["train"],
    "count": 4,
    "device": "cuda",
    "resources": {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "2"},
}


def built(nodes: int, processes: int, name: str = "tp", **pool_changes: Any) -> tuple[PlacedTask, dict[str, Any]]:
    """The training of a pipeline, and its JobSet."""
    network = {"distributed": {"nodes": nodes, "processesPerNode": processes}}
    spec = pipeline_spec(tracks=["network"], iterations=1, network=network)
    one = World(pools=(pool(**{"slots": [PLAY, GPUS], **pool_changes}),), specs={name: spec})
    one.run()
    return rendered(one, name)


def rendered(one: World, name: str) -> tuple[PlacedTask, dict[str, Any]]:
    (task,) = (task for task in one.created if task.identity.step == "train")
    return task, jobset(one.snapshot(name), task, RELEASE)


def job(manifest: dict[str, Any]) -> dict[str, Any]:
    (replicated,) = manifest["spec"]["replicatedJobs"]
    assert (replicated["name"], replicated["replicas"]) == ("node", 1)
    return replicated["template"]  # type: ignore[no-any-return]


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    (found,) = job(manifest)["spec"]["template"]["spec"]["containers"]
    return found  # type: ignore[no-any-return]


def schema() -> dict[str, Any]:
    """The schema of the official CRD."""
    definition = yaml.load(required_jobset_definition().read_text(), yaml.CSafeLoader)
    (version,) = definition["spec"]["versions"]
    assert version["name"] == "v1alpha2"
    return version["schema"]["openAPIV3Schema"]["properties"]["spec"]  # type: ignore[no-any-return]


def test_it_fits_the_official_schema() -> None:
    official = schema()
    queue = {"name": "games", "priorityClass": "low"}
    plain: dict[str, Any] = {}
    rich: dict[str, Any] = {"podTemplate": {**TEMPLATE, "affinity": {"podAffinity": {}}}, "queue": queue}
    for changes in (plain, rich):
        _, manifest = built(3, 2, **changes)
        assert list(faults(manifest["spec"], official)) == []
    manifest["spec"]["replicatedJobs"][0]["template"]["spec"]["completion"] = 3
    assert list(faults(manifest["spec"], official)), "and the schema would tell"


def test_one_pod_a_node_finds_the_first_by_its_name() -> None:
    task, manifest = built(3, 2)
    spec = job(manifest)["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 3)
    arguments = container(manifest)["args"]
    first = f"{task.name}-node-0-0.{task.name}"
    assert arguments[: arguments.index("ringrift_core")] == [
        *("-P", "-m", "ringrift_core.nn.together", "--nnodes", "3", "--node-rank", "$(JOB_COMPLETION_INDEX)"),
        *("--nproc-per-node", "2", "--master-addr", first, "--master-port", "29500", "-m"),
    ]
    assert manifest["spec"]["network"] == {"enableDNSHostnames": True, "publishNotReadyAddresses": True}
    assert container(manifest)["resources"]["limits"]["nvidia.com/gpu"] == "2"


def test_the_operator_alone_retries_and_a_drained_pod_takes_the_others_along() -> None:
    _, manifest = built(2, 1)
    assert manifest["spec"]["failurePolicy"] == {"maxRestarts": 0}
    spec = job(manifest)["spec"]
    assert (spec["backoffLimit"], spec["template"]["spec"]["restartPolicy"]) == (0, "Never")
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert rule == {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def test_only_the_jobset_and_its_pods_say_whose_they_are() -> None:
    """Its Job, labelled as well, would be a task of its own."""
    task, manifest = built(2, 1, podTemplate=TEMPLATE)
    assert identity_from(manifest["metadata"]["labels"]) == task.identity
    assert task.identity.parallelism == 2
    assert "metadata" not in job(manifest)
    pods = job(manifest)["spec"]["template"]["metadata"]
    assert (pods["labels"]["ringrift.ai/stage"], pods["labels"]["team"]) == ("train", "games")
    assert [owner["uid"] for owner in manifest["metadata"]["ownerReferences"]] == ["uid-tp"]


def test_a_queue_holds_all_of_it() -> None:
    _, manifest = built(2, 1, queue={"name": "games", "priorityClass": "low"})
    labels = manifest["metadata"]["labels"]
    assert (labels[QUEUE], labels[PRIORITY], manifest["spec"]["suspend"]) == ("games", "low", True)
    assert "suspend" not in job(manifest)["spec"], "JobSet's own"
    assert "suspend" not in built(2, 1)[1]["spec"]


@pytest.mark.parametrize("name", ["p", "p" * 40])
def test_the_longest_name_of_a_pod_is_a_label(name: str) -> None:
    task, manifest = built(4, 1, name=name)
    assert len(f"{manifest['metadata']['name']}-node-0-63-abcde") <= 63
    assert manifest["metadata"]["name"] == task.name


def test_the_example_is_the_plans_run_on_the_plans_machines() -> None:
    """4 processes, 200 epochs, batch 1,024: machines with one GPU each."""
    (example,) = load_file(ROOT / "examples/gpu.yaml")
    assert isinstance(example, TrainingPipeline)
    values = yaml.safe_load((ROOT / "charts/ringrift/environments/production.yaml").read_text(encoding="utf-8"))
    pools = tuple(
        PoolObservation(each["name"], WorkerPoolSpec.model_validate(each["spec"])) for each in values["pools"]
    )
    one = World(pools=pools, specs={"ddp": example.spec.model_copy(update={"iterations": 1})})
    one.run()
    task, manifest = rendered(one, "ddp")
    assert (task.identity.pool, task.demand.places, task.demand.processes) == ("cloud-gpu", 4, 1)
    parameters = task.parameters
    assert isinstance(parameters, TrainParameters)
    assert (parameters.epochs, parameters.batch_size, parameters.distributed, parameters.device) == (
        200,
        1024,
        True,
        "cuda",
    )
    assert job(manifest)["spec"]["parallelism"] == 4
    assert container(manifest)["resources"]["limits"] == {"cpu": "7", "memory": "48Gi", "nvidia.com/gpu": "1"}
    assert container(manifest)["image"] == "trainer:1"
    assert list(faults(manifest["spec"], schema())) == []

"""Jobs of placed tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core.contract import Stage, to_arguments
from ringrift_operator.builders.job import job
from ringrift_operator.builders.release import Release
from ringrift_operator.domain.labels import identity_from
from ringrift_operator.domain.plan import PlacedTask
from tests.unit.domain.test_planning import namespaces
from tests.unit.domain.world import World, pipeline_spec, pool

RELEASE = Release.model_validate(
    {
        "workerImage": "worker:1",
        "trainerImage": "trainer:1",
        "imagePullSecrets": ["registry"],
        "serviceAccount": "ringrift-worker",
        "lightStages": {
            "resources": {"cpu": "250m", "memory": "512Mi"},
            "deadline": "1h",
            "podTemplate": {"nodeSelector": {"tier": "small"}},
        },
    }
)
TEMPLATE = {
    "labels": {"team": "games"},
    "annotations": {"note": "yes"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "priorityClassName": "low",
    "volumes": [{"name": "cache", "emptyDir": {}}],
    "volumeMounts": [{"name": "cache", "mountPath": "/cache"}],
}


def built(step: str, spec: dict[str, Any] | None = None, **pool_changes: Any) -> tuple[PlacedTask, dict[str, Any]]:
    """The first placed task of a step in an iteration of the test's pipeline, and its Job."""
    one = World(pools=(pool(**pool_changes),), specs={"tp": pipeline_spec(**{"iterations": 1, **(spec or {})})})
    one.run()
    task = next(task for task in one.created if task.identity.step == step)
    return task, job(one.snapshot(), task, RELEASE)


def test_what_a_pools_template_says_reaches_the_pod() -> None:
    spread = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    variables = [{"name": "TIER", "value": "spot"}, {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]
    template = {
        "env": variables,
        "envFrom": [{"configMapRef": {"name": "proxies"}}],
        "runtimeClassName": "nvidia",
        "schedulerName": "volcano",
        "topologySpreadConstraints": [spread],
        "sharedMemory": "2Gi",
    }
    store = {"uri": "s3://games/main", "secretName": "keys"}
    _, manifest = built("cmaes", {"artifacts": store}, podTemplate=template)
    spec, stage = pod(manifest), container(manifest)
    assert (spec["runtimeClassName"], spec["schedulerName"]) == ("nvidia", "volcano")
    assert spec["topologySpreadConstraints"] == [spread]
    assert {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}} in spec["volumes"]
    assert {"name": "shm", "mountPath": "/dev/shm"} in stage["volumeMounts"]
    assert stage["env"] == [{"name": "HOME", "value": "/tmp"}, *variables]
    assert stage["envFrom"] == [{"configMapRef": {"name": "proxies"}}, {"secretRef": {"name": "keys"}}]


def test_a_pool_may_have_a_home_of_its_own() -> None:
    _, manifest = built("cmaes", podTemplate={"env": [{"name": "HOME", "value": "/cache"}]})
    assert container(manifest)["env"] == [{"name": "HOME", "value": "/cache"}]


def test_without_a_template_a_pod_has_nothing_of_it() -> None:
    _, manifest = built("cmaes")
    assert not pod(manifest).keys() & {"runtimeClassName", "schedulerName", "topologySpreadConstraints", "tolerations"}
    assert {mount["mountPath"] for mount in container(manifest)["volumeMounts"]} == {"/tmp"}


def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    return manifest["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    (found,) = pod(manifest)["containers"]
    return found  # type: ignore[no-any-return]


def test_the_slots_resources_are_requests_and_limits() -> None:
    _, manifest = built("cmaes")
    assert container(manifest)["resources"] == {
        "requests": {"cpu": "4", "memory": "4Gi"},
        "limits": {"cpu": "4", "memory": "4Gi"},
    }


def test_nobody_retries_but_the_operator() -> None:
    _, manifest = built("cmaes")
    spec = manifest["spec"]
    assert (spec["backoffLimit"], pod(manifest)["restartPolicy"]) == (0, "Never")
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert rule["action"] == "Ignore"
    assert rule["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]


def test_selfplay_is_one_index_per_shard_and_an_index_fails_for_itself() -> None:
    _, manifest = built(
        "selfplay",
        slots=[
            {
                "name": "s",
                "stages": ["selfplay", "train", "cmaes", "evaluate"],
                "count": 3,
                "resources": {"memory": "1Gi"},
            }
        ],
    )
    spec = manifest["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 20, 3)
    assert (spec["backoffLimitPerIndex"], spec["maxFailedIndexes"]) == (0, 20)
    assert "backoffLimit" not in spec
    assert container(manifest)["args"][-2:] == ["--index", "$(JOB_COMPLETION_INDEX)"]


def test_the_command_line_is_the_contracts() -> None:
    task, manifest = built("evaluate-weights")
    assert container(manifest)["command"] == ["ringrift"]
    assert container(manifest)["args"] == [*to_arguments(task.parameters), "--result", "/dev/termination-log"]
    assert container(manifest)["terminationMessagePath"] == "/dev/termination-log"


def test_light_stages_run_with_what_the_release_gives_them() -> None:
    _, manifest = built("merge")
    assert container(manifest)["resources"]["limits"] == {"cpu": "250m", "memory": "512Mi"}
    assert pod(manifest)["activeDeadlineSeconds"] == 3600
    assert pod(manifest)["nodeSelector"] == {"tier": "small"}


def test_the_slots_deadline_counts_from_when_a_node_has_taken_the_pod() -> None:
    _, manifest = built("cmaes")
    assert "activeDeadlineSeconds" not in manifest["spec"]
    assert pod(manifest)["activeDeadlineSeconds"] == 24 * 3600


def test_what_a_stage_keeps_in_tmp_is_limited() -> None:
    assert pod(built("train")[1])["volumes"][0] == {"name": "tmp", "emptyDir": {"sizeLimit": "10Gi"}}


@pytest.mark.parametrize(("step", "image"), [("merge", "worker:1"), ("cmaes", "worker:1"), ("train", "trainer:1")])
def test_torch_is_only_in_the_image_that_trains(step: str, image: str) -> None:
    assert container(built(step)[1])["image"] == image


def test_a_pools_own_image_wins() -> None:
    assert container(built("train", image="mine:2")[1])["image"] == "mine:2"


def test_the_pools_template_reaches_job_and_pod() -> None:
    _, manifest = built("cmaes", podTemplate=TEMPLATE)
    found = pod(manifest)
    assert manifest["metadata"]["labels"]["team"] == "games"
    assert manifest["spec"]["template"]["metadata"]["labels"]["team"] == "games"
    assert manifest["spec"]["template"]["metadata"]["annotations"] == {"note": "yes"}
    assert (found["nodeSelector"], found["priorityClassName"]) == ({"disk": "ssd"}, "low")
    assert found["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    assert {volume["name"] for volume in found["volumes"]} == {"tmp", "cache"}
    assert {"name": "cache", "mountPath": "/cache"} in container(manifest)["volumeMounts"]


QUEUE = "kueue.x-k8s.io/queue-name"
PRIORITY = "kueue.x-k8s.io/priority-class"
LEAST = "kueue.x-k8s.io/job-min-parallelism"


def test_a_pools_queue_holds_its_jobs_until_it_admits_them() -> None:
    _, manifest = built("cmaes", queue={"name": "games", "priorityClass": "low"})
    labels = manifest["metadata"]["labels"]
    assert (labels[QUEUE], labels[PRIORITY]) == ("games", "low")
    assert manifest["spec"]["suspend"] is True
    assert "annotations" not in manifest["metadata"], "it has one Pod: admitted or not"
    assert not {QUEUE, PRIORITY} & manifest["spec"]["template"]["metadata"]["labels"].keys()


def test_without_a_queue_a_job_starts_at_once() -> None:
    _, manifest = built("cmaes")
    assert "suspend" not in manifest["spec"]
    assert not {QUEUE, PRIORITY} & manifest["metadata"]["labels"].keys()


def test_a_queue_without_a_priority_leaves_it_to_the_pods() -> None:
    _, manifest = built("train", queue={"name": "games"})
    assert PRIORITY not in manifest["metadata"]["labels"]


@pytest.mark.parametrize(("count", "least"), [(1, None), (3, "1"), (30, "1")])
def test_selfplay_runs_with_as_many_pods_as_there_is_quota_for(count: int, least: str | None) -> None:
    stages = ["selfplay", "train", "cmaes", "evaluate"]
    slot = {"name": "s", "stages": stages, "count": count, "resources": {"memory": "1Gi"}}
    _, manifest = built("selfplay", slots=[slot], queue={"name": "games"})
    assert manifest["metadata"].get("annotations", {}).get(LEAST) == least


def test_light_stages_have_a_queue_of_their_own_or_none() -> None:
    _, manifest = built("merge", queue={"name": "games"})
    assert "suspend" not in manifest["spec"], "the pool's queue is not theirs"
    one = World(pools=(pool(),), specs={"tp": pipeline_spec(iterations=1)})
    one.run()
    release = Release.model_validate({"lightStages": {"queue": {"name": "light", "priorityClass": "high"}}})
    light = next(task for task in one.created if task.slot is None)
    heavy = next(task for task in one.created if task.slot is not None)
    held = job(one.snapshot(), light, release)
    assert (held["spec"]["suspend"], held["metadata"]["labels"][QUEUE]) == (True, "light")
    assert "suspend" not in job(one.snapshot(), heavy, release)["spec"]


def test_a_pools_own_security_contexts_stand_in_the_place_of_the_releases() -> None:
    own = {"podSecurityContext": {"fsGroup": 100}, "securityContext": {}}
    _, manifest = built("cmaes", podTemplate=own)
    assert pod(manifest)["securityContext"] == {"fsGroup": 100}
    assert container(manifest)["securityContext"] == {}


def test_a_light_stage_has_the_releases_security_contexts() -> None:
    release = Release.model_validate({"podSecurityContext": {"runAsNonRoot": True}, "securityContext": {"a": 1}})
    one = World(pools=(pool(),), specs={"tp": pipeline_spec(iterations=1)})
    one.run()
    manifest = job(one.snapshot(), next(task for task in one.created if task.slot is None), release)
    assert pod(manifest)["securityContext"] == {"runAsNonRoot": True}
    assert container(manifest)["securityContext"] == {"a": 1}


def test_a_claim_is_mounted() -> None:
    task, manifest = built("cmaes", {"artifacts": {"persistentVolumeClaim": {"claimName": "games"}}})
    assert {"name": "artifacts", "persistentVolumeClaim": {"claimName": "games"}} in pod(manifest)["volumes"]
    assert {"name": "artifacts", "mountPath": "/artifacts"} in container(manifest)["volumeMounts"]
    assert task.parameters.store == "file:///artifacts"


def test_a_secret_becomes_the_environment() -> None:
    _, manifest = built("cmaes", {"artifacts": {"uri": "s3://a/b", "secretName": "keys"}})
    assert container(manifest)["envFrom"] == [{"secretRef": {"name": "keys"}}]


def test_the_key_of_weights_and_biases_reaches_those_who_tell_it_something() -> None:
    spec = {
        "artifacts": {"uri": "s3://a/b", "secretName": "keys"},
        "tracking": {"wandb": {"project": "games", "secretName": "wandb"}},
    }
    both = [{"secretRef": {"name": "keys"}}, {"secretRef": {"name": "wandb"}}]
    for step, wanted in {"train": both, "evaluate-network": both, "cmaes": both[:1]}.items():
        _, manifest = built(step, spec)
        assert container(manifest)["envFrom"] == wanted, step


LEARN = {"name": "learn", "stages": ["train"], "resources": {"cpu": "8", "memory": "8Gi"}}
PLAY = {"name": "play", "stages": ["selfplay", "evaluate"], "resources": {"memory": "1Gi"}}


def trained_in(processes: int, slot: dict[str, Any], **template: Any) -> tuple[PlacedTask, dict[str, Any]]:
    """The training of several processes in one Pod."""
    spec = {"tracks": ["network"], "network": {"distributed": {"processesPerNode": processes}}}
    return built("train", spec, slots=[PLAY, slot], podTemplate=template)


def test_several_processes_of_one_node_are_started_by_torchrun() -> None:
    task, manifest = trained_in(2, LEARN)
    stage = container(manifest)
    assert manifest["kind"] == "Job"
    assert stage["command"] == ["python3"]
    assert stage["args"] == [
        *("-P", "-m", "ringrift_core.nn.together", "--standalone", "--nproc-per-node", "2"),
        *("-m", "ringrift_core", *to_arguments(task.parameters), "--result", "/dev/termination-log"),
    ]
    assert "--distributed" in stage["args"]
    assert stage["resources"]["limits"] == {"cpu": "8", "memory": "8Gi"}, "its processes share the cores"


def test_it_has_a_gpu_for_each_process_and_half_of_its_memory_may_be_shared() -> None:
    gpus = {**LEARN, "device": "cuda", "resources": {**LEARN["resources"], "nvidia.com/gpu": "4"}}  # type: ignore[dict-item]
    _, manifest = trained_in(2, gpus)
    assert container(manifest)["resources"]["limits"]["nvidia.com/gpu"] == "2"
    assert container(manifest)["resources"]["requests"] == container(manifest)["resources"]["limits"]
    shared = {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": str(4 << 30)}}
    assert shared in pod(manifest)["volumes"]
    assert {"name": "shm", "mountPath": "/dev/shm"} in container(manifest)["volumeMounts"]
    _, alone = built("train", {"tracks": ["network"]}, slots=[PLAY, gpus])
    assert container(alone)["resources"]["limits"]["nvidia.com/gpu"] == "4", "what the slot gives"
    assert "shm" not in {volume["name"] for volume in pod(alone)["volumes"]}


def test_a_pool_says_how_much_may_be_shared() -> None:
    _, manifest = trained_in(2, LEARN, sharedMemory="1Gi")
    assert {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}} in pod(manifest)["volumes"]


@settings(max_examples=20, deadline=None)
@given(namespaces(), st.data())
def test_every_job_is_confined_and_found_again(world: World, data: st.DataObject) -> None:
    world.run(passes=3000)
    jobs = [task for task in world.created if not task.is_remote]
    task = data.draw(st.sampled_from(jobs))
    manifest = job(world.snapshot(task.identity.pipeline), task, RELEASE)
    metadata = manifest["metadata"]
    assert identity_from(metadata["labels"]) == task.identity
    assert metadata["labels"].items() <= manifest["spec"]["template"]["metadata"]["labels"].items()
    assert [owner["uid"] for owner in metadata["ownerReferences"]] == [f"uid-{task.identity.pipeline}"]
    assert pod(manifest)["automountServiceAccountToken"] is False
    security = pod(manifest)["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(manifest)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"name": "tmp", "mountPath": "/tmp"} in container(manifest)["volumeMounts"]
    assert container(manifest)["resources"]["limits"] == container(manifest)["resources"]["requests"]
    assert (task.completions > 0) == (task.stage == Stage.SELFPLAY)


def test_a_release_file_is_read_and_refused_by_field(tmp_path: Path) -> None:
    file = tmp_path / "release.yaml"
    file.write_text("workerImage: mine:1\n")
    assert Release.read(file).worker_image == "mine:1"
    file.write_text("workerImages: mine:1\n")
    with pytest.raises(ValueError, match=r"release\.yaml: workerImages"):
        Release.read(file)
    with pytest.raises(ValueError, match="cannot be read"):
        Release.read(tmp_path / "absent.yaml")

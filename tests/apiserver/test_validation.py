"""What the API server refuses, `local` refuses: in the same words, at the same field. What both accept means the same.

Each file in examples/invalid opens with `# Refused: <path>: <sentence>`, what both must say. A file with a second
document shows a change: the first is accepted, the second refused.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringrift_operator.api import API_VERSION, TrainingPipeline, WorkerPool
from ringrift_operator.api.check import Problem, problems_of_change
from ringrift_operator.api.kinds import KINDS
from ringrift_operator.api.load import Document, InvalidResources, load, load_file
from ringrift_operator.api.rules import rules_of
from tests.cluster.kubectl import Kubectl, KubectlError

EXAMPLES = Path(__file__).parents[2] / "examples"
INVALID = sorted((EXAMPLES / "invalid").glob("*.yaml"))


@dataclass(frozen=True)
class Refusal:
    """What the first line of an example promises."""

    path: str
    """Empty for the object itself, which kubectl calls <nil>."""
    sentence: str


def promised(file: Path) -> Refusal:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    match = re.fullmatch(r"# Refused: (?:(spec\S*): )?(.+)", first)
    assert match, f"{file.name} does not open with '# Refused: PATH: SENTENCE'"
    return Refusal(match[1] or "", match[2])


def refused(kubectl: Kubectl, manifest: dict[str, Any]) -> str:
    """What `kubectl apply` says of a manifest that must not pass."""
    with pytest.raises(KubectlError) as caught:
        kubectl.apply(manifest)
    return str(caught.value)


def refused_locally(file: Path) -> list[Problem]:
    with pytest.raises(InvalidResources) as caught:
        load_file(file)
    return [problem.problem for problem in caught.value.problems]


def write_status(kubectl: Kubectl, manifest: dict[str, Any], status: dict[str, Any]) -> None:
    kubectl(
        "patch",
        manifest["kind"],
        manifest["metadata"]["name"],
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps({"status": status}),
    )


examples = pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)


@examples
def test_the_api_server_says_what_to_change(file: Path, kubectl: Kubectl) -> None:
    *before, last = yaml.safe_load_all(file.read_text(encoding="utf-8"))
    for manifest in before:
        kubectl.apply(manifest)
        if file.stem == "running-configuration-removed":
            write_status(kubectl, manifest, RUNNING)
    said = refused(kubectl, last)
    expected = promised(file)
    assert expected.sentence in said
    assert f"{expected.path or '<nil>'}: " in said or f'"{expected.path}"' in said  # the latter: unknown fields
    assert said.count("Invalid value") - said.count("<nil>: Invalid value: null") <= 1, "one mistake, one complaint"


@examples
def test_local_says_the_same(file: Path) -> None:
    expected = promised(file)
    if file.stem == "running-configuration-removed":
        found = running_configuration_removed(file)
    else:
        found = refused_locally(file)
    assert [problem.path for problem in found] == [expected.path]
    assert expected.sentence in found[0].sentence


RUNNING = {
    "configurations": [
        {"name": "square8-2p", "board": "square8", "players": 2, "running": False},
        {"name": "square8-3p", "board": "square8", "players": 3, "running": True},
    ]
}


def running_configuration_removed(file: Path) -> list[Problem]:
    """A status is not in a file: the change is judged between the two objects."""
    before, after = (
        TrainingPipeline.model_validate(manifest) for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8"))
    )
    running = TrainingPipeline.model_validate(before.to_manifest() | {"status": RUNNING})
    return problems_of_change(after, running)


def test_a_configuration_that_no_longer_runs_may_go(kubectl: Kubectl) -> None:
    before, after = yaml.safe_load_all((EXAMPLES / "invalid/running-configuration-removed.yaml").read_text())
    kubectl.apply(before)
    stopped = {"configurations": [item | {"running": False} for item in RUNNING["configurations"]]}
    write_status(kubectl, before, stopped)
    kubectl.apply(after)
    old = TrainingPipeline.model_validate(before | {"status": stopped})
    assert problems_of_change(TrainingPipeline.model_validate(after), old) == []


def test_every_rule_has_an_example() -> None:
    """Rules of RemoteTask and TrainingIteration, which nobody writes by hand, are tested below."""
    sentences = {promised(file).sentence for file in INVALID}
    stated = {
        rule["message"]
        for kind in ("TrainingPipeline", "WorkerPool")
        for rule in all_rules(KINDS[kind].model_json_schema())
    }
    assert len(stated) > 10
    assert stated - sentences == set()


def all_rules(schema: Any) -> list[dict[str, str]]:
    """Every rule in a schema, from any depth."""
    if isinstance(schema, list):
        return [rule for item in schema for rule in all_rules(item)]
    if not isinstance(schema, dict):
        return []
    own: list[dict[str, str]] = schema.get("x-kubernetes-validations", [])
    return own + [rule for item in schema.values() for rule in all_rules(item)]


MINIMAL: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "TrainingPipeline",
    "metadata": {"name": "ringrift"},
    "spec": {"artifacts": {"uri": "s3://ringrift/main"}, "configurations": [{"board": "square8", "players": 2}]},
}
POOL: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "WorkerPool",
    "metadata": {"name": "nodes"},
    "spec": {
        "type": "Cluster",
        "slots": [{"name": "selfplay", "stages": ["selfplay"], "resources": {"cpu": "2", "memory": "4Gi"}}],
    },
}
TASK: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "RemoteTask",
    "metadata": {"name": "task"},
    "spec": {
        "pipeline": "ringrift",
        "configuration": "square8-2p",
        "iteration": 1,
        "stage": "train",
        "attempt": 1,
        "pool": "mac-studio",
        "slot": "train",
        "parameters": {"epochs": 10},
        "output": "s3://ringrift/main/square8-2p",
        "resources": {"memory": "160Gi"},
    },
}
RECORD: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "TrainingIteration",
    "metadata": {"name": "ringrift-square8-2p-i1"},
    "spec": {
        "pipeline": "ringrift",
        "configuration": "square8-2p",
        "board": "square8",
        "players": 2,
        "iteration": 1,
        "finishedAt": "2026-01-01T00:00:00Z",
        "summary": "weights promoted 0.612",
    },
}


@pytest.mark.parametrize("manifest", [MINIMAL, POOL], ids=["pipeline", "pool"])
def test_the_api_server_fills_in_what_the_models_fill_in(manifest: dict[str, Any], kubectl: Kubectl) -> None:
    kubectl.apply(manifest)
    stored = kubectl.get(manifest["kind"], manifest["metadata"]["name"])["spec"]
    (model,) = load([Document("here", manifest)])
    assert stored == model.to_manifest()["spec"]


@pytest.mark.parametrize("name", ["quickstart.yaml", "full.yaml", "gpu.yaml"])
def test_examples_are_accepted_and_mean_the_same(name: str, kubectl: Kubectl) -> None:
    kubectl.apply(EXAMPLES / name)
    (model,) = load_file(EXAMPLES / name)
    stored = TrainingPipeline.model_validate(kubectl.get("tp", model.metadata.name))
    assert isinstance(model, TrainingPipeline)
    assert stored.spec == model.spec


def test_a_section_of_a_configuration_is_not_filled_in(kubectl: Kubectl) -> None:
    spec = MINIMAL["spec"] | {"configurations": [{"board": "square8", "players": 2, "network": {"epochs": 3}}]}
    kubectl.apply(MINIMAL | {"spec": spec})
    assert kubectl.get("tp", "ringrift")["spec"]["configurations"] == spec["configurations"]


CHANGES = {
    "changed spec": {"spec": {"attempt": 2}},
    "changed parameters": {"spec": {"parameters": {"epochs": 11}}},
    "new parameter": {"spec": {"parameters": {"batchSize": 1}}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_remote_task_cannot_be_changed(change: dict[str, Any], kubectl: Kubectl) -> None:
    kubectl.apply(TASK)
    with pytest.raises(KubectlError, match="a RemoteTask's spec cannot be changed: delete the task and create another"):
        kubectl("patch", "rt", "task", "--type=merge", "-p", json.dumps(change))


@pytest.mark.parametrize(
    "late", [{"phase": "Running"}, {"holder": "other"}, None], ids=["another phase", "another holder", "removed"]
)
def test_an_ended_remote_task_stays_as_it_ended(late: dict[str, Any] | None, kubectl: Kubectl) -> None:
    kubectl.apply(TASK)
    write_status(kubectl, TASK, {"phase": "Running", "holder": "mac-studio"})
    write_status(kubectl, TASK, {"phase": "Lost"})
    with pytest.raises(KubectlError, match="this task has ended and its status stands"):
        kubectl("patch", "rt", "task", "--subresource=status", "--type=merge", "-p", json.dumps({"status": late}))


def test_a_training_iteration_cannot_be_changed(kubectl: Kubectl) -> None:
    kubectl.apply(RECORD)
    with pytest.raises(KubectlError, match="a TrainingIteration is a record: it cannot be changed"):
        kubectl("patch", "ti", RECORD["metadata"]["name"], "--type=merge", "-p", '{"spec":{"games":1}}')


def test_local_judges_changes_of_tasks_and_records_alike() -> None:
    for manifest, change, path in (
        (TASK, {"attempt": 2}, "spec"),
        (RECORD, {"games": 1}, "spec"),
    ):
        model = KINDS[manifest["kind"]]
        old = model.model_validate(manifest)
        new = model.model_validate(manifest | {"spec": manifest["spec"] | change})
        assert [problem.path for problem in problems_of_change(new, old)] == [path]
        assert problems_of_change(old, old) == []


COLUMNS = {
    "tp": "NAME PHASE ITERATION GAMES PROMOTIONS ROLLBACKS LAST-PROMOTION READY AGE",
    "wp": "NAME TYPE ONLINE BUSY CAPACITY SUSPENDED AGE",
    "rt": "NAME STAGE CONFIGURATION ITERATION POOL PHASE PROGRESS AGE",
    "ti": "NAME CONFIGURATION ITERATION GAMES OUTCOME FINISHED",
}


@pytest.mark.parametrize("short_name", COLUMNS)
def test_kubectl_get_reads_well(short_name: str, kubectl: Kubectl) -> None:
    for manifest in (MINIMAL, POOL, TASK, RECORD):
        kubectl.apply(manifest)
    header = kubectl("get", short_name).splitlines()[0].split()
    assert header == COLUMNS[short_name].split()


def test_a_pipelines_wide_columns_say_what_runs_and_why_not(kubectl: Kubectl) -> None:
    kubectl.apply(MINIMAL)
    ready = {"type": "Ready", "status": "False", "reason": "Waiting", "message": "every slot is taken"}
    write_status(
        kubectl,
        MINIMAL,
        {"running": "square8-2p selfplay", "conditions": [ready | {"lastTransitionTime": "2026-01-01T00:00:00Z"}]},
    )
    header, row = kubectl("get", "tp", "-o", "wide").splitlines()
    assert header.split()[-2:] == ["RUNNING", "MESSAGE"]
    assert re.search(r"square8-2p selfplay +every slot is taken", row)


def test_the_category_lists_every_kind(kubectl: Kubectl) -> None:
    for manifest in (MINIMAL, POOL, TASK, RECORD):
        kubectl.apply(manifest)
    listed = kubectl("get", "ringrift", "-o", "name").split()
    assert {name.partition(".")[0] for name in listed} == {kind.lower() for kind in KINDS}


def test_status_lists_merge_by_their_keys(kubectl: Kubectl) -> None:
    """Two writers of a status, each with its own entries: server-side apply keeps both."""
    kubectl.apply(MINIMAL)
    for writer, board in (("one", "square8"), ("two", "hexagonal")):
        entry = {"name": f"{board}-2p", "board": board, "players": 2, "games": 7}
        condition = {"type": "Ready" if writer == "one" else "Stalled", "status": "True", "reason": "Testing"}
        status = {
            "configurations": [entry],
            "conditions": [condition | {"lastTransitionTime": "2026-01-01T00:00:00Z"}],
        }
        kubectl.apply(
            {key: MINIMAL[key] for key in ("apiVersion", "kind", "metadata")} | {"status": status},
            "--server-side",
            "--subresource=status",
            f"--field-manager={writer}",
        )
    status = kubectl.get("tp", "ringrift")["status"]
    assert [item["name"] for item in status["configurations"]] == ["square8-2p", "hexagonal-2p"]
    assert [item["type"] for item in status["conditions"]] == ["Ready", "Stalled"]


PIPELINE_VALUES: dict[str, list[Any]] = {
    "iterations": [1, 0, -1, "3", 2.5, 1_000_001, None],
    "tracks": [["weights"], ["network", "weights"], [], ["weights", "weights"], ["nnue"], "weights"],
    "sync": [{"interval": "1h30m"}, {"interval": "1 hour"}, {"interval": "0s"}, {"dedupe": False}, {}],
    "selfplay": [{"engineModes": ["network"]}, {"cooldown": "0s"}, {"cooldown": ""}, {"seed": -1}, {"shardGames": 0}],
    "cmaes": [{"evaluator": "Neural"}, {"evaluator": "neural"}, {"populationSize": 1}, {"initialWeights": "Material"}],
    "evaluation": [
        {"promotionThreshold": 0.4},
        {"regressionThreshold": 0.55},
        {"promotionThreshold": 1},
        {"gate": "Fixed", "games": 20},
        {"baselineGames": 0},
    ],
    "network": [{"distributed": {"nodes": 0}}, {"qualityGate": 0}, {"batchSize": 512, "epochs": 3}, []],
    "artifacts": [{"uri": "gs://x"}, {"uri": ""}, {"persistentVolumeClaim": {}}, {"uri": "file:///a"}, {}, None],
    "configurations": [
        [],
        [{"board": "hex8", "players": 4}, {"board": "hex8", "players": 3}],
        [{"board": "hex8", "players": 4}, {"board": "hex8", "players": 4}],
        [{"board": "hex8", "players": 2, "evaluation": {"promotionThreshold": 0.5}}],
        [{"board": "hex8", "players": 2, "evaluation": {"promotionThreshold": 0.4}}],
        [{"board": "hex8", "players": 2, "selfplay": {"engineModes": ["network"], "cooldown": "x"}}],
        [{"board": "hex8", "players": 2, "cmaes": {"evaluator": "Neural"}}],
        [{"board": "hex8"}],
    ],
    "poolSelector": [{"matchLabels": {"tier": "cpu"}}, {"matchLabels": {"tier": 1}}, {"matchExpressions": [{}]}],
    "suspend": [True, "yes"],
    "unheardOf": [1],
}


POOL_VALUES: dict[str, list[Any]] = {
    "type": ["Cluster", "Runner", "runner", None],
    "boards": [[], ["square8"], ["square8", "square8"], ["chess"]],
    "players": [[2, 3], [5], [3, 3], ["2"]],
    "image": ["", "ringrift-worker:dev", 1],
    "podTemplate": [
        {},
        {"nodeSelector": {"tier": "cpu"}},
        {"tolerations": [{"key": "a", "operator": "Exists"}]},
        {"volumes": [{"name": "a", "emptyDir": {}}], "volumeMounts": [{"name": "a", "mountPath": "/a"}]},
        {"nodeSelector": ["tier"]},
        {"hostNetwork": True},
    ],
    "artifactsPath": ["/srv", ""],
    "slots": [
        [],
        [{"name": "a", "stages": ["train"], "resources": {"memory": "4Gi"}, "device": "mps"}],
        [{"name": "a", "stages": ["train"], "resources": {"memory": 1, "nvidia.com/gpu": "1"}, "device": "cuda"}],
        [{"name": "a", "stages": ["train"], "resources": {"cpu": 1.5, "memory": "1Gi"}}],
        [{"name": "a", "stages": ["train"], "resources": {"cpu": "1"}}],
        [{"name": "A", "stages": ["train"], "resources": {"memory": "4Gi"}}],
        [{"name": "a", "stages": [], "resources": {"memory": "4Gi"}}],
        [{"name": "a", "stages": ["merge"], "resources": {"memory": "4Gi"}}],
        [{"name": "a", "stages": ["cmaes"], "resources": {"memory": "4 Gi"}, "when": "Cooldown"}],
        [{"name": "a", "stages": ["cmaes"], "resources": {"memory": "4Gi"}, "when": "Cooldown", "count": 3}],
        [{"name": "a", "stages": ["cmaes"], "resources": {"memory": "4Gi"}, "deadline": "0m"}],
        [{"name": "a", "stages": ["cmaes"], "resources": {"memory": "4Gi"}}] * 2,
    ],
}


def drawn(manifest: dict[str, Any], values: dict[str, list[Any]], count: int) -> list[dict[str, Any]]:
    """Resources with up to three drawn values, good and bad, named after their place."""
    source = random.Random(1)
    resources = []
    for index in range(count):
        fields = source.sample(sorted(values), source.randint(1, 3))
        spec = manifest["spec"] | {field: source.choice(values[field]) for field in fields}
        resources.append(manifest | {"metadata": {"name": f"drawn-{index}"}, "spec": spec})
    return resources


@pytest.mark.parametrize(
    ("manifest", "values"), [(MINIMAL, PIPELINE_VALUES), (POOL, POOL_VALUES)], ids=["pipelines", "pools"]
)
def test_local_accepts_exactly_what_the_api_server_accepts(
    manifest: dict[str, Any], values: dict[str, list[Any]], kubectl: Kubectl
) -> None:
    resources = drawn(manifest, values, 300)
    done = subprocess.run(
        kubectl.command("apply", "--dry-run=server", "-f", "-"),
        input="\n---\n".join(json.dumps(resource) for resource in resources),
        capture_output=True,
        text=True,
        check=False,  # some are refused, so kubectl fails
    )
    accepted = set(re.findall(r"/(drawn-\d+) created", done.stdout))
    accepted_locally = {resource["metadata"]["name"] for resource in resources if is_accepted_locally(resource)}
    assert 30 < len(accepted) < 270, "the draw is one-sided and proves little"
    assert accepted_locally == accepted


def is_accepted_locally(manifest: dict[str, Any]) -> bool:
    try:
        load([Document("here", manifest)])
    except InvalidResources:
        return False
    return True


def test_pools_and_pipelines_have_rules() -> None:
    """The tests above would pass over models that had lost their rules."""
    assert rules_of(TrainingPipeline)
    assert rules_of(WorkerPool)

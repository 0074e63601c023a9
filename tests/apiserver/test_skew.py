"""Objects of a later version, under the operator of today: what it does not understand stops itself alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.apiserver.conftest import CRDS
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import POOL, Person, pipeline
from tests.apiserver.worker import Worker
from tests.cluster.control_plane import ControlPlane

STILL = "until then the pipeline stands still"


@pytest.fixture(scope="module")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """One operator, over CRDs in which a later version has added a field to each spec and each status."""
    for plural in ("workerpools", "trainingpipelines"):
        definition = yaml.safe_load((CRDS / f"{plural}.yaml").read_text(encoding="utf-8"))
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        for part in ("spec", "status"):
            schema[part]["properties"]["later"] = {"type": "string"}
        if plural == "trainingpipelines":
            configuration = schema["status"]["properties"]["configurations"]["items"]["properties"]
            configuration["tasks"]["items"]["properties"]["later"] = {"type": "string"}
            schema["status"]["properties"]["conditions"]["items"]["properties"]["type"]["enum"].append("Later")
        control_plane.kubectl.apply(definition, "--server-side", "--force-conflicts")
    with OperatorProcess(control_plane.kubeconfig, tmp_path_factory.mktemp("operator")) as process:
        yield process
    control_plane.kubectl.apply(CRDS, "--server-side", "--force-conflicts")


def of_tomorrow(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    return {**manifest, "metadata": {"name": name}, "spec": {**manifest["spec"], "later": "yes"}}


@pytest.mark.usefixtures("worker")
def test_a_pool_that_cannot_be_read_gets_nothing_and_says_why(person: Person, namespace: str) -> None:
    person.kubectl.apply(of_tomorrow(POOL, "tomorrow"))
    person.kubectl.apply(pipeline(namespace))
    status = person.sees(phase="Completed")
    assert {task["placement"]["pool"] for task in _tasks(status) if "placement" in task} <= {"pool"}

    def ready() -> dict[str, Any]:
        conditions: list[dict[str, Any]] = person.kubectl.get("wp", "tomorrow").get("status", {}).get("conditions", [])
        return next((each for each in conditions if each["type"] == "Ready"), {})

    eventually(lambda: ready().get("reason") == "Unreadable")
    assert ready()["message"].startswith("spec.later: Extra inputs are not permitted: mend it")
    eventually(lambda: person.kubectl.get("wp", "pool").get("status", {}).get("conditions"))
    person.kubectl("patch", "wp", "tomorrow", "--type=json", "-p", '[{"op": "remove", "path": "/spec/later"}]')
    eventually(lambda: ready().get("reason") != "Unreadable")


def test_a_pipeline_whose_only_pool_cannot_be_read_names_it(person: Person, namespace: str) -> None:
    person.kubectl("delete", "wp", "pool")
    person.kubectl.apply(of_tomorrow(POOL, "tomorrow"))
    person.kubectl.apply(pipeline(namespace))
    eventually(lambda: person.condition("Stalled").get("status") == "True", person.status)
    assert (
        "takes selfplay, cmaes, evaluate of square8-2p, and tomorrow cannot be read (kubectl describe workerpool"
        in (person.condition("Stalled")["message"])
    )


@pytest.mark.usefixtures("worker")
def test_a_pipeline_that_cannot_be_read_stands_still_and_the_others_go_on(person: Person, namespace: str) -> None:
    """Even one that shares its store, for other boards."""
    person.kubectl.apply(of_tomorrow(pipeline(namespace), "tomorrow"))
    other = pipeline(namespace, configurations=[{"board": "hex8", "players": 2, "bootstrapGames": 20}])
    other["spec"]["artifacts"] = pipeline(namespace, "tomorrow")["spec"]["artifacts"]
    person.kubectl.apply(other)
    person.sees(phase="Completed")
    tomorrow = Person(person.kubectl, "tomorrow")
    (told,) = tomorrow.events()
    assert (
        told
        == f"Unreadable: spec.later: Extra inputs are not permitted: mend it, or run an operator that knows it; {STILL}"
    )
    assert tomorrow.status().keys() == {"conditions"}
    assert tomorrow.condition("Stalled")["status"] == "True"
    assert tomorrow.condition("Ready") | {"status": "False", "reason": "Stalled"} == tomorrow.condition("Ready")
    assert "spec.later: Extra inputs are not permitted: mend it, or run an operator" in person.kubectl(
        "get", "tp", "tomorrow", "-o", "wide"
    )
    person.kubectl("patch", "tp", "tomorrow", "--type=json", "-p", '[{"op": "remove", "path": "/spec/later"}]')
    tomorrow.sees(phase="Completed")
    assert tomorrow.condition("Stalled")["status"] == "False"


def test_what_a_later_version_added_to_a_status_is_passed_over(
    person: Person, operator: OperatorProcess, worker: Worker, namespace: str
) -> None:
    """Rolled back in the middle: the iteration goes on, and nothing of it is done twice."""
    worker.holds.add("cmaes")
    person.kubectl.apply(pipeline(namespace))
    person.sees(games=20)
    operator.stop()
    status = person.status()
    status["later"] = "yes"
    for task in _tasks(status):
        task["later"] = "yes"
    status["conditions"].append({**status["conditions"][0], "type": "Later"})
    manifest = {name: person.kubectl.get("tp", "tiny")[name] for name in ("apiVersion", "kind")}
    manifest |= {"metadata": {"name": "tiny"}, "status": status}
    # As the operator itself writes it, of whatever version it is.
    person.kubectl.apply(manifest, "--server-side", "--subresource=status", "--field-manager=ringrift-operator")
    assert person.status()["later"] == "yes"
    operator.start()
    worker.holds.clear()
    person.sees(phase="Completed", games=20, promotions=1)
    assert worker.ran.count("merge") == worker.ran.count("cmaes") == 1


def _tasks(status: dict[str, Any]) -> list[dict[str, Any]]:
    return [task for configuration in status["configurations"] for task in configuration.get("tasks", ())]

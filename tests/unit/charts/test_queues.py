"""Machines that several namespaces share are shared out by Kueue: the chart offers them to nobody twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from ringrift_operator.builders.release import Release
from tests.unit.charts.test_charts import IN_TWO, POOL, HelmError, Manifest, of_kind, render
from tests.unit.charts.test_charts import helm as helm

UNSHARED = {name: value for name, value in POOL.items() if name != "queue"}


def set_pool(spec: Manifest, **changes: object) -> str:
    return "--set-json=pools=" + json.dumps([{"name": "pool", "spec": spec, **changes}])


def pools_by_namespace(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {each["metadata"]["namespace"]: each["spec"] for each in of_kind(manifests, "WorkerPool")}


def test_a_pool_with_a_queue_is_in_every_namespace(helm: Path) -> None:
    assert pools_by_namespace(render(helm, *IN_TWO)) == {"one": POOL, "two": POOL}


def test_a_cluster_pool_without_a_queue_is_not_offered_twice(helm: Path) -> None:
    with pytest.raises(
        HelmError, match=r"pool pool would be in one and two, .* give it a spec.queue, .* or namespaces"
    ):
        render(helm, "--set=namespaces={one,two}", set_pool(UNSHARED))


def test_a_pool_may_be_in_one_namespace_alone(helm: Path) -> None:
    manifests = render(helm, "--set=namespaces={one,two}", set_pool(UNSHARED, namespaces=["two"]))
    assert pools_by_namespace(manifests) == {"two": UNSHARED}


def test_a_pool_of_a_namespace_that_nobody_looks_after_is_refused(helm: Path) -> None:
    with pytest.raises(HelmError, match="pool pool is to be in namespace three, which is not among those looked after"):
        render(helm, "--set=namespaces={one,two}", set_pool(UNSHARED, namespaces=["three"]))


def test_a_runner_is_in_each_namespace_until_it_takes_one(helm: Path) -> None:
    runner = {**UNSHARED, "type": "Runner"}
    assert set(pools_by_namespace(render(helm, "--set=namespaces={one,two}", set_pool(runner)))) == {"one", "two"}


@pytest.mark.parametrize(
    ("known", "version"),
    [
        ((), "v1beta2"),
        (("kueue.x-k8s.io/v1beta1",), "v1beta1"),
        (("kueue.x-k8s.io/v1beta1", "kueue.x-k8s.io/v1beta2"), "v1beta2"),
    ],
)
def test_local_queues_lie_in_every_namespace(known: tuple[str, ...], version: str, helm: Path) -> None:
    queues = '--set-json=localQueues=[{"name": "games", "clusterQueue": "machines"}]'
    manifests = render(helm, *IN_TWO, queues, *(f"--api-versions={each}" for each in known))
    found = of_kind(manifests, "LocalQueue")
    assert [each["metadata"]["namespace"] for each in found] == ["one", "two"]
    assert {each["apiVersion"] for each in found} == {f"kueue.x-k8s.io/{version}"}
    assert all(each["spec"] == {"clusterQueue": "machines"} for each in found)


def test_light_stages_take_a_queue_of_their_own_or_none(helm: Path, tmp_path: Path) -> None:
    def release(*arguments: str) -> Release:
        (configuration,) = of_kind(render(helm, *arguments), "ConfigMap")
        (tmp_path / "release.yaml").write_text(configuration["data"]["release.yaml"])
        return Release.read(tmp_path / "release.yaml")

    assert release().light_stages.queue is None
    queue = release('--set-json=lightStages.queue={"name": "light", "priorityClass": "high"}').light_stages.queue
    assert queue is not None
    assert (queue.name, queue.priority_class) == ("light", "high")


@pytest.mark.parametrize("queue", [{"priorityClass": "high"}, {"name": "Games"}, {"name": "games", "quota": 1}])
def test_a_slip_in_a_queue_is_named(queue: Manifest, helm: Path) -> None:
    for values in (set_pool({**UNSHARED, "queue": queue}), "--set-json=lightStages=" + json.dumps({"queue": queue})):
        with pytest.raises(HelmError, match="queue"):
            render(helm, values)


def test_a_release_names_no_queue_by_itself(helm: Path) -> None:
    assert "kueue.x-k8s.io/queue-name" not in yaml.safe_dump_all(render(helm, environment="production"))

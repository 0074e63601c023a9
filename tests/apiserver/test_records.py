"""Records are known by number: listed once, kept by what is written, and only the pipeline's own are deleted."""

from __future__ import annotations

import asyncio

from ringrift_operator.domain.labels import CONFIGURATION, ITERATION, PIPELINE
from ringrift_operator.domain.snapshot import KeptRecord
from ringrift_operator.kube.client import Client
from ringrift_operator.kube.records import Records
from ringrift_operator.kube.resource import ITERATIONS, PIPELINES, Object
from tests.apiserver.connecting import login_to
from tests.cluster.control_plane import ControlPlane

KEY = "tiny"


def owner(namespace: str, name: str) -> Object:
    """A pipeline to own records: the garbage collector deletes what belongs to nobody that exists."""
    return {
        "apiVersion": PIPELINES.api_version,
        "kind": "TrainingPipeline",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "artifacts": {"persistentVolumeClaim": {"claimName": "ringrift"}},
            "configurations": [{"board": "square8", "players": 2}],
        },
    }


def record(namespace: str, iteration: int, owner: Object) -> Object:
    labels = {PIPELINE: KEY, CONFIGURATION: "square8-2p", ITERATION: str(iteration)}
    owned_by = {"apiVersion": PIPELINES.api_version, "kind": "TrainingPipeline"}
    reference = {**owned_by, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
    moment = "2026-01-01T00:00:00Z"
    spec = {"pipeline": KEY, "configuration": "square8-2p", "board": "square8", "players": 2, "iteration": iteration}
    return {
        "apiVersion": ITERATIONS.api_version,
        "kind": "TrainingIteration",
        "metadata": {
            "namespace": namespace,
            "name": f"tiny-square8-2p-i{iteration}",
            "labels": labels,
            "ownerReferences": [reference],
        },
        "spec": {**spec, "startedAt": moment, "finishedAt": moment},
    }


def test_a_pipelines_records_are_listed_once_and_kept_by_what_is_written(
    control_plane: ControlPlane, namespace: str
) -> None:
    def kept(*iterations: int) -> tuple[KeptRecord, ...]:
        return tuple(KeptRecord(f"tiny-square8-2p-i{each}", "square8-2p", each) for each in iterations)

    async def scenario() -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            ours = await client.create(PIPELINES, owner(namespace, KEY))
            anothers = await client.create(PIPELINES, owner(namespace, "another"))
            uid = ours["metadata"]["uid"]
            for iteration, whose in ((1, ours), (2, ours), (3, anothers)):
                await client.create(ITERATIONS, record(namespace, iteration, whose))
            records, key = Records(client), (namespace, KEY)
            assert await records.of(key, uid) == kept(1, 2)
            records.put(await client.create(ITERATIONS, record(namespace, 4, ours)), uid)
            await client.create(ITERATIONS, record(namespace, 5, ours))
            assert await records.of(key, uid) == kept(1, 2, 4), "what somebody else wrote is not looked for"
            for iteration in (1, 3, 9):
                await records.delete(key, uid, f"tiny-square8-2p-i{iteration}")
            assert await records.of(key, uid) == kept(2, 4)
            there = await client.metadata(ITERATIONS, namespace, f"{PIPELINE}={KEY}")
            assert sorted(each["metadata"]["name"][-1] for each in there) == ["2", "3", "4", "5"]
            records.forget(set())
            assert await records.of(key, uid) == kept(2, 4, 5)

    asyncio.run(scenario())

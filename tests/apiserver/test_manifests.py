"""A real API server takes what the builders make, to the last field."""

from __future__ import annotations

from ringrift_core.contract import Stage
from ringrift_operator.builders.job import job
from ringrift_operator.builders.release import Release
from ringrift_operator.builders.remote_task import remote_task
from tests.cluster.kubectl import Kubectl
from tests.unit.builders.test_job import TEMPLATE
from tests.unit.domain.world import World, pipeline_spec, pool


def test_jobs_remote_tasks_and_records_are_accepted_as_they_are(kubectl: Kubectl) -> None:
    slots = [
        {
            "name": "s",
            "stages": ["selfplay", "train", "nnue", "cmaes", "evaluate"],
            "count": 2,
            "resources": {"memory": "1Gi"},
        }
    ]
    one = World(
        pools=(pool("cluster", podTemplate=TEMPLATE, slots=slots), pool("runner", type="Runner", slots=slots)),
        specs={
            "tp": pipeline_spec(
                artifacts={"persistentVolumeClaim": {"claimName": "games"}}, tracks=["weights", "nnue", "network"]
            )
        },
    )
    one.pools = (one.pools[0], pool("runner", type="Runner", slots=slots, artifactsPath="/games"))
    one.run()
    snapshot = one.snapshot()
    manifests = [
        remote_task(snapshot, task) if task.is_remote else job(snapshot, task, Release()) for task in one.created
    ]
    manifests += [record.to_manifest() for record in one.records.values()]
    kinds = {manifest["kind"] for manifest in manifests}
    assert kinds == {"Job", "RemoteTask", "TrainingIteration"}
    assert {task.stage for task in one.created} == set(Stage) - {Stage.ROLLBACK, Stage.DISTILL}
    for manifest in manifests:
        manifest["metadata"]["namespace"] = kubectl.namespace
        kubectl.apply(manifest, "--dry-run=server", "--validate=strict")

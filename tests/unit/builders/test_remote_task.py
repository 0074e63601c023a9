"""RemoteTasks of placed tasks."""

from __future__ import annotations

import pytest

from ringrift_core.contract import STAGES, Stage
from ringrift_operator.api import RemoteTask
from ringrift_operator.builders.remote_task import remote_task
from ringrift_operator.domain.labels import identity_from
from tests.unit.domain.world import World, pipeline_spec, pool


def ran() -> World:
    runner = pool(
        "mac",
        type="Runner",
        slots=[
            {
                "name": "all",
                "stages": ["selfplay", "train", "cmaes", "evaluate"],
                "count": 2,
                "device": "mps",
                "resources": {"memory": "16Gi"},
            }
        ],
    )
    one = World(pools=(runner,), specs={"tp": pipeline_spec(iterations=2)})
    one.run()
    return one


def test_it_names_a_stage_and_parameters_that_the_contract_reads_back() -> None:
    one = ran()
    remote = [task for task in one.created if task.is_remote]
    # A round robin takes the slots that list evaluate.
    judged = {Stage.EVALUATE, Stage.ROUNDROBIN}
    assert {task.stage for task in remote} == {Stage.SELFPLAY, Stage.TRAIN, Stage.CMAES} | judged
    for task in remote:
        manifest = remote_task(one.snapshot(), task)
        resource = RemoteTask.model_validate(manifest)
        read = STAGES[resource.spec.stage].parameters.model_validate(resource.spec.parameters)
        assert read == task.parameters
        assert identity_from(manifest["metadata"]["labels"]) == task.identity
        assert resource.spec.resources == {"memory": "16Gi"}
        assert resource.spec.device == "mps"
        assert resource.spec.output == "s3://ringrift/test/square8-2p"


def test_selfplay_says_which_shards() -> None:
    one = ran()
    shards = [
        remote_task(one.snapshot(), task)["spec"]["shards"]
        for task in one.created
        if task.stage == Stage.SELFPLAY and task.identity.iteration == 1
    ]
    assert shards == ["0-9/20", "10-19/20"]


def test_light_stages_are_no_remote_tasks() -> None:
    one = ran()
    merge = next(task for task in one.created if task.stage == Stage.MERGE)
    assert not merge.is_remote
    with pytest.raises(ValueError, match="takes no slot"):
        remote_task(one.snapshot(), merge)

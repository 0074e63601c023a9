"""How far a step is on a machine outside the cluster: it runs once a runner works on it."""

from __future__ import annotations

import pytest

from ringrift_operator.api import RemoteTask
from ringrift_operator.api.remotetask import TaskPhase
from ringrift_operator.builders.remote_task import remote_task
from ringrift_operator.kube.tasks import remote_task as observed
from tests.unit.domain.world import World, pipeline_spec, pool

SLOT = {"name": "all", "stages": ["selfplay", "cmaes", "evaluate"], "resources": {"memory": "4Gi"}}


@pytest.mark.parametrize(
    ("phase", "standing", "running"),
    [
        (TaskPhase.PENDING, "Waiting", ""),
        (TaskPhase.CLAIMED, "Waiting", ""),
        (TaskPhase.RUNNING, "Running", "square8-2p i1: selfplay"),
    ],
)
def test_a_task_runs_once_a_runner_works_on_it(phase: TaskPhase, standing: str, running: str) -> None:
    one = World(pools=(pool("mac", type="Runner", slots=[SLOT]),), specs={"tp": pipeline_spec(tracks=["weights"])})
    one.step()
    one.end(*one.live)
    one.step()
    (placed,) = (each for each in one.created if each.identity.step == "selfplay")
    assert placed.is_remote
    task = RemoteTask.model_validate(remote_task(one.snapshot(), placed) | {"status": {"phase": phase}})
    one.children[placed.name] = observed(task, placed.identity, None)
    (plan,) = one.plans()
    assert plan.status.configurations[0].stages["selfplay"] == standing
    assert plan.status.running == running

"""A real API server takes whatever the domain makes: 1,000 statuses and their records, applied without being kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringrift_operator.api import TrainingIteration, TrainingPipelineStatus
from ringrift_operator.kube.client import Client
from ringrift_operator.kube.resource import ITERATIONS, PIPELINES, Object
from tests import patience
from tests.apiserver.connecting import login_to
from tests.apiserver.person import pipeline
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl
from tests.unit.domain.anything import PASSES, written
from tests.unit.domain.test_planning import namespaces
from tests.unit.domain.world import MINUTE, World

SNAPSHOTS = 1000
GOING_ON = {"suspend": False, "dry_run": False}


class Trying(Client):
    """Asks the API server to judge each write, and to keep none."""

    async def _write(
        self, method: str, path: str, body: Object, headers: Mapping[str, str], params: Mapping[str, str]
    ) -> Object:
        async with asyncio.timeout(patience.SECONDS):
            while True:
                with suppress(TimeoutError):  # of one request, on a busy machine
                    return await super()._write(method, path, body, headers, {**params, "dryRun": "All"})
                await asyncio.sleep(0.1)


def made() -> tuple[list[TrainingPipelineStatus], dict[str, TrainingIteration]]:
    """What the domain has written in so many snapshots."""
    statuses: list[TrainingPipelineStatus] = []
    records: dict[str, TrainingIteration] = {}

    @settings(
        max_examples=SNAPSHOTS // PASSES, suppress_health_check=list(HealthCheck), derandomize=True, database=None
    )
    @given(namespaces(), st.data())
    def collect(world: World, data: st.DataObject) -> None:
        statuses.extend(status for status, _ in written(world, data))
        # Records tell of iterations that ended, and few do so soon.
        world.specs = {name: spec.model_copy(update=GOING_ON) for name, spec in world.specs.items()}
        for _ in range(40):  # which some pipelines outlast
            world.step()
            for child in world.live:
                world.end(child)
            world.now += MINUTE
        records.update((json.dumps(record.to_manifest(), sort_keys=True), record) for record in world.records.values())

    collect()
    return statuses, records


def test_the_api_server_takes_every_status_and_every_record(
    control_plane: ControlPlane, namespace: str, kubectl: Kubectl
) -> None:
    kubectl.apply(pipeline(namespace))
    statuses, records = made()
    assert len(statuses) >= SNAPSHOTS
    assert len(records) > SNAPSHOTS // PASSES

    async def scenario() -> None:
        metadata = {"namespace": namespace, "name": "tiny"}
        async with Trying(login_to(control_plane.kubeconfig)) as client:
            for status in statuses:
                await client.apply_status(PIPELINES, "TrainingPipeline", metadata, status)
            for record in records.values():
                manifest: dict[str, Any] = record.to_manifest()
                manifest["metadata"] = {**manifest["metadata"], "namespace": namespace}
                await client.create(ITERATIONS, manifest)

    asyncio.run(scenario())

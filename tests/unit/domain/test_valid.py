"""Every status and every record that the domain makes is one that the API server takes, whatever happens.

2,000 snapshots in the suite; `make properties` tries 100,000. tests/apiserver/test_valid.py asks a real API server.
"""

from __future__ import annotations

import json
import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringrift_operator.kube.client import without_empty
from tests.unit.api.test_bounds import RECORD, STATUS, faults
from tests.unit.domain.anything import PASSES, written
from tests.unit.domain.test_planning import namespaces
from tests.unit.domain.world import World

SNAPSHOTS = int(os.environ.get("RINGRIFT_SNAPSHOTS", "2000"))

WALL = 262_144
"""Bytes that a status may have (docs/design.md, section 5)."""


@settings(max_examples=SNAPSHOTS // PASSES, suppress_health_check=list(HealthCheck))
@given(namespaces(), st.data())
def test_every_status_and_record_fits_its_schema_and_a_plan_carried_out_leaves_nothing(
    world: World, data: st.DataObject
) -> None:
    for status, records in written(world, data):
        content = without_empty(status.model_dump(mode="json", by_alias=True, exclude_none=True))
        assert list(faults(content, STATUS)) == []
        assert len(json.dumps(content)) < WALL
        for record in records:
            assert list(faults(record.to_manifest()["spec"], RECORD)) == []

"""Whatever a stage may answer, its task's status and its record are within the bounds of the CRDs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from ringrift_core.contract import STAGES, Decision, EvidenceResult, Stage, StageResult, changed
from ringrift_operator.api import TrainingIteration, TrainingPipeline
from ringrift_operator.api.crd import open_api_schema
from ringrift_operator.domain.snapshot import TaskObservation
from tests.results import largest_answer
from tests.unit.domain.world import World, pool, world

STATUS = open_api_schema(TrainingPipeline)["properties"]["status"]
RECORD = open_api_schema(TrainingIteration)["properties"]["spec"]
TYPES = {"string": str, "integer": int, "number": int | float, "boolean": bool, "array": list, "object": dict}


def faults(value: Any, schema: dict[str, Any], place: str = "") -> Iterator[str]:
    """Where a value breaks a structural schema, as the API server would."""
    if schema.get("x-kubernetes-int-or-string"):
        yield from () if isinstance(value, int | str) else (f"{place}: {value!r} is neither a number nor text",)
        return
    if not isinstance(value, TYPES[schema["type"]]) or (isinstance(value, bool) and schema["type"] != "boolean"):
        yield f"{place}: {value!r} is no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is not listed"
    match value:
        case str():
            if len(value) > schema.get("maxLength", len(value)):
                yield f"{place}: {len(value)} characters"
            if not re.search(schema.get("pattern", ""), value):
                yield f"{place}: {value!r} does not match {schema['pattern']}"
        case int() | float():
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                yield f"{place}: {value} is out of bounds"
        case list():
            if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
                yield f"{place}: {len(value)} items"
            for number, item in enumerate(value):
                yield from faults(item, schema["items"], f"{place}[{number}]")
        case dict():
            yield from _faults_within(value, schema, place)


def _faults_within(value: dict[str, Any], schema: dict[str, Any], place: str) -> Iterator[str]:
    if len(value) > schema.get("maxProperties", len(value)):
        yield f"{place}: {len(value)} entries"
    yield from (f"{place}.{name}: missing" for name in schema.get("required", ()) if name not in value)
    if schema.get("x-kubernetes-preserve-unknown-fields") and "properties" not in schema:
        return
    for name, item in value.items():
        inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
        if inner is None:
            yield f"{place}.{name}: unknown"
        else:
            yield from faults(item, inner, f"{place}.{name}")


def written(one: World) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    status = one.statuses["tp"].model_dump(mode="json", by_alias=True, exclude_none=True)
    return status, [
        record.model_dump(mode="json", by_alias=True, exclude_none=True)["spec"] for record in one.records.values()
    ]


def answer_of(one: World, child: TaskObservation, answer: StageResult) -> StageResult:
    """What the child answers when it answers so, with versions and verdicts that let the iteration go on."""
    usual = one.result(child)
    verdict = None
    if answer.verdict is not None and usual.verdict is not None:
        judged = {"track": usual.verdict.track, "decision": usual.verdict.decision}
        verdict = answer.verdict.model_copy(update=judged)
    outputs = {name: next(iter(answer.outputs.values())) for name in usual.outputs}
    changes: dict[str, Any] = {"outputs": outputs, "verdict": verdict}
    if child.stage in (Stage.ADOPT, Stage.SELFPLAY, Stage.PROMOTE):
        changes["result"] = usual.result
    if isinstance(answer.result, EvidenceResult) and child.identity.iteration == 1:
        changes["result"] = changed(answer.result, refused="")
    return answer.model_copy(update=changes)


@pytest.mark.parametrize("characters", ["x", "\N{PILE OF POO}", '"'], ids=["plain", "wide", "quoted"])
def test_the_largest_answers_make_statuses_and_records_that_the_api_server_takes(characters: str) -> None:
    one = world(iterations=2, tracks=["weights", "nnue", "network"])
    one.pools = (pool(), pool("other"))
    seen: set[Stage] = set()

    def end(world: World, child: TaskObservation) -> None:
        seen.add(child.stage)
        world.end(child, result=answer_of(world, child, largest_answer(child.stage, characters)))
        status, _ = written(world)
        assert list(faults(status, STATUS)) == []

    one.run(end)
    assert seen == set(STAGES) - {Stage.ROLLBACK}
    _, records = written(one)
    assert len(records) == 2
    for record in records:
        assert list(faults(record, RECORD)) == []


def test_results_stand_in_status_and_record_as_fields() -> None:
    games = {"board": "square8", "players": 2, "bootstrapGames": 100}
    one = world(iterations=1, tracks=["weights"], configurations=[games])
    one.run(lambda world, child: world.end(child, result=world.result(child, Decision.REJECT)))
    _, (record,) = written(one)
    stages = {stage["name"]: stage for stage in record["stages"]}
    assert stages["merge"]["result"] == {"games": 100, "newGames": 100, "duplicates": 0}
    assert stages["cmaes"]["result"]["populationWinRate"] == 0.5235, "four digits"
    assert stages["evaluate-weights"]["stage"] == "evaluate"


def test_what_breaks_a_schema_is_noticed() -> None:
    tasks = STATUS["properties"]["configurations"]["items"]["properties"]["tasks"]
    task = {"name": "x" * 64, "stage": "merge", "part": -1, "result": {"games": 0.5, "opponents": 3}}
    assert sorted(faults([task], tasks)) == [
        "[0].name: 64 characters",
        "[0].part: -1 is out of bounds",
        "[0].result.games: 0.5 is no integer",
        "[0].result.opponents: unknown",
    ]

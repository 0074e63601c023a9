"""Whatever can befall a namespace of the make-believe world: the usual, the largest and the oddest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from ringrift_core.contract import EvidenceResult, Stage, changed
from ringrift_operator.api import TrainingIteration, TrainingPipelineStatus
from ringrift_operator.domain.requests import ANNOTATIONS, RECONCILE, ROLLBACK, TAKE_OVER
from ringrift_operator.domain.snapshot import ChildPhase, TaskObservation
from tests.results import largest_answer
from tests.unit.domain.test_planning import ENDINGS, disturb, end
from tests.unit.domain.world import World

PASSES = 10

TEXTS = st.sampled_from(["", "x" * 5000, "\N{PILE OF POO}" * 3000, '"' * 3000, "\\\n\t\x1b" * 700, "ä; b: c, {d}"])
"""Sentences of platforms and libraries."""

ASKED = st.sampled_from(
    [
        {},
        {ANNOTATIONS[RECONCILE]: "now"},
        {ANNOTATIONS[ROLLBACK]: "square8-2p/weights@today"},
        {ANNOTATIONS[ROLLBACK]: "x" * 5000},
        {ANNOTATIONS[ROLLBACK]: "hexagonal-4p/network@" + "\N{PILE OF POO}" * 300},
        {ANNOTATIONS[TAKE_OVER]: "y" * 5000, ANNOTATIONS[RECONCILE]: "\n" * 300},
    ]
)


def written(world: World, data: st.DataObject) -> Iterator[tuple[TrainingPipelineStatus, list[TrainingIteration]]]:
    """The statuses and new records of some passes; `plan(apply(plan))` is held to be empty on the way."""
    for _ in range(PASSES):
        known = set(world.records)
        world.step()
        for name, plan in zip(sorted(world.specs), world.plans(), strict=True):
            assert plan.is_empty, plan
            assert plan.status == world.statuses[name]
        new = [record for name, record in world.records.items() if name not in known]
        for status in world.statuses.values():
            yield status, new
        befall(world, data)


def befall(world: World, data: st.DataObject) -> None:
    """Something happens to some children, and to what people and the platform say."""
    for child in list(world.live):
        match data.draw(st.sampled_from(["usual", "largest", "words", "waits", "works", "stays"])):
            case "usual":
                end(world, child, data.draw(ENDINGS))
            case "largest":
                _answers_at_length(world, child, data.draw(st.sampled_from(["x", "\N{PILE OF POO}", '"'])))
            case "words":
                code = data.draw(st.sampled_from([None, 1, 2, 3, 4, 75, 137, 139, 2**31 - 1]))
                world.end(
                    child,
                    phase=ChildPhase.FAILED,
                    exit_code=code,
                    message=data.draw(TEXTS),
                    reason=data.draw(st.sampled_from(["", "OOMKilled", "Evicted"])),
                )
            case "waits":
                world.children[child.name] = replace(
                    child,
                    phase=data.draw(st.sampled_from([ChildPhase.WAITING, ChildPhase.QUEUED])),
                    reason=data.draw(st.sampled_from(["FailedCreate", "Preempted", "Inadmissible"])),
                    message=data.draw(TEXTS),
                )
            case "works":
                world.children[child.name] = replace(
                    child,
                    phase=ChildPhase.RUNNING,
                    progress=data.draw(st.floats(0, 1)),
                    message=data.draw(TEXTS),
                    heard_at=world.now,
                )
            case _:
                pass
    disturb(world, data)
    world.annotations = data.draw(ASKED)
    world.refusals = tuple(data.draw(st.lists(TEXTS, max_size=3)))
    world.unread_pools = tuple(data.draw(st.lists(TEXTS, max_size=2)))
    for name, spec in world.specs.items():
        flags = {"suspend": data.draw(st.integers(0, 9)) == 0, "dry_run": data.draw(st.integers(0, 9)) == 0}
        world.specs[name] = spec.model_copy(update=flags)
    world.now += timedelta(seconds=data.draw(st.integers(0, 700)))


def _answers_at_length(world: World, child: TaskObservation, characters: str) -> None:
    """As long as the contract lets it, with versions and verdicts that let the iteration go on."""
    usual, answer = world.result(child), largest_answer(child.stage, characters)
    outputs = {name: next(iter(answer.outputs.values())) for name in usual.outputs}
    result = answer.result
    if child.stage in (Stage.ADOPT, Stage.SELFPLAY, Stage.PROMOTE, Stage.ROLLBACK):
        result = usual.result
    if isinstance(result, EvidenceResult):
        result = changed(result, refused="")
    verdict = None
    if usual.verdict is not None and answer.verdict is not None:
        judged = {"track": usual.verdict.track, "decision": usual.verdict.decision}
        verdict = answer.verdict.model_copy(update=judged)
    told = answer.model_copy(update={"outputs": outputs, "result": result, "verdict": verdict})
    world.end(child, result=told)

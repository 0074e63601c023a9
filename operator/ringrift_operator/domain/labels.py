"""Labels that children carry, and reading a task's identity back from them."""

from __future__ import annotations

from collections.abc import Mapping

from ringrift_core.contract import Stage
from ringrift_operator.domain.recipe import Step
from ringrift_operator.domain.snapshot import TaskIdentity

_PREFIX = "ringrift.ai/"
PIPELINE = _PREFIX + "pipeline"
CONFIGURATION = _PREFIX + "configuration"
ITERATION = _PREFIX + "iteration"
STAGE = _PREFIX + "stage"
STEP = _PREFIX + "step"
TRACK = _PREFIX + "track"
PART = _PREFIX + "part"
ATTEMPT = _PREFIX + "attempt"
POOL = _PREFIX + "pool"
SLOT = _PREFIX + "slot"
PARALLELISM = _PREFIX + "parallelism"


def labels_of(task: TaskIdentity, step: Step) -> dict[str, str]:
    """Labels of a child of this step. Light stages have neither pool nor slot."""
    labels = {
        PIPELINE: task.pipeline,
        CONFIGURATION: task.configuration,
        ITERATION: str(task.iteration),
        STAGE: step.stage.value,
        STEP: task.step,
        PART: str(task.part),
        ATTEMPT: str(task.attempt),
        PARALLELISM: str(task.parallelism),
    }
    if step.track is not None:
        labels[TRACK] = step.track.value
    if task.pool:
        labels |= {POOL: task.pool, SLOT: task.slot}
    return labels


def identity_from(labels: Mapping[str, str]) -> TaskIdentity | None:
    """The identity that `labels_of` wrote; None when the labels are not a task's."""
    try:
        stage_from(labels)
        return TaskIdentity(
            pipeline=labels[PIPELINE],
            configuration=labels[CONFIGURATION],
            iteration=int(labels[ITERATION]),
            step=labels[STEP],
            part=int(labels[PART]),
            attempt=int(labels[ATTEMPT]),
            pool=labels.get(POOL, ""),
            slot=labels.get(SLOT, ""),
            parallelism=int(labels[PARALLELISM]),
        )
    except (KeyError, ValueError):
        return None


def stage_from(labels: Mapping[str, str]) -> Stage:
    """The stage that `labels_of` wrote."""
    return Stage(labels[STAGE])

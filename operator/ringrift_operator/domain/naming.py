"""Names of children: deterministic, so that a pass that was cut off finds what it made (design.md section 5)."""

from __future__ import annotations

import hashlib

from ringrift_operator.domain.snapshot import TaskIdentity
from ringrift_operator.domain.steps import SELFPLAY

LIMIT = 52
"""Room is left for what controllers append: a Pod's index and random suffix, within a label value's 63."""

_DIGEST = 10
"""Hexadecimal digits of a shortened name's hash."""


JOB_OF_SET = "node"
"""Name of the one replicated Job of a JobSet, whose Pods are called `<JobSet>-node-0-<rank>-<random>`."""

SET_LIMIT = 63 - len(f"-{JOB_OF_SET}-0-63-abcde")
"""JobSet refuses a name whose Pods' names would be longer than 63."""


def task_name(task: TaskIdentity, pods: int = 1) -> str:
    """`<pipeline>-<configuration>-i<iteration>-<step>[-<pool>][-<n>]-a<attempt>`, shortened with a hash past LIMIT.

    The parts of self-play carry pool and number, merges while it goes on a number; anything else runs once per attempt.
    What several Pods do together has a shorter limit.
    """
    parts = [task.pipeline, task.configuration, f"i{task.iteration}", task.step]
    if task.step == SELFPLAY:
        parts += [task.pool, str(task.part)]
    elif task.part:
        parts.append(str(task.part))
    return shortened("-".join([*parts, f"a{task.attempt}"]), LIMIT if pods == 1 else SET_LIMIT)


def record_name(pipeline: str, configuration: str, iteration: int) -> str:
    """Name of the TrainingIteration of a finished iteration."""
    return shortened(f"{pipeline}-{configuration}-i{iteration}")


def shortened(name: str, limit: int = LIMIT) -> str:
    """`name`, or its beginning and a hash of the whole where it is longer than the limit."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{name[: limit - _DIGEST - 1].rstrip('-')}-{digest}"

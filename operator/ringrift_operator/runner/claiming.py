"""Which tasks a runner takes, and what it is told to do: pure functions over objects as the API server has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pydantic import ValidationError

from ringrift_core.contract import STAGES, StageParameters, first_fault
from ringrift_operator.api.remotetask import ENDED, RemoteTaskSpec, TaskPhase
from ringrift_operator.kube.resource import Object, is_going, key_of, uid_of
from ringrift_operator.processes.limits import Limits


@dataclass(frozen=True, slots=True)
class Work:
    """What a task asks for."""

    parameters: StageParameters
    limits: Limits


def claimable(tasks: Iterable[Object], pool: str, taken: Collection[str]) -> list[Object]:
    """Tasks of the pool that nobody has claimed, the oldest first; those with the UIDs `taken` are under way here."""
    waiting = [
        task
        for task in tasks
        if task["spec"]["pool"] == pool
        and phase_of(task) == TaskPhase.PENDING
        and not is_going(task)
        and uid_of(task) not in taken
    ]
    return sorted(waiting, key=lambda task: (task["metadata"]["creationTimestamp"], key_of(task)))


def left_behind(tasks: Iterable[Object], pool: str, holder: str, taken: Collection[str]) -> list[Object]:
    """Tasks that `holder` has claimed and that are not under way: it was started anew since."""
    return [
        task
        for task in tasks
        if task["spec"]["pool"] == pool
        and task.get("status", {}).get("holder") == holder
        and phase_of(task) in (TaskPhase.CLAIMED, TaskPhase.RUNNING)
        and not is_going(task)
        and uid_of(task) not in taken
    ]


def is_wanted(claimed: Object, now: Object | None) -> bool:
    """Whether somebody still waits for a task that was claimed; `now` is the object of its name, if there is one."""
    return now is not None and uid_of(now) == uid_of(claimed) and not is_going(now) and phase_of(now) not in ENDED


def work_of(task: Object) -> Work:
    """ValueError, with a sentence, when this version does not understand it."""
    try:
        spec = RemoteTaskSpec.model_validate(task["spec"])
        parameters = STAGES[spec.stage].parameters.model_validate(spec.parameters)
    except ValidationError as error:
        raise ValueError(f"this runner does not understand the task: {first_fault(error)}: upgrade it") from error
    except KeyError as error:
        raise ValueError(f"this runner knows no stage {error.args[0]}: upgrade it") from error
    return Work(parameters, Limits.of(spec))


def phase_of(task: Object) -> str:
    phase: str = task.get("status", {}).get("phase", TaskPhase.PENDING)
    return phase

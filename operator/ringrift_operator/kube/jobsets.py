"""JobSets: what they tell of a task that several Pods do together, and whether there are any in this cluster."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from ringrift_core.contract import ExitCode
from ringrift_operator.domain.labels import PIPELINE, stage_from
from ringrift_operator.domain.snapshot import ChildPhase, TaskIdentity, TaskObservation
from ringrift_operator.kube.client import EXPECTED, Client, Login, words_of
from ringrift_operator.kube.pods import PodReport, decisive, first_to_fail
from ringrift_operator.kube.resource import JOBSETS, Object, is_going
from ringrift_operator.kube.tasks import ENDS, FIRST_RANK, Sighting, failure_of, job_phase, time_of
from ringrift_operator.kube.watch import Mirror, Watch

logger = logging.getLogger(__name__)

LOOK_SECONDS = 3.0

ABSENT = "which this cluster does not have: install it (https://jobset.sigs.k8s.io)"
NOT_OURS = "which the operator may not use: give it the rights of its chart (`ringrift-operator check` names them)"

VERBS = ("list", "watch", "create", "delete")
"""What is done with them."""

TAKEN_AWAY = "PodFailurePolicy"
"""Kubernetes' reason of a Job that failed by the one rule which ours have: a Pod was drained, preempted or evicted."""


def ended_jobset(
    jobset: Object,
    identity: TaskIdentity,
    jobs: Sequence[Object],
    pods: Sequence[PodReport],
    sighting: Sighting | None,
) -> TaskObservation:
    """A JobSet that has ended, by what its Pods left, and by the Job that has failed."""
    end = _end(jobset)
    ended = TaskObservation(
        name=jobset["metadata"]["name"],
        identity=identity,
        phase=job_phase(jobset),
        stage=stage_from(jobset["metadata"]["labels"]),
        started_at=min((pod.started_at for pod in pods if pod.started_at is not None), default=None),
        finished_at=time_of(end.get("lastTransitionTime")),
        deleting=is_going(jobset),
    )
    if ended.phase == ChildPhase.SUCCEEDED:
        first = next((pod for pod in decisive(pods) if pod.index == FIRST_RANK), None)
        return ended if first is None else replace(ended, result=first.result, message=first.message)
    end = next((_end(job) for job in jobs if job_phase(job) == ChildPhase.FAILED), end)
    if end.get("reason") == TAKEN_AWAY or any(pod.is_disrupted for pod in pods):
        said = f"one of its Pods was taken away, and the others with it: {end.get('message', '')}"
        return replace(ended, exit_code=int(ExitCode.NOT_NOW), message=said)
    decider = first_to_fail(pods)
    reason, message = failure_of(jobset, end, decider, sighting)
    return replace(ended, exit_code=None if decider is None else decider.exit_code, reason=reason, message=message)


def _end(job: Object) -> Object:
    """The condition by which a Job or JobSet has ended."""
    return next(each for each in job["status"]["conditions"] if each["type"] in ENDS and each["status"] == "True")


class JobSets:
    """Keeps a mirror of them for as long as the API server knows the kind, and says why it does not."""

    def __init__(
        self,
        client: Client,
        login: Login,
        mirror: Mirror,
        scopes: Sequence[str | None],
        changed: Callable[[], None],
    ) -> None:
        """`changed` is called when `fault` is another one."""
        self._client, self._login, self._mirror, self._scopes, self._changed = client, login, mirror, scopes, changed
        self.fault = ABSENT
        """Why none can be made, and what to do; empty where they can."""
        self.settled = asyncio.Event()
        """Set once that is known, and the mirror true."""

    async def run(self) -> None:
        """Looks every few seconds, for ever."""
        while True:
            fault = await self._look()
            if fault:
                self._found(fault)
                await asyncio.sleep(LOOK_SECONDS)
            else:
                await self._keep_mirror()

    async def _look(self) -> str:
        """The fault there is now; the last one while the API server does not answer."""
        try:
            if not await self._client.serves(JOBSETS):
                return ABSENT
            # Rights that are taken away later are told by what is refused.
            asked = [(verb, scope or "") for scope in self._scopes for verb in VERBS] if self.fault else []
            return "" if all([await self._client.may(verb, JOBSETS, scope) for verb, scope in asked]) else NOT_OURS
        except EXPECTED as error:
            logger.debug("whether there are JobSets is not known: %s", words_of(error))
            return self.fault

    async def _keep_mirror(self) -> None:
        """Mirrors them until there are none any more."""
        watches = [Watch(self._login, JOBSETS, self._mirror, scope, PIPELINE) for scope in self._scopes]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(watch.run()) for watch in watches]
            await asyncio.gather(*(watch.synced.wait() for watch in watches))
            self._found("")
            while not (fault := await self._look()):
                await asyncio.sleep(LOOK_SECONDS)
            for task in tasks:
                task.cancel()
        for jobset in list(self._mirror):
            self._mirror.drop(jobset)
        self._found(fault)

    def _found(self, fault: str) -> None:
        self.settled.set()
        if fault != self.fault:
            logger.info("JobSets: %s", fault or "found, so trainings may take several nodes")
            self.fault = fault
            self._changed()

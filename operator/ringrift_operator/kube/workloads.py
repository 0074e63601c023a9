"""Why held Jobs wait, by what Kueue says of their Workloads: where it is there, and where we may read them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from ringrift_operator.builders.queue import PRIORITY_LABEL, QUEUE_LABEL
from ringrift_operator.domain.reasons import ChildReason
from ringrift_operator.domain.snapshot import ChildPhase
from ringrift_operator.kube.client import EXPECTED, ApiError, Client, words_of
from ringrift_operator.kube.pods import MESSAGE_LIMIT
from ringrift_operator.kube.resource import WORKLOADS, WORKLOADS_BEFORE, Object, key_of, uid_of
from ringrift_operator.kube.tasks import Sighting, is_jobset, job_phase
from ringrift_operator.kube.world import labels

logger = logging.getLogger(__name__)

LOOK_SECONDS = 3.0
NO_WORKLOAD_SECONDS = 30.0
"""A held Job of which Kueue has made no Workload for so long is explained."""
NEWS_SECONDS = 60.0
"""Other words for the same reason are news at most so often: the quota that is missing changes all the time."""

JOB_UID = "kueue.x-k8s.io/job-uid"
"""Label of a Workload: the UID of its Job."""


def why_held(workload: Object) -> Sighting:
    """Why the Job of this Workload is held; without a reason where it is about to start, or nobody has said yet."""
    status = workload.get("status", {})
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    quota, evicted = conditions.get("QuotaReserved", {}), conditions.get(ChildReason.EVICTED, {})
    finished = conditions.get("Finished", {})
    if finished.get("status") == "True":
        mend = "mend that in its pool or its queue's ResourceFlavor, and delete the Job"
        return _held(finished.get("reason", ""), f"{finished.get('message', '')}: {mend}")
    if workload.get("spec", {}).get("active") is False:
        said = evicted.get("message") or "its Workload is deactivated"
        mend = f"set spec.active of the Workload {key_of(workload)[1]} to true"
        return _held(ChildReason.DEACTIVATED, f"{said}: {mend}")
    if quota.get("reason") == ChildReason.INADMISSIBLE:
        return _held(ChildReason.INADMISSIBLE, quota.get("message", ""))
    if evicted.get("status") == "True":
        return _held(evicted.get("reason", ""), evicted.get("message", "").partition("; preemptor path")[0])
    if quota.get("status") == "True":
        open_checks = [each for each in status.get("admissionChecks", ()) if each.get("state") != "Ready"]
        said = ", ".join(" ".join((each["name"], each.get("message", ""))).strip() for each in open_checks)
        return _held(ChildReason.PENDING, f"waits for the admission checks {said}") if said else Sighting()
    return _held(ChildReason.PENDING, quota["message"]) if quota.get("message") else Sighting()


def without_workload(job: Object, is_kueue_there: bool) -> Sighting:
    """Why a held Job has no Workload."""
    said, name = labels(job), key_of(job)[1]
    queue = said.get(QUEUE_LABEL)
    if queue is None:
        kind = "jobset" if is_jobset(job) else "job"
        mend = f"""kubectl patch {kind} {name} --type=merge -p '{{"spec": {{"suspend": false}}}}'"""
        return _held(ChildReason.SUSPENDED, f"it names no queue, so somebody holds it by hand: {mend}")
    if not is_kueue_there:
        mend = "install Kueue, or take the queue out of its pool (or of lightStages) and delete the Job"
        return _held(ChildReason.NO_WORKLOAD, f"nothing in this cluster admits what waits in queue {queue}: {mend}")
    asks = "is Kueue's controller at work, and does it look after Jobs of this namespace"
    if priority := said.get(PRIORITY_LABEL):
        asks += f", and is there a WorkloadPriorityClass {priority}"
    return _held(ChildReason.NO_WORKLOAD, f"Kueue has made no Workload of it for queue {queue}: {asks}?")


def unread(job: Object, message: str) -> Sighting:
    """Of a held Job whose Workload we may not read."""
    queue = labels(job).get(QUEUE_LABEL, "")
    return _held(ChildReason.PENDING, f"in queue {queue}; why, the operator may not read: {message}")


def _held(reason: str, message: str) -> Sighting:
    return Sighting(reason=str(reason), message=" ".join(message.split())[:MESSAGE_LIMIT])


class Workloads:
    """What was last read of each held Job's Workload, by the Job's UID."""

    def __init__(self, client: Client, jobs: Iterable[Object], changed: Callable[[Object], None]) -> None:
        """`changed` is called with a Job of which there is news."""
        self._client, self._jobs, self._changed = client, jobs, changed
        self._seen: dict[str, Sighting] = {}
        self._told_at: dict[str, float] = {}
        self._held_since: dict[str, float] = {}

    def get(self, uid: str) -> Sighting | None:
        return self._seen.get(uid)

    async def run(self) -> None:
        """Looks every few seconds, for ever: one request for each namespace that holds a Job."""
        while True:
            try:
                await self._look()
            except EXPECTED as error:
                logger.debug("Workloads not read: %s", words_of(error))
            except Exception:  # nice to have: a defect here must not stop the operator
                logger.exception("Workloads not understood")
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        held: dict[str, list[Object]] = defaultdict(list)
        for job in self._jobs:
            if job_phase(job) == ChildPhase.QUEUED:
                held[key_of(job)[0]].append(job)
        self._forget({uid_of(job) for jobs in held.values() for job in jobs})
        for namespace, jobs in held.items():
            try:
                found = await self._of(namespace)
            except ApiError as error:
                if error.status != 403:
                    raise
                for job in jobs:
                    self._take(job, unread(job, error.message))
            else:
                for job in jobs:
                    self._take(job, self._why(job, found))

    async def _of(self, namespace: str) -> Mapping[str, Object] | None:
        """The namespace's Workloads by their Job's UID; None where the cluster has no Kueue."""
        for resource in (WORKLOADS, WORKLOADS_BEFORE):
            try:
                found = await self._client.items(resource, namespace, labels=JOB_UID)
            except ApiError as error:
                if not error.is_missing:
                    raise
            else:
                return {labels(each)[JOB_UID]: each for each in found}
        return None

    def _why(self, job: Object, found: Mapping[str, Object] | None) -> Sighting:
        workload = (found or {}).get(uid_of(job))
        if workload is not None:
            return why_held(workload)
        now = time.monotonic()
        is_due = now - self._held_since.setdefault(uid_of(job), now) >= NO_WORKLOAD_SECONDS
        is_told = found is None or QUEUE_LABEL not in labels(job)
        return without_workload(job, found is not None) if is_due or is_told else Sighting()

    def _take(self, job: Object, sighting: Sighting) -> None:
        uid, now = uid_of(job), time.monotonic()
        before = self._seen.get(uid, Sighting())
        is_old = now - self._told_at.get(uid, -1e9) > NEWS_SECONDS
        if sighting.reason != before.reason or (sighting != before and is_old):
            self._seen[uid], self._told_at[uid] = sighting, now
            self._changed(job)

    def _forget(self, held: set[str]) -> None:
        """Drops what was read of Jobs that are held no more."""
        for table in (self._seen, self._told_at, self._held_since):
            for uid in table.keys() - held:
                del table[uid]

"""Reads, in the background and slowly, what only the Pods of live Jobs know: progress, and why one does not start."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from ringrift_operator.domain.reasons import ChildReason
from ringrift_operator.domain.snapshot import ChildPhase
from ringrift_operator.kube.client import EXPECTED, LOG_TAIL_LINES, ApiError, Client, words_of
from ringrift_operator.kube.pods import PodPhase, PodReport, last_progress, no_progress_since, report
from ringrift_operator.kube.rate import Rate
from ringrift_operator.kube.refusals import Refusals, Topic
from ringrift_operator.kube.resource import EVENTS, JOBS, PODS, Object, key_of, uid_of
from ringrift_operator.kube.tasks import (
    FIRST_RANK,
    Sighting,
    Usage,
    container_of,
    indexed_progress,
    is_jobset,
    job_phase,
    not_starting,
    pods_of,
    without_pods,
)
from ringrift_operator.kube.world import pipeline_owner

logger = logging.getLogger(__name__)

READS_PER_SECOND = 5.0
FIRST_SECONDS = 2.0
"""A Job is left alone for so long: most start, and some have ended by then."""
AGAIN_SECONDS = 10.0
"""A Job is not looked at again sooner."""
NO_PODS_SECONDS = 30.0
"""A Job that has got no Pod for so long is explained."""
NEWS_SECONDS = 60.0
"""Progress is news for the status at most so often; trouble is news at once, and the same trouble only once."""


class Sightings:
    """What was last seen of each live Job, by its UID."""

    def __init__(
        self, client: Client, jobs: Iterable[Object], changed: Callable[[Object], None], refusals: Refusals
    ) -> None:
        """`changed` is called with a Job whose sighting is news."""
        self._client, self._jobs, self._changed, self._refusals = client, jobs, changed, refusals
        self._rate = Rate(READS_PER_SECOND)
        self._seen: dict[str, Sighting] = {}
        self._look_at: dict[str, float] = {}
        self._without_pods_since: dict[str, float] = {}
        self._told_at: dict[str, float] = {}
        self._tables: tuple[dict[str, Any], ...] = (
            self._seen,
            self._look_at,
            self._told_at,
            self._without_pods_since,
        )

    def get(self, uid: str) -> Sighting | None:
        return self._seen.get(uid)

    async def run(self) -> None:
        """Looks at one Job after the other, for ever."""
        while True:
            job = self._next()
            if job is None:
                await asyncio.sleep(1)
                continue
            self._look_at[uid_of(job)] = time.monotonic() + AGAIN_SECONDS
            try:
                await self._look(job)
                self._told_of_refusal(job, "")
            except EXPECTED as error:
                if isinstance(error, ApiError) and error.is_refused:
                    self._told_of_refusal(job, f"the operator cannot look at the Pods of what runs: {error}")
                logger.debug("Pods of %s not read: %s", "/".join(key_of(job)), words_of(error))
                await asyncio.sleep(1)
            except Exception:  # nice to have: a defect here must not stop the operator
                logger.exception("Pods of %s not understood", "/".join(key_of(job)))
                await asyncio.sleep(1)

    def _told_of_refusal(self, job: Object, sentence: str) -> None:
        """Of the pipeline, once for all of its Jobs: what they do is not known."""
        owner = pipeline_owner(job)
        if owner is None:
            return
        said = (owner["uid"], "pods")
        is_news = (
            self._refusals.note(*said, sentence, Topic.LOOKS) if sentence else self._refusals.taken(*said, Topic.LOOKS)
        )
        if is_news:
            self._changed(job)

    def forget(self, present: set[str]) -> None:
        """Drops what was seen of Jobs that are gone."""
        for table in self._tables:
            for uid in table.keys() - present:
                del table[uid]

    def _let_go(self, held: set[str]) -> None:
        """Drops what was seen of Jobs that are held: their Pods are gone, and others will come."""
        for table in self._tables:
            for uid in table.keys() & held:
                del table[uid]

    def _next(self) -> Object | None:
        """The live Job whose look is due, or most overdue; before all others one that waits and nobody knows why.

        Else it would stand in line behind the progress of thousands.
        """
        now = time.monotonic()
        phases = {uid_of(job): job_phase(job) for job in self._jobs}
        live = [job for job in self._jobs if phases[uid_of(job)] in (ChildPhase.WAITING, ChildPhase.RUNNING)]
        self._let_go({uid for uid, phase in phases.items() if phase == ChildPhase.QUEUED})
        if len(self._look_at) > 2 * len(live) + 100:
            self.forget({uid_of(job) for job in self._jobs})
        self._refusals.keep(Topic.LOOKS, {owner["uid"] for job in live if (owner := pipeline_owner(job))})
        for uid in map(uid_of, live):
            self._look_at.setdefault(uid, now + FIRST_SECONDS)
            self._without_pods_since.setdefault(uid, now)

        def urgency(job: Object) -> tuple[bool, float]:
            uid = uid_of(job)
            is_told = phases[uid] == ChildPhase.RUNNING or (uid in self._seen and bool(self._seen[uid].reason))
            return is_told, self._look_at[uid]

        due = [job for job in live if self._look_at[uid_of(job)] <= now]
        return min(due, key=urgency, default=None)

    async def _look(self, job: Object) -> None:
        await self._rate.turn()
        found = await self._client.items(PODS, key_of(job)[0], labels=pods_of(job))
        pods = [report(pod) for pod in found]
        if self._waits_for_pods(job, pods):
            await self._rate.turn()
            self._take(job, await self._why_without_pods(job))
        elif stuck := not_starting(pods, together=is_jobset(job)):
            self._take(job, Sighting(message=stuck.message, reason=stuck.reason))
        elif job_phase(job) == ChildPhase.RUNNING:
            self._take(job, await self._progress(job, [pod for pod in pods if pod.phase == PodPhase.RUNNING]))

    def _waits_for_pods(self, job: Object, pods: list[PodReport]) -> bool:
        """Whether it has had no Pod for too long."""
        uid = uid_of(job)
        if pods or job_phase(job) == ChildPhase.RUNNING:
            self._without_pods_since.pop(uid, None)
            return False
        now = time.monotonic()
        return now - self._without_pods_since.get(uid, now) >= NO_PODS_SECONDS

    async def _why_without_pods(self, job: Object) -> Sighting:
        """What the Job controller was told: of a quota, pod security, a LimitRange, a ServiceAccount, a webhook."""
        namespace = job["metadata"]["namespace"]
        try:
            told = [job, *(await self._client.items(JOBS, namespace, labels=pods_of(job)) if is_jobset(job) else ())]
            events = [
                event
                for each in told
                for event in await self._client.items(EVENTS, namespace, fields=f"involvedObject.uid={uid_of(each)}")
            ]
        except ApiError as error:
            if error.status != 403:
                raise
            return Sighting(
                reason=ChildReason.NO_PODS,
                message=f"its Job has got no Pod, and the operator may not list events to see why: {error.message}",
            )
        return without_pods(events, "JobSet's controller") if is_jobset(job) else without_pods(events)

    async def _progress(self, job: Object, running: list[PodReport]) -> Sighting:
        namespace, looked_at = job["metadata"]["namespace"], datetime.now(UTC)
        container = container_of(job)["name"]
        parts: list[float] = []
        heard: list[datetime] = []
        usage: list[Usage] = []
        message = ""
        # Of Pods that do one thing together the first tells how it goes; the others say nothing unless they fail.
        for pod in running if not is_jobset(job) else [each for each in running if each.index == FIRST_RANK]:
            await self._rate.turn()
            log = await self._client.log_tail((namespace, pod.name), container)
            if (told := last_progress(log)) is not None:
                told_at, progress = told
                heard.append(told_at)
                parts.append(progress.progress)
                message = progress.message or message
                if progress.cpu_seconds is not None:
                    usage.append(Usage(pod.name, progress.cpu_seconds, progress.gpu))
            elif (since := no_progress_since(log, LOG_TAIL_LINES, pod.started_at)) is not None:
                heard.append(since)
        done = indexed_progress(job, parts)
        return Sighting(
            progress=done,
            message=message,
            heard_at=min(heard, default=None),
            looked_at=looked_at,
            usage=tuple(usage),
        )

    def _take(self, job: Object, sighting: Sighting) -> None:
        uid, now = uid_of(job), time.monotonic()
        before = self._seen.get(uid, Sighting())
        if sighting.reason and _same_trouble(sighting, before):
            return  # its words alternate between the pull's error and the back-off
        self._seen[uid] = sighting
        is_old = now - self._told_at.get(uid, -1e9) > NEWS_SECONDS
        if sighting.reason != before.reason or (sighting != before and is_old):
            self._told_at[uid] = now
            self._changed(job)


def _same_trouble(one: Sighting, other: Sighting) -> bool:
    return one.reason == other.reason or {one.reason, other.reason} <= {"ErrImagePull", "ImagePullBackOff"}

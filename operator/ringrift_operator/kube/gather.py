"""Builds the snapshot of one pipeline from the mirrored world, and reads the Pods of Jobs that have just ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import ValidationError

from ringrift_core.contract import first_fault, read
from ringrift_operator.api.pipeline import Artifacts, TrainingPipeline
from ringrift_operator.api.remotetask import RemoteTask
from ringrift_operator.domain.labels import identity_from
from ringrift_operator.domain.recipes import SHIPPED, Recipes
from ringrift_operator.domain.snapshot import (
    ChildPhase,
    OtherPipeline,
    Snapshot,
    TaskIdentity,
    TaskObservation,
)
from ringrift_operator.kube.client import ApiError, Client
from ringrift_operator.kube.hearing import Hearing
from ringrift_operator.kube.jobsets import JobSets, ended_jobset
from ringrift_operator.kube.parsed import Parsed, UnreadableError
from ringrift_operator.kube.pods import report
from ringrift_operator.kube.pools import Pools
from ringrift_operator.kube.records import Records
from ringrift_operator.kube.refusals import Refusals
from ringrift_operator.kube.resource import JOBS, PODS, Key, Object, is_going, key_of, uid_of
from ringrift_operator.kube.sightings import Sightings
from ringrift_operator.kube.tasks import (
    ended_job,
    is_jobset,
    is_live_task,
    job_phase,
    live_job,
    pods_of,
    remote_task,
    unread_task,
)
from ringrift_operator.kube.workloads import Workloads
from ringrift_operator.kube.world import World, labels


class Gatherer:
    """Makes snapshots. What was parsed or read is kept for as long as its object stays as it is."""

    def __init__(
        self,
        client: Client,
        world: World,
        sightings: Sightings,
        pools: Pools,
        hearing: Hearing,
        refusals: Refusals,
        records: Records,
        workloads: Workloads,
        jobsets: JobSets,
        cluster_uid: Callable[[], str] = str,
        recipes: Recipes = SHIPPED,
    ) -> None:
        self._client, self._world, self._sightings, self._pools = client, world, sightings, pools
        self._workloads, self._jobsets = workloads, jobsets
        self._hearing, self._refusals, self._records, self._cluster_uid = hearing, refusals, records, cluster_uid
        self._recipes = recipes
        self._parsed = Parsed(TrainingPipeline)
        self._ended: dict[str, TaskObservation] = {}
        world.when_a_job_goes(lambda uid: self._ended.pop(uid, None))

    async def snapshot(self, key: Key) -> Snapshot | None:
        """All about one pipeline; None when there is none, or it is being deleted. UnreadableError when it is none, or
        when we may not read what belongs to it."""
        found = self._world.pipelines.get(key)
        if found is None or is_going(found):
            return None
        try:
            return await self._snapshot(key, found)
        except ApiError as error:
            if not error.is_refused:
                raise
            fault, mend = f"what belongs to it cannot be read: {error}", "give the operator the rights of its chart"
            raise UnreadableError("TrainingPipeline", found, fault, mend) from error

    async def _snapshot(self, key: Key, found: Object) -> Snapshot:
        pipeline = self._parsed.of(found)
        uid = uid_of(found)
        children = [(child, self._identity(child)) for child in self._world.on_nodes.group(uid)]
        jobs = await asyncio.gather(*(self._job(job, identity) for job, identity in children if identity))
        assert pipeline.metadata.creation_timestamp is not None
        return Snapshot(
            now=datetime.now(UTC),
            name=key[1],
            namespace=key[0],
            uid=uid,
            generation=pipeline.metadata.generation or 0,
            created_at=pipeline.metadata.creation_timestamp,
            spec=pipeline.spec,
            status=pipeline.status,
            pools=self._pools.observations(key[0]),
            unread_pools=self._pools.unread(key[0]),
            tasks=tuple(sorted([*jobs, *self._remote_tasks(found)], key=lambda task: task.name)),
            others=tuple(
                _other(each, pipeline.spec.artifacts)
                for each in self._world.sharing_store(found)
                if uid_of(each) != uid
            ),
            records=await self._records.of(key, uid),
            annotations=pipeline.metadata.annotations,
            version=found["metadata"]["resourceVersion"],
            refusals=self._refusals.of(uid),
            cluster=self._cluster_uid(),
            jobset_fault=self._jobsets.fault,
            recipes=self._recipes,
        )

    def elsewhere(self, namespace: str, known: Container[str]) -> list[TaskObservation]:
        """Live children of pipelines other than those with these UIDs: deleted or unreadable, they still take slots."""
        jobs = [job for job in self._world.on_nodes.outside(known) if key_of(job)[0] == namespace]
        live = [(job, identity_from(labels(job))) for job in jobs if job_phase(job).is_live]
        remote = [task for task in self._world.remote_tasks.outside(known) if key_of(task)[0] == namespace]
        claimable = [(task, identity_from(labels(task))) for task in remote if is_live_task(task)]
        return [
            *(live_job(job, identity, None) for job, identity in live if identity),
            *(unread_task(task, identity) for task, identity in claimable if identity),
        ]

    def forget(self) -> None:
        """Drops what is kept of objects that are gone."""
        present = {uid_of(each) for each in self._world.pipelines}
        self._parsed.keep(present)
        self._refusals.forget(present)
        self._records.forget(present)
        for uid in self._ended.keys() - {uid_of(job) for job in self._world.on_nodes}:
            del self._ended[uid]

    def _identity(self, child: Object) -> TaskIdentity | None:
        """Whose task a child is; None of a child that is none of ours, or runs a step of another version."""
        identity = identity_from(labels(child))
        return identity if identity is not None and identity.step in self._recipes.steps else None

    async def _job(self, job: Object, identity: TaskIdentity) -> TaskObservation:
        uid = uid_of(job)
        phase = job_phase(job)
        if phase.is_live:
            seen = self._workloads.get(uid) if phase == ChildPhase.QUEUED else self._sightings.get(uid)
            return live_job(job, identity, seen)
        if uid not in self._ended:
            namespace, own = key_of(job)[0], pods_of(job)
            pods = [report(pod) for pod in await self._client.items(PODS, namespace, labels=own)]
            if is_jobset(job):
                jobs = await self._client.items(JOBS, namespace, labels=own)
                self._ended[uid] = ended_jobset(job, identity, jobs, pods, self._sightings.get(uid))
            else:
                self._ended[uid] = ended_job(job, identity, pods, self._sightings.get(uid))
        return replace(self._ended[uid], deleting=is_going(job))

    def _remote_tasks(self, pipeline: Object) -> Iterator[TaskObservation]:
        for obj in self._world.remote_tasks.group(uid_of(pipeline)):
            identity = self._identity(obj)
            if identity is None:
                continue
            try:
                task = read(RemoteTask, obj)
            except ValidationError as error:
                fault = f"RemoteTask {key_of(obj)[1]}: {first_fault(error)}"
                raise UnreadableError("TrainingPipeline", pipeline, fault) from error
            yield remote_task(task, identity, self._hearing.seen(uid_of(obj), task.status))


def _other(obj: Object, artifacts: Artifacts) -> OtherPipeline:
    """Another pipeline with the same artifacts, read as far as needed: what it is otherwise concerns it alone."""
    namespace, name = key_of(obj)
    return OtherPipeline(
        name=name,
        uid=uid_of(obj),
        created_at=datetime.fromisoformat(obj["metadata"]["creationTimestamp"]),
        artifacts=artifacts,
        configurations=frozenset(f"{each['board']}-{each['players']}p" for each in obj["spec"]["configurations"]),
        namespace=namespace,
    )

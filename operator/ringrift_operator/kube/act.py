"""Carries a plan out, in the plan's order: records, status, creations, deletions, events.

Each step leaves a state from which the next pass plans the rest: what broke off is neither lost nor done twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from ringrift_operator.api.iteration import TrainingIteration
from ringrift_operator.api.pipeline_status import TrainingPipelineStatus
from ringrift_operator.builders.job import job
from ringrift_operator.builders.jobset import jobset
from ringrift_operator.builders.release import Release
from ringrift_operator.builders.remote_task import remote_task
from ringrift_operator.domain.outcomes import outcome_of
from ringrift_operator.domain.plan import Event, PlacedTask, Plan
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.snapshot import Snapshot
from ringrift_operator.kube.client import EXPECTED, ApiError, Client, words_of
from ringrift_operator.kube.metrics import Metrics
from ringrift_operator.kube.parsed import UnreadableError
from ringrift_operator.kube.records import Records
from ringrift_operator.kube.refusals import Refusals
from ringrift_operator.kube.resource import (
    EVENTS,
    ITERATIONS,
    JOBS,
    JOBSETS,
    PIPELINES,
    REMOTE_TASKS,
    Key,
    Object,
    Resource,
    is_going,
    is_owned_by,
    key_of,
    uid_of,
)
from ringrift_operator.kube.standstill import standstill
from ringrift_operator.kube.watch import Mirror
from ringrift_operator.kube.world import World

logger = logging.getLogger(__name__)

EVENT_MESSAGE_LIMIT = 1024


class NameTakenError(ApiError):
    """A child's name belongs to an object that is not ours."""

    def __init__(self, resource: Resource, name: str) -> None:
        super().__init__(409, "NameTaken", f"{resource.plural}/{name} exists and is not ours: delete or rename it")


def _is_refusal(outcome: BaseException | None) -> bool:
    """Whether the same request will not do better later."""
    return isinstance(outcome, NameTakenError) or (isinstance(outcome, ApiError) and outcome.is_refused)


class Actor:
    """Writes what plans say, and mirrors what the API server answers."""

    def __init__(
        self,
        client: Client,
        world: World,
        release: Release,
        holder: str,
        metrics: Metrics,
        refusals: Refusals,
        records: Records,
    ) -> None:
        self._client, self._world, self._release, self._metrics = client, world, release, metrics
        self._holder = holder
        self._refusals, self._records = refusals, records

    async def carry_out(self, snapshot: Snapshot, plan: Plan) -> None:
        """Does all of the plan, or raises at the first step that could not be done."""
        await self._create_records(snapshot, plan.records)
        if plan.status != snapshot.status and not await self._report(snapshot, plan.status):
            return
        try:
            await self._create_tasks(snapshot, plan.create, (*plan.delete, *plan.expired_records))
            await self._delete_all(snapshot, plan.delete, lambda name: self._delete_child(snapshot, name))
            self._count(snapshot, plan)
            key = (snapshot.namespace, snapshot.name)
            await self._delete_all(
                snapshot, plan.expired_records, lambda name: self._records.delete(key, snapshot.uid, name)
            )
        finally:  # the status that they tell of has been written: the next pass will not tell again
            for event in plan.events:
                await self._tell_of(snapshot, event)

    async def _report(self, snapshot: Snapshot, status: TrainingPipelineStatus) -> bool:
        """Writes the status of this very pipeline; false when it has been deleted meanwhile."""
        metadata = {"namespace": snapshot.namespace, "name": snapshot.name, "uid": snapshot.uid}
        read = {"resourceVersion": snapshot.version} if snapshot.version else {}
        try:
            applied = await self._client.apply_status(PIPELINES, "TrainingPipeline", metadata | read, status)
            self._world.pipelines.put(applied)
            return True
        except ApiError as error:
            if error.is_missing:
                self._world.pipelines.drop({"metadata": metadata})  # kopf's watch may have missed it
                return False
            if _is_refusal(error):
                await self._tell_of_refused_status(snapshot, error)
            raise

    async def _tell_of_refused_status(self, snapshot: Snapshot, error: ApiError) -> None:
        """Says, once, that what was found out cannot be written down: nothing goes on before it can."""
        sentence = (
            f"the status cannot be written: {error}: install the CRDs and the rights that came with this operator; "
            "nothing new starts until it can be written"
        )
        if self._refusals.note(snapshot.uid, "status", sentence):
            await self._tell_of(snapshot, Event(EventReason.NOT_WRITTEN, sentence, is_warning=True))
            await self._stand_still((snapshot.namespace, snapshot.name), sentence)

    async def _stand_still(self, pipeline: Key, sentence: str) -> None:
        """Says it by conditions as well, as far as those can be written: an event has told it already."""
        found = self._world.pipelines.get(pipeline)
        if found is None:
            return
        metadata = {"namespace": pipeline[0], "name": pipeline[1], "uid": uid_of(found)}
        conditions = standstill(found, sentence, datetime.now(UTC))
        try:
            applied = await self._client.apply_conditions(PIPELINES, "TrainingPipeline", metadata, conditions)
        except EXPECTED as error:
            logger.warning("conditions of %s/%s not written: %s", *pipeline, words_of(error))
        else:
            self._world.pipelines.put(applied)

    async def _create_tasks(self, snapshot: Snapshot, tasks: tuple[PlacedTask, ...], unwanted: tuple[str, ...]) -> None:
        """Creates all it can; the first refusal is raised once the others are done. That something `unwanted` cannot be
        deleted is still true."""

        async def create(task: PlacedTask) -> None:
            if task.is_remote:
                created = await self._create(REMOTE_TASKS, remote_task(snapshot, task), snapshot)
                self._world.remote_tasks.put(created)
            elif task.demand.places > 1:
                self._world.jobsets.put(await self._create(JOBSETS, jobset(snapshot, task, self._release), snapshot))
            else:
                self._world.jobs.put(await self._create(JOBS, job(snapshot, task, self._release), snapshot))
            self._metrics.started.labels(snapshot.namespace, task.stage.value).inc()

        outcomes = await asyncio.gather(*(create(task) for task in tasks), return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        refused = {
            task.name: f"{task.name} cannot be created: {outcome}"
            for task, outcome in zip(tasks, outcomes, strict=True)
            if _is_refusal(outcome)
        }
        records = {record.metadata.name for record in self._records.refused(snapshot.uid)}
        self._refusals.settle(snapshot.uid, refused.keys() | records | set(unwanted))
        news = [
            sentence for name, sentence in sorted(refused.items()) if self._refusals.note(snapshot.uid, name, sentence)
        ]
        for sentence in news:
            await self._tell_of(snapshot, Event(EventReason.NOT_CREATED, sentence, is_warning=True))
        if failures:
            raise failures[0]

    async def _create_records(self, snapshot: Snapshot, ended: tuple[TrainingIteration, ...]) -> None:
        """Writes the records of what has ended, and those that were refused before, until one of these is again."""
        for record in self._records.refused(snapshot.uid):
            if not await self._create_record(snapshot, record):
                break
        for record in ended:
            await self._create_record(snapshot, record)

    async def _create_record(self, snapshot: Snapshot, record: TrainingIteration) -> bool:
        """Writes a record, or says why not and keeps it to be tried again: the status matters more, and goes on."""
        name = record.metadata.name
        try:
            created = await self._create(ITERATIONS, record.to_manifest(), snapshot)
        except ApiError as error:
            if not _is_refusal(error):
                raise
            of = f"iteration {record.spec.iteration} of {record.spec.configuration}"
            said = f"the record of {of} cannot be created: {error}"
            self._records.note_refused(snapshot.uid, record)
            if self._refusals.note(snapshot.uid, name, said):
                await self._tell_of(snapshot, Event(EventReason.NOT_CREATED, said, is_warning=True))
            return False
        self._records.put(created, snapshot.uid)
        self._records.taken(snapshot.uid, name)
        self._refusals.taken(snapshot.uid, name)
        return True

    async def _tell_of(self, snapshot: Snapshot, event: Event) -> None:
        await self._tell((snapshot.namespace, snapshot.name), snapshot.uid, event)

    async def _create(self, resource: Resource, manifest: Object, snapshot: Snapshot) -> Object:
        """Creates a child; one that exists is ours already when we own it and it is not on its way out."""
        try:
            return await self._client.create(resource, manifest)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            name = manifest["metadata"]["name"]
            found = await self._client.get(resource, (snapshot.namespace, name))
            if found is None:
                raise  # it went between the two requests: the next try creates it
            if is_going(found):
                raise  # until it has gone
            if not is_owned_by(found, snapshot.uid):
                raise NameTakenError(resource, name) from error
            return found

    async def _delete_all(
        self, snapshot: Snapshot, names: tuple[str, ...], delete: Callable[[str], Awaitable[None]]
    ) -> None:
        """Deletes one after the other, until one may not be: that is said, and raised."""
        for name in names:
            try:
                await delete(name)
            except ApiError as error:
                said = f"{name} cannot be deleted: {error}"
                if _is_refusal(error) and self._refusals.note(snapshot.uid, name, said):
                    await self._tell_of(snapshot, Event(EventReason.NOT_DELETED, said, is_warning=True))
                raise
            self._refusals.taken(snapshot.uid, name)

    async def _delete_child(self, snapshot: Snapshot, name: str) -> None:
        world = self._world
        for resource, mirror in ((JOBS, world.jobs), (JOBSETS, world.jobsets), (REMOTE_TASKS, world.remote_tasks)):
            await self._delete(resource, mirror, snapshot, name)

    async def _delete(self, resource: Resource, mirror: Mirror, snapshot: Snapshot, name: str) -> None:
        key = (snapshot.namespace, name)
        child = mirror.get(key)
        if child is not None and is_owned_by(child, snapshot.uid):
            await self._client.delete(resource, key, uid_of(child))
            mirror.drop(child)

    async def tell_unreadable(self, error: UnreadableError) -> None:
        """Says of a pipeline that cannot be read why, and what becomes of it."""
        sentence = f"{error.fault}: {error.mend}; until then the pipeline stands still"
        key, uid = key_of(error.obj), uid_of(error.obj)
        await self._tell(key, uid, Event(EventReason.UNREADABLE, sentence, is_warning=True))
        await self._stand_still(key, sentence)

    async def tell_defect(self, pipeline: Key, error: Exception) -> None:
        """Says of a pipeline that a look at it breaks off each time, and that this is no fault of its own."""
        found = self._world.pipelines.get(pipeline)
        if found is None:
            return
        sentence = (
            f"the operator fails at it ({type(error).__name__}: {error}): this is a defect of the operator, whose log "
            "has the traceback: report it, or go back to the version before; until then the pipeline stands still"
        )
        await self._tell(pipeline, uid_of(found), Event(EventReason.DEFECT, sentence, is_warning=True))
        await self._stand_still(pipeline, sentence)

    async def _tell(self, pipeline: Key, uid: str, event: Event) -> None:
        """Posts an event about the pipeline. One that cannot be posted is logged instead: events decide nothing."""
        namespace, name = pipeline
        now = datetime.now(UTC)
        logger.log(
            logging.WARNING if event.is_warning else logging.INFO,
            "%s: %s",
            event.reason,
            event.message,
            extra={"namespace": namespace, "pipeline": name},
        )
        digest = hashlib.sha256(f"{uid} {event.reason} {event.message} {now}".encode()).hexdigest()[:16]
        moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        # core/v1 rather than events.k8s.io: kubectl orders events by lastTimestamp, which the newer kind has not.
        manifest = {
            "apiVersion": EVENTS.api_version,
            "kind": "Event",
            "metadata": {"namespace": namespace, "name": f"{name}.{digest}"},
            "involvedObject": {
                "apiVersion": PIPELINES.api_version,
                "kind": "TrainingPipeline",
                "namespace": namespace,
                "name": name,
                "uid": uid,
            },
            "reason": event.reason,
            "message": event.message[:EVENT_MESSAGE_LIMIT],
            "type": "Warning" if event.is_warning else "Normal",
            "source": {"component": "ringrift-operator"},
            "reportingComponent": "ringrift.ai/operator",
            "reportingInstance": self._holder,
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
        }
        try:
            await self._client.create(EVENTS, manifest)
        except EXPECTED as error:
            logger.warning("event of %s/%s not posted: %s", namespace, name, words_of(error))

    def _count(self, snapshot: Snapshot, plan: Plan) -> None:
        """Counts the ended tasks: each is deleted once, after it was recorded."""
        for child in snapshot.tasks:
            if child.name in plan.delete and not child.is_live:
                outcome = outcome_of(child, snapshot.handling_of(child)).kind.name.lower()
                self._metrics.tasks.labels(snapshot.namespace, child.stage.value, outcome).inc()

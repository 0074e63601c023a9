"""The mirrored state of the cluster, and which pipelines each piece of news concerns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable

from ringrift_operator.kube.resource import PIPELINES, Key, Object, key_of, uid_of
from ringrift_operator.kube.watch import Mirror, Mirrors

Touch = Callable[[Key], None]
"""Told the namespace and name of a pipeline to look at again."""


class World:
    """Pipelines, pools, and the pipelines' children by the UID of their owner."""

    def __init__(self, touch: Touch) -> None:
        self._touch = touch
        self.pipelines = Mirror(self._pipeline_changed)
        self.pools = Mirror(self._pool_changed)
        self.jobs = Mirror(self._job_changed, owner_uid)
        self.jobsets = Mirror(self._job_changed, owner_uid)
        self.on_nodes = Mirrors(self.jobs, self.jobsets)
        """Tasks that the cluster's own nodes do."""
        self.remote_tasks = Mirror(self._child_changed, owner_uid)
        self.leases = Mirror(lambda _now, _before: None)
        """By which runners say that they live; `runners` looks at them now and then."""
        self._sharing = Mirror(lambda _now, _before: None, store_of)
        self._gone: list[Callable[[str], object]] = []

    def when_a_job_goes(self, forget: Callable[[str], object]) -> None:
        """`forget` is told the UID of each Job or JobSet that is no more."""
        self._gone.append(forget)

    def sharing_store(self, pipeline: Object) -> Collection[Object]:
        """Pipelines with the same artifacts, this one among them."""
        return self._sharing.group(store_of(pipeline))

    def touch_owner(self, child: Object) -> None:
        """Says that there is news of a child; of an orphan to all, since it may have left room for them."""
        namespace = child["metadata"]["namespace"]
        if owner := pipeline_owner(child):
            self._touch((namespace, owner["name"]))
        else:
            self.touch_namespace(namespace)

    def touch_all(self) -> None:
        for pipeline in self.pipelines:
            self._touch(key_of(pipeline))

    def touch_these(self, pipelines: Collection[str]) -> None:
        """Those with these UIDs."""
        for pipeline in self.pipelines:
            if uid_of(pipeline) in pipelines:
                self._touch(key_of(pipeline))

    def touch_namespace(self, namespace: str) -> None:
        for pipeline in self.pipelines.group(namespace):
            self._touch(key_of(pipeline))

    def _pipeline_changed(self, now: Object | None, before: Object | None) -> None:
        concerned = now or before
        assert concerned is not None
        if now is None:
            self._sharing.drop(concerned)
        else:
            self._sharing.put(now)
        self._touch(key_of(concerned))
        if now is None or before is None or uid_of(now) != uid_of(before) or generation(now) != generation(before):
            # Of two pipelines with one store the younger waits: it must see the elder come, change and go.
            for other in self.sharing_store(concerned):
                self._touch(key_of(other))

    def _pool_changed(self, now: Object | None, before: Object | None) -> None:
        if now is None or before is None or generation(now) != generation(before) or labels(now) != labels(before):
            concerned = now or before
            assert concerned is not None
            self.touch_namespace(key_of(concerned)[0])

    def _job_changed(self, now: Object | None, before: Object | None) -> None:
        self._child_changed(now, before)
        if before is not None and (now is None or uid_of(now) != uid_of(before)):
            for forget in self._gone:
                forget(uid_of(before))

    def _child_changed(self, now: Object | None, before: Object | None) -> None:
        for child in (now, before):
            if child is not None:
                self.touch_owner(child)


def pipeline_owner(child: Object) -> Object | None:
    """The owner reference to a TrainingPipeline."""
    for owner in child["metadata"].get("ownerReferences", ()):
        if owner["kind"] == "TrainingPipeline" and owner["apiVersion"] == PIPELINES.api_version:
            found: Object = owner
            return found
    return None


def owner_uid(child: Object) -> Hashable:
    """UID of the pipeline that owns it; empty when none does."""
    owner = pipeline_owner(child)
    return owner["uid"] if owner else ""


def store_of(pipeline: Object) -> Hashable:
    """What two pipelines must not share per configuration: the store's URI, or the claim of a namespace."""
    artifacts = pipeline["spec"]["artifacts"]
    if "uri" in artifacts:
        return str(artifacts["uri"]).rstrip("/")
    return pipeline["metadata"]["namespace"], artifacts["persistentVolumeClaim"]["claimName"]


def generation(obj: Object) -> int:
    number: int = obj["metadata"].get("generation", 0)
    return number


def labels(obj: Object) -> dict[str, str]:
    found: dict[str, str] = obj["metadata"].get("labels", {})
    return found

"""Where a task finds the artifact store: the same for all tasks of a Cluster pool, a folder of its own on a runner."""

from __future__ import annotations

from ringrift_core.contract import Artifact, StageParameters, changed
from ringrift_operator.api.pipeline import Artifacts
from ringrift_operator.domain.snapshot import Snapshot

CLAIM_MOUNT = "/artifacts"
"""Where Jobs see the claim of a pipeline."""


def store_of(snapshot: Snapshot) -> str:
    """URI of the store for processes of `local`, or for Jobs."""
    return snapshot.local_store or _in_cluster(snapshot.spec.artifacts)


def _in_cluster(artifacts: Artifacts) -> str:
    return artifacts.uri.rstrip("/") if artifacts.uri is not None else f"file://{CLAIM_MOUNT}"


def moved(parameters: StageParameters, store: str) -> StageParameters:
    """The same parameters for a machine that sees the store under another URI."""
    changes: dict[str, object] = {"store": store}
    for name in type(parameters).model_fields:
        value = getattr(parameters, name)
        if isinstance(value, Artifact) and value.uri.startswith(parameters.store + "/"):
            changes[name] = changed(value, uri=store + value.uri.removeprefix(parameters.store))
    return changed(parameters, **changes)

"""Which TrainingIterations of each pipeline there are: their numbers alone, read once and kept by what we write.

Their names follow from these numbers, so no object is mirrored.
"""

from __future__ import annotations

from ringrift_operator.api.iteration import TrainingIteration
from ringrift_operator.domain.labels import CONFIGURATION, ITERATION, PIPELINE
from ringrift_operator.domain.snapshot import KeptRecord
from ringrift_operator.kube.client import Client
from ringrift_operator.kube.resource import ITERATIONS, Key, Object, is_owned_by

MOST_REFUSED = 32
"""Records of a pipeline that are kept to be tried again; beyond that the oldest are given up."""


class Records:
    """Records by the UID of the pipeline that owns them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._of: dict[str, dict[str, KeptRecord]] = {}
        self._refused: dict[str, dict[str, TrainingIteration]] = {}

    async def of(self, pipeline: Key, uid: str) -> tuple[KeptRecord, ...]:
        """All of a pipeline's; the API server is asked the first time."""
        if uid not in self._of:
            listed = await self._client.metadata(ITERATIONS, pipeline[0], f"{PIPELINE}={pipeline[1]}")
            records = [_record(obj) for obj in listed if is_owned_by(obj, uid)]
            self._of[uid] = {record.name: record for record in records}
        return tuple(self._of[uid].values())

    def put(self, record: Object, uid: str) -> None:
        """Takes one that was created."""
        if uid in self._of:
            kept = _record(record)
            self._of[uid][kept.name] = kept

    def refused(self, uid: str) -> tuple[TrainingIteration, ...]:
        """A pipeline's records that the API server has refused, the oldest first."""
        return tuple(self._refused.get(uid, {}).values())

    def note_refused(self, uid: str, record: TrainingIteration) -> None:
        """Keeps one, to be tried again: the status has gone on, and nobody could make it anew."""
        kept = self._refused.setdefault(uid, {})
        kept[record.metadata.name] = record
        while len(kept) > MOST_REFUSED:
            del kept[next(iter(kept))]

    def taken(self, uid: str, name: str) -> None:
        """What was refused has been taken."""
        kept = self._refused.get(uid, {})
        kept.pop(name, None)
        if not kept:
            self._refused.pop(uid, None)

    async def delete(self, pipeline: Key, uid: str, name: str) -> None:
        """Deletes one, if it is this pipeline's; one that is gone already is fine."""
        key = (pipeline[0], name)
        found = await self._client.get(ITERATIONS, key)
        if found is not None and is_owned_by(found, uid):
            await self._client.delete(ITERATIONS, key, found["metadata"]["uid"])
        self._of.get(uid, {}).pop(name, None)

    def forget(self, present: set[str]) -> None:
        """Drops what is kept of pipelines that are gone."""
        for uid in self._of.keys() - present:
            del self._of[uid]
        for uid in self._refused.keys() - present:
            del self._refused[uid]


def _record(obj: Object) -> KeptRecord:
    labels = obj["metadata"]["labels"]
    return KeptRecord(obj["metadata"]["name"], labels[CONFIGURATION], int(labels[ITERATION]))

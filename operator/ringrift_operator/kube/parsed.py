"""Models of mirrored objects, parsed once per version."""

from __future__ import annotations

from typing import Generic, TypeVar

from ringrift_operator.api.base import Resource
from ringrift_operator.kube.resource import Object, uid_of

Model = TypeVar("Model", bound=Resource)


class Parsed(Generic[Model]):
    """Remembers the newest parsed version of each object; parsing a pipeline costs a millisecond or two."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model
        self._kept: dict[str, tuple[str, Model]] = {}

    def of(self, obj: Object) -> Model:
        """The object as a model; pydantic's ValidationError when it is none."""
        uid, version = uid_of(obj), obj["metadata"]["resourceVersion"]
        kept = self._kept.get(uid)
        if kept is None or kept[0] != version:
            kept = self._kept[uid] = (version, self._model.model_validate(obj))
        return kept[1]

    def keep(self, present: set[str]) -> None:
        """Drops all but the objects with these UIDs."""
        self._kept = {uid: each for uid, each in self._kept.items() if uid in present}

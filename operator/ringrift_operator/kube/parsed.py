"""Models of mirrored objects, parsed once per version."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import ValidationError

from ringrift_core.contract import first_fault
from ringrift_operator.api.base import Resource
from ringrift_operator.kube.resource import Object, key_of, uid_of

Model = TypeVar("Model", bound=Resource)


class UnreadableError(Exception):
    """An object that is none of its kind, as this version knows it, or of which we may not read all. The message is a
    sentence about it."""

    def __init__(
        self, kind: str, obj: Object, fault: str, mend: str = "mend it, or run an operator that knows it"
    ) -> None:
        namespace, name = key_of(obj)
        self.fault, self.mend = fault, mend
        self.obj = obj
        super().__init__(f"{kind} {namespace}/{name} cannot be read: {fault}")


class Parsed(Generic[Model]):
    """Remembers the newest parsed version of each object; parsing a pipeline costs a millisecond or two."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model
        self._kept: dict[str, tuple[str, Model]] = {}

    def of(self, obj: Object) -> Model:
        """The object as a model; UnreadableError when it is none."""
        uid, version = uid_of(obj), obj["metadata"]["resourceVersion"]
        kept = self._kept.get(uid)
        if kept is None or kept[0] != version:
            try:
                kept = self._kept[uid] = (version, self._model.model_validate(obj))
            except ValidationError as error:
                raise UnreadableError(self._model.__name__, obj, first_fault(error)) from error
        return kept[1]

    def keep(self, present: set[str]) -> None:
        """Drops all but the objects with these UIDs."""
        self._kept = {uid: each for uid, each in self._kept.items() if uid in present}

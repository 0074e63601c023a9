"""What the API server has refused of each pipeline, until the same is taken: the snapshot tells it to the domain."""

from __future__ import annotations

from collections.abc import Set


class Refusals:
    """Sentences by the pipeline's UID and by what was refused: the name of a child or of a record."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, str]] = {}

    def of(self, pipeline: str) -> tuple[str, ...]:
        return tuple(sentence for _, sentence in sorted(self._of.get(pipeline, {}).items()))

    def note(self, pipeline: str, name: str, sentence: str) -> bool:
        """Keeps the refusal; whether it is news."""
        known = self._of.setdefault(pipeline, {})
        is_news = known.get(name) != sentence
        known[name] = sentence
        return is_news

    def taken(self, pipeline: str, name: str) -> None:
        """What was refused has been taken."""
        self.settle(pipeline, self._of.get(pipeline, {}).keys() - {name})

    def settle(self, pipeline: str, wanted: Set[str]) -> None:
        """Of this pipeline only these are still wanted; what else was refused is forgotten."""
        known = self._of.get(pipeline, {})
        for name in known.keys() - wanted:
            del known[name]
        if not known:
            self._of.pop(pipeline, None)

    def forget(self, present: set[str]) -> None:
        """Drops what was refused of pipelines that are gone."""
        for pipeline in self._of.keys() - present:
            del self._of[pipeline]

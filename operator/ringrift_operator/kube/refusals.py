"""What the API server has refused of each pipeline, until the same is taken: the snapshot tells it to the domain."""

from __future__ import annotations

import enum
from collections.abc import Container, Set


class Topic(enum.Enum):
    """What was tried; each is settled by whoever tries it."""

    PLAN = enum.auto()
    """To write or delete what a plan says: children, records, the status."""
    LOOKS = enum.auto()
    """To look at the Pods of Jobs that run."""
    MACHINES = enum.auto()
    """To look after machines outside the cluster."""
    POOLS = enum.auto()
    """To say how pools are."""
    WATCHES = enum.auto()
    """To watch."""
    CLUSTER = enum.auto()
    """To read which cluster this is."""


class Refusals:
    """Sentences by the pipeline's UID, the topic, and by what was refused: the name of a child, say."""

    def __init__(self) -> None:
        self._of: dict[str, dict[tuple[Topic, str], str]] = {}

    def of(self, pipeline: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(sentence for _, sentence in sorted(self._of.get(pipeline, {}).items(), key=_order)))

    def note(self, pipeline: str, name: str, sentence: str, topic: Topic = Topic.PLAN) -> bool:
        """Keeps the refusal; whether it is news."""
        known = self._of.setdefault(pipeline, {})
        is_news = known.get((topic, name)) != sentence
        known[topic, name] = sentence
        return is_news

    def taken(self, pipeline: str, name: str, topic: Topic = Topic.PLAN) -> bool:
        """What was refused has been taken; whether that is news."""
        known = self._of.get(pipeline, {})
        is_news = known.pop((topic, name), None) is not None
        self._drop_if_empty(pipeline)
        return is_news

    def settle(self, pipeline: str, wanted: Set[str], topic: Topic = Topic.PLAN) -> None:
        """Of this pipeline only these are still wanted; what else of the topic was refused is forgotten."""
        known = self._of.get(pipeline, {})
        for each in [each for each in known if each[0] == topic and each[1] not in wanted]:
            del known[each]
        self._drop_if_empty(pipeline)

    def replace(self, topic: Topic, refused: dict[str, dict[str, str]]) -> set[str]:
        """All that is refused of a topic now, by pipeline and name; the pipelines of which that is news."""
        news = set()
        for pipeline in self._of.keys() | refused.keys():
            now, known = refused.get(pipeline, {}), self._of.get(pipeline, {})
            if now != {name: said for (about, name), said in known.items() if about == topic}:
                news.add(pipeline)
                self.settle(pipeline, now.keys(), topic)
                for name, sentence in now.items():
                    self.note(pipeline, name, sentence, topic)
        return news

    def keep(self, topic: Topic, pipelines: Container[str]) -> None:
        """Drops what was refused of a topic of all but these pipelines."""
        for pipeline in [each for each in self._of if each not in pipelines]:
            self.settle(pipeline, set(), topic)

    def forget(self, present: set[str]) -> None:
        """Drops what was refused of pipelines that are gone."""
        for pipeline in self._of.keys() - present:
            del self._of[pipeline]

    def _drop_if_empty(self, pipeline: str) -> None:
        if not self._of.get(pipeline, {}):
            self._of.pop(pipeline, None)


def _order(refusal: tuple[tuple[Topic, str], str]) -> tuple[int, str]:
    (topic, name), _ = refusal
    return topic.value, name

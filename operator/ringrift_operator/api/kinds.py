"""The kinds of our group."""

from __future__ import annotations

from ringrift_operator.api.base import Resource
from ringrift_operator.api.iteration import TrainingIteration
from ringrift_operator.api.pipeline import TrainingPipeline
from ringrift_operator.api.pool import WorkerPool
from ringrift_operator.api.remotetask import RemoteTask

KINDS: dict[str, type[Resource]] = {
    model.__name__: model for model in (TrainingPipeline, WorkerPool, RemoteTask, TrainingIteration)
}
"""Each kind's model, by the kind's name."""

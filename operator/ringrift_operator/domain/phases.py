"""The pipeline in one word."""

from __future__ import annotations

from ringrift_operator.api.pipeline_status import ConfigurationStatus, PipelinePhase
from ringrift_operator.domain.configuration import is_in_iteration
from ringrift_operator.domain.snapshot import Snapshot
from ringrift_operator.domain.stalls import blocking_task, failing_task
from ringrift_operator.domain.starting import has_all_iterations


def is_completed(snapshot: Snapshot, configurations: tuple[ConfigurationStatus, ...]) -> bool:
    """Whether every configuration has had the iterations that the spec asks for, and nothing is under way."""
    return bool(configurations) and all(
        configuration.adopted
        and has_all_iterations(snapshot, configuration)
        and not is_in_iteration(configuration)
        and not configuration.tasks
        for configuration in configurations
    )


def has_come_to_nothing(snapshot: Snapshot, configuration: ConfigurationStatus) -> bool:
    """Whether nobody tries again what a configuration's last iteration failed in: it has had all of them."""
    return bool(configuration.failed) and has_all_iterations(snapshot, configuration) and not configuration.tasks


def phase_of(snapshot: Snapshot, configurations: tuple[ConfigurationStatus, ...]) -> PipelinePhase:
    """Top to bottom, the first that applies."""
    if any(blocking_task(each) is not None or failing_task(each) is not None for each in configurations):
        return PipelinePhase.FAILED
    if is_completed(snapshot, configurations):
        is_failed = any(has_come_to_nothing(snapshot, configuration) for configuration in configurations)
        return PipelinePhase.FAILED if is_failed else PipelinePhase.COMPLETED
    if snapshot.spec.suspend:
        return PipelinePhase.SUSPENDED
    if not any(configuration.adopted for configuration in configurations):
        return PipelinePhase.PENDING
    if any(configuration.iteration == 0 for configuration in configurations):
        return PipelinePhase.BOOTSTRAPPING
    return PipelinePhase.IMPROVING

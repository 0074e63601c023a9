"""How many TrainingIterations are kept: spec.historyLimit of each configuration, the newest ones."""

from __future__ import annotations

from ringrift_operator.api.pipeline_status import ConfigurationStatus
from ringrift_operator.domain.snapshot import Snapshot


def expired_records(snapshot: Snapshot, configurations: tuple[ConfigurationStatus, ...]) -> tuple[str, ...]:
    """Names of records past the limit, oldest iterations first."""
    completed = {configuration.name: configuration.iteration for configuration in configurations}
    oldest_kept = {name: count - snapshot.spec.history_limit + 1 for name, count in completed.items()}
    expired = [record for record in snapshot.records if record.iteration < oldest_kept.get(record.configuration, 1)]
    return tuple(record.name for record in sorted(expired, key=lambda record: record.iteration))

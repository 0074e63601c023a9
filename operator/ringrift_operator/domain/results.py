"""Sums the results of an Indexed Job's indexes to the one result of its task."""

from __future__ import annotations

from collections.abc import Sequence

from ringrift_core.contract import StageResult


def sum_results(results: Sequence[StageResult]) -> StageResult | None:
    """Metrics added up, from first start to last end, without outputs (merge finds the shards); None of none."""
    if not results:
        return None
    metrics: dict[str, float] = {}
    for result in results:
        for name, value in result.metrics.items():
            metrics[name] = metrics.get(name, 0) + value
    return StageResult(
        stage=results[0].stage,
        attempt=results[0].attempt,
        started_at=min(result.started_at for result in results),
        finished_at=max(result.finished_at for result in results),
        metrics=metrics,
    )

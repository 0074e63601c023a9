"""Adds up what the parts of one piece of work found: indexes of an Indexed Job, parts of divided self-play."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence

from ringrift_core.contract import Result, StageResult


def sum_results(results: Sequence[StageResult]) -> StageResult | None:
    """All as one, from first start to last end, without outputs (merge finds the shards); None of none."""
    if not results:
        return None
    return StageResult(
        stage=results[0].stage,
        attempt=results[0].attempt,
        started_at=min(result.started_at for result in results),
        finished_at=max(result.finished_at for result in results),
        result=added_up(result.result for result in results),
    )


def added_up(results: Iterable[Result | None]) -> Result | None:
    """The result of all parts together; None of none."""
    known = [result for result in results if result is not None]
    return functools.reduce(operator.add, known) if known else None

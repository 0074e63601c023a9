"""The stage evaluate: a candidate through its gate (arena/candidate.py), or a champion through the regression test
(arena/regression.py).

Evidence is deterministic: group g of a match depends on (seed, g) and the two players alone. A killed evaluation is
simply played again.
"""

from __future__ import annotations

import math

from ringrift_core.arena.candidate import judge_candidate
from ringrift_core.arena.ratings import ELO
from ringrift_core.arena.regression import hold_against_predecessor
from ringrift_core.contract import EvaluateParameters, StageResult, Verdict
from ringrift_core.stage import Run
from ringrift_core.tracking import open_curve, tracked

__all__ = ["evaluate_stage"]

TASKS = {"candidate": "evaluate", "regression": "regression"}


def evaluate_stage(parameters: EvaluateParameters, run: Run) -> StageResult:
    """Judges once per iteration and track; the verdict is stored, part of the result, and a point of a curve."""
    tracked(parameters)
    judged = {"regression": hold_against_predecessor, "candidate": judge_candidate}[parameters.kind]
    task = f"{TASKS[parameters.kind]}-{parameters.track}"
    result = run.once(parameters.iteration, task, parameters, lambda: judged(parameters, run))
    if result.verdict is not None:
        _tell(parameters, run, task, result.verdict)
    return result


def _tell(parameters: EvaluateParameters, run: Run, task: str, verdict: Verdict) -> None:
    """A point of the curve over iterations; a verdict that is found again is told again, in its place."""
    # As if one more game were drawn: nobody is infinitely stronger.
    games = max(1, verdict.games)
    rate = (verdict.win_rate * games + 0.5) / (games + 1)
    figures = {
        "win_rate": verdict.win_rate,
        "low": verdict.low,
        "high": verdict.high,
        "elo": ELO * math.log(rate / (1 - rate)),
        "games": float(verdict.games),
    }
    after = parameters.iteration - 1
    with open_curve(parameters, run.archive, task, after=after, iteration=None) as curve:
        curve.tell(parameters.iteration, {f"{task}/{name}": figure for name, figure in figures.items()})

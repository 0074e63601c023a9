"""The stage evaluate: a candidate through its gate (arena/candidate.py), or a champion through the regression test
(arena/regression.py).

Evidence is deterministic: group g of a match depends on (seed, g) and the two players alone. A killed evaluation is
simply played again.
"""

from __future__ import annotations

from ringrift_core.arena.candidate import judge_candidate
from ringrift_core.arena.regression import hold_against_predecessor
from ringrift_core.contract import EvaluateParameters, StageResult
from ringrift_core.stage import Run

__all__ = ["evaluate_stage"]


def evaluate_stage(parameters: EvaluateParameters, run: Run) -> StageResult:
    """Judges once per iteration and track; the verdict is stored and part of the result."""
    if parameters.kind == "regression":
        task = f"regression-{parameters.track}"
        return run.once(parameters.iteration, task, parameters, lambda: hold_against_predecessor(parameters, run))
    task = f"evaluate-{parameters.track}"
    return run.once(parameters.iteration, task, parameters, lambda: judge_candidate(parameters, run))

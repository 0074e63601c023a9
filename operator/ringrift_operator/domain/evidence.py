"""Games that are no evidence, and many that were cut: what events, status and views say of a step's games.

Nobody won a game that the move limit cut (ringrift_core/contract/cut.py). A step whose games are no evidence ends well
and says so in its result (`refused`); nothing that would rest on them follows.
"""

from __future__ import annotations

from collections.abc import Iterator

from ringrift_core.contract import EvaluateResult, EvidenceResult, cut_share, cut_warning
from ringrift_operator.api.pipeline_status import ConfigurationStatus, StepFinding
from ringrift_operator.domain import steps
from ringrift_operator.domain.recipe import Recipe


def refusal(finding: StepFinding) -> str:
    """Why what the step's games were to decide, or to make, is undecided; empty when it is not."""
    return finding.result.refused if isinstance(finding.result, EvidenceResult) else ""


def refusal_of_track(configuration: ConfigurationStatus, recipe: Recipe) -> str:
    """Why the iteration under way comes to nothing for a track: its makers, or its gate, had no evidence."""
    names = (*(maker.name for maker in recipe.all_makers), steps.evaluate(recipe.track))
    found = (refusal(task) for task in configuration.tasks if task.name in names)
    return next((sentence for sentence in found if sentence), "")


def cut_games(finding: StepFinding) -> tuple[str, ...]:
    """Sentences about the games of a step of which more than a few were cut; none when they are few."""
    return tuple(f"{who}: {sentence}" for who, sentence in _shares(finding) if sentence)


def _shares(finding: StepFinding) -> Iterator[tuple[str, str]]:
    yield finding.name, cut_warning(cut_share(finding.result))
    if isinstance(finding.result, EvaluateResult):
        for rate in finding.result.baselines:
            yield f"{finding.name} against {rate.opponent}", cut_warning(rate.cut_share)
        for opponent in finding.result.unmeasured:
            yield f"{finding.name} against {opponent}", "refused as evidence, so there is no rate"

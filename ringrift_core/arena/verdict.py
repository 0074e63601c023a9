"""What a match comes to: the verdict, and its evidence in the store."""

from __future__ import annotations

from collections.abc import Sequence

from ringrift_core.arena.gate import Gate, Judgement
from ringrift_core.arena.interval import measure
from ringrift_core.arena.match import MOST_IDENTICAL_GAMES, Group, identical_share
from ringrift_core.contract import BaselineRate, Decision, EvaluateParameters, EvaluateResult, Verdict, asked_values
from ringrift_core.stage import Outcome, Run

__all__ = ["stored_verdict", "verdict_of"]


def verdict_of(
    parameters: EvaluateParameters,
    candidate: str,
    champion: str,
    groups: Sequence[Group],
    judgement: Judgement,
    without_evidence: Decision,
) -> Verdict:
    """The gate's judgement, or `without_evidence` when too many games are the same game."""
    rate = measure([group.score for group in groups], parameters.players)
    decision, reason = judgement.decision, judgement.reason
    identical = identical_share(groups)
    if identical > MOST_IDENTICAL_GAMES:
        decision = without_evidence
        reason = f"refused as evidence: {identical:.0%} of the games are identical, {MOST_IDENTICAL_GAMES:.0%} may be"
    return Verdict(
        track=parameters.track,
        decision=decision,
        candidate=candidate,
        champion=champion,
        games=rate.games,
        win_rate=rate.rate,
        low=rate.low,
        high=rate.high,
        raw_share=rate.share,
        reason=reason,
    )


def stored_verdict(
    parameters: EvaluateParameters,
    run: Run,
    verdict: Verdict,
    groups: Sequence[Group] = (),
    gate: Gate | None = None,
    baselines: tuple[BaselineRate, ...] = (),
) -> Outcome:
    """The stage's outcome, with the evidence in the store; without a gate nothing was played."""
    evidence = _evidence(parameters, verdict, groups)
    if gate is not None:
        evidence["gate"] = {"kind": type(gate).__name__, **vars(gate)}
    games = len(groups) * parameters.players
    return Outcome(
        outputs={"verdict": run.archive.put_json(evidence)},
        result=EvaluateResult(
            cut_share=sum(group.cut_games for group in groups) / max(1, games),
            identical_share=identical_share(groups),
            baselines=baselines,
        ),
        verdict=verdict,
        message=f"{verdict.decision.value}: {verdict.win_rate:.3f} [{verdict.low:.3f}, {verdict.high:.3f}] against "
        f"{verdict.champion} in {verdict.games} games; {verdict.reason}",
    )


def _evidence(parameters: EvaluateParameters, verdict: Verdict, groups: Sequence[Group]) -> dict[str, object]:
    """The verdict as it is stored: with what was asked and every group's score and games."""
    return {
        "verdict": verdict.model_dump(mode="json", by_alias=True),
        "parameters": asked_values(parameters),
        "groups": [{"score": group.score, "games": list(group.game_ids)} for group in groups],
    }

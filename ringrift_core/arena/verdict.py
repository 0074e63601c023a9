"""What a match comes to: the verdict, and its evidence in the store."""

from __future__ import annotations

from collections.abc import Sequence

from ringrift_core.arena.baselines import NO_BASELINES, Baselines
from ringrift_core.arena.gate import Gate, Judgement
from ringrift_core.arena.interval import measure
from ringrift_core.arena.match import Group, identical_share, refusal, unwon_share
from ringrift_core.contract import EvaluateParameters, EvaluateResult, Verdict, asked_values, cut_warning
from ringrift_core.registry.champions import Registry
from ringrift_core.stage import Outcome, Run

__all__ = ["judged", "stored_verdict"]


def judged(
    parameters: EvaluateParameters, candidate: str, champion: str, groups: Sequence[Group], judgement: Judgement
) -> Verdict:
    """The gate's judgement on these groups."""
    rate = measure([group.score for group in groups], parameters.players)
    return Verdict(
        track=parameters.track,
        decision=judgement.decision,
        candidate=candidate,
        champion=champion,
        games=rate.games,
        win_rate=rate.rate,
        low=rate.low,
        high=rate.high,
        raw_share=rate.share,
        reason=judgement.reason,
    )


def stored_verdict(
    parameters: EvaluateParameters,
    run: Run,
    verdict: Verdict,
    groups: Sequence[Group] = (),
    gate: Gate | None = None,
    baselines: Baselines = NO_BASELINES,
    refused: str = "",
    moved: Registry | None = None,
) -> Outcome:
    """The stage's outcome, with the evidence in the store; without a gate nothing was played.

    Groups that are no evidence, by themselves or as `refused` says, leave no verdict: the outcome says why, and who is
    champion where that has `moved`.
    """
    refused = refused or refusal(groups)
    evidence = _evidence(parameters, None if refused else verdict, groups)
    if gate is not None:
        evidence["gate"] = {"kind": type(gate).__name__, **vars(gate)}
    if refused:
        evidence["refused"] = refused
    cut = unwon_share(groups)
    if warning := cut_warning(cut):
        run.report.warn(warning)
    return Outcome(
        outputs={"verdict": run.archive.put_json(evidence)},
        result=EvaluateResult(
            cut_share=cut,
            identical_share=identical_share(groups),
            baselines=baselines.rates,
            unmeasured=baselines.unmeasured,
            refused=refused,
            champion=0 if moved is None else moved.version,
            predecessor=0 if moved is None else moved.predecessor,
        ),
        verdict=None if refused else verdict,
        message=f"no verdict: {refused}"
        if refused
        else f"{verdict.decision.value}: {verdict.win_rate:.3f} [{verdict.low:.3f}, {verdict.high:.3f}] against "
        f"{verdict.champion} in {verdict.games} games; {verdict.reason}",
    )


def _evidence(parameters: EvaluateParameters, verdict: Verdict | None, groups: Sequence[Group]) -> dict[str, object]:
    """The verdict as it is stored: with what was asked and every group's score and games."""
    return {
        "verdict": None if verdict is None else verdict.model_dump(mode="json", by_alias=True),
        "parameters": asked_values(parameters),
        "groups": [{"score": group.score, "games": list(group.game_ids)} for group in groups],
    }

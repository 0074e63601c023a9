"""The stage evaluate: a candidate through its gate, or a champion through the regression test.

Evidence is deterministic: group g of a match depends on (seed, g) and the two players alone. A killed evaluation is
simply played again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from ringrift_core import _engine
from ringrift_core.archive import identity
from ringrift_core.arena.evidence import PairEvidence, PairGroup, read_evidence, swap_evidence
from ringrift_core.arena.gate import FixedGate, Gate, Judgement, RegressionTest, SprtGate, whole_groups
from ringrift_core.arena.interval import Rate, measure
from ringrift_core.arena.match import MOST_IDENTICAL_GAMES, Group, Match, identical_share, play_until_decided
from ringrift_core.contract import (
    Artifact,
    Decision,
    EvaluateParameters,
    GateKind,
    InitialWeights,
    StageResult,
    Verdict,
)
from ringrift_core.errors import WrongInputError
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.registry.records import champion_artifact, read_registry
from ringrift_core.seating.champions import seat_artifact, seat_champion
from ringrift_core.stage import Outcome, Run

__all__ = ["evaluate_stage"]

BASELINE_SEED = 1 << 40
"""Added to the seed for the games against random and the hand-set heuristic: other openings than the gate's."""


def evaluate_stage(parameters: EvaluateParameters, run: Run) -> StageResult:
    """Judges once per iteration and track; the verdict is stored and part of the result."""
    if parameters.kind == "regression":
        task = f"regression-{parameters.track}"
        return run.once(parameters.iteration, task, parameters, lambda: _test_for_regression(parameters, run))
    task = f"evaluate-{parameters.track}"
    return run.once(parameters.iteration, task, parameters, lambda: _judge_candidate(parameters, run))


def _judge_candidate(parameters: EvaluateParameters, run: Run) -> Outcome:
    assert parameters.candidate is not None
    candidate = seat_artifact(run.archive, parameters.track, parameters.candidate, run.folder)
    opponent, name = seat_champion(
        run.archive,
        parameters.track,
        parameters.champion_version,
        parameters.initial_weights,
        run.folder,
        (parameters.board, parameters.players),
    )
    gate = _gate(parameters)
    match = _match(parameters, candidate, opponent, parameters.seed)
    groups, judgement = play_until_decided(match, gate, run, f"against {name}")
    assert judgement is not None
    metrics = _play_baselines(parameters, run, candidate)
    verdict = _verdict(parameters, parameters.candidate.sha256, name, groups, judgement, Decision.REJECT)
    return _outcome(parameters, run, verdict, groups, gate, metrics)


def _gate(parameters: EvaluateParameters) -> Gate:
    if parameters.gate is GateKind.FIXED:
        return FixedGate(parameters.players, parameters.games, parameters.promotion_threshold)
    return SprtGate(parameters.players, parameters.max_games, parameters.promotion_threshold)


def _match(parameters: EvaluateParameters, candidate: _engine.Player, opponent: _engine.Player, seed: int) -> Match:
    return Match(parameters.board, parameters.players, candidate, opponent, seed, parameters.max_moves)


def _test_for_regression(parameters: EvaluateParameters, run: Run) -> Outcome:
    """Adds up to `games` games of champion against predecessor to the pair's evidence, and judges all of it."""
    registry = read_registry(run.archive, parameters.track)
    version = parameters.champion_version
    champion = champion_artifact(run.archive, parameters.track, version)
    if registry.version != version:
        raise WrongInputError(
            f"--champion-version {version}: the champion of {parameters.track} is {registry.version or 'none yet'}"
        )
    if not registry.earlier:
        verdict = _no_predecessor(parameters, champion)
        return Outcome(outputs={"verdict": run.archive.put_json(_evidence(parameters, verdict, []))}, verdict=verdict)
    predecessor = registry.earlier[0]
    gate = RegressionTest(parameters.players, parameters.max_games, parameters.regression_threshold)
    match = _match(
        parameters,
        seat_artifact(run.archive, parameters.track, champion, run.folder),
        seat_artifact(run.archive, parameters.track, predecessor.artifact, run.folder),
        # The pair's own seed: its openings go on where the last iteration stopped.
        int(champion.sha256[:8] + predecessor.artifact.sha256[:4], 16),
    )
    groups, judgement = _accumulate(parameters, run, gate, match, champion, predecessor.artifact)
    if judgement is None:
        games = len(groups) * parameters.players
        judgement = Judgement(Decision.KEEP, len(groups), f"nothing found in {games} games so far")
    name = str(predecessor.version)
    verdict = _verdict(parameters, champion.sha256, name, groups, judgement, Decision.KEEP)
    return _outcome(parameters, run, verdict, groups, gate, {})


def _accumulate(
    parameters: EvaluateParameters, run: Run, gate: Gate, match: Match, champion: Artifact, predecessor: Artifact
) -> tuple[list[Group], Judgement | None]:
    while True:
        evidence, version = read_evidence(run.archive, parameters.track, champion, predecessor)
        # A repeat of this iteration after a kill finds its own groups and plays none.
        played = any(entry.iteration >= parameters.iteration for entry in evidence.groups)
        before = evidence.through(parameters.iteration)
        at_most = 0 if played else whole_groups(parameters.games, parameters.players)
        groups, judgement = play_until_decided(match, gate, run, "regression test", before, at_most)
        if len(groups) <= len(before):
            return groups, judgement
        added = tuple(PairGroup(iteration=parameters.iteration, **asdict(group)) for group in groups[len(before) :])
        grown = PairEvidence(champion=champion, predecessor=predecessor, groups=(*evidence.groups, *added))
        if swap_evidence(run.archive, parameters.track, grown, version):
            return groups, judgement


def _no_predecessor(parameters: EvaluateParameters, champion: Artifact) -> Verdict:
    return Verdict(
        track=parameters.track,
        decision=Decision.KEEP,
        candidate=champion.sha256,
        champion="0",
        games=0,
        win_rate=0.5,
        low=0.0,
        high=1.0,
        raw_share=1 / parameters.players,
        reason="the first champion has no predecessor to be compared with",
    )


def _verdict(
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


def _play_baselines(parameters: EvaluateParameters, run: Run, candidate: _engine.Player) -> dict[str, float]:
    """How strong the candidate is against random play and the untuned heuristic, for the report alone."""
    if parameters.baseline_games == 0:
        return {}
    baseline = HeuristicWeights.of_setting(InitialWeights.BASELINE, parameters.board, parameters.players)
    opponents = {"random": _engine.Player.random(), "heuristic": _engine.Player.heuristic(baseline.vector)}
    gate = FixedGate(parameters.players, parameters.baseline_games, parameters.promotion_threshold)
    metrics: dict[str, float] = {}
    for name, opponent in opponents.items():
        match = _match(parameters, candidate, opponent, parameters.seed + BASELINE_SEED)
        groups, _ = play_until_decided(match, gate, run, f"against {name}")
        metrics |= _named(name, measure([group.score for group in groups], parameters.players))
    return metrics


def _named(name: str, rate: Rate) -> dict[str, float]:
    return {
        f"{name}_games": rate.games,
        f"{name}_win_rate": rate.rate,
        f"{name}_low": rate.low,
        f"{name}_high": rate.high,
    }


def _outcome(
    parameters: EvaluateParameters,
    run: Run,
    verdict: Verdict,
    groups: Sequence[Group],
    gate: Gate,
    metrics: dict[str, float],
) -> Outcome:
    evidence = _evidence(parameters, verdict, groups) | {"gate": {"kind": type(gate).__name__, **vars(gate)}}
    games = len(groups) * parameters.players
    cut = sum(group.cut_games for group in groups)
    return Outcome(
        outputs={"verdict": run.archive.put_json(evidence)},
        metrics={
            "games": games,
            "cut_share": cut / games,
            "identical_share": identical_share(groups),
            "win_rate": verdict.win_rate,
            "low": verdict.low,
            "high": verdict.high,
            **metrics,
        },
        verdict=verdict,
        message=f"{verdict.decision.value}: {verdict.win_rate:.3f} [{verdict.low:.3f}, {verdict.high:.3f}] against "
        f"{verdict.champion} in {verdict.games} games; {verdict.reason}",
    )


def _evidence(parameters: EvaluateParameters, verdict: Verdict, groups: Sequence[Group]) -> dict[str, object]:
    """The verdict as it is stored: with what was asked and every group's score and games."""
    return {
        "verdict": verdict.model_dump(mode="json", by_alias=True),
        "parameters": identity(parameters)[1],
        "groups": [{"score": group.score, "games": list(group.game_ids)} for group in groups],
    }

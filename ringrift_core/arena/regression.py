"""A champion against its predecessor: evidence of a pair grows over iterations, until it says something."""

from __future__ import annotations

from dataclasses import asdict

from ringrift_core.arena.evidence import PairEvidence, PairGroup, read_evidence, swap_evidence
from ringrift_core.arena.gate import Gate, Judgement, RegressionTest, whole_groups
from ringrift_core.arena.match import Group, Match, play_until_decided, refusal
from ringrift_core.arena.seats import GateSeats
from ringrift_core.arena.verdict import judged, stored_verdict
from ringrift_core.contract import Artifact, Decision, EvaluateParameters, Verdict
from ringrift_core.registry.records import champion_artifact, read_registry
from ringrift_core.stage import Outcome, Run

__all__ = ["hold_against_predecessor"]


def hold_against_predecessor(parameters: EvaluateParameters, run: Run) -> Outcome:
    """Adds up to `games` games of champion against predecessor to the pair's evidence, and judges all of it."""
    registry = read_registry(run.archive, parameters.track)
    version = parameters.champion_version
    champion = champion_artifact(run.archive, parameters.track, version)
    if registry.version != version:
        # Somebody moved the pointer since this was asked for; there is no champion to be tested any more.
        said = f"superseded: the champion of {parameters.track} is {registry.version}, and no longer {version}"
        return stored_verdict(parameters, run, _unplayed(parameters, champion, said), refused=said, moved=registry)
    if not registry.earlier:
        said = "the first champion has no predecessor to be compared with"
        return stored_verdict(parameters, run, _unplayed(parameters, champion, said))
    predecessor = registry.earlier[0]
    gate = RegressionTest(parameters.players, parameters.max_games, parameters.regression_threshold)
    seats = GateSeats(parameters, run)
    match = Match.of(
        parameters,
        seats.player(champion),
        seats.player(predecessor.artifact),
        # The pair's own seed: its openings go on where the last iteration stopped.
        int(champion.sha256[:8] + predecessor.artifact.sha256[:4], 16),
    )
    evidence, groups, judgement = _accumulate(parameters, run, gate, match, champion, predecessor.artifact)
    if judgement is None:
        games = len(groups) * parameters.players
        judgement = Judgement(Decision.KEEP, len(groups), f"nothing found in {games} games so far")
    own = evidence.of(parameters.iteration)
    if refusal(own):
        groups = own
    if not groups:
        return stored_verdict(parameters, run, _unplayed(parameters, champion, judgement.reason), (), gate)
    verdict = judged(parameters, champion.sha256, str(predecessor.version), groups, judgement)
    return stored_verdict(parameters, run, verdict, groups, gate)


def _accumulate(
    parameters: EvaluateParameters, run: Run, gate: Gate, match: Match, champion: Artifact, predecessor: Artifact
) -> tuple[PairEvidence, list[Group], Judgement | None]:
    """The pair's evidence with what this iteration adds, the groups of it that count, and what the gate says of them.

    Every group is kept; those of an iteration that is no evidence count as nothing, and are not played again.
    """
    while True:
        evidence, version = read_evidence(run.archive, parameters.track, champion, predecessor)
        # A repeat of this iteration after a kill finds its own groups and plays none.
        played = any(entry.iteration >= parameters.iteration for entry in evidence.groups)
        before = evidence.through(parameters.iteration)
        at_most = 0 if played else whole_groups(parameters.games, parameters.players)
        passed_over = len(evidence.groups) - len(before)
        groups, judgement = play_until_decided(match, gate, run, "regression test", before, at_most, passed_over)
        if len(groups) <= len(before):
            return evidence, groups, judgement
        added = tuple(PairGroup(iteration=parameters.iteration, **asdict(group)) for group in groups[len(before) :])
        grown = PairEvidence(champion=champion, predecessor=predecessor, groups=(*evidence.groups, *added))
        if swap_evidence(run.archive, parameters.track, grown, version):
            return grown, groups, judgement


def _unplayed(parameters: EvaluateParameters, champion: Artifact, reason: str) -> Verdict:
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
        reason=reason,
    )

"""What became of candidates, and how strong champions are. Rates are two-player equivalents: 0.5 is equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ringrift_core.contract import BASELINES, EvaluateResult, Track
from ringrift_operator.api.iteration import TrackRecord, TrainingIteration
from ringrift_operator.api.pipeline_status import ConfigurationStatus, Rating, TrackDecision, WinRate
from ringrift_operator.domain.evidence import cut_games, refusal
from ringrift_operator.domain.tracks import baseline_rates
from ringrift_operator.telling.words import counted, interval, rate

_CHAMPIONS = {"baseline": "the hand-set heuristic", "material": "material alone"}
_OPPONENTS = {"random": "against random", "heuristic": "against the hand-set heuristic"}


def decision(track: TrackRecord) -> str:
    """`weights promoted`; whatever is neither a promotion nor a rejection nor skipped has failed."""
    plain = (TrackDecision.PROMOTED, TrackDecision.REJECTED, TrackDecision.SKIPPED)
    return f"{track.track} {track.decision.value.lower() if track.decision in plain else 'failed'}"


def figures_against(track: TrackRecord) -> str:
    """`0.612 (0.550 to 0.670) against version 1 over 74 games`; empty where nothing was judged."""
    verdict = track.verdict
    if verdict is None or track.decision == TrackDecision.SKIPPED:
        return ""
    opponent = _CHAMPIONS.get(verdict.champion, f"version {verdict.champion}")
    return f"{interval(verdict)} against {opponent} over {counted(verdict.games, 'game')}"


def decision_in_short(track: TrackRecord) -> str:
    """`weights promoted 0.612 (0.550 to 0.670)`."""
    figures = "" if track.verdict is None else f" {interval(track.verdict)}"
    return f"{track.track} {track.decision.value.lower()}{figures}"


def reason(record: TrainingIteration, track: TrackRecord) -> str:
    """Why: the words of the verdict, or of the step that failed the track or left it undecided."""
    is_decided = track.decision not in (TrackDecision.FAILED, TrackDecision.SKIPPED)
    if is_decided and track.verdict is not None:
        return track.verdict.reason
    names = (f"promote-{track.track}", f"evaluate-{track.track}")
    found = (stage for name in names for stage in record.spec.stages if stage.name == name)
    return next((said for stage in found if (said := refusal(stage) or stage.message)), "")


def warnings(record: TrainingIteration) -> tuple[str, ...]:
    """What is to be known of an iteration's games: many were cut, or a champion's test was no evidence."""
    tests = {f"regression-{track.track}" for track in record.spec.tracks}
    refused = (
        f"{stage.name}: {refusal(stage)}" for stage in record.spec.stages if stage.name in tests and refusal(stage)
    )
    return (*(sentence for stage in record.spec.stages for sentence in cut_games(stage)), *refused)


def strength(
    configuration: ConfigurationStatus, tracks: Sequence[Track], records: Sequence[TrainingIteration]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """For each track who is champion, and its rates against the baselines, or those of its last candidate."""
    for track in tracks:
        status = configuration.track(track)
        if status.champion:
            rates = status.strength.against if status.strength is not None else {}
            unmeasured = "" if rates else ": not measured against the baselines"
            said = f"{track} champion, version {status.champion}{unmeasured}"
        else:
            rates = _last_candidate(records, configuration, track)
            said = f"{track}: no champion yet" + ("; its last candidate" if rates else "")
        told = [f"{_OPPONENTS[name]} {rate(rates[name])}" for name in BASELINES if name in rates]
        if status.rating is not None:
            told.append(rating(status.rating))
        yield said, tuple(told)


def rating(found: Rating) -> str:
    """`Elo +120 (+60 to +180) above the hand-set heuristic, round robin of iteration 3`."""
    figures = f"Elo {found.elo:+d} ({found.low:+d} to {found.high:+d})"
    return f"{figures} above the hand-set heuristic, round robin of iteration {found.iteration}"


def _last_candidate(
    records: Sequence[TrainingIteration], configuration: ConfigurationStatus, track: Track
) -> dict[str, WinRate]:
    """The baselines' matches of the newest candidate that was judged."""
    for record in reversed(records):
        for stage in record.spec.stages:
            if record.spec.configuration == configuration.name and stage.name == f"evaluate-{track}":
                return baseline_rates(stage.found(EvaluateResult))
    return {}

"""How strong champions are: a round robin once everything else of an iteration is settled (design.md section 4).

No verdict waits for it, and none is changed by it: without its ratings an iteration ends just as well.
"""

from __future__ import annotations

from ringrift_core.contract import RoundrobinResult
from ringrift_operator.api.pipeline_status import ConfigurationStatus, Rating, TrackStatus
from ringrift_operator.domain.configuration import is_settled, iteration_under_way, step_phase
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.stalls import blocking_task
from ringrift_operator.domain.steps import ROUNDROBIN


def rate_champions(situation: Situation) -> Situation:
    """Asks for the round robin of an iteration, where there is a champion to rate."""
    configuration = situation.configuration
    frozen = configuration.frozen
    if frozen is None or frozen.evaluation.round_robin.games == 0 or blocking_task(configuration) is not None:
        return situation
    if step_phase(configuration, ROUNDROBIN) is not None or not is_settled(configuration):
        return situation
    has_champion = any(track.champion for track in configuration.tracks)
    return situation.ask(ROUNDROBIN) if has_champion else situation


def rating_of(configuration: ConfigurationStatus, track: TrackStatus) -> Rating | None:
    """How strong the iteration's round robin found a track's champion; None where it did not play, or tells nothing."""
    for task in configuration.tasks:
        result = task.found(RoundrobinResult)
        for rating in result.ratings if result is not None else ():
            if rating.player == f"{track.name}@{track.champion}":
                return Rating(
                    version=track.champion,
                    iteration=iteration_under_way(configuration),
                    elo=rating.elo,
                    low=rating.low,
                    high=rating.high,
                    games=rating.games,
                )
    return None

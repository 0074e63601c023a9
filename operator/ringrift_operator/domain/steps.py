"""The steps of an iteration: which there are, and which must have succeeded before which (design.md section 4).

selfplay -> merge -> export -> train -> evaluate-network -> promote-network
cmaes -----------------------------> evaluate-weights --> promote-weights
regression-<track>, of the champion against its predecessor, beside all that
rollback-<track>, requested-rollback-<track>, when domain/rollback.py and domain/requests.py say so
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ringrift_core.contract import LIGHT_STAGES, Stage, Track


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an iteration; `name` is how status, child names and labels call it."""

    name: str
    stage: Stage
    track: Track | None = None
    needs: tuple[str, ...] = ()
    """Steps that must have succeeded first."""

    @property
    def is_light(self) -> bool:
        """Takes no slot."""
        return self.stage in LIGHT_STAGES


TRACKS_WITH_STAGES = (Track.WEIGHTS, Track.NETWORK)
"""Tracks that can be trained today; nnue has no stages yet and is Skipped."""

ADOPT = Step("adopt", Stage.ADOPT)
SELFPLAY = Step("selfplay", Stage.SELFPLAY)
MERGE = Step("merge", Stage.MERGE, needs=("selfplay",))
EXPORT = Step("export", Stage.EXPORT, needs=("merge",))
TRAIN = Step("train", Stage.TRAIN, Track.NETWORK, needs=("export",))
CMAES = Step("cmaes", Stage.CMAES, Track.WEIGHTS)

CANDIDATE_MAKER = {Track.WEIGHTS: CMAES, Track.NETWORK: TRAIN}
"""The step whose output is a track's candidate."""


def evaluate(track: Track) -> Step:
    """The candidate's gate."""
    return Step(f"evaluate-{track}", Stage.EVALUATE, track, needs=(CANDIDATE_MAKER[track].name,))


def regression(track: Track) -> Step:
    """The champion's test against its predecessor."""
    return Step(f"regression-{track}", Stage.EVALUATE, track)


def promote(track: Track) -> Step:
    return Step(f"promote-{track}", Stage.PROMOTE, track, needs=(evaluate(track).name,))


def rollback(track: Track) -> Step:
    """The operator's own rollback."""
    return Step(f"rollback-{track}", Stage.ROLLBACK, track)


def requested_rollback(track: Track) -> Step:
    """A rollback asked for by annotation."""
    return Step(f"requested-rollback-{track}", Stage.ROLLBACK, track)


def _all_steps() -> Iterator[Step]:
    yield from (ADOPT, SELFPLAY, MERGE, EXPORT, TRAIN, CMAES)
    for track in TRACKS_WITH_STAGES:
        yield from (evaluate(track), regression(track), promote(track))
    # Any track can be rolled back, trained today or not.
    for track in Track:
        yield from (rollback(track), requested_rollback(track))


STEPS: dict[str, Step] = {step.name: step for step in _all_steps()}
"""Every step by its name, in the order in which status and views list them."""

ORDER: dict[str, int] = {name: position for position, name in enumerate(STEPS)}


def steps_of(tracks: tuple[Track, ...], tested_champions: frozenset[Track]) -> tuple[Step, ...]:
    """Steps that an iteration of these tracks begins with; `tested_champions` have a predecessor to be held against."""
    steps = [SELFPLAY, MERGE]
    if Track.NETWORK in tracks:
        steps += [EXPORT, TRAIN, evaluate(Track.NETWORK)]
    if Track.WEIGHTS in tracks:
        steps += [CMAES, evaluate(Track.WEIGHTS)]
    steps += [regression(track) for track in TRACKS_WITH_STAGES if track in tested_champions]
    return tuple(sorted(steps, key=lambda step: ORDER[step.name]))

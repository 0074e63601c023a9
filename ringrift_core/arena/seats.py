"""Who sits down in a gate: the players that stand in the table for the track (`ringrift_core/contract/tracks.py`)."""

from __future__ import annotations

from ringrift_core._engine import Player
from ringrift_core.contract import Artifact, EvaluateParameters, InitialWeights, Track
from ringrift_core.players.gates import first_opponent, gate_player
from ringrift_core.registry.records import champion_artifact
from ringrift_core.seating import Judges, Seating
from ringrift_core.stage import Run

__all__ = ["GateSeats"]


class GateSeats:
    """Seats the players of one evaluation."""

    def __init__(self, parameters: EvaluateParameters, run: Run) -> None:
        self._parameters = parameters
        self._configuration = parameters.board, parameters.players
        self._archive = run.archive
        # Version 0 is the run's own setting for the track of weights, and the hand-set one for the others.
        own = parameters.track is Track.WEIGHTS
        self._initial = parameters.initial_weights if own else InitialWeights.BASELINE
        here, device = self._configuration, parameters.device
        self._seating = Seating(Judges(*here, run.archive, run.folder, initial=self._initial, device=device))
        self._specification = gate_player(parameters.track, *self._configuration)

    def player(self, artifact: Artifact) -> Player:
        """The player of a candidate or a champion; StoreRefusedError when it is none of the track."""
        return self._seating.player(self._specification, artifact=artifact)

    def opponent(self) -> tuple[Player, str]:
        """The champion that the parameters name and its version, or whom the track's first candidates meet."""
        version = self._parameters.champion_version
        if version > 0:
            champion = champion_artifact(self._archive, self._parameters.track, version)
            return self.player(champion), str(version)
        first = first_opponent(self._parameters.track, *self._configuration)
        return self._seating.player(first), self._initial.value

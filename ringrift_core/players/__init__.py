"""What plays: players as text, by difficulty and by track, and what they judge by."""

from ringrift_core.players.cards import ModelCard
from ringrift_core.players.gates import FIRST_OPPONENTS, GATE_PLAYERS, gate_player
from ringrift_core.players.ladder import LADDER, Rung, rung
from ringrift_core.players.specification import Algorithm, Budget, Count, Judge, JudgeKind, Search, Specification, Time
from ringrift_core.players.weights import FEATURE_NAMES, HeuristicWeights

__all__ = [
    "FEATURE_NAMES",
    "FIRST_OPPONENTS",
    "GATE_PLAYERS",
    "LADDER",
    "Algorithm",
    "Budget",
    "Count",
    "HeuristicWeights",
    "Judge",
    "JudgeKind",
    "ModelCard",
    "Rung",
    "Search",
    "Specification",
    "Time",
    "gate_player",
    "rung",
]

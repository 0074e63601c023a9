"""What plays: players as text, by difficulty and by track, and what they judge by."""

from ringrift_core.players.cards import ModelCard
from ringrift_core.players.gates import first_opponent, gate_judge, gate_player
from ringrift_core.players.ladder import LADDER, Rung, rung
from ringrift_core.players.specification import Algorithm, Budget, Count, Judge, JudgeKind, Search, Specification, Time
from ringrift_core.players.weights import FEATURE_NAMES, HeuristicWeights

__all__ = [
    "FEATURE_NAMES",
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
    "first_opponent",
    "gate_judge",
    "gate_player",
    "rung",
]

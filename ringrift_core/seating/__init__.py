"""From a store, or none, and a specification to players that the engine can seat."""

from ringrift_core.seating.judges import Evaluation, Judges
from ringrift_core.seating.seating import Chosen, Manner, Seating, seat

__all__ = ["Chosen", "Evaluation", "Judges", "Manner", "Seating", "seat"]

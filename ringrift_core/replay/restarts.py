"""Positions that self-play goes on from: games up to a decision whose search was far from what the game came to.

Games are worth most where the player is wrong (arXiv:2602.20809; A. Trudeau and M. Bowling, "Targeted Search Control in
AlphaZero for Effective Policy Improvement", 2023).
"""

from __future__ import annotations

import math

from pydantic import Field

from ringrift_core.artifact import ConfigurationArtifact

__all__ = ["Restarts"]


class Restarts(ConfigurationArtifact):
    """Beginnings of games of one configuration."""

    KIND = "positions to go on from"

    format: int = Field(default=1, ge=1, le=1)
    prefixes: tuple[str, ...] = Field(description="The moves before each position, packed, in hexadecimal.")

    def dealt(self, games: int, share: float) -> list[bytes]:
        """What each of so many games begins with: for `share` of them, evenly spread, one prefix after the other, and
        nothing for the rest; nothing for all where there are no prefixes."""
        moves = [bytes.fromhex(prefix) for prefix in self.prefixes]
        before = [math.floor(game * share) for game in range(games + 1)]
        return [
            moves[before[game] % len(moves)] if moves and before[game + 1] > before[game] else b""
            for game in range(games)
        ]

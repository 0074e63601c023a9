"""One scale of strength for every number of seats.

With n seats an equal player wins a share P = 1/n of its games. Under the model of Bradley and Terry (1952), which
Luce's choice axiom (1959) extends to n seats, a player `r` times as strong as each of n - 1 equal opponents wins
P = r / (r + n - 1) of the games, and would win w = r / (r + 1) against one of them alone. Hence

    w = (n - 1) P / ((n - 1) P + 1 - P)        the two-player equivalent of P: 0.5 is always equal.
"""

from __future__ import annotations

__all__ = ["share", "two_player_equivalent"]


def two_player_equivalent(share: float, players: int) -> float:
    """The rate against a single opponent that goes with a share of games won among `players` seats."""
    weighted = (players - 1) * share
    return weighted / (weighted + 1 - share)


def share(rate: float, players: int) -> float:
    """The share of games won among `players` seats that goes with a rate against a single opponent."""
    return rate / (rate + (players - 1) * (1 - rate))

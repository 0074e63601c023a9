"""Which games a shard holds, and what its task is called.

All shards of an iteration divide the same games. A further round, for an iteration that asks for more games, has those
that follow; its shards are numbered from the number of its first game, beyond those of the rounds before.
"""

from __future__ import annotations

import re

from ringrift_core.contract import SelfplayParameters

__all__ = ["SHARD_OUTPUT", "games_of_shard", "is_shard_task", "shard_of_task", "shard_task", "shard_tasks"]

SHARD_OUTPUT = "games"
"""Name of the shard's artifact among a result's outputs."""

_SHARD_TASK = re.compile(r"selfplay-s(\d+)")


def shard_task(shard: int) -> str:
    """`selfplay-s0003`."""
    return f"selfplay-s{shard:04d}"


def shard_tasks(iteration: int) -> str:
    """What the names of an iteration's shards begin with, for `Archive.tasks`."""
    return f"i{iteration:04d}/selfplay-"


def is_shard_task(task: str) -> bool:
    """Whether it is a task of self-play."""
    return _SHARD_TASK.fullmatch(task) is not None


def shard_of_task(task: str) -> int:
    """The shard of `selfplay-s0003`."""
    match = _SHARD_TASK.fullmatch(task)
    if match is None:
        raise ValueError(f"{task}: not a self-play task")
    return int(match.group(1))


def games_of_shard(parameters: SelfplayParameters, shard: int) -> range:
    """Numbers of the games of one of the parameters' shards, which differ in length by one game at most."""
    part, parts, games = shard - parameters.first_game, parameters.shard.total, parameters.games
    return range(parameters.first_game + part * games // parts, parameters.first_game + (part + 1) * games // parts)

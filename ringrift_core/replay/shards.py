"""Which games a shard holds, and what its task is called. All shards of an iteration divide the same games."""

from __future__ import annotations

import re

__all__ = ["SHARD_OUTPUT", "is_shard_task", "shard_games", "shard_of_task", "shard_task", "shard_tasks"]

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


def shard_games(shard: int, shards: int, games: int) -> range:
    """Numbers of the games of a shard: of `games` divided into `shards` parts that differ by one game at most."""
    return range(shard * games // shards, (shard + 1) * games // shards)

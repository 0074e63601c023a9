"""The slots of this machine, each a lock that lives as long as the process in it.

The operator takes a task that was deleted for gone and gives its slot away; here it may still be saving.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ringrift_operator.processes.locks import TakenError, held


class Slots:
    """The locks in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def taken(self, name: str, count: int) -> Iterator[int | None]:
        """Takes one of a slot's `count` places for the length of the block; its lock, None when all are taken.

        A child that keeps the lock open keeps the place, whatever becomes of the block. OSError as of `held`.
        """
        with ExitStack() as stack:
            yield self._first_free(stack, name, count)

    def _first_free(self, stack: ExitStack, name: str, count: int) -> int | None:
        for place in range(count):
            try:
                return stack.enter_context(held(self._folder / f"{name}-{place}.lock"))
            except TakenError:
                continue
        return None

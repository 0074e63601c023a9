"""What torch has to be told before a training, so that it can be repeated."""

from __future__ import annotations

import torch

from ringrift_core.errors import WrongInputError
from ringrift_core.nn import TOO_LATE

__all__ = ["THREADS", "determine"]

THREADS = 2
"""Threads of torch on a CPU, however many cores there are: it splits sums by them, so another number makes another
network. Two cost a single core a fifth of its time; four cost it twice the time, and gain little on four cores."""


def determine(seed: int) -> None:
    """Threads, seed and algorithms of this process; WrongInputError where torch was loaded in another manner."""
    if TOO_LATE:
        raise WrongInputError(
            f"torch was loaded under {' and '.join(TOO_LATE)}, and would wait for threads that never come: import "
            "ringrift_core.nn first, or unset them"
        )
    torch.set_num_threads(THREADS)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)

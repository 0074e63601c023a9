"""What torch has to be told before a training, so that it can be repeated, and where it is to train."""

from __future__ import annotations

import os

import torch

from ringrift_core.contract import Device
from ringrift_core.errors import WrongInputError
from ringrift_core.nn import TOO_LATE

__all__ = ["THREADS", "determine", "device_of"]

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


def device_of(wanted: Device) -> torch.device:
    """WrongInputError where this machine has none."""
    if wanted is Device.CUDA and not torch.cuda.is_available():
        raise WrongInputError("--device cuda: torch finds no CUDA device here")
    if wanted is Device.MPS and not torch.backends.mps.is_available():
        raise WrongInputError("--device mps: torch finds no MPS device here")
    if wanted is Device.CUDA:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # Deterministic matrix products need it.
    return torch.device(wanted.value)

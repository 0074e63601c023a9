"""What torch has to be told before a training, so that it can be repeated, and where it is to train."""

from __future__ import annotations

import os

import torch

from ringrift_core.contract import Device
from ringrift_core.errors import WrongInputError

__all__ = ["determine", "device_of"]


def determine(seed: int) -> None:
    """Threads, seed and algorithms of this process.

    One thread on a CPU, however many cores there are: several split sums by their number, which makes other networks,
    and meet after every layer. On a virtual machine, where a core that waits is slow to wake, two need 0.9 (10x128) to
    1.6 times (2x16) the time of one, and 1.3 to 1.8 times its CPU time (results/README.md). More cores are what
    `--distributed` is for.
    """
    torch.set_num_threads(1)
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

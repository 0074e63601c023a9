"""What a stage takes of its machine, as its lines of progress tell it."""

from __future__ import annotations

import os
import sys
import time

__all__ = ["cpu_seconds", "gpu_busy"]


def cpu_seconds() -> float:
    """CPU time of this process since it began, all threads, and of what it started and has ended."""
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system


def gpu_busy() -> float | None:
    """Part of the last sample period (a second at most) in which this process's NVIDIA GPU worked, for whomever.

    None without CUDA, and where the driver does not tell, as of a slice of a GPU (MIG).
    """
    torch = sys.modules.get("torch")  # it takes seconds to load, and a stage without it has no GPU
    if torch is None or not torch.cuda.is_initialized():
        return None
    try:
        return float(torch.cuda.utilization()) / 100
    except Exception:  # NVML's, the driver's or a missing package's: no figure is worth a training
        return None

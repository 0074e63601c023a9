"""This machine as a WorkerPool, for files that hold none."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess

from ringrift_core.contract import Device
from ringrift_operator.api.pool import WorkerPoolSpec
from ringrift_operator.domain.snapshot import PoolObservation

NAME = "this-machine"


def this_machine() -> PoolObservation:
    """One slot to play and one to learn. A stage uses all cores by itself: more would only get in each other's way."""
    resources = {"cpu": str(cores()), "memory": str(memory_bytes())}
    spec = {
        "type": "Runner",
        "slots": [
            {"name": "play", "stages": ["selfplay", "cmaes", "evaluate"], "resources": resources},
            {"name": "learn", "stages": ["train"], "resources": resources, "device": fastest_device().value},
        ],
    }
    return PoolObservation(NAME, WorkerPoolSpec.model_validate(spec))


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int:
    """Memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def fastest_device() -> Device:
    """Where to train: an NVIDIA GPU that answers, Apple's GPU, or the CPU."""
    program = shutil.which("nvidia-smi")
    if program is not None and subprocess.run([program, "--list-gpus"], capture_output=True, check=False).stdout:
        return Device.CUDA
    is_apple_silicon = platform.system() == "Darwin" and platform.machine() == "arm64"
    return Device.MPS if is_apple_silicon else Device.CPU

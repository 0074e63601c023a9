"""What this machine computes with."""

from __future__ import annotations

import platform
import shutil
import subprocess

from ringrift_core.contract import Device


def fastest_device() -> Device:
    """Where to train: an NVIDIA GPU that answers, Apple's GPU, or the CPU."""
    program = shutil.which("nvidia-smi")
    if program is not None and subprocess.run([program, "--list-gpus"], capture_output=True, check=False).stdout:
        return Device.CUDA
    is_apple_silicon = platform.system() == "Darwin" and platform.machine() == "arm64"
    return Device.MPS if is_apple_silicon else Device.CPU

"""The network: its architecture, its training, and its forms for inference. The only part that loads torch."""

import os
import sys
import warnings

from ringrift_core.native import lift_thread_limits

_limits = lift_thread_limits()
TOO_LATE = _limits if "torch" in sys.modules else []
"""Variables under which torch was loaded already, and would wait for threads that never come."""

if "torch" in sys.modules and "OMP_WAIT_POLICY" not in os.environ:
    warnings.warn(
        "torch was loaded before ringrift_core.nn: its idle threads spin, and slow whatever shares their cores, other "
        "trainings by ten times; import ringrift_core.nn first, or set OMP_WAIT_POLICY=PASSIVE",
        stacklevel=2,
    )
# OpenMP reads this once, when torch is loaded: idle threads then sleep instead of spinning.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Read likewise: a Pod's address has no name to be looked up, and torch would warn of it among a stage's last words.
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
# Read likewise: what a Mac's GPU has no kernel for is computed on its CPU, instead of ending the training.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

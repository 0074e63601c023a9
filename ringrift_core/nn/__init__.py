"""The network: its architecture, its training, and its form for ONNX Runtime. The only part that imports torch."""

import os

# Before torch is loaded: threads that wait by spinning slow a shared machine, and themselves, by a factor of twenty.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

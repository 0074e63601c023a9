"""The network: its architecture, its training, and its forms for inference. The only part that loads torch."""

import os

# Read once, when torch is loaded: a Pod's address has no name to be looked up, and torch would warn of it among a
# stage's last words.
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
# Read likewise: what a Mac's GPU has no kernel for is computed on its CPU, instead of ending the training.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

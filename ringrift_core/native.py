"""What native libraries read of the environment, and how little of that may reach a command.

OpenMP, BLAS, torch, ONNX Runtime and numpy take threads, kernels and instruction sets from variables that somebody may
have set for another program, and some change what a network learns. Whatever a result depends on is a parameter
(docs/stages.md, "What repeats").
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping

__all__ = ["forget_settings"]

_SETTINGS = (
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "VECLIB_", "ACCELERATE_", "NUMEXPR_"),
    *("DNNL_", "ONEDNN_", "ATEN_", "TORCH", "PYTORCH_", "ORT_", "NPY_", "NUMPY_", "CUBLAS", "CUDNN_"),
    *("NVIDIA_TF32_OVERRIDE", "XNNPACK_", "NNPACK_"),
)
"""How their variables begin."""

_HARMLESS = frozenset(
    {
        # Where things lie, and how a GPU's memory is handed out.
        "TORCH_HOME",
        "TORCH_EXTENSIONS_DIR",
        "TORCHINDUCTOR_CACHE_DIR",
        "PYTORCH_ALLOC_CONF",
        "PYTORCH_CUDA_ALLOC_CONF",
        "PYTORCH_MPS_HIGH_WATERMARK_RATIO",
        "PYTORCH_MPS_LOW_WATERMARK_RATIO",
        # How processes that torchrun has started find each other: without the first, two of them listen on one port.
        "TORCHELASTIC_USE_AGENT_STORE",
        "TORCHELASTIC_RUN_ID",
        "TORCHELASTIC_RESTART_COUNT",
        "TORCHELASTIC_MAX_RESTARTS",
        "TORCHELASTIC_ERROR_FILE",
        # That two copies of OpenMP are no error.
        "KMP_DUPLICATE_LIB_OK",
    }
)


def forget_settings(environment: MutableMapping[str, str] = os.environ) -> None:
    """Takes every setting of native libraries out of the environment, for them to find their own defaults.

    Nothing is done once torch is loaded: by then it has read them (ringrift_core/nn/__init__.py).
    """
    if "torch" in sys.modules:
        return
    for name in list(environment):
        if name.startswith(_SETTINGS) and name not in _HARMLESS:
            del environment[name]

"""A pool for the stages that need torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ringrift_core.contract import STAGES

TRAINING = tuple(stage.value for stage, facts in STAGES.items() if facts.needs_torch)
TORCH = "/torch"


def training_pool(has_image: bool) -> dict[str, Any]:
    """Takes what needs torch: in the trainer's image, or in the worker's, with torch from a folder of the node."""
    spec: dict[str, Any] = {
        "type": "Cluster",
        "slots": [{"name": "train", "stages": list(TRAINING), "resources": {"cpu": "1", "memory": "2Gi"}}],
    }
    if not has_image:
        import torch  # not before ringrift_core.nn, in whichever order tests are collected

        packages = str(Path(torch.__file__).parents[1])
        spec["podTemplate"] = {
            "volumes": [{"name": "torch", "hostPath": {"path": packages}}],
            "volumeMounts": [{"name": "torch", "mountPath": TORCH, "readOnly": True}],
            "env": [{"name": "PYTHONPATH", "value": TORCH}],
        }
    return {"apiVersion": "ringrift.ai/v1alpha1", "kind": "WorkerPool", "metadata": {"name": "trainer"}, "spec": spec}

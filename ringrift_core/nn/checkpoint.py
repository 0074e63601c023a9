"""The whole state of a training as bytes: safetensors, with the progress in its metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["Checkpoint", "pack"]


def pack(parts: Mapping[str, Mapping[str, Tensor]], optimiser: Optimizer, progress: Mapping[str, Any]) -> bytes:
    """Tensors by part and name, what the optimiser remembers, and the progress, which becomes JSON."""
    remembered: dict[str, Mapping[str, Tensor]] = {
        f"optimiser.{index}": state for index, state in optimiser.state_dict()["state"].items()
    }
    tensors = {
        f"{part}.{name}": tensor.detach().cpu().contiguous()
        for part, named in {**parts, **remembered}.items()
        for name, tensor in named.items()
    }
    return save_tensors(tensors, {"progress": json.dumps(dict(progress))})


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What `pack` wrote."""

    tensors: dict[str, Tensor]
    progress: dict[str, Any]

    @classmethod
    def unpack(cls, state: bytes) -> Checkpoint:
        """Reads it back, on the CPU."""
        # safetensors puts a length of 8 bytes before its JSON header.
        header = json.loads(state[8 : 8 + int.from_bytes(state[:8], "little")])
        return cls(load_tensors(state), json.loads(header["__metadata__"]["progress"]))

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors of one part, by their names in it."""
        prefix = f"{name}."
        return {key.removeprefix(prefix): tensor for key, tensor in self.tensors.items() if key.startswith(prefix)}

    def restore(self, optimiser: Optimizer) -> None:
        """The optimiser remembers again what it did."""
        remembered = optimiser.state_dict()
        for name, tensor in self.part("optimiser").items():
            index, _, key = name.partition(".")
            remembered["state"].setdefault(int(index), {})[key] = tensor
        optimiser.load_state_dict(remembered)

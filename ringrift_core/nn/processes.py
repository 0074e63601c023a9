"""Several processes that train one network together, as torchrun starts them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from ringrift_core.errors import NotNowError, WrongInputError

__all__ = ["ALONE", "Processes", "joined"]

LOST_SECONDS = 3.0
"""After which a process that has lost another ends as well: whoever is the cause has ended before it, and is blamed."""


@dataclass(frozen=True)
class Processes:
    """Which of how many this one is."""

    rank: int
    count: int

    @property
    def leads(self) -> bool:
        """Whether it is the one that writes: checkpoints, curves, the candidate."""
        return self.rank == 0

    def part(self, rows: int) -> slice:
        """Of so many rows, those that are this process's."""
        return slice(self.rank * rows // self.count, (self.rank + 1) * rows // self.count)

    def wrapped(self, module: nn.Module) -> nn.Module:
        """A module whose gradients are averaged over all processes, which begin with the parameters of the first."""
        return module if self.count == 1 else DistributedDataParallel(module)

    def gathering(self, module: nn.Module, is_last: bool) -> AbstractContextManager[None]:
        """Around each part of a step: gradients are only averaged once, after the last one."""
        if is_last or not isinstance(module, DistributedDataParallel):
            return nullcontext()
        return module.no_sync()

    def total(self, numbers: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.count > 1:
            distributed.all_reduce(numbers)
        return numbers

    def any(self, holds: bool) -> bool:
        """Whether it holds of any process: all of them hear the same."""
        return bool(self.total(torch.tensor(int(holds))).item()) if self.count > 1 else holds


ALONE = Processes(0, 1)


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """The processes that torchrun has started, this one among them: over gloo, or nccl where each has a GPU.

    WrongInputError when this process was not started so; NotNowError when another is gone, which says itself why, if it
    still can.
    """
    missing = [name for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    if missing:
        raise WrongInputError(
            f"--distributed: {missing[0]} is not set: start the processes by torchrun, "
            "torchrun --nproc-per-node 2 -m ringrift_core train --distributed ..."
        )
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        yield Processes(distributed.get_rank(), distributed.get_world_size())
    except RuntimeError as error:
        if not _says_that_another_is_gone(error):
            raise
        time.sleep(LOST_SECONDS)
        raise NotNowError(f"another of the processes that train together is gone: {error}") from error
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _says_that_another_is_gone(error: RuntimeError) -> bool:
    """Of what a connection to another process raises only some has a type of its own."""
    return isinstance(error, distributed.DistError) or "/gloo/" in str(error)

"""What a network loses by what it says, head by head."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ringrift_core.nn.network import Said
from ringrift_core.nn.positions import Batch

__all__ = ["AUXILIARY", "WEIGHTS", "losses", "policy_losses", "total_loss", "value_losses"]

WEIGHTS = {"value": 1.0, "policy": 1.0, "ends": 0.1, "owners": 0.15, "reason": 0.05, "turns": 0.02}
"""What each head counts in the loss that is trained on."""

AUXILIARY = ("ends", "owners", "reason", "turns")
"""Heads that only shape what the others are made of."""


def losses(said: Said, batch: Batch) -> dict[str, Tensor]:
    """[rows] by head: the loss of each row, in nats; of `ends` and `turns` the squared error. A row counts 0 for what
    is not known of it."""
    ended = ~batch.eliminations[:, 0].isnan()
    ends = torch.stack([batch.eliminations, batch.territories], dim=1)
    ends = torch.where(ended[:, None, None], ends, said.ends.detach())
    nobody = 1 - batch.owners.sum(dim=1, keepdim=True)
    owners = torch.cat([batch.owners, nobody], dim=1)
    on_board = batch.planes[:, 7 * batch.outcomes.shape[1]]  # docs/encoding.md: the plane of real cells
    of_cells = -(owners * functional.log_softmax(said.owners, dim=1)).sum(1) * on_board
    return {
        "value": value_losses(said.values, batch),
        "policy": policy_losses(said.policy, batch),
        "ends": (said.ends - ends).square().mean(dim=(1, 2)),
        "owners": of_cells.sum(dim=(1, 2)) / on_board.sum(dim=(1, 2)) * ended,
        "reason": functional.cross_entropy(said.reasons, batch.reasons, reduction="none") * ended,
        "turns": (said.turns - torch.log1p(batch.turns_left)).square() * ended,
    }


def total_loss(by_head: dict[str, Tensor]) -> Tensor:
    """[rows]: what is trained on."""
    return torch.stack([WEIGHTS[head] * loss for head, loss in by_head.items()]).sum(0)


def value_losses(values: Tensor, batch: Batch) -> Tensor:
    """[rows]: cross-entropy of each row's values, times what its target counts."""
    return -(batch.targets * functional.log_softmax(values, dim=1)).sum(1)


def policy_losses(policy: Tensor, batch: Batch) -> Tensor:
    """[rows]: cross-entropy of each row's policy over its legal moves; 0 for a row without one."""
    if batch.keys.shape[1] == 0:
        return policy.new_zeros(len(batch))
    # Finite, since a row without a legal move must not make the others' gradients no numbers.
    chances = functional.log_softmax(move_logits(policy, batch), dim=1)
    return -(batch.shares * chances.masked_fill(~batch.legal, 0)).sum(1)


def move_logits(policy: Tensor, batch: Batch) -> Tensor:
    """[rows, moves]: the logit of each legal move, and next to nothing beyond them."""
    rows, moves, keys = batch.keys.shape
    # One more number, which is 0: that of places without a key.
    numbers = functional.pad(policy, (0, 1)).gather(1, batch.keys.reshape(rows, -1))
    return numbers.reshape(rows, moves, keys).sum(2).masked_fill(~batch.legal, -1e9)

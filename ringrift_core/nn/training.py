"""Training: AdamW with a cosine schedule, early stopping on held-out games, a checkpoint after every epoch.

Everything an epoch does follows from the state at its start and (seed, epoch), so a killed training goes on from its
checkpoint to the same result (on the same kind of machine with the same number of torch's threads).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor
from torch.nn import functional

from ringrift_core.errors import DivergedError
from ringrift_core.nn.network import RingRiftNetwork
from ringrift_core.nn.positions import OUTCOMES, SYMMETRIES, Aim, Batch, Positions
from ringrift_core.nn.sampling import epoch_order, sampling_weights

__all__ = ["EpochFigures", "Training", "TrainingPlan", "policy_losses", "surprises", "value_losses"]

PATIENCE = 3
"""Epochs without a better held-out loss before training stops."""
DIVERGED_AT = 8.0
"""A loss of this many times that of a uniform guess has diverged."""
EVALUATION_BATCH = 2048


@dataclass(frozen=True)
class TrainingPlan:
    """How to train."""

    seed: int
    epochs: int
    batch_size: int
    learning_rate: float
    aim: Aim = OUTCOMES
    augment: bool = True
    """Is each position seen through another symmetry each time?"""
    most_seen: int | None = None
    """Positions seen at most, however many epochs there are."""
    surprise_share: float = 0.0
    weight_decay: float = 1e-4


@dataclass(frozen=True)
class EpochFigures:
    """What an epoch reached. Losses are cross-entropies in nats, of values and policies together, and of the policies
    alone per row that has one; accuracy counts the winner named first."""

    epoch: int
    train_loss: float
    held_out_loss: float
    held_out_policy_loss: float
    held_out_accuracy: float


@dataclass
class _Progress:
    """What a checkpoint holds beside tensors."""

    epoch: int = 0
    seen: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    figures: list[dict[str, float]] = field(default_factory=list)


class Training:
    """A network under training; `network` is the current one, `best` the parameters of the best epoch."""

    def __init__(
        self,
        network: RingRiftNetwork,
        plan: TrainingPlan,
        train: Positions,
        held_out: Positions,
        device: torch.device,
        surprise: NDArray[np.float32] | None = None,
    ) -> None:
        """`surprise` [rows]: of each position to train on (`surprises`)."""
        self.network = network.to(device)
        self.best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        self._plan, self._train, self._held_out, self._device = plan, train, held_out, device
        self._optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
        self._uniform_loss = train.uniform_loss
        self._weights = None if surprise is None else sampling_weights(surprise, plan.surprise_share)
        self._progress = _Progress()

    @property
    def finished(self) -> bool:
        """Whether the epochs or uses are spent, or the held-out loss has not improved for PATIENCE epochs."""
        progress = self._progress
        return progress.seen >= self._most_seen or progress.epoch - progress.best_epoch >= PATIENCE

    @property
    def _most_seen(self) -> int:
        all_epochs = self._plan.epochs * len(self._train)
        return all_epochs if self._plan.most_seen is None else min(all_epochs, self._plan.most_seen)

    @property
    def figures(self) -> list[EpochFigures]:
        """The figures of every epoch so far."""
        return [EpochFigures(**entry) for entry in self._progress.figures]  # type: ignore[arg-type]

    def run_epoch(self, on_step: Callable[[float], None]) -> EpochFigures:
        """One pass over the training positions; `on_step` hears the share of the epoch that is done.

        DivergedError when the loss is no number any more, or far above that of a uniform guess.
        """
        epoch, plan = self._progress.epoch, self._plan
        order = epoch_order(len(self._train), self._weights, plan.seed, epoch)
        order = order[: self._most_seen - self._progress.seen]
        count = math.ceil(len(order) / plan.batch_size)
        turns = np.random.default_rng((plan.seed, epoch, 1))
        self.network.train()
        total = 0.0
        for step, rows in enumerate(np.array_split(order, count)):
            self._set_learning_rate(self._progress.seen / self._most_seen)
            symmetries = turns.integers(SYMMETRIES[self._train.board], size=len(rows)) if plan.augment else None
            batch = self._train.batch(rows, plan.aim, self._device, symmetries)
            values, policy = self.network(batch.planes, batch.globals)
            loss = (value_losses(values, batch) + policy_losses(policy, batch)).mean()
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self._optimiser.step()
            value = loss.item()
            self._refuse_divergence(value, epoch)
            total += value * len(rows)
            self._progress.seen += len(rows)
            on_step((step + 1) / count)
        figures = self._measure(epoch + 1, total / len(order))
        self._refuse_divergence(figures.held_out_loss, epoch)
        self._remember(figures)
        return figures

    def save(self) -> bytes:
        """The whole state: parameters, best parameters, optimiser and progress."""
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for index, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": tensor for name, tensor in state.items()}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        return save_tensors(tensors, {"progress": json.dumps(asdict(self._progress))})

    def load(self, state: bytes) -> None:
        """Goes back to a saved state."""
        tensors = load_tensors(state)
        self.network.load_state_dict(_below("network.", tensors))
        self.best = {name: tensor.to(self._device) for name, tensor in _below("best.", tensors).items()}
        optimiser = self._optimiser.state_dict()
        for name, tensor in _below("optimiser.", tensors).items():
            index, _, key = name.partition(".")
            optimiser["state"].setdefault(int(index), {})[key] = tensor
        self._optimiser.load_state_dict(optimiser)
        # safetensors puts a length of 8 bytes before its JSON header.
        header = json.loads(state[8 : 8 + int.from_bytes(state[:8], "little")])
        self._progress = _Progress(**json.loads(header["__metadata__"]["progress"]))

    def _set_learning_rate(self, done: float) -> None:
        rate = self._plan.learning_rate * (0.05 + 0.95 * (1 + math.cos(math.pi * done)) / 2)
        for group in self._optimiser.param_groups:
            group["lr"] = rate

    def _refuse_divergence(self, loss: float, epoch: int) -> None:
        if not math.isfinite(loss) or loss > DIVERGED_AT * self._uniform_loss:
            raise DivergedError(f"training diverged in epoch {epoch + 1}: loss {loss:.4g}")

    @torch.no_grad()
    def _measure(self, epoch: int, train_loss: float) -> EpochFigures:
        held_out = self._held_out if len(self._held_out) else self._train
        self.network.eval()
        loss = policy_loss = policies = right = 0.0
        for batch in _batches(held_out, self._plan.aim, self._device):
            values, policy = self.network(batch.planes, batch.globals)
            of_policies = policy_losses(policy, batch).sum().item()
            loss += value_losses(values, batch).sum().item() + of_policies
            policy_loss += of_policies
            policies += batch.legal.any(dim=1).sum().item()
            right += (values.argmax(1) == batch.outcomes.argmax(1)).sum().item()
        count = len(held_out)
        return EpochFigures(epoch, train_loss, loss / count, policy_loss / max(1, policies), right / count)

    def _remember(self, figures: EpochFigures) -> None:
        progress = self._progress
        progress.epoch = figures.epoch
        progress.figures.append(asdict(figures))
        if figures.held_out_loss < progress.best_loss:
            progress.best_loss, progress.best_epoch = figures.held_out_loss, figures.epoch
            self.best = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}


def _batches(positions: Positions, aim: Aim, device: torch.device) -> Iterator[Batch]:
    """All positions, in order and as they are."""
    for first in range(0, len(positions), EVALUATION_BATCH):
        yield positions.batch(np.arange(first, min(first + EVALUATION_BATCH, len(positions))), aim, device)


@torch.no_grad()
def surprises(
    network: RingRiftNetwork, positions: Positions, device: torch.device, on_batch: Callable[[float], None]
) -> NDArray[np.float32]:
    """[rows]: the divergence of each position's policy target from the network's policy, in nats; NaN without one."""
    network = network.to(device).eval()
    found: list[NDArray[np.float32]] = []
    for number, batch in enumerate(_batches(positions, OUTCOMES, device), 1):
        on_batch(min(1.0, number * EVALUATION_BATCH / len(positions)))
        _, policy = network(batch.planes, batch.globals)
        divergence = policy_losses(policy, batch) + torch.xlogy(batch.shares, batch.shares).sum(1)
        found.append(divergence.cpu().numpy())
    return np.where(positions.have_policies, np.concatenate(found), np.float32(np.nan))


def value_losses(values: Tensor, batch: Batch) -> Tensor:
    """[rows]: cross-entropy of each row's values, times what its target counts."""
    return -(batch.targets * functional.log_softmax(values, dim=1)).sum(1)


def policy_losses(policy: Tensor, batch: Batch) -> Tensor:
    """[rows]: cross-entropy of each row's policy over its legal moves; 0 for a row without one."""
    rows, moves, keys = batch.keys.shape
    if moves == 0:
        return policy.new_zeros(rows)
    # One more number, which is 0: that of places without a key.
    numbers = functional.pad(policy, (0, 1)).gather(1, batch.keys.reshape(rows, -1))
    logits = numbers.reshape(rows, moves, keys).sum(2)
    # Finite, since a row without a legal move must not make the others' gradients no numbers.
    chances = functional.log_softmax(logits.masked_fill(~batch.legal, -1e9), dim=1)
    return -(batch.shares * chances.masked_fill(~batch.legal, 0)).sum(1)


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

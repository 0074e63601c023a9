"""Training of an NNUE: Adam with a cosine schedule, early stopping on held-out games, a checkpoint after every epoch.

Everything an epoch does follows from the state at its start and (seed, epoch), so a killed training goes on from its
checkpoint to the same result (on the same kind of machine with the same number of torch's threads).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields

import numpy as np
import torch
from torch.nn import functional

from ringrift_core.errors import DivergedError
from ringrift_core.nn.checkpoint import Checkpoint, pack
from ringrift_core.nnue.network import Nnue
from ringrift_core.nnue.positions import Loader, Positions

__all__ = ["EpochFigures", "Plan", "Training", "pearson", "softmax"]

PATIENCE = 6
"""Epochs without a better held-out loss before training stops."""
DIVERGED_AT = 8.0
"""A loss of this many times that of a uniform guess has diverged."""
EVALUATION_BATCH = 8192


@dataclass(frozen=True)
class Plan:
    """How to train."""

    seed: int
    epochs: int
    batch_size: int
    learning_rate: float


@dataclass(frozen=True)
class EpochFigures:
    """What an epoch reached: cross-entropies of the seats in nats, the share of held-out rows whose likeliest winner is
    named first, and Pearson's correlation of the mover's chances there."""

    epoch: int
    train_loss: float
    held_out_loss: float
    held_out_accuracy: float
    pearson: float


@dataclass
class _Progress:
    """What a checkpoint holds beside tensors."""

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    figures: list[dict[str, float]] = field(default_factory=list)


class Training:
    """A network under training; `network` is the current one, `best` the parameters of the best epoch."""

    def __init__(self, network: Nnue, plan: Plan, train: Positions, held_out: Positions, device: torch.device) -> None:
        self.network = network.to(device)
        self.best = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        self._plan, self._device = plan, device
        self._rows, self._train = len(train), Loader(train, device)
        self._held_out_rows, self._held_out = (
            (len(held_out), Loader(held_out, device)) if len(held_out) else (self._rows, self._train)
        )
        self._optimiser = torch.optim.Adam(network.parameters(), lr=plan.learning_rate)
        self._uniform_loss = math.log(network.players)
        self._progress = _Progress()

    @property
    def finished(self) -> bool:
        """Whether the epochs are spent, or the held-out loss has not improved for PATIENCE of them."""
        progress = self._progress
        return progress.epoch >= self._plan.epochs or progress.epoch - progress.best_epoch >= PATIENCE

    @property
    def figures(self) -> list[EpochFigures]:
        """The figures of every epoch so far."""
        return [EpochFigures(**entry) for entry in self._progress.figures]  # type: ignore[arg-type]

    def run_epoch(self, on_step: Callable[[float], None]) -> EpochFigures:
        """One pass over the training positions; `on_step` hears the share of the epoch that is done.

        DivergedError when the loss is no number any more, or far above that of a uniform guess.
        """
        epoch = self._progress.epoch
        generator = np.random.default_rng([self._plan.seed, epoch])
        order = generator.permutation(self._rows)
        total = 0.0
        steps = math.ceil(self._rows / self._plan.batch_size)
        for step, rows in enumerate(np.array_split(order, steps)):
            self._set_learning_rate((epoch + step / steps) / self._plan.epochs)
            batch = self._train.batch(rows, generator)
            loss = functional.cross_entropy(self.network(batch), batch.targets)
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            self.network.clip()
            value = loss.item()
            self._refuse_divergence(value, epoch)
            total += value * len(rows)
            on_step((step + 1) / steps)
        figures = self._measure(epoch + 1, total / self._rows)
        self._refuse_divergence(figures.held_out_loss, epoch)
        self._remember(figures)
        return figures

    @torch.no_grad()
    def held_out_logits(self) -> tuple[np.ndarray, np.ndarray]:
        """Logits and targets [rows, players] of what was held out, by the current parameters."""
        found = []
        for first in range(0, self._held_out_rows, EVALUATION_BATCH):
            rows = np.arange(first, min(first + EVALUATION_BATCH, self._held_out_rows))
            batch = self._held_out.batch(rows, None)
            found.append((self.network(batch).cpu().numpy(), batch.targets.cpu().numpy()))
        logits, targets = zip(*found, strict=True)
        return np.concatenate(logits), np.concatenate(targets)

    def save(self) -> bytes:
        """The whole state: parameters, best parameters, optimiser and progress."""
        parts = {"network": self.network.state_dict(), "best": self.best}
        return pack(parts, self._optimiser, asdict(self._progress))

    @property
    def layout(self) -> tuple[str, ...]:
        """Names of what `save` holds."""
        return (*(each.name for each in fields(_Progress)), *self.network.state_dict())

    def load(self, state: bytes) -> None:
        """Goes back to a saved state."""
        checkpoint = Checkpoint.unpack(state)
        self.network.load_state_dict(checkpoint.part("network"))
        self.best = {name: tensor.to(self._device) for name, tensor in checkpoint.part("best").items()}
        checkpoint.restore(self._optimiser)
        self._progress = _Progress(**checkpoint.progress)

    def _set_learning_rate(self, done: float) -> None:
        rate = self._plan.learning_rate * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
        for group in self._optimiser.param_groups:
            group["lr"] = rate

    def _refuse_divergence(self, loss: float, epoch: int) -> None:
        if not math.isfinite(loss) or loss > DIVERGED_AT * self._uniform_loss:
            raise DivergedError(f"training diverged in epoch {epoch + 1}: loss {loss:.4g}")

    def _measure(self, epoch: int, train_loss: float) -> EpochFigures:
        logits, targets = self.held_out_logits()
        chances = softmax(logits)
        loss = float(-(targets * np.log(np.maximum(chances, 1e-12))).sum(1).mean())
        accuracy = float((chances.argmax(1) == targets.argmax(1)).mean())
        return EpochFigures(epoch, train_loss, loss, accuracy, pearson(chances[:, 0], targets[:, 0]))

    def _remember(self, figures: EpochFigures) -> None:
        progress = self._progress
        progress.epoch = figures.epoch
        progress.figures.append(asdict(figures))
        if figures.held_out_loss < progress.best_loss:
            progress.best_loss, progress.best_epoch = figures.held_out_loss, figures.epoch
            self.best = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}


def softmax(logits: np.ndarray) -> np.ndarray:
    """[rows, players] in float64."""
    raised = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return shares


def pearson(one: np.ndarray, other: np.ndarray) -> float:
    """Their correlation; 0 where either never varies."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])

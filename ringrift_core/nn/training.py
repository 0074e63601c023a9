"""Training: AdamW with a warm-up and a cosine, averaged parameters, early stopping on held-out games.

Everything a step does follows from the state before it and (seed, epoch, step), so a training that was killed goes on
from its checkpoint to the same result, bit for bit (on the same kind of machine with the same torch and as many of its
threads). What is measured and kept is the exponential average of the parameters (0.999), not where they happen to be.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ringrift_core.errors import DivergedError
from ringrift_core.nn.checkpoint import Checkpoint, pack
from ringrift_core.nn.losses import AUXILIARY, losses, move_logits, policy_losses, total_loss
from ringrift_core.nn.network import NetworkShape, RingRiftNetwork, Said
from ringrift_core.nn.positions import OUTCOMES, SYMMETRIES, Aim, Batch, Positions
from ringrift_core.nn.processes import ALONE, Processes
from ringrift_core.nn.sampling import epoch_order, sampling_weights

__all__ = ["EpochFigures", "StepFigures", "Training", "TrainingPlan", "surprises"]

PATIENCE = 3
"""Epochs without a better held-out loss before training stops."""
DIVERGED_AT = 8.0
"""A loss of this many times that of a uniform guess has diverged,"""
DIVERGED_GRADIENT = 1000.0
"""and so has a gradient of this many times the norm that gradients had so far, once there were STEADY of them."""
STEADY = 50
LARGEST_GRADIENT = 1.0
"""Norm to which gradients are cut."""
AVERAGE = 0.999
"""What is left of averaged parameters in a step; less in the first ones, which would not get away from the start."""
WARM_UP = 500
"""Steps, or a twentieth of all, in which the learning rate rises."""
LAST_RATE = 0.05
"""Of the learning rate, at the end."""
PART = 1 << 22
"""Numbers in the blocks of a network, for as many positions as go through it at once: half a second on two cores."""
PART_OF_GPU = 1 << 28
"""The same on a GPU, which is only quick with many: some gigabytes while a step is taken."""


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
class StepFigures:
    """What a step did: losses by head over its positions, and the norm of the gradient before it was cut."""

    step: int
    losses: dict[str, float]
    learning_rate: float
    gradient: float


@dataclass(frozen=True)
class EpochFigures:
    """What an epoch reached, on held-out games by the averaged parameters. Losses are cross-entropies in nats: of both
    values and policies, and of each per row that has one; accuracies count winners, and best moves, named first."""

    epoch: int
    step: int
    train_loss: float
    held_out_loss: float
    held_out_value_loss: float
    held_out_policy_loss: float
    held_out_accuracy: float
    held_out_policy_accuracy: float
    held_out_auxiliary: dict[str, float] = field(default_factory=dict)
    """By head, of those that only shape the others (`losses`): per row of a game that ended."""


@dataclass
class _Progress:
    """What a checkpoint holds beside tensors."""

    step: int = 0
    seen: int = 0
    epoch: int = 0
    epoch_step: int = 0
    epoch_loss: float = 0.0
    """Sum over the positions of the epoch so far."""
    epoch_seen: int = 0
    gradient: float = 0.0
    """Exponential mean of the gradients' norms."""
    best_epoch: int = 0
    best_loss: float = math.inf
    figures: list[dict[str, Any]] = field(default_factory=list)


class Training:
    """A network under training; `network` is the current one, `best` the averaged parameters of the best epoch."""

    def __init__(
        self,
        network: RingRiftNetwork,
        plan: TrainingPlan,
        train: Positions,
        held_out: Positions,
        device: torch.device,
        surprise: NDArray[np.float32] | None = None,
        processes: Processes = ALONE,
    ) -> None:
        """`surprise` [rows]: of each position to train on (`surprises`)."""
        self.network = network.to(device)
        self._averaged = copy.deepcopy(self.network).requires_grad_(False)
        self.best = _copied(self._averaged)
        self._plan, self._train, self._held_out, self._device = plan, train, held_out, device
        self._processes = processes
        self._saying = processes.wrapped(_Saying(self.network))
        self._optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
        self._uniform_loss = train.uniform_loss
        self._weights = None if surprise is None else sampling_weights(surprise, plan.surprise_share)
        self._progress = _Progress()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._order: tuple[int, list[NDArray[np.int64]]] | None = None
        self._ahead: tuple[int, int, Future[list[Batch]]] | None = None

    @property
    def finished(self) -> bool:
        """Whether the epochs or uses are spent, or the held-out loss has not improved for PATIENCE epochs."""
        progress = self._progress
        spent = progress.seen >= self._most_seen or progress.epoch - progress.best_epoch >= PATIENCE
        return spent and not self.epoch_is_over

    @property
    def epoch_is_over(self) -> bool:
        """Whether all steps of an epoch are taken, and it has to be measured."""
        progress = self._progress
        return progress.epoch_step > 0 and progress.epoch_step >= len(self._batches())

    @property
    def figures(self) -> list[EpochFigures]:
        """The figures of every epoch so far."""
        return [EpochFigures(**entry) for entry in self._progress.figures]

    @property
    def steps(self) -> int:
        """Steps so far."""
        return self._progress.step

    @property
    def most_steps(self) -> int:
        """Steps at most."""
        whole, rest = divmod(self._most_seen, len(self._train))
        return whole * self._steps_of(len(self._train)) + self._steps_of(rest)

    @property
    def _most_seen(self) -> int:
        all_epochs = self._plan.epochs * len(self._train)
        return all_epochs if self._plan.most_seen is None else min(all_epochs, self._plan.most_seen)

    def _steps_of(self, rows: int) -> int:
        return math.ceil(rows / self._plan.batch_size)

    def _batches(self) -> list[NDArray[np.int64]]:
        """Of the epoch under way: the places of each step's positions."""
        progress = self._progress
        if self._order is None or self._order[0] != progress.epoch:
            order = epoch_order(len(self._train), self._weights, self._plan.seed, progress.epoch)
            order = order[: self._most_seen - progress.seen + progress.epoch_seen]
            self._order = progress.epoch, np.array_split(order, self._steps_of(len(order)))
        return self._order[1]

    def step(self, pause: Callable[[], None]) -> StepFigures:
        """One step. `pause` is called at its beginning, and by a process that trains alone now and then within it;
        what it raises leaves everything as it was.

        DivergedError when loss or gradient are no numbers any more, or far above what they should be.
        """
        pause()
        progress, rows = self._progress, len(self._batches()[self._progress.epoch_step])
        rate = self._set_learning_rate()
        self._optimiser.zero_grad(set_to_none=True)
        parts = self._read(progress.epoch_step)
        sums: dict[str, Tensor] = {}
        for number, batch in enumerate(parts):
            if number and self._processes.count == 1:
                pause()
            with self._processes.gathering(self._saying, is_last=number == len(parts) - 1):
                by_head = losses(self._saying(batch.planes, batch.globals), batch)
                # Gradients of several processes are averaged: each stands for its part of all rows.
                share = self._processes.count / rows
                (total_loss(by_head).sum() * share).backward()  # type: ignore[no-untyped-call]
            sums = {head: sums.get(head, 0) + loss.detach().sum() for head, loss in by_head.items()}
        gradient = nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT).item()
        totals = self._processes.total(torch.stack(list(sums.values()))).tolist()
        by_name = {head: total / rows for head, total in zip(sums, totals, strict=True)}
        self._refuse_divergence(by_name["value"] + by_name["policy"], gradient)
        self._optimiser.step()
        self._average()
        progress.step += 1
        progress.seen += rows
        progress.epoch_step += 1
        progress.epoch_seen += rows
        progress.epoch_loss += (by_name["value"] + by_name["policy"]) * rows
        progress.gradient += (gradient - progress.gradient) / min(progress.step, STEADY)
        return StepFigures(progress.step, by_name, rate, gradient)

    def _read(self, step: int) -> list[Batch]:
        """The positions of a step of this epoch; those of the next one are read meanwhile."""
        epoch = self._progress.epoch
        ahead = self._ahead
        if ahead is None or ahead[:2] != (epoch, step):
            ahead = epoch, step, self._reader.submit(self._load, epoch, step, self._batches()[step])
        if step + 1 < len(self._batches()):
            following = self._reader.submit(self._load, epoch, step + 1, self._batches()[step + 1])
            self._ahead = epoch, step + 1, following
        return ahead[2].result()

    def _load(self, epoch: int, step: int, rows: NDArray[np.int64]) -> list[Batch]:
        symmetries = np.zeros(len(rows), np.uint8)
        if self._plan.augment:
            turns = np.random.default_rng((self._plan.seed, epoch, step))
            symmetries = turns.integers(SYMMETRIES[self._train.board], size=len(rows), dtype=np.uint8)
        mine = self._processes.part(len(rows))
        rows, symmetries = rows[mine], symmetries[mine]
        size = part_size(self.network.shape, self._device)
        return [
            self._train.batch(rows[part], self._plan.aim, self._device, symmetries[part])
            for part in (slice(first, first + size) for first in range(0, len(rows), size))
        ]

    def _set_learning_rate(self) -> float:
        """Of the next step, which it returns."""
        step, most = self._progress.step, self.most_steps
        warm_up = min(WARM_UP, math.ceil(most / 20))
        rate = self._plan.learning_rate
        if step < warm_up:
            rate *= (step + 1) / warm_up
        else:
            done = (step - warm_up) / max(1, most - warm_up)
            rate *= LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done)) / 2
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        return rate

    @torch.no_grad()
    def _average(self) -> None:
        step = self._progress.step
        share = 1 - min(AVERAGE, (1 + step) / (10 + step))
        averaged: list[Tensor] = list(self._averaged.parameters())
        current: list[Tensor] = list(self.network.parameters())
        torch._foreach_lerp_(averaged, current, share)

    def _refuse_divergence(self, loss: float, gradient: float) -> None:
        progress = self._progress
        place = f"training diverged in epoch {progress.epoch + 1}, step {progress.step + 1}: "
        if not math.isfinite(loss) or loss > DIVERGED_AT * self._uniform_loss:
            raise DivergedError(f"{place}loss {loss:.4g}")
        steady = progress.step >= STEADY
        if not math.isfinite(gradient) or (steady and gradient > DIVERGED_GRADIENT * progress.gradient):
            raise DivergedError(f"{place}gradient {gradient:.4g}, after {progress.gradient:.4g} on average")

    @torch.no_grad()
    def measure(self, pause: Callable[[], None]) -> EpochFigures:
        """Ends an epoch: measures the averaged parameters on the held-out positions, and keeps the best ones.

        `pause` is called now and then; what it raises leaves everything as it was. DivergedError as `step`.
        """
        progress = self._progress
        held_out = self._held_out if len(self._held_out) else self._train
        sums = torch.zeros(8 + len(AUXILIARY), dtype=torch.float64)
        for batch in _in_parts(held_out, self.network.shape, self._plan.aim, self._device, self._processes):
            if self._processes.count == 1:
                pause()
            sums += _measured(self._averaged.say_all(batch.planes, batch.globals), batch)
        value, policy, valued, policies, right, best_first, count, ended, *auxiliary = self._processes.total(
            sums
        ).tolist()
        figures = EpochFigures(
            epoch=progress.epoch + 1,
            step=progress.step,
            train_loss=progress.epoch_loss / progress.epoch_seen,
            held_out_loss=(value + policy) / count,
            held_out_value_loss=value / max(1, valued),
            held_out_policy_loss=policy / max(1, policies),
            held_out_accuracy=right / count,
            held_out_policy_accuracy=best_first / max(1, policies),
            held_out_auxiliary={head: loss / max(1, ended) for head, loss in zip(AUXILIARY, auxiliary, strict=True)},
        )
        self._refuse_divergence(figures.held_out_loss, 0.0)
        progress.epoch, progress.epoch_step = figures.epoch, 0
        progress.epoch_loss, progress.epoch_seen = 0.0, 0
        progress.figures.append(asdict(figures))
        if figures.held_out_loss < progress.best_loss:
            progress.best_loss, progress.best_epoch = figures.held_out_loss, figures.epoch
            self.best = _copied(self._averaged)
        return figures

    def save(self) -> bytes:
        """The whole state: parameters, averaged and best ones, optimiser and progress."""
        parts = {"network": self.network.state_dict(), "averaged": self._averaged.state_dict(), "best": self.best}
        return pack(parts, self._optimiser, asdict(self._progress))

    @property
    def layout(self) -> tuple[str, ...]:
        """Names of what `save` holds."""
        return (*(each.name for each in fields(_Progress)), *self.network.state_dict())

    def load(self, state: bytes) -> None:
        """Goes back to a saved state."""
        checkpoint = Checkpoint.unpack(state)
        self.network.load_state_dict(checkpoint.part("network"))
        self._averaged.load_state_dict(checkpoint.part("averaged"))
        self.best = {name: tensor.to(self._device) for name, tensor in checkpoint.part("best").items()}
        checkpoint.restore(self._optimiser)
        self._progress = _Progress(**checkpoint.progress)
        self._order = self._ahead = None


class _Saying(nn.Module):
    """All that a network says, as a module: what several processes wrap is called as one."""

    def __init__(self, network: RingRiftNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, planes: Tensor, features: Tensor) -> Said:
        return self.network.say_all(planes, features)


def part_size(shape: NetworkShape, device: torch.device) -> int:
    """Positions that go through a network at once: the others of a batch wait, so that a stop is heard soon."""
    numbers = PART if device.type == "cpu" else PART_OF_GPU
    return max(4, numbers // (shape.side**2 * shape.channels * shape.blocks))


def _in_parts(
    positions: Positions, shape: NetworkShape, aim: Aim, device: torch.device, processes: Processes = ALONE
) -> Iterator[Batch]:
    """All positions that are this process's, in order and as they are."""
    rows, size = np.arange(len(positions))[processes.part(len(positions))], 4 * part_size(shape, device)
    for first in range(0, len(rows), size):
        yield positions.batch(rows[first : first + size], aim, device)


def _measured(said: Said, batch: Batch) -> Tensor:
    """Sums over a batch: losses of values and policies, what values count and how many policies there are, winners and
    best moves named first, positions, those of games that ended, and losses of the auxiliary heads."""
    by_head, policies = losses(said, batch), batch.legal.any(dim=1)
    right = said.values.argmax(1) == batch.outcomes.argmax(1)
    found = [by_head["value"].sum(), by_head["policy"].sum(), batch.targets.sum(), policies.sum(), right.sum()]
    if batch.keys.shape[1] == 0:
        found.append(policies.sum())
    else:
        likeliest = move_logits(said.policy, batch).argmax(1, keepdim=True)
        best = batch.shares.gather(1, likeliest).squeeze(1) == batch.shares.amax(1)
        found.append((best & policies).sum())
    numbers = torch.stack([number.double().cpu() for number in found])
    ended = (~batch.eliminations[:, 0].isnan()).sum()
    auxiliary = torch.stack([by_head[head].sum().double().cpu() for head in AUXILIARY])
    counts = torch.tensor([len(batch), int(ended)], dtype=torch.float64)
    return torch.cat([numbers, counts, auxiliary])


@torch.no_grad()
def surprises(
    network: RingRiftNetwork, positions: Positions, device: torch.device, on_part: Callable[[float], None]
) -> NDArray[np.float32]:
    """[rows]: the divergence of each position's policy target from the network's policy, in nats; NaN without one.

    `on_part` hears the share that is done.
    """
    network = network.to(device)
    found: list[NDArray[np.float32]] = []
    seen = 0
    for batch in _in_parts(positions, network.shape, OUTCOMES, device):
        _, policy = network(batch.planes, batch.globals)
        divergence = policy_losses(policy, batch) + torch.xlogy(batch.shares, batch.shares).sum(1)
        found.append(divergence.cpu().numpy())
        seen += len(batch)
        on_part(seen / len(positions))
    return np.where(positions.have_policies, np.concatenate(found), np.float32(np.nan))


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}

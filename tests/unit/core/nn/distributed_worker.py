"""`torchrun ... distributed_worker.py FILE`, or without torchrun: trains some steps and writes what each of them lost.

Started by test_distributed.py, alone and as one of two. In doubles: what differs is what they do, and not how a machine
rounds, which a network that learns fast makes a hundred times as much of within these steps.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path

from ringrift_core.nn.processes import ALONE, joined  # First: it says how torch is to be loaded.

import torch  # isort: skip
from torch import Tensor  # isort: skip

from ringrift_core import _engine
from ringrift_core.contract import Board
from ringrift_core.nn.network import NetworkShape, RingRiftNetwork
from ringrift_core.nn.training import Training, TrainingPlan
from tests.unit.core.nn.rows import positions_of

STEPS = 50


class DoubleNetwork(RingRiftNetwork):
    """The network, in doubles."""

    def _trunk(self, planes: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        return super()._trunk(planes.double(), features.double())


def main(path: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    device = torch.device("cpu")
    judge = _engine.Judge.linear(_engine.heuristic_weights("baseline"))
    player = _engine.Player.minimax(judge, 1, noise=0.5)
    games = _engine.play_games("square8", 2, [[player]], seed=1, games=60, opening_plies=4)
    rows = _engine.encode_rows("square8", 2, [(game.game_id, game.moves, game.searches, None) for game in games])
    positions = positions_of(Board.SQUARE8, 2, rows)
    plan = TrainingPlan(seed=1, epochs=40, batch_size=256, learning_rate=2e-3)
    with joined(device) if "RANK" in os.environ else nullcontext(ALONE) as processes:
        network = DoubleNetwork(NetworkShape.of(Board.SQUARE8, 2, 2, 16))
        training = Training(network, plan, positions, positions, device, processes=processes)
        lost: list[dict[str, float]] = []
        held_out: list[float] = []
        while len(lost) < STEPS:
            lost.append(training.step(_never).losses)
            if training.epoch_is_over:
                held_out.append(training.measure(_never).held_out_loss)
        if processes.leads:
            path.write_text(json.dumps({"lost": lost, "held_out": held_out}))


def _never() -> None:
    """Nobody stops it."""


if __name__ == "__main__":
    main(Path(sys.argv[1]))

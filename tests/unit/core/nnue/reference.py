"""NNUE anew, from docs/encoding.md alone: positions by their JSON, networks by their file, every number whole.

It shares nothing with the engine but the rules' state as JSON, and is written to be read, not to be fast.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from ringrift_core._engine import Position

RINGS = {"square8": 18, "hex8": 18, "square19": 72, "hexagonal": 96}
RADIUS = {"hex8": 4, "hexagonal": 12}
WIDTH = {2: 64, 3: 64, 4: 32}
PHASES = (
    "ring_placement",
    "movement",
    "capture",
    "chain_capture",
    "line_processing",
    "territory_processing",
    "forced_elimination",
)


def cells(board: str) -> list[tuple[int, int]]:
    """(x, y) of every cell, rows first."""
    if board in RADIUS:
        radius = RADIUS[board]
        side = range(-radius, radius + 1)
        return [(x, y) for y in side for x in side if abs(x + y) <= radius]
    side = range(8 if board == "square8" else 19)
    return [(x, y) for y in side for x in side]


def level(count: int, target: int) -> int:
    return min(32, count if target <= 32 else -(-count * 32 // target))


def cell_inputs(players: int) -> int:
    return 5 * (2 * players - 1) + 2


def inputs(position: Position) -> Iterator[tuple[int, int]]:
    """(owner, number) of the inputs that have rows, owners counted from 0."""
    state = json.loads(position.to_json())
    board, players = position.board, position.players
    order = {f"{x},{y}": number for number, (x, y) in enumerate(cells(board))}
    for cell, rings in state["stk"].items():
        downwards = [int(ring) - 1 for ring in reversed(rings)]
        cap = next((depth for depth, ring in enumerate(downwards) if ring != downwards[0]), len(downwards))
        # Words hold 16 rings; a taller stack's lower ones are counted, not seen.
        cap, below = min(cap, 16), len(downwards) - min(cap, 16)
        kind = 0
        if below:
            heir = (downwards[cap] - downwards[0]) % players if cap < 16 else 1
            kind = 2 * heir - 1 + (below > 2)
        caps = [0, 0, 1, 2, 3, 3, 4][min(cap, 6)]
        yield downwards[0], cell_inputs(players) * order[cell] + (2 * players - 1) * caps + kind
    for name, kind in (("mk", cell_inputs(players) - 2), ("col", cell_inputs(players) - 1)):
        for cell, owner in state[name].items():
            yield owner - 1, cell_inputs(players) * order[cell] + kind
    rest = cell_inputs(players) * len(order)
    targets = (RINGS[board], RINGS[board] * (players + 1) // 3, len(order) // players + 1)
    for number, (name, target) in enumerate(zip(("hand", "elim", "terr"), targets, strict=True)):
        for seat, count in enumerate(state[name]):
            yield seat, rest + 33 * number + level(count, target)


def turn_inputs(position: Position) -> Iterator[tuple[int, int]]:
    """(owner, number) of those that weigh on the logits alone."""
    state = json.loads(position.to_json())
    mover, turn, game = state["p"] - 1, state["turn"], state["game"]
    yield mover, PHASES.index(state["ph"])
    swap = state["ph"] == "ring_placement" and any(move.kind == "swap_sides" for move in position.legal_moves())
    flags = (turn["lineDebt"], turn["regionDebt"] == "cap", turn["regionDebt"] == "buried", swap)
    yield from ((mover, 7 + flag) for flag, is_set in enumerate(flags) if is_set)
    if game["soloCount"] and game["soloSeat"]:
        yield game["soloSeat"] - 1, 11 + min(game["soloCount"], 3) - 1


def head_of_mover(position: Position) -> int:
    state = json.loads(position.to_json())
    rings = RINGS[position.board] * position.players
    placed = rings - sum(state["hand"])
    part = sum(bool(placed * times >= rings) for times in (12, 6, 3))
    return 4 * bool(state["ph"] != "ring_placement") + part


@dataclass(frozen=True)
class Network:
    """The tensors of a file, as whole numbers without a bound."""

    board: str
    players: int
    rows: np.ndarray
    bias: np.ndarray
    heads: np.ndarray
    head_bias: np.ndarray
    turn: np.ndarray

    @classmethod
    def of_file(cls, content: bytes) -> Network:
        length = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + length])["__metadata__"]
        tensors = {name: array.astype(np.int64) for name, array in load(content).items()}
        return cls(metadata["board"], int(metadata["players"]), **tensors)

    def values(self, position: Position) -> list[np.float32]:
        """Of every seat, for a game that goes on."""
        players = self.players
        present, of_turn = list(inputs(position)), list(turn_inputs(position))
        squares = []
        for perspective in range(players):
            total = self.bias + sum(self.rows[number, (owner - perspective) % players] for owner, number in present)
            wrapped = (total + 2**15) % 2**16 - 2**15
            squares.append(np.clip(wrapped, 0, 255) ** 2)
        mover, head = position.mover - 1, head_of_mover(position)
        logits = []
        for seat in range(players):
            bucket = 8 * ((seat - mover) % players) + head
            own, others = self.heads[bucket]
            of_others = sum(int((squares[other] * others).sum()) for other in range(players) if other != seat)
            mine = int((squares[seat] * own).sum()) + int(self.head_bias[bucket])
            mine += sum(int(self.turn[(owner - seat) % players, number]) for owner, number in of_turn)
            logits.append((players - 1) * mine + of_others)
        unit = np.float32(1 / (255 * 255 * 64 * (players - 1) * players))
        return [np.float32(players * logit - sum(logits)) * unit for logit in logits]


def random_file(board: str, players: int, seed: int, **metadata: str) -> bytes:
    """A network of random numbers, some of whose accumulators are clipped at either end, and some wrap around."""
    random = np.random.default_rng(seed)
    inputs_of_seat, width = cell_inputs(players) * len(cells(board)) + 99, WIDTH[players]
    tensors: dict[str, Any] = {
        "rows": random.integers(-900, 901, (inputs_of_seat, players, width), dtype=np.int16),
        "bias": random.integers(-300, 301, width, dtype=np.int16),
        "heads": random.integers(-127, 128, (8 * players, 2, width), dtype=np.int16),
        "head_bias": random.integers(-(10**6), 10**6, 8 * players, dtype=np.int32),
        "turn": random.integers(-(10**6), 10**6, (players, 14), dtype=np.int32),
    }
    numbers = ("scale", "temperature", "leaf_scale", "leaf_temperature", "noise_unit")
    texts = {"kind": "nnue", "format": "1", "inputs": "1", "board": board, "players": str(players)}
    return save(tensors, texts | dict.fromkeys(numbers, "0.5") | metadata)

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core.nn.positions import Batch, Policies
from ringrift_core.nn.training import policy_losses

NO_KEY = 40
Listed = list[list[tuple[tuple[int, ...], float]]]
"""By row: keys and share of each legal move."""

SHARES = st.sampled_from([0.0, 0.25, 0.5, 1.0])
ROWS = st.lists(
    st.lists(st.tuples(st.lists(st.integers(0, NO_KEY - 1), max_size=5).map(tuple), SHARES), max_size=4), max_size=6
)


def policies(rows: Listed) -> Policies:
    moves = [move for row in rows for move in row]
    return Policies(
        np.array([len(row) for row in rows], np.uint32),
        np.array([share for _, share in moves], np.float16),
        np.array([len(keys) for keys, _ in moves], np.uint8),
        np.array([key for keys, _ in moves for key in keys], np.uint16),
    )


def batch_of(rows: Listed, chosen: list[int]) -> Batch:
    nothing = torch.zeros(len(chosen), 1)
    padded = policies(rows).padded(np.array(chosen, np.int64), NO_KEY)
    return Batch(nothing, nothing, nothing, nothing, *map(torch.from_numpy, padded))


def listed(batch: Batch) -> Listed:
    return [
        [
            (tuple(key for key in keys.tolist() if key != NO_KEY), float(share))
            for keys, legal, share in zip(*row, strict=True)
            if legal
        ]
        for row in zip(batch.keys, batch.legal, batch.shares, strict=True)
    ]


@given(ROWS, st.data())
def test_ragged_policies_are_chosen_and_padded_row_by_row(rows: Listed, data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    left = [row for row, keep in zip(rows, kept, strict=True) if keep]
    part = policies(rows).part(np.array(kept, bool))
    for found, wanted in zip(vars(part).values(), vars(policies(left)).values(), strict=True):
        np.testing.assert_array_equal(found, wanted)
    if rows:
        chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8))
        assert listed(batch_of(rows, chosen)) == [rows[row] for row in chosen]


@given(ROWS.filter(bool))
def test_the_policy_loss_is_a_cross_entropy_over_each_rows_legal_moves(rows: Listed) -> None:
    numbers = torch.randn(len(rows), NO_KEY, generator=torch.Generator().manual_seed(1))
    losses = policy_losses(numbers, batch_of(rows, list(range(len(rows)))))
    for row, moves in enumerate(rows):
        logits = [sum(float(numbers[row, key]) for key in keys) for keys, _ in moves]
        total = math.log(sum(map(math.exp, logits))) if logits else 0
        wanted = sum(share * (total - logit) for (_, share), logit in zip(moves, logits, strict=True))
        assert math.isclose(float(losses[row]), wanted, abs_tol=1e-4)


def test_a_row_without_a_policy_gives_no_gradient() -> None:
    numbers = torch.zeros(2, NO_KEY, requires_grad=True)
    loss = policy_losses(numbers, batch_of([[((1,), 1.0), ((2, 3), 0.0)], []], [0, 1])).sum()
    (gradient,) = torch.autograd.grad(loss, numbers)
    assert gradient[0, 1:4].tolist() == [-0.5, 0.5, 0.5]
    assert not gradient[1].any()

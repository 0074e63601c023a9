"""What a game says of a candidate, by its outcome or by a network where it stopped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ringrift_core import _engine
from ringrift_core.cmaes.fitness import NetworkFitness, OutcomeFitness
from ringrift_core.contract import Board


def matches(board: Board, players: int, most_turns: int, groups: int = 12) -> list[list[_engine.GroupResult]]:
    baseline, material = (
        _engine.Player.one_ply(_engine.Judge.linear(_engine.heuristic_weights(setting)))
        for setting in ("baseline", "material")
    )
    candidates = [baseline, _engine.Player.random()]
    return _engine.play_matches(board.value, players, candidates, material, seed=5, groups=groups, max_turns=most_turns)


def before_last_decision(board: Board, players: int, record: _engine.GameRecord) -> _engine.Position:
    prefix = _engine.before_decision(board.value, players, record.moves, record.decisions - 1)
    position = _engine.Position(board.value, players)
    for move in _engine.notation(board.value, players, prefix):
        position.play(move)
    while len(position.legal_moves()) == 1:
        position.play(position.legal_moves()[0])
    return position


def by_what_it_sees(planes: NDArray[np.float32], features: NDArray[np.float32], players: int) -> NDArray[np.float32]:
    """Of each position something else for each seat, counted from the one to move."""
    seen = planes.sum(axis=(1, 2, 3)) + features.sum(axis=1)
    said = np.stack([1 + np.sin(seen * (number + 1)) for number in range(players)], axis=1)
    return np.asarray(said / said.sum(axis=1, keepdims=True), np.float32)


def mover_wins(planes: NDArray[np.float32], _: NDArray[np.float32]) -> NDArray[np.float32]:
    said = np.zeros((len(planes), 2), np.float32)
    said[:, 0] = 1
    return said


@pytest.mark.parametrize("players", [2, 3])
def test_a_stopped_game_is_worth_what_the_network_says_of_the_candidate_wherever_it_sits(players: int) -> None:
    board = Board.HEX8
    played = matches(board, players, most_turns=6)

    def said(planes: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.float32]:
        return by_what_it_sees(planes, features, players)

    found = NetworkFitness(board, players, 6, said).scores(played)
    for match, score in zip(played, found, strict=True):
        worth = []
        for group in match:
            for seat, (record, won) in enumerate(zip(group.records, group.candidate_won, strict=True)):
                assert won is None, "no game of hex8 is over after six turns"
                position = before_last_decision(board, players, record)
                planes, features = _engine.encode_position(position)
                (chances,) = said(planes[None], features[None])
                seats = [(position.mover - 1 + number) % players for number in range(players)]
                worth.append(chances[seats.index(seat)])
        assert score == pytest.approx(np.mean(worth), abs=0.002), "rows keep features as float16"
    assert not any(record.swapped for match in played for group in match for record in group.records)


def test_a_game_that_is_over_by_then_counts_as_it_ended() -> None:
    board = Board.SQUARE8
    played = matches(board, 2, most_turns=500)

    def nobody_asks(*_: Any) -> NDArray[np.float32]:
        raise AssertionError

    by_network = NetworkFitness(board, 2, 500, nobody_asks)
    by_outcome = OutcomeFitness(2, 500)
    assert by_network.scores(played) == pytest.approx(by_outcome.scores(played))
    assert by_network.cut(played) == by_outcome.cut(played) == 0


def test_stopped_games_are_no_evidence_by_outcome_and_are_by_a_network() -> None:
    played = matches(Board.HEX8, 2, most_turns=6, groups=3)
    assert OutcomeFitness(2, 6).cut(played) == 2 * 3 * 2
    assert OutcomeFitness(2, 6).scores(played) == [0.5, 0.5]
    assert NetworkFitness(Board.HEX8, 2, 6, mover_wins).cut(played) == 0

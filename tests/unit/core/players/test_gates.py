from __future__ import annotations

import itertools

import pytest

from ringrift_core.contract import TRACKS, Board, Track
from ringrift_core.errors import WrongInputError
from ringrift_core.players.gates import first_opponent, gate_judge, gate_player
from ringrift_core.players.ladder import rung
from ringrift_core.players.specification import Algorithm, Judge, JudgeKind, Time

EVERYWHERE = set(itertools.product(Board, (2, 3, 4)))


def test_every_track_that_is_gated_has_players_everywhere() -> None:
    gated = {track for track, facts in TRACKS.items() if facts.player}
    assert gated == {Track.WEIGHTS, Track.NNUE, Track.NETWORK}
    for track in gated:
        assert set(TRACKS[track].player) == set(TRACKS[track].first_opponent) == EVERYWHERE
        for configuration in EVERYWHERE:
            assert first_opponent(track, *configuration).judge == Judge(JudgeKind.WEIGHTS, 0)


def test_a_track_is_gated_by_its_own_judge_at_any_version() -> None:
    for track, facts in TRACKS.items():
        for board, players in facts.player:
            specification = gate_player(track, board, players)
            assert specification.judge == Judge(gate_judge(track, board, players))
            assert specification.judge.kind.value == track.value
            assert not isinstance(specification.search.budget, Time)


def test_an_nnue_is_gated_in_alpha_beta_and_first_meets_the_heuristic_in_the_same_search() -> None:
    for configuration in EVERYWHERE:
        candidate, opponent = (who(Track.NNUE, *configuration) for who in (gate_player, first_opponent))
        assert candidate.search == opponent.search == rung(5).choices(*configuration)[0].search


def test_a_network_is_gated_in_a_tree_search_and_first_meets_the_heuristic_in_the_same_search() -> None:
    for configuration in EVERYWHERE:
        candidate, opponent = (who(Track.NETWORK, *configuration) for who in (gate_player, first_opponent))
        assert candidate.search == opponent.search
        assert candidate.search.algorithm in (Algorithm.PUCT, Algorithm.GUMBEL)
        choices = rung(7).choices(*configuration)
        (rung_7,) = (one for one in choices if one.judge is not None and one.judge.kind is JudgeKind.NETWORK)
        assert candidate.search.algorithm is rung_7.search.algorithm


def test_a_track_without_players_is_refused() -> None:
    with pytest.raises(WrongInputError, match="track abacus: there is no player of it yet"):
        gate_player(Track("abacus"), Board.SQUARE8, 2)

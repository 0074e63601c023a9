"""A network's policy reaches the game: one that is all on one move is followed wherever that move is on offer.

Its values are even, so nothing but the policy can tell the move from the others. The network is a real one, in ONNX
Runtime and in torch, and is asked through whatever asks it in self-play, in matches and at the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringrift_core import Game, _engine
from ringrift_core.contract import Board
from ringrift_core.nn.inference import AskedNetwork, onnx_network, torch_network
from ringrift_core.play.seats import Casting
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Manner, seat
from tests.unit.core.nn.cards import card
from tests.unit.core.seating.constant_network import write_constant_network

FAVOURITE = "skip_placement"
Made = Callable[[Path], AskedNetwork]
SEARCHES = ["policy", "puct:16", "gumbel:16"]


def loud_key() -> int:
    """The key of the favourite move, which has no place and one key in every position."""
    game = Game("hex8", 2, seed=1)
    while FAVOURITE not in map(str, game.legal_moves()):
        game.play(game.legal_moves()[-1])
    (key,) = _engine.move_keys(game._position)[FAVOURITE]
    return key


def by_onnx(folder: Path) -> AskedNetwork:
    return onnx_network(write_constant_network(folder / "network.onnx", Board.HEX8, 2, (loud_key(),)))


def by_torch(folder: Path) -> AskedNetwork:
    import torch
    from safetensors.torch import save_file

    from ringrift_core.nn.network import NetworkShape, RingRiftNetwork

    shape = NetworkShape.of(Board.HEX8, 2, 2, 8)
    network = RingRiftNetwork(shape)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        assert network.policy_globals.bias is not None
        network.policy_globals.bias[loud_key() - shape.policy // shape.side**2 * shape.side**2] = 20
    save_file(network.state_dict(), folder / "weights.safetensors")
    return torch_network(card(Board.HEX8, 2), folder / "weights.safetensors", "cpu")


def player(network: AskedNetwork, search: str) -> _engine.Player:
    return seat(Specification.parse(f"network:{search}").search, network, Manner("network"))


def offers(record: _engine.GameRecord) -> Iterator[tuple[int, str]]:
    """(seat, move played) wherever the favourite move was one of several."""
    game = Game("hex8", 2)
    for move in _engine.notation("hex8", 2, record.moves):
        legal = game.legal_moves()
        if len(legal) > 1 and FAVOURITE in map(str, legal):
            yield game.mover, str(move)
        game.play(move)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("made", [by_onnx, by_torch])
def test_self_play_follows_the_policy(made: Made, search: str, tmp_path: Path) -> None:
    records = _engine.play_games(
        "hex8", 2, [[player(made(tmp_path), search)]], seed=1, games=4, opening_plies=1, max_turns=8
    )
    played = [move for record in records for _, move in offers(record)]
    assert len(played) > 10
    assert set(played) == {FAVOURITE}


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("made", [by_onnx, by_torch])
def test_in_a_match_its_own_seat_follows_it(made: Made, search: str, tmp_path: Path) -> None:
    groups = _engine.play_match(
        "hex8", 2, player(made(tmp_path), search), _engine.Player.random(), seed=1, groups=3, max_turns=8, swap=False
    )
    for group in groups:
        for number, record in enumerate(group.records):
            mine = [move for seat, move in offers(record) if seat == number + 1]
            assert set(mine) == {FAVOURITE}


@pytest.mark.parametrize("search", SEARCHES)
def test_at_the_table_it_is_followed(search: str, tmp_path: Path) -> None:
    path = write_constant_network(tmp_path / "network.onnx", Board.HEX8, 2, (loud_key(),))
    agent, _ = Casting.of(Board.HEX8, 2, None, tmp_path).agents([f"network={path}:{search}", "human"])
    assert isinstance(agent.mind, _engine.Player)
    game = Game("hex8", 2, seed=1)
    met = 0
    for _ in range(30):
        if FAVOURITE in map(str, game.legal_moves()):
            assert str(game.choose(agent.mind).move) == FAVOURITE
            met += 1
        game.random_playout(1)
    assert met > 3

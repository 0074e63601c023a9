from __future__ import annotations

import copy
import json
import pickle
import re
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core import Game, RulesError

BOARDS = ("square8", "square19", "hex8", "hexagonal")
SMALL = st.sampled_from([("square8", 2), ("square8", 3), ("hex8", 2), ("hex8", 4)])
SEEDS = st.integers(0, 2**32)


def position(configuration: tuple[str, int], seed: int, moves: int) -> Game:
    board, players = configuration
    game = Game(board, players, seed=seed)
    game.random_playout(moves)
    return game


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("players", [2, 3, 4])
@pytest.mark.parametrize("profile", ["canonical", "deployed"])
def test_random_play_ends_with_a_winner_ranked_first(board: str, players: int, profile: str) -> None:
    game = Game(board, players, profile, seed=4)
    played = game.random_playout()
    outcome = game.outcome()
    assert outcome is not None
    assert outcome.ranks[outcome.winner - 1] == 1
    assert len(outcome.ranks) == players
    assert (played, game.phase, game.legal_moves()) == (len(game.moves), "game_over", [])


@settings(deadline=None)
@given(SMALL, SEEDS, st.integers(0, 150))
def test_a_state_read_back_is_the_same_game(configuration: tuple[str, int], seed: int, moves: int) -> None:
    game = position(configuration, seed, moves)
    again = Game.from_state(game.state(), *configuration)
    assert again.state() == game.state()
    assert (again.hash(), again.search_key()) == (game.hash(), game.search_key())
    assert again.legal_moves() == game.legal_moves()
    assert again.outcome() == game.outcome()


@settings(deadline=None)
@given(SMALL, SEEDS, st.integers(0, 100), st.integers(1, 20))
def test_undo_goes_back_exactly(configuration: tuple[str, int], seed: int, moves: int, steps: int) -> None:
    game = position(configuration, seed, moves)
    before = game.state(), game.hash(), game.moves
    played = game.random_playout(steps)
    after = game.state(), game.hash(), game.moves
    undone = [game.undo() for _ in range(played)]
    assert (game.state(), game.hash(), game.moves) == before
    for move in reversed(undone):
        game.play(move)
    assert (game.state(), game.hash(), game.moves) == after


@settings(deadline=None)
@given(SMALL, SEEDS, st.integers(0, 100))
def test_moves_are_sorted_and_play_as_objects_or_text(configuration: tuple[str, int], seed: int, moves: int) -> None:
    game = position(configuration, seed, moves)
    legal = game.legal_moves()
    assert [str(move) for move in legal] == sorted({str(move) for move in legal})
    for move in legal[:5]:
        by_object, by_text = game.copy(), game.copy()
        by_object.play(move)
        by_text.play(str(move))
        assert by_object.state() == by_text.state()
        assert by_object.moves[-1] == move
        assert move.kind == str(move).partition(" ")[0]
        assert not move.automatic or len(legal) == 1


@pytest.mark.parametrize(
    "duplicate", [Game.copy, copy.copy, copy.deepcopy, lambda game: pickle.loads(pickle.dumps(game))]
)
def test_a_copy_lives_its_own_life_and_draws_alike(duplicate: Any) -> None:
    game = position(("hex8", 3), 8, 30)
    before = game.state()
    twin = duplicate(game)
    twin.random_playout()
    assert game.state() == before
    game.random_playout()
    assert game.state() == twin.state()


def test_the_turn_number_is_part_of_the_identity_but_not_of_the_search_key() -> None:
    game = position(("square8", 2), 1, 20)
    state = game.state()
    state["turn"]["no"] += 1
    later = Game.from_state(state)
    assert later.hash() != game.hash()
    assert later.search_key() == game.search_key()


def test_seat_two_may_swap_once_and_still_has_to_move() -> None:
    game = Game("square8", 2)
    for move in ("place_ring 3,3 n=1", "move_stack 3,3>3,4", "no_line_action", "no_territory_action"):
        game.play(move)
    assert "swap_sides" in map(str, game.legal_moves())
    game.play("swap_sides")
    assert game.mover == 2
    assert "swap_sides" not in map(str, game.legal_moves())
    assert not Game("square8", 2, swap=False).swap
    assert not Game("square8", 3).swap


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"board": "square9"}, r'board: "square9" is none of square8, hex8, square19, hexagonal'),
        ({"players": 5}, r"players: 5: a game has 2, 3 or 4 players"),
        ({"players": 1}, r"players: 1: a game has 2, 3 or 4 players"),
        ({"profile": "house"}, r'profile: "house" is neither canonical nor deployed'),
        ({"players": -1}, r"players: -1: a game has 2, 3 or 4 players"),
        ({"players": 2**70}, rf"players: {2**70}: a game has 2, 3 or 4 players"),
        ({"players": "two"}, r"players: expected a whole number, found <class 'str'>"),
        ({"board": "\ud800"}, r'board: ".+" is none of square8, .*'),
        ({"profile": "\ud800"}, r'profile: ".+" is neither canonical nor deployed'),
        ({"players": 3, "swap": True}, r"swap: the pie rule is for two players, not 3"),
    ],
)
def test_an_impossible_game_is_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RulesError) as refused:
        Game(**arguments)
    assert re.fullmatch(sentence, str(refused.value))


@pytest.mark.parametrize(
    ("move", "sentence"),
    [
        ("place_ring 9,9 n=1", r"9,9 is off the board square8"),
        ("place_ring 0,0 n=4", r"n=4"),
        ("move_stack 0,0>1,0", r"not legal for seat 1 in ring_placement"),
        ("castle e1g1", r"castle"),
        ("\ud800", r'^move ".+": no such move type$'),
        ("process_line [0,0;1,0;2,0;3,0]", r"^move process_line \[0,0;1,0;2,0;3,0\]: not legal for seat 1 in "),
        ("", r"."),
        (7, r"expected a Move or its notation, found <class 'int'>"),
        (None, r"expected a Move or its notation"),
    ],
)
def test_a_bad_move_is_refused_and_changes_nothing(move: Any, sentence: str) -> None:
    game = Game()
    before = game.state()
    with pytest.raises(RulesError, match=sentence):
        game.play(move)
    assert game.state() == before
    assert game.moves == []


@pytest.mark.parametrize("most", [-1, 2**80])
def test_a_limit_of_a_playout_that_is_none_is_named(most: int) -> None:
    game = Game()
    with pytest.raises(RulesError, match=rf"^max_moves: {most}: expected a whole number from 0 to 2\^64 - 1$"):
        game.random_playout(most)
    assert game.moves == []


def test_a_game_is_read_while_another_thread_plays_it_on() -> None:
    game = Game("hexagonal", 4, seed=5)
    before = game.legal_moves()
    thread = threading.Thread(target=game.random_playout)
    thread.start()
    readings = 0
    while thread.is_alive():
        assert game.legal_moves() in (before, [])
        readings += 1
    thread.join()
    assert readings > 1
    assert game.outcome() is not None


def test_a_playout_does_not_overwrite_what_another_thread_played() -> None:
    game = Game("hexagonal", 4, seed=5)
    refused = []

    def play_on() -> None:
        try:
            game.random_playout()
        except RulesError as error:
            refused.append(str(error))

    thread = threading.Thread(target=play_on)
    thread.start()
    while thread.is_alive() and not game.moves:
        game.play(game.legal_moves()[0])
    thread.join()
    # Whoever came first, no move is lost: either the playout's follow the other's, or it was refused.
    assert (game.outcome() is None) == bool(refused)
    assert all("another thread" in sentence for sentence in refused)


def test_undo_before_the_first_move_is_refused() -> None:
    with pytest.raises(RulesError, match="no move has been played"):
        Game().undo()


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"p": value}
    return value


def _with(path: str, value: Any) -> dict[str, Any]:
    """A state with one entry changed."""
    state = Game().state()
    *parents, last = path.split(".")
    target = state
    for name in parents:
        target = target[name]
    target[last] = value
    return state


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (_with("stk", {"0,0": "1"}), "rings"),
        (_with("mk", {"0,0": 3}), r"state\.mk.*0,0"),
        (_with("mk", {"9,0": 1}), r"state\.mk.*9,0"),
        (_with("hand", [18]), r"state\.hand"),
        (_with("ph", "endgame"), r"state\.ph"),
        (_with("p", 3), r"state\.p"),
        (_with("terr", [1, 0]), r"state\.terr"),
        ({}, "state"),
        ([], "state"),
        ({"p": object()}, "not JSON"),
        (_nested(100_000), "^state: not JSON: nested too deeply$"),
        (_with("ph", "\ud800"), "^state: no JSON: "),
    ],
)
def test_an_impossible_state_is_refused(state: Any, sentence: str) -> None:
    with pytest.raises(RulesError, match=sentence):
        Game.from_state(state)


LEAVES: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-3, 200) | st.text("0123456789,-x", max_size=6) | st.just([]) | st.just({})
)


@settings(deadline=None)
@given(SMALL, SEEDS, st.integers(0, 120), st.data())
def test_a_damaged_state_is_refused_or_playable(
    configuration: tuple[str, int], seed: int, moves: int, data: st.DataObject
) -> None:
    state: Any = position(configuration, seed, moves).state()
    parent, key = state, data.draw(st.sampled_from(sorted(state)))
    while isinstance(parent[key], dict) and parent[key] and data.draw(st.booleans()):
        parent = parent[key]
        key = data.draw(st.sampled_from(sorted(parent)))
    parent[key] = data.draw(LEAVES)
    try:
        game = Game.from_state(state, *configuration, seed=1)
    except RulesError:
        return
    game.random_playout()
    assert game.outcome() is not None


@settings(deadline=None)
@given(st.text(max_size=40) | st.builds("place_ring {},{} n={}".format, *[st.integers(-1, 99)] * 3))
def test_any_text_is_a_legal_move_or_an_error(text: str) -> None:
    game = Game()
    legal = {str(move) for move in game.legal_moves()}
    try:
        game.play(text)
    except RulesError:
        assert text not in legal
    else:
        assert str(game.moves[-1]) in legal


def test_the_state_is_plain_json() -> None:
    state = position(("hexagonal", 4), 2, 80).state()
    assert json.loads(json.dumps(state)) == state


@settings(deadline=None)
@given(SMALL, SEEDS, st.integers(0, 100))
def test_symmetric_games_are_different_views_of_one(configuration: tuple[str, int], seed: int, moves: int) -> None:
    game = position(configuration, seed, moves)
    views = game.symmetric()
    assert len(views) == (12 if game.board == "hex8" else 8)
    assert views[0].state() == game.state()
    if len(game.state()["stk"]) + len(game.state()["mk"]) > 6:
        assert len({view.hash() for view in views}) > 1
    for view in views:
        assert len(view.legal_moves()) == len(game.legal_moves())
        assert {*view.state()["hand"], *view.state()["elim"]} == {*game.state()["hand"], *game.state()["elim"]}


def test_the_deployed_profile_has_no_symmetries() -> None:
    with pytest.raises(RulesError, match="no symmetries"):
        Game(profile="deployed").symmetric()

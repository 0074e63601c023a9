from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core import Game, RulesError, _engine
from ringrift_core._engine import GameRecord, Judge, Player
from tests import patience

RANDOM = Player.random()
HEURISTIC = Player.one_ply(Judge.linear(_engine.heuristic_weights("baseline")), noise=0.05)


def facts(records: list[GameRecord]) -> list[tuple[Any, ...]]:
    names = [name for name in dir(GameRecord) if not name.startswith("_")]
    return [tuple(getattr(record, name) for name in names) for record in records]


def play(players: int = 2, **options: Any) -> list[GameRecord]:
    return _engine.play_games("hex8", players, [[RANDOM, HEURISTIC], [RANDOM]], **{"seed": 1, "games": 30} | options)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 4), st.integers(1, 7), st.integers(0, 29), st.integers(0, 2**64 - 1))
def test_a_game_depends_on_seed_and_number_alone(players: int, threads: int, cut: int, seed: int) -> None:
    options: dict[str, Any] = {"seed": seed, "opening_plies": 3, "opening_group": 2, "random_move_rate": 0.05}
    whole = facts(play(players, threads=1, **options))
    first = play(players, games=cut, threads=threads, **options)
    rest = play(players, games=30 - cut, first_game=cut, threads=threads, **options)
    assert facts(first + rest) == whole


def test_another_seed_plays_other_games() -> None:
    assert {record.game_id for record in play(seed=1)}.isdisjoint(record.game_id for record in play(seed=2))


@pytest.mark.parametrize("board", ["square8", "square19", "hex8", "hexagonal"])
@pytest.mark.parametrize("profile", ["canonical", "deployed"])
def test_a_record_replays_to_what_it_says(board: str, profile: str) -> None:
    for record in _engine.play_games(board, 3, [[RANDOM]], seed=5, games=3, profile=profile):
        replay = _engine.replay(board, 3, record.moves, profile=profile)
        assert replay.outcome is not None
        assert (replay.outcome.winner, replay.outcome.ranks) == (record.winner, record.ranks)
        assert replay.outcome.reason == record.reason
        for name in ("game_id", "swapped", "turns", "recorded_moves", "decisions"):
            assert getattr(replay, name) == getattr(record, name), name
        game = Game(board, 3, profile)
        for move in _engine.notation(board, 3, record.moves, profile=profile):
            game.play(move)
        assert game.outcome() == replay.outcome


def test_the_game_id_tells_rules_and_moves_apart_but_not_seeds() -> None:
    (record,) = _engine.play_games("square8", 2, [[RANDOM]], seed=5, games=1, max_turns=1)
    ids = {
        _engine.replay("square8", 2, record.moves).game_id,
        _engine.replay("square8", 2, record.moves, swap=False).game_id,
        _engine.replay("square8", 2, record.moves, profile="deployed").game_id,
        _engine.replay("square8", 3, record.moves).game_id,
        _engine.replay("square8", 2, record.moves[:-1]).game_id,
    }
    assert len(ids) == 5
    assert all(len(name) == 64 for name in ids)
    assert record.game_id in ids


@settings(deadline=None)
@given(st.data())
def test_a_damaged_record_is_refused_or_another_game(data: st.DataObject) -> None:
    (record,) = _engine.play_games("hex8", 2, [[RANDOM]], seed=6, games=1)
    moves = bytearray(record.moves)
    moves[data.draw(st.integers(0, len(moves) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert _engine.replay("hex8", 2, bytes(moves)).game_id != record.game_id
    except RulesError:
        return


@pytest.mark.parametrize(
    ("moves", "sentence"),
    [
        (b"\x00\x00", "move 0: the bytes end in the middle of it"),
        (b"\xff", "move 0: 255 is no kind of move"),
        (b"\x12\x85\x00", "move 0: 5 in two bytes, expected 128 to 511"),
        (b"\x00\x00\x00", "move 0: .* not legal for seat 1 in ring_placement"),
    ],
)
def test_moves_that_cannot_be_played_are_named(moves: bytes, sentence: str) -> None:
    with pytest.raises(RulesError, match=sentence):
        _engine.replay("square8", 2, moves)


def test_a_long_game_is_cut_without_a_winner() -> None:
    for record in play(max_turns=4):
        assert record.reason == "max_moves"
        assert (record.winner, record.winning_agent, record.ranks) == (None, None, None)
        assert record.turns == 4
        replay = _engine.replay("hex8", 2, record.moves)
        assert (replay.outcome, replay.turns) == (None, 5), "cut where the fifth turn would begin"


def test_modes_take_turns_and_mixed_ones_deal_each_seat() -> None:
    records = play(players=4, games=200)
    assert {record.seats for record in records[1::2]} == {("random",) * 4}
    for seat in range(4):
        share = sum(record.seats[seat] == "heuristic" for record in records[::2]) / 100
        assert 0.3 < share < 0.7
    assert len({record.seats for record in records[::2]}) > 8


def test_openings_are_shared_by_their_group_only() -> None:
    records = play(games=9, opening_plies=4, opening_group=3)
    openings = [_engine.notation("hex8", 2, record.moves)[:4] for record in records]
    assert [openings.count(opening) for opening in openings] == [3] * 9


def test_games_begin_where_their_prefixes_end() -> None:
    """Dealt over the groups in turn; an empty one leaves the opening to chance."""
    (long,) = _engine.play_games("hex8", 2, [[HEURISTIC]], seed=9, games=1)
    prefixes = [_engine.before_decision("hex8", 2, long.moves, decision) for decision in (5, 12)]
    records = play(games=9, prefixes=[*prefixes, b""], opening_plies=4, opening_group=2)
    for number, record in enumerate(records):
        which = number // 2 % 3
        if which < 2:
            assert record.moves.startswith(prefixes[which])
    chance = play(games=9, opening_plies=4, opening_group=2)
    assert [record.game_id for record in records[4:6]] == [record.game_id for record in chance[4:6]]
    assert len({record.game_id for record in records}) == 9, "games of one prefix go on differently"


def test_a_prefix_ends_before_its_decision() -> None:
    (record,) = _engine.play_games("square8", 3, [[HEURISTIC]], seed=9, games=1)
    for decision in (0, 1, record.decisions // 2, record.decisions - 1):
        prefix = _engine.before_decision("square8", 3, record.moves, decision)
        assert record.moves.startswith(prefix)
        replay = _engine.replay("square8", 3, prefix)
        assert (replay.decisions, replay.outcome) == (decision, None)
    with pytest.raises(RulesError, match=f"decision: {record.decisions}: the game has {record.decisions}"):
        _engine.before_decision("square8", 3, record.moves, record.decisions)


def test_prefixes_that_are_none_are_refused() -> None:
    (record,) = _engine.play_games("hex8", 2, [[RANDOM]], seed=9, games=1)
    with pytest.raises(RulesError, match=r"prefixes\[1\]: the game is over after it"):
        play(prefixes=[b"", record.moves])
    with pytest.raises(RulesError, match=r"prefixes\[0\].*move 0: 255 is no kind of move"):
        play(prefixes=[b"\xff"])
    with pytest.raises(RulesError, match=r"prefixes\[0\].*not legal"):
        play(prefixes=[record.moves[-2:]])


def test_random_moves_come_at_their_rate() -> None:
    best = Player.one_ply(Judge.linear(_engine.heuristic_weights("baseline")))
    same = _engine.play_games("hex8", 2, [[best]], seed=3, games=20)
    varied = _engine.play_games("hex8", 2, [[best]], seed=3, games=20, random_move_rate=0.05)
    assert len({record.game_id for record in same}) == 1
    assert len({record.game_id for record in varied}) > 15


def test_whoever_swaps_takes_the_result_along() -> None:
    records = [record for record in play(games=200) if record.swapped]
    assert records
    for record in records:
        assert record.winner is not None
        assert record.winning_agent == {1: 2, 2: 1}[record.winner]
        assert "swap_sides" in map(str, _engine.notation("hex8", 2, record.moves))
    assert not any(record.swapped for record in play(games=200, swap=False))


def test_games_are_handed_over_as_they_finish() -> None:
    calls: list[list[GameRecord]] = []
    assert play(games=4000, receive=calls.append) == []
    assert len(calls) > 1, "a few hundred milliseconds of games come in several calls"
    received = sorted((record for call in calls for record in call), key=lambda record: record.index)
    assert facts(received) == facts(play(games=4000))


def test_a_run_may_be_stopped_with_whole_games() -> None:
    received: list[GameRecord] = []

    def receive(records: list[GameRecord]) -> bool:
        received.extend(records)
        return len(received) < 5

    play(games=10**6, receive=receive)
    assert 5 <= len(received) < 10**6
    whole = {record.index: record.game_id for record in play(games=max(record.index for record in received) + 1)}
    assert all(whole[record.index] == record.game_id for record in received)


@given(st.sets(st.integers(0, 40)))
def test_games_of_a_former_run_are_left_out(done: set[int]) -> None:
    rest = play(skip=sorted(done), first_game=5)
    assert [record.index for record in rest] == sorted(set(range(5, 35)) - done)
    whole = {record.index: record.game_id for record in play(first_game=5)}
    assert all(record.game_id == whole[record.index] for record in rest)


def test_the_longest_games_are_begun_first() -> None:
    deep = Player.descent(Judge.linear(_engine.heuristic_weights("baseline")), nodes=64)
    order: list[int] = []

    def receive(records: list[GameRecord]) -> None:
        order.extend(record.index for record in records)

    modes = [[RANDOM], [deep], [HEURISTIC]]
    _engine.play_games("hex8", 2, modes, seed=1, games=12, threads=1, receive=receive)
    assert order == [1, 4, 7, 10, 2, 5, 8, 11, 0, 3, 6, 9]


def test_memory_does_not_grow_with_the_number_of_games() -> None:
    program = """
import resource
from ringrift_core._engine import Player, play_games

def peak(games):
    play_games("square8", 2, [[Player.random()]], seed=1, games=games, receive=lambda records: None)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

before = peak(2_000)
print(peak(40_000) - before)
"""
    grown = int(
        subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, check=True, text=True).stdout
    )
    assert grown < 16_000, "KB; 40,000 records take several times that"


def test_other_threads_run_meanwhile() -> None:
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        deep = Player.descent(Judge.linear(_engine.heuristic_weights("baseline")), nodes=3000)
        _engine.play_games("square8", 2, [[deep]], seed=1, games=4, threads=1)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    ticks = 0
    while not done.wait(0.001):
        ticks += 1
    thread.join()
    assert ticks > 50


def test_an_exception_of_the_receiver_comes_out() -> None:
    def fail(records: list[GameRecord]) -> None:
        raise KeyError(len(records))

    with pytest.raises(KeyError):
        play(games=10**6, receive=fail)


@pytest.mark.parametrize("mode", ["RANDOM", "Player.descent(baseline, nodes=10**6)"])
def test_ctrl_c_gets_through_at_once(mode: str) -> None:
    program = f"""
from ringrift_core import _engine
from ringrift_core._engine import Judge, Player
baseline = Judge.linear(_engine.heuristic_weights("baseline"))
RANDOM = Player.random()
print("begun", flush=True)
_engine.play_games("square8", 2, [[{mode}]], seed=1, games=10**7, threads=2)
"""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        try:
            _, error = process.communicate(timeout=patience.SECONDS)
        finally:
            process.kill()
    assert b"KeyboardInterrupt" in error


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"opening_group": 0}, "opening_group: 0, expected at least 1"),
        ({"random_move_rate": 1.5}, "random_move_rate: 1.5 is not between 0 and 1"),
        ({"profile": "house"}, "profile"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RulesError, match=sentence):
        play(**options)


@pytest.mark.parametrize("modes", [[], [[]], [[RANDOM], []]])
def test_a_mode_needs_a_player(modes: list[list[Player]]) -> None:
    with pytest.raises(RulesError, match="at least one mode, each with at least one player"):
        _engine.play_games("hex8", 2, modes, seed=1, games=1)


@pytest.mark.parametrize(
    ("weights", "noise", "sentence"),
    [
        ([1.0], 0.0, "weights: 1 numbers, expected 20, one per feature"),
        ([float("nan")] * 20, 0.0, "weights: rings_in_hand is NaN"),
        ([1.0] * 20, -1.0, "noise: -1 is not a number from 0"),
    ],
)
def test_a_player_with_bad_numbers_is_refused(weights: list[float], noise: float, sentence: str) -> None:
    with pytest.raises(RulesError, match=sentence):
        Player.one_ply(Judge.linear(weights), noise)
    with pytest.raises(RulesError, match=sentence):
        Player.descent(Judge.linear(weights), noise=noise)

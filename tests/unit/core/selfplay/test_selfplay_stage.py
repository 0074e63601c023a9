from __future__ import annotations

import dataclasses
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from ringrift_core import _engine
from ringrift_core.archive import identity
from ringrift_core.contract import Board, EngineMode, SelfplayParameters, SelfplayResult, StageResult
from ringrift_core.errors import NotNowError, StoreRefusedError, WrongInputError
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.replay.games import GamesWriter, RecordedGame, read_games
from ringrift_core.replay.restarts import Restarts
from ringrift_core.selfplay import shard_work
from ringrift_core.selfplay.shard_work import ShardWork
from ringrift_core.store import open_store
from tests.unit.core.desk import Desk

NOTHING_PLAYED = {"games_played": 0, "seconds": 0}


def games_of(desk: Desk, iteration: int = 1) -> list[RecordedGame]:
    games: list[RecordedGame] = []
    for number, task in desk.archive.tasks(f"i{iteration:04d}/selfplay-"):
        record = desk.archive.record(number, task)
        assert record is not None
        games += read_games(desk.archive.get_file(record.result.outputs["games"], desk.run.folder))
    return games


def test_shards_hold_whole_games_that_the_engine_replays(desk: Desk) -> None:
    result = desk.selfplay(games=25)
    told = result.answer(SelfplayResult)
    assert (told.games, told.cut_games, sum(told.seat_wins), told.games_played) == (25, 0, 25, 25)
    assert told.games_per_second > 0
    shards = [line for line in desk.report.lines if line.startswith("shard ")]
    assert sorted(line.partition(" of ")[0] for line in shards) == [f"shard {n}: {8 + n // 2} games" for n in range(3)]
    games = games_of(desk)
    assert len({game.id for game in games}) == 25
    for game in games:
        replayed = _engine.replay("square8", 2, game.moves)
        assert replayed.game_id == game.id
        assert replayed.outcome is not None
        assert (replayed.outcome.winner, replayed.outcome.ranks) == (game.winner, game.ranks)
        assert (replayed.turns, replayed.decisions, replayed.recorded_moves) == (
            game.turns,
            game.decisions,
            game.recorded_moves,
        )


def test_a_further_round_has_the_games_that_follow(desk: Desk, tmp_path: Path) -> None:
    desk.selfplay(games=20)
    desk.selfplay(games=5, first_game=20, shard="0-1/2")
    assert {task for _, task in desk.archive.tasks("i0001/selfplay-")} == {
        f"selfplay-s{number:04d}" for number in (0, 1, 20, 21)
    }
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    other.selfplay(games=25)
    assert {game.id for game in games_of(desk)} == {game.id for game in games_of(other)}


def test_a_further_round_is_held_against_its_own_shards_alone(desk: Desk) -> None:
    desk.selfplay(games=20)
    desk.selfplay(games=20, first_game=20, shard="0/2")
    with pytest.raises(WrongInputError, match=r"selfplay-s0020 .*, played for games 20, not 21"):
        desk.selfplay(games=21, first_game=20, shard="1/2")


def test_a_game_depends_on_seed_and_number_never_on_shards(desk: Desk, tmp_path: Path) -> None:
    desk.selfplay(games=20, shard="0-1/2", engine_modes="heuristic-only,random-only")
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    for index in (3, 0, 2, 1):
        other.selfplay(games=20, shard="0-3/4", index=index, engine_modes="heuristic-only,random-only")
    assert [game.id for game in games_of(desk)] == [game.id for game in games_of(other)]


def test_the_same_shard_is_the_same_file(desk: Desk, tmp_path: Path) -> None:
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    assert desk.selfplay(games=10).outputs["games"].sha256 == other.selfplay(games=10).outputs["games"].sha256


def test_a_finished_shard_is_not_played_again(desk: Desk) -> None:
    first = desk.selfplay(games=20)
    desk.report.lines.clear()
    again = desk.selfplay(games=20, attempt=2)
    assert desk.report.lines == ["shard 0 is finished already", "shard 1 is finished already"]
    assert again.answer(SelfplayResult) == first.answer(SelfplayResult).model_copy(update=NOTHING_PLAYED)
    assert again.attempt == 2


def test_modes_are_dealt_over_the_games(desk: Desk) -> None:
    desk.selfplay(games=12, engine_modes="random-only,heuristic-only,descent-only", shard="0/1")
    seats = [game.seats[0] for game in games_of(desk)]
    assert sorted(seats) == ["descent"] * 4 + ["heuristic"] * 4 + ["random"] * 4


def test_a_named_player_plays_all_games(desk: Desk) -> None:
    desk.selfplay(games=6, player="weights@0:minimax-2:500", random_moves=0.0)
    assert {seat for game in games_of(desk) for seat in game.seats} == {"weights@0:minimax-2:500"}
    with pytest.raises(WrongInputError, match="network@0: versions are 1 to"):
        desk.selfplay(2, player="network:gumbel:64")
    with pytest.raises(
        WrongInputError, match=r"nnue:one-ply: which version plays\? nnue@1:\.\.\., or --nnue-version 1"
    ):
        desk.selfplay(2, player="nnue:one-ply")
    with pytest.raises(WrongInputError, match="nnue version 3: never a champion"):
        desk.selfplay(2, player="nnue@3:one-ply")


def test_several_named_players_are_dealt_over_the_seats(desk: Desk) -> None:
    desk.selfplay(games=12, player="weights@0:minimax-2:500,weights@0:one-ply", random_moves=0.0, shard="0/1")
    seats = [game.seats for game in games_of(desk)]
    names = {"weights@0:minimax-2:500", "weights@0:one-ply"}
    assert {name for game in seats for name in game} == names
    assert {len(set(game)) for game in seats} == {1, 2}, "some meet themselves, and some each other"
    with pytest.raises(WrongInputError, match=r"--player nnue:one-ply: which version plays\?"):
        desk.selfplay(2, player="weights@0:one-ply,nnue:one-ply")
    with pytest.raises(WrongInputError, match="''"):
        desk.selfplay(2, player="weights@0:one-ply,")


def test_without_random_moves_every_decision_after_the_opening_is_searched(desk: Desk) -> None:
    desk.selfplay(games=10, random_moves=0.0)
    for game in games_of(desk):
        searched = [search.decision for search in _engine.searches_from_bytes(game.searches, 2)]
        assert searched == list(range(searched[0], game.decisions))
    desk.selfplay(2, games=10)
    unsearched = [game.decisions - len(_engine.searches_from_bytes(game.searches, 2)) - 8 for game in games_of(desk, 2)]
    assert max(unsearched) > 0, "as a rule some are random"


def test_a_share_of_the_games_goes_on_from_restarts(desk: Desk) -> None:
    desk.selfplay(games=10)
    prefixes = [_engine.before_decision("square8", 2, game.moves, game.decisions // 2) for game in games_of(desk)[:3]]
    restarts = Restarts(board=Board.SQUARE8, players=2, prefixes=tuple(prefix.hex() for prefix in prefixes))
    desk.selfplay(2, seed=2, games=16, restarts=restarts.save(desk.archive), restart_share=0.25)
    desk.selfplay(3, seed=2, games=16)
    begun = [next((prefix for prefix in prefixes if game.moves.startswith(prefix)), None) for game in games_of(desk, 2)]
    assert begun == 3 * [None] + [
        prefixes[0],
        *3 * [None],
        prefixes[1],
        *3 * [None],
        prefixes[2],
        *3 * [None],
        prefixes[0],
    ]
    others = [number for number, prefix in enumerate(begun) if prefix is None]
    ids, plain = ([game.id for game in games_of(desk, iteration)] for iteration in (2, 3))
    assert [ids[number] for number in others] == [plain[number] for number in others], "the others are as they were"


def test_players_decide_about_the_swap(desk: Desk) -> None:
    desk.selfplay(games=200, engine_modes=("heuristic-only",))
    games = games_of(desk)
    assert 0 < sum(game.swapped for game in games) < 100
    decided = 0
    for game in games:
        searched = {search.decision for search in _engine.searches_from_bytes(game.searches or b"", 2)}
        position, decision = _engine.Position("square8", 2), 0
        for move in _engine.notation("square8", 2, game.moves):
            legal = position.legal_moves()
            decided += "swap_sides" in map(str, legal) and decision in searched
            decision += len(legal) > 1
            position.play(move)
    assert decided > 20, "a target of training"


def test_in_games_of_minimax_alone_every_decision_after_the_opening_was_searched(desk: Desk) -> None:
    desk.selfplay(games=6, engine_modes="minimax-only", random_moves=0.0, shard="0/1")
    for game in games_of(desk):
        assert set(game.seats) == {"minimax"}
        searched = len(_engine.searches_from_bytes(game.searches, 2))
        assert game.decisions - 8 <= searched <= game.decisions


def test_in_mixed_games_each_seat_is_drawn(desk: Desk) -> None:
    desk.selfplay(games=30, engine_modes="mixed", shard="0/1")
    pairs = {game.seats for game in games_of(desk)}
    assert len(pairs) >= 5
    assert {name for pair in pairs for name in pair} == {"random", "heuristic", "minimax", "descent"}


def test_alpha_beta_plays_alone_where_a_network_is_to_meet_it_and_there_is_none(desk: Desk) -> None:
    desk.selfplay(games=4, engine_modes="network-and-minimax", shard="0/1")
    assert {name for game in games_of(desk) for name in game.seats} == {"minimax"}


def test_cut_games_are_counted_and_warned_of(desk: Desk) -> None:
    result = desk.selfplay(games=10, max_moves=3)
    assert result.answer(SelfplayResult).cut_share == 1
    assert "warning: 100% of the games were cut by the move limit, more than 5%" in desk.report.lines
    assert {game.reason for game in games_of(desk)} == {"max_moves"}
    assert not any(game.completed for game in games_of(desk))


def test_the_shards_of_another_number_are_not_those_asked_for(desk: Desk) -> None:
    desk.selfplay(games=20, shard="0/2")
    with pytest.raises(StoreRefusedError, match="was finished for shardCount 2, not 4"):
        desk.selfplay(games=20, shard="0/4")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"shard": "2/3"}, "shardCount 2, not 3"),
        ({"games": 40}, "games 20, not 40"),
        ({"seed": 2}, "seed 1, not 2"),
        ({"max_moves": 9}, "maxMoves None, not 9"),
    ],
)
def test_a_shard_that_divides_other_games_than_its_siblings_is_refused(
    desk: Desk, asked: dict[str, Any], said: str
) -> None:
    desk.selfplay(games=20, shard="0/2")
    desk.report.fractions.clear()
    others: dict[str, Any] = {"games": 20, "shard": "1/2"} | asked
    with pytest.raises(WrongInputError, match=f"iteration 1 has selfplay-s0000 in .*, played for {said}: all shards"):
        desk.selfplay(**others)
    assert desk.report.fractions == []
    desk.selfplay(games=20, shard="0-1/2", index=1)
    assert len(games_of(desk)) == 20


def test_of_two_runs_that_begin_at_once_the_later_to_finish_is_refused(desk: Desk, tmp_path: Path) -> None:
    other = Desk(desk.archive.store, tmp_path / "scratch2")
    raced: list[StageResult] = []

    def race(_: float) -> None:
        if not raced:
            raced.append(other.selfplay(games=10, shard="1/2"))

    desk.report.on_progress = race
    with pytest.raises(WrongInputError, match=r"has selfplay-s0001 in .*, played for games 10, not 5000"):
        desk.selfplay(games=5000, shard="0/2")
    assert list(content(desk)) == ["selfplay-s0001"]


def test_a_line_of_json_tells_each_game(desk: Desk) -> None:
    result = desk.selfplay(games=10, shard="0/1")
    lines = [json.loads(line) for line in desk.archive.get_bytes(result.outputs["log"]).splitlines()]
    assert [(line["game"], line["id"], line["winner"]) for line in lines] == [
        (game.number, game.id, game.winner) for game in games_of(desk)
    ]
    assert set(desk.selfplay(2, games=10, shard="0/1", log_games=False).outputs) == {"games"}


def test_games_are_cut_at_the_plans_limit_unless_told_otherwise() -> None:
    for board, players, turns in (("square8", 2, 500), ("square8", 4, 700), ("hexagonal", 3, 800)):
        here = {"store": "file:///s", "board": board, "players": players, "iteration": 1, "seed": 1, "games": 1}
        assert SelfplayParameters(**here).move_limit == turns
        assert SelfplayParameters(**here, max_moves=9).move_limit == 9


def content(desk: Desk) -> dict[str, tuple[object, object]]:
    """Every task's outputs and sums."""
    found: dict[str, tuple[object, object]] = {}
    for number, task in desk.archive.tasks():
        record = desk.archive.record(number, task)
        assert record is not None
        found[task] = ({name: one.sha256 for name, one in record.result.outputs.items()}, record.result.result)
    return found


class CrashError(Exception):
    """The end of a process, as far as its files can tell."""


def crash_at(desk: Desk, least: float) -> None:
    def crash(fraction: float) -> None:
        if fraction > least:
            raise CrashError

    desk.report.on_progress = crash


# At most 1,024 finished games wait for a busy run, so of this many some are left wherever it is stopped.
MANY_GAMES = 4_000


@pytest.mark.parametrize("end", ["stopped", "crashed"])
def test_a_run_goes_on_from_the_games_it_finished(desk: Desk, tmp_path: Path, end: str) -> None:
    whole = Desk(open_store((tmp_path / "whole").as_uri()), tmp_path / "whole-scratch")
    whole.selfplay(games=MANY_GAMES, shard="0-1/2")
    if end == "stopped":
        desk.stop_when(lambda fraction: fraction > 0.6)
    else:
        crash_at(desk, 0.6)
    with pytest.raises(NotNowError if end == "stopped" else CrashError):
        desk.selfplay(games=MANY_GAMES, shard="0-1/2")
    assert list(content(desk)) == ["selfplay-s0000"]
    # What was stopped may go on elsewhere; what crashed finds its own files.
    assert (list(desk.run.folder.iterdir()) == []) == (end == "stopped")
    desk.go_on()
    desk.report.lines.clear()
    desk.report.fractions.clear()
    desk.selfplay(games=MANY_GAMES, shard="0-1/2", attempt=2)
    (said,) = [line for line in desk.report.lines if "goes on from" in line]
    assert said.startswith("shard 1 goes on from ")
    assert min(desk.report.fractions) > 0.1, "what was finished is not played again"
    assert content(desk) == content(whole)
    assert list(desk.run.folder.iterdir()) == []
    assert [key for key in desk.archive.store.keys("") if "checkpoint" in key] == []
    assert desk.objects() == whole.objects()


def test_the_speed_is_that_of_the_games_this_process_played(desk: Desk) -> None:
    crash_at(desk, 0.0)
    with pytest.raises(CrashError):
        desk.selfplay(games=5000, shard="0/1")
    desk.go_on()
    result = desk.selfplay(games=5000, shard="0/1")
    (said,) = [line for line in desk.report.lines if "goes on from" in line]
    earlier = int(said.split()[5])
    told = result.answer(SelfplayResult)
    assert 0 < earlier < 5000 == told.games
    assert told.games_played == 5000 - earlier
    assert told.games_per_second == told.games_played / told.seconds


def test_what_an_older_attempt_saves_late_is_refused(desk: Desk) -> None:
    desk.stop_when(lambda fraction: fraction > 0.2)
    with pytest.raises(NotNowError):
        desk.selfplay(games=MANY_GAMES, shard="0/1", attempt=2)
    desk.go_on()
    desk.stop_when(lambda fraction: fraction > 0.6)
    with pytest.raises(StoreRefusedError, match="attempt 2 has taken over from attempt 1"):
        desk.selfplay(games=MANY_GAMES, shard="0/1", attempt=1)


def test_a_damaged_file_of_an_earlier_attempt_is_begun_anew(desk: Desk, tmp_path: Path) -> None:
    whole = Desk(open_store((tmp_path / "whole").as_uri()), tmp_path / "whole-scratch")
    whole.selfplay(games=1000, shard="0/1")
    crash_at(desk, 0.3)
    with pytest.raises(CrashError):
        desk.selfplay(games=1000, shard="0/1")
    desk.go_on()
    (work,) = desk.run.folder.glob("*.work")
    work.write_bytes(b"no database at all")
    desk.selfplay(games=1000, shard="0/1")
    assert content(desk) == content(whole)


def test_games_of_other_parameters_in_the_same_folder_are_left_alone(desk: Desk, tmp_path: Path) -> None:
    crash_at(desk, 0.3)
    with pytest.raises(CrashError):
        desk.selfplay(games=1000, shard="0/1", seed=1)
    desk.go_on()
    desk.selfplay(games=1000, shard="0/1", seed=2)
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "other-scratch")
    other.selfplay(games=1000, shard="0/1", seed=2)
    assert content(desk) == content(other)


def test_a_long_run_is_saved_now_and_then(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_work, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr(shard_work, "MOST_CHECKPOINT_TIME", 1.0)
    saved: list[int] = []
    desk.report.on_progress = lambda _: saved.append(
        sum("checkpoint" in key for key in desk.archive.store.keys("square8-2p/tasks/"))
    )
    desk.selfplay(games=3000, shard="0/1")
    assert saved[-1] == 0
    assert 1 in saved


def test_a_checkpoint_of_any_size_takes_the_memory_of_a_piece(desk: Desk) -> None:
    desk.selfplay(2, games=1, shard="0/1")
    (game,) = games_of(desk, 2)
    parameters = SelfplayParameters(**desk.here, iteration=1, seed=1, games=64)
    path = desk.run.folder / f"selfplay-s0000-{identity(parameters)[0][:12]}.work"
    with GamesWriter(path, game.rules) as writer:
        writer.append(dataclasses.replace(game, number=number, moves=bytes(1 << 20)) for number in range(64))
    tracemalloc.start()
    ShardWork(parameters, desk.run, 0).hand_over()
    assert list(desk.run.folder.iterdir()) == []
    assert ShardWork(parameters, desk.run, 0).numbers() == set(range(64))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20, "of 64 MiB"
    assert list(desk.run.folder.iterdir()) == [path]


def test_champion_weights_play_when_asked_for(desk: Desk) -> None:
    def champion(**weights: float) -> StageResult:
        zero = dict.fromkeys(HeuristicWeights.of_vector(_engine.heuristic_weights("material"), *square8).weights, 0.0)
        made = HeuristicWeights(board=Board.SQUARE8, players=2, weights=zero | weights).save(desk.archive)
        return desk.promote(track="weights", iteration=4, expected_version=0, candidate=made)

    square8 = (Board.SQUARE8, 2)
    champion(elimination=-9.0)
    desk.selfplay(1, games=10)
    desk.selfplay(2, games=10, weights_version=4)
    assert [game.id for game in games_of(desk, 1)] != [game.id for game in games_of(desk, 2)]
    with pytest.raises(WrongInputError, match="weights version 3: never a champion"):
        desk.selfplay(3, games=10, weights_version=3)


def test_network_self_play_needs_a_network(desk: Desk) -> None:
    with pytest.raises(WrongInputError, match="--engine-modes network: needs --network-version"):
        desk.selfplay(engine_modes=(EngineMode.NETWORK,))


def test_a_store_that_cannot_be_written_is_refused_before_a_game_is_played(tmp_path: Path) -> None:
    desk = Desk(open_store("file:///proc/nobody/store"), tmp_path / "scratch")
    with pytest.raises(StoreRefusedError, match="No such file or directory"):
        desk.selfplay(games=10)
    assert desk.report.fractions == []

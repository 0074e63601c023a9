from __future__ import annotations

from pathlib import Path

import pytest

from ringrift_core import _engine
from ringrift_core.contract import Board, EngineMode, StageResult
from ringrift_core.players.weights import HeuristicWeights
from ringrift_core.replay.games import Game, read_games
from ringrift_core.stage import NotNowError, WrongInputError
from ringrift_core.store import StoreRefusedError, open_store
from tests.unit.core.desk import Desk


def games_of(desk: Desk, iteration: int = 1) -> list[Game]:
    games: list[Game] = []
    for number, task in desk.archive.tasks(f"i{iteration:04d}/selfplay-"):
        record = desk.archive.record(number, task)
        assert record is not None
        games += read_games(desk.archive.get_file(record.result.outputs["games"], desk.run.folder))
    return games


def test_shards_hold_whole_games_that_the_engine_replays(desk: Desk) -> None:
    result = desk.selfplay(games=25)
    assert (result.metrics["games"], result.metrics["cut_games"]) == (25, 0)
    assert result.metrics["games_per_second"] > 0
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


def test_a_game_depends_on_seed_and_number_never_on_shards(desk: Desk, tmp_path: Path) -> None:
    desk.selfplay(games=20, shard_games=10, engine_modes="heuristic-only,random-only")
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    for index in (3, 0, 2, 1):
        other.selfplay(games=20, shard_games=5, shards="0-3", index=index, engine_modes="heuristic-only,random-only")
    assert [game.id for game in games_of(desk)] == [game.id for game in games_of(other)]


def test_the_same_shard_is_the_same_file(desk: Desk, tmp_path: Path) -> None:
    other = Desk(open_store((tmp_path / "other").as_uri()), tmp_path / "scratch2")
    assert desk.selfplay(games=10).outputs["games"].sha256 == other.selfplay(games=10).outputs["games"].sha256


def test_a_finished_shard_is_not_played_again(desk: Desk) -> None:
    first = desk.selfplay(games=20)
    desk.report.lines.clear()
    again = desk.selfplay(games=20, attempt=2)
    assert desk.report.lines == ["shard 0 is finished already", "shard 1 is finished already"]
    assert again.metrics == first.metrics
    assert again.attempt == 2


def test_modes_are_dealt_over_the_games(desk: Desk) -> None:
    desk.selfplay(games=12, engine_modes="random-only,heuristic-only,descent-only", shard_games=12)
    seats = [game.seats[0] for game in games_of(desk)]
    assert sorted(seats) == ["descent"] * 4 + ["heuristic"] * 4 + ["random"] * 4


def test_in_mixed_games_each_seat_is_drawn(desk: Desk) -> None:
    desk.selfplay(games=30, engine_modes="mixed", shard_games=30)
    pairs = {game.seats for game in games_of(desk)}
    assert len(pairs) >= 5
    assert {name for pair in pairs for name in pair} == {"random", "heuristic", "descent"}


def test_cut_games_are_counted_and_warned_of(desk: Desk) -> None:
    result = desk.selfplay(games=10, max_moves=3)
    assert result.metrics["cut_share"] == 1
    assert "warning: 100% of the games were cut by the move limit, more than 5%" in desk.report.lines
    assert {game.reason for game in games_of(desk)} == {"max_moves"}
    assert not any(game.completed for game in games_of(desk))


def test_sigterm_loses_the_shard_under_way_and_nothing_else(desk: Desk) -> None:
    desk.stop_when(lambda fraction: fraction > 0.5)
    with pytest.raises(NotNowError):
        desk.selfplay(games=2000, shard_games=1000)
    assert len(games_of(desk)) == 1000
    assert len(desk.objects()) == 1


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

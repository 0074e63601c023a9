"""`ringrift replay` as people type it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ringrift_core import _engine
from ringrift_core.cli import app
from ringrift_core.contract import Board
from ringrift_core.replay.games import RecordedGame, read_games
from ringrift_core.replay.manifest import read_manifest, swap_manifest
from ringrift_core.store import open_store
from tests.unit.core.desk import Desk
from tests.unit.core.replay.test_games import play, sealed

MODES = "random-only,descent-only"


def replay(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["replay", *map(str, arguments)])


def counts(result: Result) -> tuple[int, int, int]:
    last = json.loads(result.stdout.splitlines()[-1])
    assert list(last) == ["games", "verified", "faults"]
    return last["games"], last["verified"], last["faults"]


def segments(desk: Desk) -> list[Path]:
    manifest, _ = read_manifest(desk.archive)
    return [desk.archive.get_file(segment.artifact, desk.run.folder) for segment in manifest.segments]


def loose_shard(desk: Desk, tmp_path: Path) -> Path:
    """A file that tests may damage."""
    desk.merge()
    path = tmp_path / "loose.sqlite"
    path.write_bytes(segments(desk)[0].read_bytes())
    return path


def alter(path: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement, values).rowcount == 1


@pytest.fixture
def played(desk: Desk) -> Desk:
    desk.selfplay(games=20, engine_modes=MODES)
    desk.selfplay(2, seed=2, games=10, max_moves=3, engine_modes=MODES)
    desk.merge()
    desk.merge(2)
    return desk


def test_verify_passes_what_was_recorded_wherever_it_is(played: Desk) -> None:
    store = played.archive.store.uri
    for source, games in (
        (store, 30),
        (store + "/square8-2p", 30),
        (store.removeprefix("file://"), 30),
        (str(segments(played)[0]), 20),
        (f"{store}/square8-2p/objects", 60),  # shards and segments
    ):
        result = replay("verify", source)
        assert result.exit_code == 0, result.stderr
        assert result.stdout == f'{{"games":{games},"verified":{games},"faults":0}}\n'


def test_an_s3_store_is_read_where_it_is(s3_uri: str, tmp_path: Path) -> None:
    desk = Desk(open_store(s3_uri), tmp_path / "scratch")
    desk.selfplay(games=20)
    segment = desk.merge().outputs["segment"]
    for source in (s3_uri, s3_uri + "/square8-2p", segment.uri):
        assert counts(replay("verify", source)) == (20, 20, 0)
    result = replay("verify", s3_uri + "/nothing.sqlite")
    assert (result.exit_code, result.stderr) == (
        2,
        f"ringrift replay verify: {s3_uri}/nothing.sqlite: no such object\n",
    )


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("id", b"\0" * 32, "id: "),
        ("id", b"", "id: "),
        ("seats", '["random"]', "seats: .* expected 2 names"),
        ("seats", "random", "seats: random: expected 2 names"),
        ("winner", 9, r"winner: 9, but the moves make [12]$"),
        ("winner", None, r"winner: nobody, but the moves make [12]$"),
        ("ranks", "[2,2]", r"ranks: \[2,2\], but the moves make \[[12],[12]\]$"),
        ("ranks", None, r"ranks: none, but the moves make \[[12],[12]\]$"),
        ("reason", "stalemate", r"reason: stalemate, but the moves make [a-z_]+$"),
        ("reason", "max_moves", r"reason: max_moves, but the moves make [a-z_]+$"),
        ("swapped", 7, "swapped: 7"),
        ("turns", -1, "turns: -1"),
        ("turns", 2**62, "turns: 46"),
        ("recorded_moves", 1, "recorded_moves: 1"),
        ("decisions", 0, "decisions: 0"),
    ],
)
def test_a_game_that_is_not_what_it_says_is_named(
    desk: Desk, tmp_path: Path, column: str, value: object, sentence: str
) -> None:
    desk.selfplay(games=10, engine_modes=MODES)
    path = loose_shard(desk, tmp_path)
    alter(path, f"UPDATE games SET {column} = ? WHERE number = 4", value)
    result = replay("verify", path)
    assert (result.exit_code, counts(result)) == (1, (10, 9, 1))
    assert len(result.stdout.splitlines()) == 2
    assert re.match(rf"{path}: game 4 \([0-9a-f]*\): {sentence}", result.stdout, re.MULTILINE)


def test_moves_and_searches_that_could_not_be_are_named(desk: Desk, tmp_path: Path) -> None:
    desk.selfplay(games=10, engine_modes="descent-only")
    path = loose_shard(desk, tmp_path)
    game = next(read_games(path))
    first, *_ = _engine.searches_from_bytes(game.searches, 2)
    head = 4 + 2 * 2 + 2  # decision, two values, number of moves

    def entry(decision: int, policy: bytes, moves: int) -> bytes:
        return decision.to_bytes(4, "little") + b"\0\x38\0\x38" + moves.to_bytes(2, "little") + policy

    one_move = game.searches[head : head + 4] + b"\0\x3c"
    other_move = game.searches[head + 6 : head + 10]
    half = b"\0\x38\0\x38"

    def with_position(code: bytes, values: bytes) -> bytes:
        return entry(first.decision, one_move, 1 | 1 << 15) + b"\1\0" + b"\1\0" + code + values

    for searches, sentence in (
        (game.searches[:-1], "searches, byte .*cut short"),
        (entry(game.decisions, b"", 0), f"searches: one of decision {game.decisions}, which the game has not"),
        (entry(first.decision, b"\xff\0\0\0\0\x3c", 1), f"searches, decision {first.decision}: .* is not legal there"),
        (entry(first.decision, one_move * 2, 2), r": [a-z_]+( \S+)* is not legal there, or stands there twice"),
        (
            entry(first.decision, one_move, 1)[:6] + b"\0\0" + entry(first.decision, one_move, 1)[8:],
            "sum to 0.5, not 1",
        ),
        (entry(first.decision, one_move + other_move + b"\0\x38", 2), "the shares sum to 1.5, not 1"),
        (with_position(b"\xff\0\0\0", half), "on the way to a position of its tree is not legal"),
        (with_position(one_move[:4], b"\0\x38\0\0"), "the win probabilities sum to 0.5, not 1"),
        (entry(first.decision, one_move, 1) * 2, "which the game has not, or not after those before it"),
    ):
        alter(path, "UPDATE games SET searches = ? WHERE number = 1", searches)
        result = replay("verify", path)
        assert (result.exit_code, counts(result)) == (1, (10, 9, 1))
        assert re.search(sentence, result.stdout), result.stdout
    for searches in (entry(first.decision, one_move, 1), with_position(one_move[:4], half)):
        alter(path, "UPDATE games SET searches = ? WHERE number = 1", searches)
        assert replay("verify", path).exit_code == 0


def test_a_cut_game_must_say_so(played: Desk, tmp_path: Path) -> None:
    path = tmp_path / "cut.sqlite"
    path.write_bytes(segments(played)[1].read_bytes())
    alter(path, "UPDATE games SET reason = 'stalemate', winner = 1, ranks = '[1,2]' WHERE number = 1")
    alter(path, "UPDATE games SET turns = 4 WHERE number = 2")
    alter(path, "UPDATE games SET winner = 2 WHERE number = 3")
    alter(path, "UPDATE games SET ranks = '[1,2]' WHERE number = 4")
    result = replay("verify", path)
    assert (result.exit_code, counts(result)) == (1, (10, 6, 4))
    assert "winner: 2, but the moves make nobody\n" in result.stdout
    assert "ranks: [1,2], but the moves make none\n" in result.stdout


def test_verify_names_the_first_faults_only(desk: Desk, tmp_path: Path) -> None:
    desk.selfplay(games=10)
    path = loose_shard(desk, tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE games SET turns = 0")
    assert len(replay("verify", path, "--faults", "3").stdout.splitlines()) == 4
    assert counts(replay("verify", path)) == (10, 0, 10)


def test_merged_games_must_be_there_once_and_be_counted(played: Desk) -> None:
    manifest, version = read_manifest(played.archive)
    first, second = manifest.segments
    doubled = manifest.model_copy(
        update={"segments": (first, first.model_copy(update={"games": 19}), second), "games": 49}
    )
    assert swap_manifest(played.archive, doubled, version)
    result = replay("verify", played.archive.store.uri, "--faults", "1000")
    assert (result.exit_code, counts(result)) == (1, (50, 50, 21))
    assert "20 games, but " in result.stdout
    assert "is there 2 times" in result.stdout


def test_what_cannot_be_read_is_named_and_the_rest_verified(played: Desk, tmp_path: Path) -> None:
    half = tmp_path / "half.sqlite"
    content = segments(played)[0].read_bytes()
    half.write_bytes(content[: len(content) // 2])
    result = replay("verify", half, segments(played)[0], tmp_path / "nowhere")
    assert (result.exit_code, counts(result)) == (2, (20, 20, 0))
    damaged, absent = result.stderr.splitlines()
    assert damaged.startswith(f"ringrift replay verify: {half}: damaged, or no file of recorded games")
    assert absent.startswith(f"ringrift replay verify: {tmp_path / 'nowhere'}: no games there; expected a file")


def test_shards_that_are_not_merged_yet_are_said(desk: Desk) -> None:
    store = desk.archive.store.uri
    desk.selfplay(games=10)
    desk.selfplay(2, seed=2, games=20)
    for source in (store, store + "/square8-2p", store.removeprefix("file://")):
        for command in ("list", "stats", "verify"):
            result = replay(command, source)
            assert result.exit_code == 2
            assert result.stderr == (
                f"ringrift replay {command}: {source}: self-play's shards there (3) are not merged yet: "
                "run ringrift merge first\n"
            )
    desk.merge(2)
    assert counts(replay("verify", store)) == (30, 30, 0)


def test_a_segment_with_another_hash_is_refused(played: Desk) -> None:
    alter(segments(played)[0], "UPDATE games SET turns = 1 WHERE number = 1")
    result = replay("verify", played.archive.store.uri)
    assert result.exit_code == 2
    assert "is damaged: SHA-256" in result.stderr


def test_list_shows_the_games_that_are_asked_for(played: Desk) -> None:
    store = played.archive.store.uri
    everything = replay("list", store, "--limit", "0", "--json")
    games = [json.loads(line) for line in everything.stdout.splitlines()]
    known = [game for path in segments(played) for game in read_games(path)]
    assert [game["id"] for game in games] == [game.id for game in known]
    assert games[3]["seats"] == list(known[3].seats)
    cut = replay("list", store, "--where", "reason = 'max_moves'", "--json").stdout.splitlines()
    assert len(cut) == 10
    assert len(replay("list", store, "--json").stdout.splitlines()) == 20
    table = replay("list", store, "--limit", "2").stdout
    assert known[0].id[:12] in table
    assert "square8-2p, profile canonical, with the pie rule" in table
    wrong = replay("list", store, "--where", "length > 3")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "ringrift replay list: --where 'length > 3': no such column: length\n",
    )
    for attack in ("1); DROP TABLE games --", "1 = (", ""):
        assert replay("list", store, "--where", attack).exit_code == 2
    assert counts(replay("verify", store)) == (30, 30, 0)


def searched(desk: Desk) -> RecordedGame:
    return next(game for path in segments(desk) for game in read_games(path) if game.searches and game.completed)


def test_show_tells_a_whole_game(played: Desk) -> None:
    store, game = played.archive.store.uri, searched(played)
    shown = json.loads(replay("show", store, game.id[:9], "--json").stdout)
    assert (shown["id"], shown["reason"]) == (game.id, game.reason)
    notation = [str(move) for move in _engine.notation("square8", 2, game.moves)]
    assert [ply["move"] for ply in shown["plies"]] == notation
    decided = [ply for ply in shown["plies"] if ply["decision"] is not None]
    assert [ply["decision"] for ply in decided] == list(range(game.decisions))
    searches = {one.decision: one for one in _engine.searches_from_bytes(game.searches, 2)}
    for ply in decided:
        search = searches.get(ply["decision"])
        assert (ply["values"] is None) == (search is None)
        if search is not None:
            assert ply["values"] == list(search.values)
            assert 0 < sum(share for _, share in ply["policy"]) < 1.002
            shares = [share for _, share in ply["policy"]]
            assert shares == sorted(shares, reverse=True)
            assert not any(move.startswith("0x") for move, _ in ply["policy"])
    text = replay("show", store, game.id, "--at", "0", "--at", "5").stdout
    assert f"won by {game.reason}" in text
    assert "before decision 0\n" in text
    assert "before decision 5\n" in text
    assert "no_line_action" not in text
    assert "no_line_action" in replay("show", store, game.id, "--all").stdout


def test_a_board_that_the_game_has_not_is_refused_before_anything_is_shown(played: Desk) -> None:
    store, game = played.archive.store.uri, searched(played)
    last = game.decisions - 1
    shown = replay("show", store, game.id, "--at", "-1", "--at", str(last)).stdout
    assert shown.index("the end\n") < shown.index(f"before decision {last}\n")
    for number in (-5, -2, last + 1, 9999):
        for more in ([], ["--json"]):
            result = replay("show", store, game.id, "--at", "0", "--at", str(number), *more)
            assert (result.exit_code, result.stdout, result.stderr) == (
                2,
                "",
                f"ringrift replay show: --at {number}: the game has {game.decisions} decisions, counted from 0; "
                "-1 draws its end\n",
            )


def test_an_id_may_be_written_as_sqlite_writes_it(played: Desk) -> None:
    store, game = played.archive.store.uri, searched(played)
    assert game.id.upper() != game.id
    assert replay("show", store, game.id.upper()).stdout == replay("show", store, game.id).stdout != ""


def test_a_game_that_is_not_there_or_not_alone_is_said(played: Desk) -> None:
    store = played.archive.store.uri
    assert replay("show", store, "0" * 64).stderr.endswith("begins with it\n")
    by_first_digit = Counter(game.id[0] for path in segments(played) for game in read_games(path))
    digit, games = by_first_digit.most_common(1)[0]
    assert f"ID {digit}: {games} games begin with it" in replay("show", store, digit).stderr
    wrong = replay("show", store, "XYZ")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "ringrift replay show: ID: 'XYZ' is not up to 64 hexadecimal digits\n",
    )


def test_stats_count_what_there_is(played: Desk) -> None:
    store = played.archive.store.uri
    stats = json.loads(replay("stats", store, "--json").stdout)
    games = [game for path in segments(played) for game in read_games(path)]
    assert (stats["games"], stats["files"], stats["duplicates"]) == (30, 2, 0)
    assert stats["cut_share"] == pytest.approx(10 / 30, abs=1e-6)
    assert sum(stats["wins_by_seat"].values()) + stats["cut_share"] == pytest.approx(1, abs=1e-5)
    turns = sorted(game.turns for game in games)
    assert stats["lengths"]["turns"]["mean"] == pytest.approx(sum(turns) / 30, abs=0.01)
    assert (stats["lengths"]["turns"]["least"], stats["lengths"]["turns"]["most"]) == (turns[0], turns[-1])
    assert stats["lengths"]["turns"]["median"] == turns[14]
    assert stats["players"] == {
        name: {
            "seats": sum(game.seats.count(name) for game in games),
            "wins": sum(
                game.seats[(3 - game.winner if game.swapped else game.winner) - 1] == name
                for game in games
                if game.winner is not None
            ),
        }
        for name in ("descent", "random")
    }
    assert stats["searched_games"] == sum(bool(game.searches) for game in games)
    doubled = json.loads(replay("stats", store, str(segments(played)[0]), "--json").stdout)
    assert (doubled["games"], doubled["duplicates"]) == (50, 20)
    assert "descent" in replay("stats", store).stdout


def test_a_swapped_game_is_won_by_the_player_that_moved_to_the_winning_seat(tmp_path: Path) -> None:
    games = [replace(game, seats=("one", "two")) for game in play(400)]
    swapped = [game for game in games if game.swapped]
    assert len(swapped) >= 3
    stats = json.loads(replay("stats", sealed(tmp_path / "swapped.sqlite", swapped), "--json").stdout)
    won_at_seat_two = sum(game.winner == 2 for game in swapped)
    assert stats["players"] == {
        "one": {"seats": len(swapped), "wins": won_at_seat_two},
        "two": {"seats": len(swapped), "wins": len(swapped) - won_at_seat_two},
    }
    assert stats["swapped_share"] == 1
    for game in swapped:
        shown = replay("show", tmp_path / "swapped.sqlite", game.id).stdout
        assert "the players of seats 1 and 2 changed places" in shown
        assert f"seat {game.winner} ({'two' if game.winner == 1 else 'one'}) won by" in shown


def test_games_of_other_configurations_are_counted_apart(played: Desk, tmp_path: Path) -> None:
    other = Desk(played.archive.store, tmp_path / "scratch2", Board.HEX8, 3)
    other.selfplay(games=10)
    other.merge()
    lines = replay("stats", played.archive.store.uri, "--json").stdout.splitlines()
    assert sorted((json.loads(line)["rules"], json.loads(line)["games"]) for line in lines) == [
        ("hex8-3p, profile canonical, without the pie rule", 10),
        ("square8-2p, profile canonical, with the pie rule", 30),
    ]


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("games", "seats = 'random'", "seats: Invalid JSON: expected value at line 1 column 1"),
        ("games", "seats = '5'", "seats: Input should be a valid tuple"),
        ("games", "seats = 'null'", "seats: Input should be a valid tuple"),
        ("games", "seats = '[5,6]'", "seats.0: Input should be a valid string"),
        ("games", "seats = '[]'", "seats: 0 of them, expected 2"),
        ("games", "ranks = '5'", "ranks: Input should be a valid tuple"),
        ("games", "ranks = '[1,2,3]'", "ranks: 3 of them, expected 2"),
        ("games", "ranks = NULL", "winner and ranks: one without the other"),
        ("games", "winner = 9", "winner: seat 9 of 2"),
        ("games", "winner = 0", "winner: Input should be greater than or equal to 1"),
        ("games", "swapped = 7", "swapped: Input should be less than or equal to 1"),
        ("games", "id = substr(id, 1, 31)", "id: "),
        ("games", "turns = -1", "turns"),
        ("rules", "board = 'chess'", "board: Input should be 'square8', "),
        ("rules", "players = 7", "players: Input should be less than or equal to 4"),
        ("rules", "players = 1", "players: Input should be greater than or equal to 2"),
        ("rules", "swap = 7", "swap: Input should be a valid boolean"),
    ],
)
def test_columns_with_nonsense_in_them_are_refused_in_a_sentence(
    desk: Desk, tmp_path: Path, table: str, change: str, said: str
) -> None:
    desk.selfplay(games=10)
    path = loose_shard(desk, tmp_path)
    victim = list(read_games(path))[3]
    where = f" WHERE number = {victim.number}" if table == "games" else ""
    alter(path, f"UPDATE {table} SET {change}{where}")
    for command, *more in (["list"], ["stats"], ["show", victim.id[:12]]):
        result = replay(command, path, *more)
        assert (result.exit_code, result.stdout) == (2, "")
        named = f"game {victim.number}: " if table == "games" and command != "stats" else ""
        assert result.stderr.startswith(f"ringrift replay {command}: {path}: damaged ({named}")
        assert said in result.stderr
        assert result.stderr.count("\n") == 1


def test_an_empty_id_is_refused_in_a_sentence(desk: Desk, tmp_path: Path) -> None:
    desk.selfplay(games=10)
    path = loose_shard(desk, tmp_path)
    alter(path, "UPDATE games SET id = x'' WHERE number = 4")
    one_by_one, together = "game 4: id: Data should have at least 32 bytes", "id: 1 of 10 are not 32 bytes"
    for command, said in (("list", one_by_one), ("stats", together)):
        result = replay(command, path)
        assert (result.exit_code, result.stderr) == (2, f"ringrift replay {command}: {path}: damaged ({said})\n")


def test_a_condition_that_selects_other_rows_is_refused_in_a_sentence(played: Desk) -> None:
    result = replay("list", segments(played)[0], "--where", "0) UNION SELECT 1,2,3,4,5,6,7,8,9,10,11,12 --")
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(r"ringrift replay list: .*: damaged \(.*\)\n", result.stderr)

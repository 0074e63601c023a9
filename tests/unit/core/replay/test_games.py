from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringrift_core import _engine
from ringrift_core.contract import Board, Profile
from ringrift_core.errors import StoreRefusedError
from ringrift_core.replay.games import GamesWriter, RecordedGame, Rules, count_games, explained, read_games, read_rules
from tests.faults.workshop import small_disk

SQUARE8 = Rules.usual(Board.SQUARE8, 2)
PLAYERS = [
    [_engine.Player.random()],
    [_engine.Player.descent(_engine.Judge.linear(_engine.heuristic_weights("baseline")), 32, 0.05)],
]


def play(games: int, rules: Rules = SQUARE8, seed: int = 1, **options: Any) -> list[RecordedGame]:
    records = _engine.play_games(
        rules.board, rules.players, PLAYERS, seed=seed, games=games, swap=rules.swap, profile=rules.profile, **options
    )
    return [RecordedGame.from_record(record, rules) for record in records]


def sealed(path: Path, games: list[RecordedGame], rules: Rules = SQUARE8) -> Path:
    with GamesWriter(path.with_suffix(".work"), rules) as writer:
        writer.append(games)
        assert writer.seal(path) == len(games)
    return path


def test_a_game_comes_back_as_it_was(tmp_path: Path) -> None:
    games = play(8) + play(2, seed=2, first_game=8, max_turns=3)
    path = sealed(tmp_path / "shard.sqlite", games)
    assert list(read_games(path)) == games
    assert (count_games(path), read_rules(path)) == (10, SQUARE8)
    assert {bool(game.searches) for game in games} == {False, True}
    assert {game.completed for game in games} == {False, True}


@pytest.mark.parametrize(
    "rules",
    [
        Rules.usual(Board.HEXAGONAL, 3),
        Rules(Board.SQUARE19, 2, Profile.DEPLOYED, swap=True),
        Rules(Board.HEX8, 2, Profile.CANONICAL, swap=False),
    ],
)
def test_every_kind_of_game_is_stored(rules: Rules, tmp_path: Path) -> None:
    games = play(4, rules, max_turns=60)
    path = sealed(tmp_path / "shard.sqlite", games, rules)
    assert list(read_games(path)) == games
    for game in games:
        replayed = _engine.replay(rules.board, rules.players, game.moves, profile=rules.profile, swap=rules.swap)
        assert replayed.game_id == game.id


@settings(max_examples=20)
@given(order=st.permutations(range(12)), batch=st.integers(1, 12))
def test_the_same_games_are_the_same_bytes_whatever_order_they_came_in(
    order: list[int], batch: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("seal")
    games = play(12)
    with GamesWriter(folder / "work", SQUARE8) as writer:
        for start in range(0, 12, batch):
            writer.append(games[number] for number in order[start : start + batch])
        writer.seal(folder / "drawn.sqlite")
    expected = sealed(folder / "sorted.sqlite", games).read_bytes()
    assert (folder / "drawn.sqlite").read_bytes() == expected


def test_a_finished_file_is_one_plain_file(tmp_path: Path) -> None:
    path = sealed(tmp_path / "shard.sqlite", play(4))
    list(read_games(path))
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("shard.sqlite")] == ["shard.sqlite"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_under_work_is_gone_on_with_and_can_be_read_meanwhile(tmp_path: Path) -> None:
    games = play(6)
    path = tmp_path / "work"
    with GamesWriter(path, SQUARE8) as writer:
        writer.append(games[3:])
        assert count_games(path) == 3
    with GamesWriter(path, SQUARE8) as writer:
        assert writer.numbers() == {3, 4, 5}
        writer.append(games[:3])
        assert list(read_games(path)) == games


def test_a_batch_is_recorded_whole_or_not_at_all(tmp_path: Path) -> None:
    games = play(4)
    with GamesWriter(tmp_path / "work", SQUARE8) as writer:
        writer.append(games[:2])
        with pytest.raises(StoreRefusedError, match=r"UNIQUE constraint failed: games\.number"):
            writer.append([games[2], games[0]])
        assert writer.numbers() == {0, 1}


def test_a_file_of_other_rules_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = sealed(tmp_path / "shard.sqlite", play(2))
    with pytest.raises(StoreRefusedError, match=r"shard.sqlite: games of square8-2p, .* not hexagonal-3p, .*without"):
        GamesWriter(path, Rules.usual(Board.HEXAGONAL, 3))


def test_what_is_no_file_of_games_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = sealed(tmp_path / "shard.sqlite", play(8))
    content = path.read_bytes()
    for damaged, sentence in (
        (content[: len(content) // 2], "damaged, or no file of recorded games"),
        (content[:100], "damaged, or no file of recorded games"),
        (b"", "an empty file, without recorded games"),
        (b"not SQLite" * 100, "damaged, or no file of recorded games"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(StoreRefusedError, match=rf"^{path}: {sentence}"):
            list(read_games(path))
    path.unlink()
    with pytest.raises(StoreRefusedError, match="no such file"):
        count_games(path)


def test_a_folder_that_takes_no_files_is_not_called_a_damaged_file(tmp_path: Path) -> None:
    for path in (Path("/sys/games.sqlite"), tmp_path / "nowhere" / "games.sqlite"):
        with pytest.raises(StoreRefusedError, match=rf"^{path}: unable to open database file; may this user open it"):
            GamesWriter(path, SQUARE8)
    path = sealed(tmp_path / "sealed.sqlite", play(2))
    with (
        closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection,
        pytest.raises(StoreRefusedError, match=rf"^{path}: attempt to write a readonly database; may this user"),
        explained(path),
    ):
        connection.execute("DELETE FROM games")


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    path = sealed(tmp_path / "shard.sqlite", play(2))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 3")
    with pytest.raises(StoreRefusedError, match="schema version 3, this release reads 2"):
        count_games(path)
    with pytest.raises(StoreRefusedError, match="schema version 3, this release reads 2"):
        GamesWriter(path, SQUARE8)


def test_a_number_is_used_once_but_a_game_may_be_played_twice(tmp_path: Path) -> None:
    (game,) = play(1)
    path = sealed(tmp_path / "shard.sqlite", [game, replace(game, number=7)])
    assert [one.number for one in read_games(path)] == [0, 7]


def test_the_questions_of_the_documentation_are_answered(tmp_path: Path) -> None:
    text = (Path(__file__).parents[4] / "docs" / "replay.md").read_text()
    questions = re.findall(r'^sqlite3 (?:-box )?games.sqlite "(.+)"$', text, re.MULTILINE)
    assert len(questions) >= 7
    path = sealed(tmp_path / "games.sqlite", play(100))
    with closing(sqlite3.connect(path)) as connection:
        for question in questions:
            assert connection.execute(question).fetchall(), question
        documented = set(re.findall(r"^\| `(\w+)`", text, re.MULTILINE)) | {"turns", "recorded_moves", "decisions"}
        columns = {row[1] for row in connection.execute("PRAGMA table_info(games)")}
        assert columns <= documented


def test_sqlite_keeps_no_file_of_its_own_outside_the_scratch_folder(tmp_path: Path) -> None:
    """Its temporary folder has no room: sorting ids for the index would need two megabytes of it."""
    program = """
import hashlib, sys
from pathlib import Path
from ringrift_core.contract import Board
from ringrift_core.replay.games import RecordedGame, GamesWriter, Rules
from ringrift_core.replay.segment import SegmentWriter

folder, rules = Path(sys.argv[1]), Rules.usual(Board.SQUARE8, 2)
games = (
    RecordedGame(
        number, hashlib.sha256(b"%d" % number).hexdigest(), rules, ("", ""), 1, (1, 2), "", False, 1, 1, 1, b"", b""
    )
    for number in range(120_000)
)
with GamesWriter(folder / "work", rules) as writer:
    writer.append(games)
    writer.seal(folder / "shard.sqlite")
with SegmentWriter(folder / "segment.sqlite", rules, []) as segment:
    segment.add(folder / "shard.sqlite")
    segment.finish()
"""
    try:
        with small_disk(tmp_path / "disk", "256k") as disk:
            scratch = tmp_path / "scratch"
            scratch.mkdir()
            environment = os.environ | {"SQLITE_TMPDIR": str(disk), "TMPDIR": str(disk)}
            command = [sys.executable, "-c", program, str(scratch)]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
            assert done.returncode == 0, done.stderr
            assert list(disk.iterdir()) == []
    except PermissionError as refused:
        pytest.skip(str(refused))

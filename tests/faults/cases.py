"""The broken inputs, and what each command must say of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ringrift_core.archive import Archive
from ringrift_core.contract import Artifact, Board
from ringrift_core.replay.games import GamesWriter, RecordedGame, Rules
from ringrift_core.replay.manifest import read_manifest, swap_manifest
from ringrift_core.replay.shards import SHARD_OUTPUT, shard_task
from ringrift_core.store import LocalStore
from tests.faults.workshop import Workshop

READERS = ("merge", "export", "replay verify")
"""The commands that read games. Self-play reads none."""


@dataclass(frozen=True)
class Broken:
    """A shard or segment that is not as it should be."""

    name: str
    replaces: bool
    """Whether another, well-addressed file stands in its place; else its own bytes are changed."""
    change: Callable[[Path], None]
    message: str
    """Regular expression; each command says it with exit status 2."""


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _remove(path: Path) -> None:
    path.unlink()


def _later_schema(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 3")


def _another_board(path: Path) -> None:
    from ringrift_core import _engine

    rules = Rules.usual(Board.HEX8, 2)
    records = _engine.play_games("hex8", 2, [[_engine.Player.random()]], seed=1, games=20)
    work = path.with_suffix(".work")
    with GamesWriter(work, rules) as writer:
        writer.append(RecordedGame.from_record(record, rules) for record in records)
        writer.seal(path)
    work.unlink()


def _not_sqlite(path: Path) -> None:
    path.write_bytes(b"These are not the games you are looking for.\n" * 100)


BROKEN = (
    Broken("truncated", False, _truncate, r"artifact \S+\.sqlite is damaged: SHA-256 [0-9a-f]{64}, expected"),
    Broken("wrong hash", False, _flip_a_byte, r"artifact \S+\.sqlite is damaged: SHA-256 [0-9a-f]{64}, expected"),
    Broken("missing", False, _remove, r"artifact \S+\.sqlite is not in store file://"),
    Broken("truncated before it was stored", True, _truncate, r"\.sqlite: damaged, or no file of recorded games"),
    Broken("no SQLite", True, _not_sqlite, r"\.sqlite: damaged, or no file of recorded games"),
    Broken("wrong schema version", True, _later_schema, r"\.sqlite: schema version 3, this release reads 2"),
    Broken("of another board", True, _another_board, r"\.sqlite: games of hex8-2p, .*, not square8-2p"),
)


def victim(workshop: Workshop, command: str) -> Artifact:
    """The file of games that a command will read: a shard for merge, else the segment."""
    archive = workshop.archive
    if command != "merge":
        return read_manifest(archive)[0].segments[0].artifact
    record = archive.record(2, shard_task(0))
    assert record is not None
    return record.result.outputs[SHARD_OUTPUT]


def break_input(workshop: Workshop, command: str, broken: Broken, folder: Path) -> Callable[[], None]:
    """Breaks what a command will read; the answer puts it right again."""
    archive = workshop.archive
    assert isinstance(archive.store, LocalStore)
    artifact = victim(workshop, command)
    path = archive.store.path(archive.key("objects/" + artifact.uri.rpartition("/")[2]))
    content = path.read_bytes()
    if not broken.replaces:
        broken.change(path)

        def put_back() -> None:
            path.write_bytes(content)

        return put_back
    changed = folder / "changed.sqlite"
    changed.write_bytes(content)
    broken.change(changed)
    return _put_in_place(archive, command, archive.put_file(changed, "sqlite"))


def _put_in_place(archive: Archive, command: str, artifact: Artifact) -> Callable[[], None]:
    """Has the record or the manifest name another file, as a faulty writer would have left it."""
    key = archive.key(f"tasks/i0002/{shard_task(0)}.json" if command == "merge" else "games.json")
    before = archive.store.read(key)
    assert before is not None
    if command == "merge":
        record = archive.record(2, shard_task(0))
        assert record is not None
        result = record.result.model_copy(update={"outputs": {SHARD_OUTPUT: artifact}})
        archive.store.put(key, record.model_copy(update={"result": result}).model_dump_json(by_alias=True).encode())
    else:
        manifest, version = read_manifest(archive)
        segment = manifest.segments[0].model_copy(update={"artifact": artifact})
        assert swap_manifest(archive, manifest.model_copy(update={"segments": (segment,)}), version)

    def put_back() -> None:
        archive.store.put(key, before.content)

    return put_back

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringrift_core.archive import Archive, Checkpoint, identity
from ringrift_core.contract import (
    CONTRACT_VERSION,
    URI_LIMIT,
    Artifact,
    Board,
    ExportParameters,
    SelfplayParameters,
    Stage,
    StageResult,
    TrainParameters,
    changed,
)
from ringrift_core.errors import StoreRefusedError
from ringrift_core.store import LocalStore, ObjectCache, Store, open_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def export(store: Store, min_moves: int = 20, attempt: int = 1) -> ExportParameters:
    return ExportParameters(
        store=store.uri, board=Board.SQUARE8, players=2, iteration=1, min_moves=min_moves, attempt=attempt
    )


def result(message: str = "", attempt: int = 1) -> StageResult:
    return StageResult(stage=Stage.EXPORT, attempt=attempt, started_at=NOW, finished_at=NOW, message=message)


def test_an_object_is_found_by_its_content(store: Store, tmp_path: Path) -> None:
    archive = Archive(store, "square8-2p")
    artifact = archive.put_json({"b": 1, "a": [2]})
    assert artifact == archive.put_json({"a": [2], "b": 1})
    assert artifact.uri == f"{store.uri}/square8-2p/objects/{artifact.sha256}.json"
    assert archive.get_bytes(artifact) == b'{"a":[2],"b":1}'
    assert archive.get_file(artifact, tmp_path).read_bytes() == archive.get_bytes(artifact)


def test_a_file_is_the_same_object_as_its_bytes(store: Store, tmp_path: Path) -> None:
    archive = Archive(store, "square8-2p")
    path = tmp_path / "games"
    path.write_bytes(b"games" * 500_000)
    artifact = archive.put_file(path, "sqlite")
    assert artifact == archive.put_bytes(path.read_bytes(), "sqlite")
    assert archive.get_bytes(artifact) == path.read_bytes()


def test_a_damaged_object_is_refused(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    archive = Archive(store, "square8-2p")
    artifact = archive.put_bytes(b"games", "sqlite")
    store.path(f"square8-2p/objects/{artifact.sha256}.sqlite").write_bytes(b"gamez")
    with pytest.raises(StoreRefusedError, match="damaged"):
        archive.get_bytes(artifact)
    with pytest.raises(StoreRefusedError, match="damaged"):
        archive.get_file(artifact, tmp_path)


def test_an_object_of_another_size_than_the_artifact_says_is_refused(store: Store, tmp_path: Path) -> None:
    archive = Archive(store, "square8-2p")
    artifact = archive.put_bytes(b"games", "sqlite").model_copy(update={"bytes": 7})
    with pytest.raises(StoreRefusedError, match="has 5 bytes, expected 7"):
        archive.get_bytes(artifact)
    with pytest.raises(StoreRefusedError, match="has 5 bytes, expected 7"):
        archive.get_file(artifact, tmp_path)


def test_an_object_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    archive = Archive(LocalStore(tmp_path), "square8-2p")
    artifact = archive.put_bytes(b"games", "sqlite")
    archive.delete(artifact)
    (tmp_path / f"square8-2p/objects/{artifact.sha256}.sqlite").mkdir()
    with pytest.raises(StoreRefusedError, match=f"{artifact.sha256}.sqlite: Is a directory"):
        archive.get_bytes(artifact)
    with pytest.raises(StoreRefusedError, match=f"{artifact.sha256}.sqlite: Is a directory"):
        archive.get_file(artifact, tmp_path)


def test_a_missing_object_is_refused(store: Store, tmp_path: Path) -> None:
    artifact = Archive(store, "square8-3p").put_bytes(b"games", "sqlite")
    with pytest.raises(StoreRefusedError, match="is not in store"):
        Archive(store, "square8-2p").get_bytes(artifact)
    with pytest.raises(StoreRefusedError, match="is not in store"):
        Archive(store, "square8-2p").get_file(artifact, tmp_path)


def test_a_store_that_moved_still_finds_its_objects(tmp_path: Path) -> None:
    artifact = Archive(LocalStore(tmp_path / "before"), "square8-2p").put_bytes(b"games", "sqlite")
    shutil.move(tmp_path / "before", tmp_path / "after")
    assert Archive(LocalStore(tmp_path / "after"), "square8-2p").get_bytes(artifact) == b"games"


def test_an_object_of_a_store_with_a_long_address_is_named_without_it(tmp_path: Path) -> None:
    store = open_store((tmp_path / Path(*["é" * 20] * 6)).as_uri())
    artifact = Archive(store, "square8-2p").put_bytes(b"games", "sqlite")
    assert len(store.uri) > URI_LIMIT
    assert artifact.uri == f"objects/{artifact.sha256}.sqlite"
    assert Archive(store, "square8-2p").get_bytes(Artifact.parse(str(artifact))) == b"games"
    assert Archive(store, "square8-2p").addressed(artifact) == artifact


def test_a_finished_task_reports_the_same_to_later_attempts(store: Store) -> None:
    archive = Archive(store, "square8-2p")
    assert archive.finished(1, "export", export(store)) is None
    archive.finish(1, "export", export(store), result("first"))
    again = archive.finished(1, "export", export(store, attempt=3))
    assert again == result("first", attempt=3)


def test_of_two_attempts_that_finish_the_first_counts(store: Store) -> None:
    archive = Archive(store, "square8-2p")
    archive.finish(1, "export", export(store), result("first"))
    assert archive.finish(1, "export", export(store, attempt=2), result("second")).message == "first"


def test_a_task_finished_for_other_parameters_is_refused(store: Store) -> None:
    archive = Archive(store, "square8-2p")
    archive.finish(1, "export", export(store), result())
    with pytest.raises(StoreRefusedError, match="minMoves 20, not 30"):
        archive.finished(1, "export", export(store, min_moves=30))


def rewritten(store: LocalStore, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The record of the finished export as another version would have written it."""
    path = store.path("square8-2p/tasks/i0001/export.json")
    record = json.loads(path.read_bytes())
    change(record)
    path.write_text(json.dumps(record))
    return path.read_bytes()


def test_what_a_later_minor_version_added_to_a_record_is_passed_over(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    archive = Archive(store, "square8-2p")
    archive.finish(1, "export", export(store), result("first"))

    def later(record: dict[str, Any]) -> None:
        major, _, minor = record["contractVersion"].partition(".")
        record["contractVersion"] = record["result"]["contractVersion"] = f"{major}.{int(minor) + 1}"
        record["later"] = record["result"]["later"] = {"later": [1]}

    rewritten(store, later)
    again = archive.finished(1, "export", export(store))
    assert again is not None
    assert again.message == "first"


def test_a_record_of_a_later_major_version_is_refused_in_a_sentence_and_stays(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    archive = Archive(store, "square8-2p")
    archive.finish(1, "export", export(store), result("first"))
    written = rewritten(store, lambda record: record.update(contractVersion="2.0", parameters=["otherwise"]))
    with pytest.raises(StoreRefusedError) as refused:
        archive.finished(1, "export", export(store))
    assert str(refused.value) == (
        f"record {store.uri}/square8-2p/tasks/i0001/export.json: written by version 2.0 of the contract, and this "
        f"program reads {CONTRACT_VERSION}: use the one that wrote it"
    )
    with pytest.raises(StoreRefusedError):
        archive.finish(1, "export", export(store), result("second"))
    assert store.path("square8-2p/tasks/i0001/export.json").read_bytes() == written


@pytest.mark.parametrize("content", ["{}", "[]", '{"result": {}}', "no JSON", '{"result": {"stage": "train"}}'])
def test_what_no_version_wrote_is_refused_by_its_first_fault(content: str, tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.create("square8-2p/tasks/i0001/export.json", content.encode())
    with pytest.raises(StoreRefusedError, match="not a task record: "):
        Archive(store, "square8-2p").finished(1, "export", export(store))


def test_where_a_task_runs_is_no_part_of_what_it_makes() -> None:
    here = SelfplayParameters(
        store="file:///a", board=Board.SQUARE8, players=2, iteration=1, seed=1, games=500, shard="0-3/10", index=2
    )
    there = changed(here, store="s3://b", shard="2/10", index=None, attempt=2)
    assert identity(here) == identity(there)
    assert identity(here) != identity(changed(here, seed=2))


def test_an_artifact_counts_by_its_content(tmp_path: Path) -> None:
    here = {"store": "file:///a", "board": Board.SQUARE8, "players": 2, "iteration": 1}
    stored = [Archive(LocalStore(tmp_path / name), "square8-2p").put_json({}) for name in ("one", "two")]
    one, two = (TrainParameters.model_validate({**here, "dataset": artifact}) for artifact in stored)
    assert one != two
    assert identity(one) == identity(two)


def test_tasks_are_listed_without_checkpoints(store: Store) -> None:
    archive = Archive(store, "square8-2p")
    archive.finish(2, "export", export(store), result())
    archive.finish(10, "selfplay-s0003", export(store), result())
    Checkpoint(archive, 2, "train", attempt=1).save(b"state", "json")
    assert list(archive.tasks()) == [(2, "export"), (10, "selfplay-s0003")]
    assert list(archive.tasks("i0010/selfplay-")) == [(10, "selfplay-s0003")]


def state_of(archive: Archive, checkpoint: Checkpoint) -> bytes:
    state = checkpoint.load()
    assert state is not None
    return archive.get_bytes(state)


def test_the_newest_checkpoint_is_loaded_by_the_next_attempt(store: Store, tmp_path: Path) -> None:
    archive = Archive(store, "square8-2p")
    first = Checkpoint(archive, 1, "train", attempt=1)
    assert first.load() is None
    first.save(b"one", "json")
    first.save(b"two", "json")
    second = Checkpoint(archive, 1, "train", attempt=2)
    assert state_of(archive, second) == b"two"
    three = tmp_path / "three"
    three.write_bytes(b"three")
    second.save(three, "json")
    with pytest.raises(StoreRefusedError, match="attempt 2 has taken over from attempt 1"):
        first.save(b"late", "json")
    assert state_of(archive, second) == b"three"
    assert len(list(store.keys("square8-2p/objects/"))) == 1
    second.clear()
    second.clear()
    assert list(store.keys("")) == []


def test_a_state_that_holds_other_things_is_none(store: Store) -> None:
    archive = Archive(store, "square8-2p")

    def checkpoint(*layout: str) -> Checkpoint:
        return Checkpoint(archive, 1, "train", attempt=1, layout=layout)

    checkpoint("step", "loss").save(b"state", "json")
    assert state_of(archive, checkpoint("loss", "step")) == b"state"
    assert checkpoint("step").load() is None
    assert checkpoint("step").load_bytes() is None
    checkpoint("step").save(b"anew", "json")
    assert state_of(archive, checkpoint("step")) == b"anew"


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    store = open_store(tmp_path.as_uri())
    store.put("square8-2p/tasks/i0001/export.json", b"{}")
    with pytest.raises(StoreRefusedError, match=r"i0001/export\.json: not a task record"):
        Archive(store, "square8-2p").finished(1, "export", export(store))


@pytest.mark.parametrize("content", [b"x", b'{"attempt":1}'])
def test_a_damaged_checkpoint_is_named_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    store = open_store(tmp_path.as_uri())
    store.put("square8-2p/tasks/i0001/train.checkpoint.json", content)
    checkpoint = Checkpoint(Archive(store, "square8-2p"), 1, "train", attempt=1)
    sentence = (
        r"i0001/train\.checkpoint\.json: not a checkpoint's pointer \(delete it to begin the task anew\): [^\n]+$"
    )
    for ask in (checkpoint.load, checkpoint.clear, lambda: checkpoint.save(b"state", "json")):
        with pytest.raises(StoreRefusedError, match=sentence):
            ask()


def test_what_was_fetched_once_is_not_fetched_again(
    s3_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGRIFT_OBJECT_CACHE", str(tmp_path / "cache"))
    archive = Archive(open_store(s3_uri), "square8-2p")
    artifact = archive.put_bytes(b"games" * 1000, "sqlite")
    folders = [tmp_path / name for name in ("first", "second", "third")]
    for folder in folders:
        folder.mkdir()
    assert archive.get_file(artifact, folders[0]).read_bytes() == b"games" * 1000
    archive.delete(artifact)
    assert archive.get_file(artifact, folders[1]).read_bytes() == b"games" * 1000
    # What has become something else on this machine's disk is fetched anew.
    (tmp_path / "cache" / artifact.sha256).write_bytes(b"gamez" * 1000)
    with pytest.raises(StoreRefusedError, match="is not in store"):
        archive.get_file(artifact, folders[2])
    archive.put_bytes(b"games" * 1000, "sqlite")
    assert archive.get_file(artifact, folders[2]).read_bytes() == b"games" * 1000


def test_of_what_is_kept_the_longest_unused_goes_when_there_is_no_room(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path / "cache", limit=100)

    def object_of(letter: str, size: int = 40) -> tuple[str, Path]:
        path = tmp_path / letter
        path.write_bytes(letter.encode() * size)
        return hashlib.sha256(path.read_bytes()).hexdigest(), path

    def has(sha256: str) -> bool:
        return cache.take(sha256, tmp_path / "copy")

    (first, _), (second, _), (third, _) = objects = [object_of(letter) for letter in "abc"]
    for number, (sha256, path) in enumerate(objects[:2]):
        cache.keep(sha256, path)
        os.utime(cache.folder / sha256, (number, number))
    assert has(first)
    cache.keep(*objects[2])
    assert (has(first), has(second), has(third)) == (True, False, True)
    large = object_of("d", 101)
    cache.keep(*large)
    assert not has(large[0])
    assert sorted(path.name for path in cache.folder.iterdir()) == sorted([first, third])


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = ObjectCache(tmp_path / "file" / "cache")
    path = tmp_path / "object"
    path.write_bytes(b"abc")
    sha256 = hashlib.sha256(b"abc").hexdigest()
    cache.keep(sha256, path)
    assert not cache.take(sha256, tmp_path / "copy")


def test_without_a_folder_nothing_is_kept_and_a_size_is_a_number() -> None:
    assert ObjectCache.of_environment({}) is None
    with pytest.raises(StoreRefusedError, match="RINGRIFT_OBJECT_CACHE_BYTES: '50Gi' is no number of bytes"):
        ObjectCache.of_environment({"RINGRIFT_OBJECT_CACHE": "/a", "RINGRIFT_OBJECT_CACHE_BYTES": "50Gi"})

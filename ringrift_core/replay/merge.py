"""The stage merge: shards that were not merged yet become one new segment.

The cost follows what is new: a complete iteration's records are never listed again, a merged shard is never read again,
and of old games only the index of ids is read (eight bytes a game). Segment, index and cursor become visible together,
by one compare-and-swap of games.json; whoever loses the swap starts over from the winner's manifest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringrift_core.archive import Archive
from ringrift_core.contract import Artifact, MergeParameters, StageResult
from ringrift_core.replay.games import Rules
from ringrift_core.replay.identifiers import extend_index, known_ids
from ringrift_core.replay.manifest import GamesManifest, MergedShards, Segment, read_manifest, swap_manifest
from ringrift_core.replay.segment import SegmentWriter
from ringrift_core.selfplay.shards import SHARD_OUTPUT, shard_of_task
from ringrift_core.stage import Outcome, Run

__all__ = ["merge_stage"]


@dataclass(frozen=True)
class NewShard:
    """A finished shard that no segment holds yet."""

    iteration: int
    shard: int
    shard_count: int
    artifact: Artifact


def merge_stage(parameters: MergeParameters, run: Run) -> StageResult:
    """Merges what is new up to the parameters' iteration.

    The manifest is the record: the result is read off it, so a repeat reports the same whatever was killed before.
    """
    while True:
        manifest, version = read_manifest(run.archive)
        shards = list(_new_shards(run.archive, manifest, parameters.iteration))
        if not shards:
            return run.result(parameters, _outcome(run, manifest, parameters.iteration))
        merged = _merge(parameters, run, manifest, shards)
        if swap_manifest(run.archive, merged, version):
            return run.result(parameters, _outcome(run, merged, parameters.iteration))
        run.report.log("another merge was faster, starting over")


def _outcome(run: Run, manifest: GamesManifest, iteration: int) -> Outcome:
    segments = [segment for segment in manifest.segments if segment.iteration == iteration]
    new_games = sum(segment.games for segment in segments)
    duplicates = sum(segment.duplicates for segment in segments)
    return Outcome(
        outputs={"segment": run.archive.addressed(segments[-1].artifact)} if segments else {},
        metrics={"games": manifest.games, "new_games": new_games, "duplicates": duplicates},
        message=f"{manifest.games} games, {new_games} of iteration {iteration}, {duplicates} duplicates left out",
    )


def _new_shards(archive: Archive, manifest: GamesManifest, iteration: int) -> Iterator[NewShard]:
    for number in range(1, iteration + 1):
        cursor = manifest.cursor.get(number)
        if cursor is not None and cursor.complete:
            continue
        for _, task in archive.tasks(f"i{number:04d}/selfplay-"):
            shard = shard_of_task(task)
            if cursor is not None and shard in cursor.merged:
                continue
            record = archive.record(number, task)
            assert record is not None
            yield NewShard(number, shard, int(record.parameters["shardCount"]), record.result.outputs[SHARD_OUTPUT])


def _merge(parameters: MergeParameters, run: Run, manifest: GamesManifest, shards: Sequence[NewShard]) -> GamesManifest:
    archive = run.archive
    known = known_ids(archive, manifest.index)
    path = run.folder / "segment.sqlite"
    with SegmentWriter(path, Rules.usual(parameters.board, parameters.players), known) as writer:
        for done, shard in enumerate(shards):
            run.pause_point()
            run.report.progress(done / len(shards), f"shard {shard.shard} of iteration {shard.iteration}")
            file = archive.get_file(shard.artifact, run.folder)
            writer.add(file)
            if file.parent == run.folder:
                file.unlink()
        new = writer.finish()
    segment = Segment(
        iteration=parameters.iteration,
        games=writer.games,
        duplicates=writer.duplicates,
        artifact=archive.put_file(path, "sqlite"),
    )
    path.unlink()
    return GamesManifest(
        games=manifest.games + segment.games,
        segments=(*manifest.segments, segment),
        index=extend_index(archive, manifest.index, known, new),
        cursor=_advance(manifest.cursor, shards),
    )


def _advance(cursor: dict[int, MergedShards], shards: Sequence[NewShard]) -> dict[int, MergedShards]:
    advanced = dict(cursor)
    for shard in shards:
        merged = advanced[shard.iteration].merged if shard.iteration in advanced else ()
        advanced[shard.iteration] = MergedShards(shards=shard.shard_count, merged=tuple(sorted({*merged, shard.shard})))
    return advanced

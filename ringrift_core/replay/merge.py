"""The stage merge: shards that were not merged yet become new segments.

The games come in the order of their shards, and of equal games the first is kept, whenever which shard was merged:
while self-play goes on as well as once, when it has ended. Shards that follow one another make one segment. Where one
between them is not finished yet, a segment is merged ahead of it, and what fills the gap goes before that segment.

The cost follows what is new: an earlier iteration that is complete is never listed again, a merged shard is never read
again, and of old games only the index of ids is read (eight bytes a game). A segment that was merged ahead is read
again only where an earlier shard has a game that is the same: it is written anew without it. Segments, index and cursor
become visible together, by one compare-and-swap of games.json; whoever loses the swap starts over from the winner's
manifest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ringrift_core.archive import Archive, TaskRecord
from ringrift_core.claim import check_claim
from ringrift_core.contract import Artifact, MergeParameters, MergeResult, StageResult
from ringrift_core.errors import WrongInputError
from ringrift_core.replay.games import Rules
from ringrift_core.replay.identifiers import Prefixes, contains, extend_index, known_ids
from ringrift_core.replay.manifest import GamesManifest, MergedShards, Segment, read_manifest, swap_manifest
from ringrift_core.replay.segment import SegmentWriter
from ringrift_core.replay.shards import SHARD_OUTPUT, shard_of_task, shard_tasks
from ringrift_core.stage import Outcome, Run

__all__ = ["merge_stage"]


@dataclass(frozen=True)
class NewShard:
    """A finished shard that no segment holds yet."""

    iteration: int
    shard: int
    first_game: int
    """Of its round."""
    shard_count: int
    """Of its round."""
    artifact: Artifact

    def follows(self, other: NewShard) -> bool:
        """Whether its games come next after the other's."""
        if (self.iteration, self.first_game) == (other.iteration, other.first_game):
            return self.shard == other.shard + 1
        return self.shard == self.first_game


def merge_stage(parameters: MergeParameters, run: Run) -> StageResult:
    """Merges what is new up to the parameters' iteration.

    The manifest is the record: the result is read off it, so a repeat reports the same whatever was killed before.
    """
    check_claim(run.archive, parameters)
    while True:
        manifest, version = read_manifest(run.archive)
        shards = list(_new_shards(run.archive, manifest, parameters.iteration))
        if not shards and version is None and not parameters.while_playing:
            raise WrongInputError(
                f"{run.archive.store.uri}/{run.archive.configuration}: no games there up to iteration "
                f"{parameters.iteration}: run ringrift selfplay first, or mend --store, --board or --players"
            )
        if not shards:
            return run.result(parameters, _outcome(run, manifest, parameters.iteration))
        run.archive.check_writable("games.json")
        merged = _merge(parameters, run, manifest, shards)
        check_claim(run.archive, parameters)
        if swap_manifest(run.archive, merged, version):
            return run.result(parameters, _outcome(run, merged, parameters.iteration))
        run.report.log("another merge was faster, starting over")


def _outcome(run: Run, manifest: GamesManifest, iteration: int) -> Outcome:
    segments = [segment for segment in manifest.segments if segment.iteration == iteration]
    new_games = sum(segment.games for segment in segments)
    duplicates = sum(segment.duplicates for segment in segments)
    return Outcome(
        outputs={"segment": run.archive.addressed(segments[-1].artifact)} if segments else {},
        result=MergeResult(games=manifest.games, new_games=new_games, duplicates=duplicates),
        message=f"{manifest.games} games, {new_games} of iteration {iteration}, {duplicates} duplicates left out",
    )


def _new_shards(archive: Archive, manifest: GamesManifest, iteration: int) -> Iterator[NewShard]:
    for number in archive.iterations():
        if number > iteration:
            break
        cursor = manifest.cursor.get(number)
        # Of the iteration that is asked for, a shard that does not belong to it is heard of.
        if cursor is not None and cursor.complete and number < iteration:
            continue
        yield from _shards_of(archive, number, frozenset(cursor.merged if cursor else ()))


def _shards_of(archive: Archive, iteration: int, merged: Set[int]) -> Iterator[NewShard]:
    """The shards of an iteration but the merged; WrongInputError when they do not divide the same games."""
    tasks = sorted((task for _, task in archive.tasks(shard_tasks(iteration))), key=shard_of_task)
    records = {task: _record(archive, iteration, task) for task in tasks if shard_of_task(task) not in merged}
    references: dict[range, tuple[str, dict[str, Any]]] = {}
    for task, record in records.items():
        here = _round(record)
        if here not in references:
            # All are held against one that is merged, where there is one, or one of a round that takes the same games.
            siblings = (each for each in tasks if shard_of_task(each) in here)
            first = min(siblings, key=lambda each: (each in records, each in records and _round(records[each]) == here))
            held = records[first] if first in records else _record(archive, iteration, first)
            references[here] = first, held.parameters
        first, parameters = references[here]
        differences = record.differences(parameters)
        if differences:
            raise WrongInputError(
                f"iteration {iteration} in {archive.store.uri}: {task} was played for {differences} as {first} was: "
                "all shards of an iteration divide the same games; delete the task records of those you do not want"
            )
        count = int(record.parameters["shardCount"])
        yield NewShard(iteration, shard_of_task(task), here.start, count, record.result.outputs[SHARD_OUTPUT])


def _round(record: TaskRecord) -> range:
    """Numbers that the shards of a record's round may have: those of its games, and never fewer than there are."""
    first_game, games = int(record.parameters.get("firstGame", 0)), int(record.parameters["games"])
    return range(first_game, first_game + max(games, int(record.parameters["shardCount"])))


def _record(archive: Archive, iteration: int, task: str) -> TaskRecord:
    record = archive.record(iteration, task)
    assert record is not None
    return record


def _merge(parameters: MergeParameters, run: Run, manifest: GamesManifest, shards: Sequence[NewShard]) -> GamesManifest:
    archive, iteration = run.archive, parameters.iteration
    known = known_ids(archive, manifest.index)
    segments, new = list(manifest.segments), np.empty(0, np.uint64)
    writing = _Writing(parameters, run, len(shards))
    merged = manifest.cursor[iteration].merged if iteration in manifest.cursor else ()
    finished = {*merged, *(shard.shard for shard in shards if shard.iteration == iteration)}
    for group in _groups(shards, iteration):
        first = group[0]
        is_ahead = first.iteration == iteration and not finished.issuperset(range(first.first_game, first.shard))
        later = [
            place
            for place, segment in enumerate(segments)
            if segment.iteration == iteration
            and segment.ahead is not None
            and (first.iteration, first.shard) < (iteration, segment.ahead)
        ]
        written = writing.games_of(group, [*known, new])
        if later and written.duplicates:
            theirs = [writing.ids(segments[place]) for place in later]
            written = writing.games_of(group, [_without(ids, theirs) for ids in (*known, new)])
            for place in later:
                segments[place] = writing.without(segments[place], written.ids)
        segment = Segment(
            iteration=iteration,
            games=written.games,
            duplicates=written.duplicates,
            artifact=writing.stored(written),
            ahead=first.shard if is_ahead else None,
        )
        segments.insert(min(later, default=len(segments)), segment)
        new = np.sort(np.concatenate([new, _without(written.ids, [*known, new])]))
    return GamesManifest(
        games=manifest.games + len(new),
        segments=tuple(segments),
        index=extend_index(archive, manifest.index, known, new),
        cursor=_advance(manifest.cursor, shards),
    )


def _groups(shards: Sequence[NewShard], iteration: int) -> Iterator[list[NewShard]]:
    """Shards that follow one another; of earlier iterations, which are over, all do."""
    group: list[NewShard] = []
    for shard in shards:
        if group and shard.iteration == iteration and not shard.follows(group[-1]):
            yield group
            group = []
        group.append(shard)
    if group:
        yield group


def _without(ids: Prefixes, others: Sequence[Prefixes]) -> Prefixes:
    """Sorted ids that none of the sorted others has."""
    return ids[~contains(others, ids)]


@dataclass(frozen=True)
class _Written:
    """A segment's file that is not stored yet."""

    path: Path
    games: int
    duplicates: int
    ids: Prefixes
    """Sorted."""


class _Writing:
    """Writes segments of one merge, one after the other."""

    def __init__(self, parameters: MergeParameters, run: Run, shards: int) -> None:
        self._run, self._shards = run, shards
        self._rules = Rules.usual(parameters.board, parameters.players)
        self._done = 0

    def games_of(self, shards: Sequence[NewShard], known: Sequence[Prefixes]) -> _Written:
        """The games of the shards that are not known."""
        run = self._run
        path = run.folder / "segment.sqlite"
        with SegmentWriter(path, self._rules, known) as writer:
            for shard in shards:
                run.pause_point()
                fraction = min(1.0, self._done / self._shards)
                run.report.progress(fraction, f"shard {shard.shard} of iteration {shard.iteration}")
                self._add(writer, shard.artifact)
                self._done += 1
            ids = writer.finish()
        return _Written(path, writer.games, writer.duplicates, ids)

    def ids(self, segment: Segment) -> Prefixes:
        """The sorted ids of a segment's games."""
        written = self._rewritten(segment, [])
        written.path.unlink()
        return written.ids

    def without(self, segment: Segment, ids: Prefixes) -> Segment:
        """The segment without these games, which are duplicates from now on."""
        written = self._rewritten(segment, [ids])
        if not written.duplicates:
            written.path.unlink()
            return segment
        return segment.model_copy(
            update={
                "games": written.games,
                "duplicates": segment.duplicates + written.duplicates,
                "artifact": self.stored(written),
            }
        )

    def stored(self, written: _Written) -> Artifact:
        """Puts the file into the store."""
        artifact = self._run.archive.put_file(written.path, "sqlite")
        written.path.unlink()
        return artifact

    def _rewritten(self, segment: Segment, known: Sequence[Prefixes]) -> _Written:
        path = self._run.folder / "rewritten.sqlite"
        with SegmentWriter(path, self._rules, known) as writer:
            self._add(writer, segment.artifact)
            ids = writer.finish()
        return _Written(path, writer.games, writer.duplicates, ids)

    def _add(self, writer: SegmentWriter, games: Artifact) -> None:
        run = self._run
        file = run.archive.get_file(games, run.folder)
        writer.add(file)
        if file.parent == run.folder:
            file.unlink()


def _advance(cursor: dict[int, MergedShards], shards: Sequence[NewShard]) -> dict[int, MergedShards]:
    advanced = dict(cursor)
    for shard in sorted(shards, key=lambda each: each.first_game):
        merged = advanced[shard.iteration].merged if shard.iteration in advanced else ()
        of_earlier_rounds = sum(each < shard.first_game for each in merged)
        advanced[shard.iteration] = MergedShards(
            shards=of_earlier_rounds + shard.shard_count, merged=tuple(sorted({*merged, shard.shard}))
        )
    return advanced

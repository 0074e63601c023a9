"""The stages promote, rollback and adopt: the registry in the store, moved by compare-and-swap."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ringrift_core.archive import Archive
from ringrift_core.claim import check_claim, give_back_claim, take_claim
from ringrift_core.contract import (
    AdoptedTrack,
    AdoptParameters,
    AdoptResult,
    Decision,
    PointerParameters,
    PointerResult,
    PromoteParameters,
    RollbackParameters,
    StageResult,
    Track,
)
from ringrift_core.errors import WrongInputError
from ringrift_core.registry.candidate import check_candidate, check_verdict
from ringrift_core.registry.champions import Move, MoveRefusedError, PointerMovedError, Registry, promote, roll_back
from ringrift_core.registry.records import read_registry, read_versioned, swap_registry
from ringrift_core.replay.manifest import read_manifest
from ringrift_core.stage import Outcome, Run

__all__ = ["adopt_stage", "promote_stage", "rollback_stage"]


def promote_stage(parameters: PromoteParameters, run: Run) -> StageResult:
    """Makes the candidate champion, once per request id; nothing that could not play becomes champion."""
    check_candidate(run.archive, parameters, run.folder)
    if parameters.verdict is not None:
        check_verdict(run.archive, parameters.track, parameters.candidate, parameters.verdict)
    now, move = _move(run.archive, parameters, lambda registry: promote(registry, parameters))
    return run.result(parameters, _outcome(run, now, move, f"{parameters.track} version {move.version} is champion"))


def rollback_stage(parameters: RollbackParameters, run: Run) -> StageResult:
    """Makes the previous champion champion again, once per request id."""
    judged_through = max(_judged_iterations(run.archive.tasks(), parameters.track), default=0)
    now, move = _move(run.archive, parameters, lambda registry: roll_back(registry, parameters, judged_through))
    said = f"{parameters.track} version {move.version} is champion again, in place of {move.replaced}: {move.cause}"
    return run.result(parameters, _outcome(run, now, move, said))


def adopt_stage(parameters: AdoptParameters, run: Run) -> StageResult:
    """Reads what a store holds of one configuration; zeros for an empty one.

    An iteration is finished when the tracks of the parameters are; champions are those of every track, since a track
    that is no longer trained still plays.
    """
    archive = run.archive
    if parameters.give_back:
        return run.result(parameters, _given_back(archive, parameters))
    taken_over = take_claim(archive, parameters)
    registries = {track: read_registry(archive, track) for track in dict.fromkeys((*Track, *parameters.tracks))}
    recorded = list(archive.tasks())
    finished = _finished_iteration(archive, recorded, {track: registries[track] for track in parameters.tracks})
    moves = [move for registry in registries.values() for move in registry.log]
    found = AdoptResult(
        iteration=finished,
        games=read_manifest(archive)[0].games,
        promotions=sum(move.kind == "promote" for move in moves),
        rollbacks=sum(move.kind == "rollback" for move in moves),
        tracks=tuple(
            _adopted(registry, recorded, finished, _consecutive_failures(archive, recorded, registry, finished))
            for registry in registries.values()
        ),
        taken_over="" if taken_over is None else str(taken_over),
    )
    message = "an empty store" if not recorded else f"iteration {finished}"
    return run.result(parameters, Outcome(result=found, message=message))


def _given_back(archive: Archive, parameters: AdoptParameters) -> Outcome:
    holder = parameters.holder
    if holder is None:
        raise WrongInputError("--give-back: whose claim? name its --holder")
    return Outcome(message="the claim was given back" if give_back_claim(archive, holder) else "no claim to give back")


def _adopted(registry: Registry, recorded: list[tuple[int, str]], finished: int, failures: int) -> AdoptedTrack:
    """What is told of a track; of the iteration that is to be gone on with, also with whom it began.

    One that nothing is recorded of has not begun: whom somebody made champion by hand under its number was there
    before it.
    """
    has_begun = any(iteration > finished for iteration, _ in recorded)
    since = registry.moves_of(finished + 1) if has_begun else ()
    return AdoptedTrack(
        track=registry.track,
        champion=registry.version,
        predecessor=registry.predecessor,
        failures=failures,
        moved_since=len(since),
        start=since[0].replaced if since else 0,
    )


def _move(
    archive: Archive, parameters: PointerParameters, transition: Callable[[Registry], tuple[Registry, Move]]
) -> tuple[Registry, Move]:
    """The registry as it is after the request's move, made now or before, and that move."""
    is_tried = False
    while True:
        check_claim(archive, parameters)
        registry, version = read_versioned(archive, parameters.track)
        try:
            moved, move = transition(registry)
        except MoveRefusedError as refusal:
            wrong = WrongInputError(str(refusal))
            if isinstance(refusal, PointerMovedError):
                wrong.found = PointerResult(version=registry.version, predecessor=registry.predecessor)
            raise wrong from refusal
        if moved is registry:
            return registry, move
        if not is_tried:
            archive.check_writable(f"registry/{parameters.track}.json")
            is_tried = True
        if swap_registry(archive, moved, version):
            return moved, move


def _outcome(run: Run, now: Registry, move: Move, message: str) -> Outcome:
    """Who is champion; of a repeat that comes after other moves, not whom its own made champion."""
    if now.log[-1] != move:
        message = f"request {move.request_id!r} was carried out before; {now.track} version {now.version} is champion"
    return Outcome(
        outputs={} if now.champion is None else {"champion": run.archive.addressed(now.champion.artifact)},
        result=PointerResult(version=now.version, predecessor=now.predecessor),
        message=message,
    )


def _judged_iterations(recorded: Iterable[tuple[int, str]], track: Track) -> list[int]:
    return [iteration for iteration, task in recorded if task == f"evaluate-{track}"]


def _consecutive_failures(archive: Archive, recorded: list[tuple[int, str]], registry: Registry, finished: int) -> int:
    """Rejected candidates since the last accepted one or the last rollback, whichever is later.

    A match that was no evidence counts as nothing. Iterations after `finished` are left out: who adopts takes them up
    again, and counts their verdicts then.
    """
    since = max((move.judged_through for move in registry.log), default=0)
    judged = (iteration for iteration in _judged_iterations(recorded, registry.track) if iteration <= finished)
    failures = 0
    for iteration in sorted(judged, reverse=True):
        if iteration <= since:
            break
        record = archive.record(iteration, f"evaluate-{registry.track}")
        if record is None:
            break
        if record.result.verdict is None:
            continue
        if record.result.verdict.decision is not Decision.REJECT:
            break
        failures += 1
    return failures


def _finished_iteration(archive: Archive, recorded: list[tuple[int, str]], registries: dict[Track, Registry]) -> int:
    """The last finished iteration.

    An iteration is finished when a later one has begun, or when its games are merged, every track has its verdict and
    every accepted candidate was promoted. The operator takes up the one after it; tasks that it finished are found and
    not repeated.
    """
    latest = max((iteration for iteration, _ in recorded), default=0)
    merged = read_manifest(archive)[0].cursor.get(latest)
    if merged is None or not merged.complete:
        return max(0, latest - 1)
    tasks = {task for iteration, task in recorded if iteration == latest}
    for track, registry in registries.items():
        if f"evaluate-{track}" not in tasks:
            return max(0, latest - 1)
        record = archive.record(latest, f"evaluate-{track}")
        assert record is not None
        verdict = record.result.verdict
        accepted = verdict is not None and verdict.decision is Decision.PROMOTE
        if accepted and registry.promotion_of(latest) is None:
            return max(0, latest - 1)
    return latest

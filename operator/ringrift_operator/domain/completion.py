"""Ends an iteration when everything about it is settled, and leaves its record behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ringrift_core.contract import Artifact, Decision, ExitCode, PointerResult, Track, Verdict
from ringrift_operator.api.base import API_VERSION, ObjectMeta, OwnerReference
from ringrift_operator.api.iteration import StageRecord, TrackRecord, TrainingIteration, TrainingIterationSpec
from ringrift_operator.api.pipeline_status import (
    ConfigurationStatus,
    PointerMove,
    StagePhase,
    TrackDecision,
    TrackStatus,
)
from ringrift_operator.domain import steps
from ringrift_operator.domain.configuration import (
    combined,
    is_in_iteration,
    is_settled,
    iteration_under_way,
    single_task,
    step_phase,
)
from ringrift_operator.domain.evidence import cut_games, refusal_of_track
from ringrift_operator.domain.labels import CONFIGURATION, ITERATION, PIPELINE
from ringrift_operator.domain.naming import record_name
from ringrift_operator.domain.rating import rating_of
from ringrift_operator.domain.reasons import EventReason
from ringrift_operator.domain.recipe import Recipe, Step
from ringrift_operator.domain.results import added_up
from ringrift_operator.domain.situation import Situation
from ringrift_operator.domain.snapshot import Snapshot
from ringrift_operator.domain.stalls import blocking_task


def finish_iteration(situation: Situation) -> Situation:
    """Records the iteration under way and makes room for the next, once nothing of it is open."""
    configuration = situation.configuration
    if not is_in_iteration(configuration):
        return situation.become(_without_answered_requests(configuration))
    if not is_settled(configuration) or blocking_task(configuration) is not None:
        return situation
    number = iteration_under_way(configuration)
    record = _record(situation.snapshot, configuration)
    finished = configuration.finished(
        diverged=next((task.message for task in configuration.tasks if task.exit_code == ExitCode.DIVERGED), ""),
        failed=_came_to_nothing(configuration),
        games_cut="; ".join(sentence for stage in record.spec.stages for sentence in cut_games(stage)),
    )
    for track in configuration.tracks:
        settled = track.settled(
            failure=_failure(configuration, track.name) if track.decision == TrackDecision.FAILED else "",
            regression=_regression(configuration, track.name),
            converged=_converged(situation.snapshot, configuration, track),
            evaluator=_evaluator(situation.snapshot, configuration, track),
            refusal=_refusal(situation.snapshot, configuration, track.name),
            rating=rating_of(configuration, track),
        )
        finished = finished.with_track(settled)
    situation = replace(situation.become(finished), records=(*situation.records, record))
    return situation.say(EventReason.ITERATION_FINISHED, f"iteration {number} ends: {record.spec.summary}")


def _without_answered_requests(configuration: ConfigurationStatus) -> ConfigurationStatus:
    """Between iterations a finished rollback by request has nothing left to wait for."""
    if not configuration.adopted or not all(task.has_ended for task in configuration.tasks):
        return configuration
    return configuration.with_tasks(()) if configuration.tasks else configuration


def _converged(snapshot: Snapshot, configuration: ConfigurationStatus, track: TrackStatus) -> str:
    """What the track's search has converged under, in this iteration or before."""
    recipe = _succeeded(snapshot, configuration, track.name)
    if recipe is None or configuration.frozen is None:
        return track.converged
    return recipe.converged(configuration, configuration.frozen, iteration_under_way(configuration)) or track.converged


def _evaluator(snapshot: Snapshot, configuration: ConfigurationStatus, track: TrackStatus) -> str:
    """What scored the track's last search, and why."""
    recipe = _succeeded(snapshot, configuration, track.name)
    return track.evaluator if recipe is None else recipe.evaluator(configuration)


def _succeeded(snapshot: Snapshot, configuration: ConfigurationStatus, track: Track) -> Recipe | None:
    """The recipe of a track whose candidate was made; None where none was."""
    recipe = snapshot.recipes.tracks.get(track)
    maker = recipe.maker(configuration) if recipe is not None else None
    if maker is None or step_phase(configuration, maker.name) != StagePhase.SUCCEEDED:
        return None
    return recipe


def _regression(configuration: ConfigurationStatus, track: Track) -> str:
    """How the track's champion lost to its predecessor; empty when it did not."""
    for task in configuration.tasks:
        verdict = task.verdict
        if verdict is not None and verdict.decision == Decision.REGRESSED and verdict.track == track:
            return verdict.reason
    return ""


def _came_to_nothing(configuration: ConfigurationStatus) -> str:
    """The failures of an iteration of which no track was judged; empty where one was, or none failed."""
    decisions = {track.name: track.decision for track in configuration.tracks if track.decision is not None}
    failed = [name for name, decision in decisions.items() if decision == TrackDecision.FAILED]
    if not set(decisions.values()) <= {TrackDecision.FAILED, TrackDecision.SKIPPED}:
        return ""
    return "; ".join(f"{name} failed: {_failure(configuration, name)}" for name in failed)


def _failure(configuration: ConfigurationStatus, track: Track) -> str:
    """The words of the step that failed the track."""
    for step in (steps.promote(track), steps.evaluate(track)):
        if step_phase(configuration, step) in (StagePhase.FAILED, StagePhase.SKIPPED):
            return single_task(configuration, step).message
    return ""


def _refusal(snapshot: Snapshot, configuration: ConfigurationStatus, track: Track) -> str:
    """Why the track came to no verdict for want of evidence."""
    recipe = snapshot.recipes.tracks.get(track)
    return refusal_of_track(configuration, recipe) if recipe is not None else ""


def _record(snapshot: Snapshot, configuration: ConfigurationStatus) -> TrainingIteration:
    number = iteration_under_way(configuration)
    frozen = configuration.frozen
    tracks = tuple(_track_record(snapshot, configuration, track) for track in (frozen.tracks if frozen else ()))
    name = record_name(snapshot.name, configuration.name, number)
    return TrainingIteration(
        kind="TrainingIteration",
        metadata=ObjectMeta(
            name=name,
            namespace=snapshot.namespace,
            labels={PIPELINE: snapshot.name, CONFIGURATION: configuration.name, ITERATION: str(number)},
            owner_references=(owner_of(snapshot),),
        ),
        spec=TrainingIterationSpec(
            pipeline=snapshot.name,
            configuration=configuration.name,
            board=configuration.board,
            players=configuration.players,
            iteration=number,
            started_at=configuration.started_at,
            finished_at=snapshot.now,
            games=configuration.games,
            summary=", ".join(_summary(track) for track in tracks)[:512],
            stages=tuple(
                _stage_record(configuration, step)
                for step in snapshot.recipes.steps.values()
                if step_phase(configuration, step.name)
            ),
            tracks=tracks,
            promotions=_moves(snapshot, configuration, steps.promote),
            rollbacks=_moves(snapshot, configuration, steps.rollback, steps.requested_rollback),
        ),
    )


def owner_of(snapshot: Snapshot) -> OwnerReference:
    """The pipeline, as owner of its children."""
    return OwnerReference(
        api_version=API_VERSION,
        kind="TrainingPipeline",
        name=snapshot.name,
        uid=snapshot.uid,
        controller=True,
        block_owner_deletion=True,
    )


def _stage_record(configuration: ConfigurationStatus, step: Step) -> StageRecord:
    parts = [task for task in configuration.tasks if task.name == step.name]
    started = [task.started_at for task in parts if task.started_at]
    finished = [task.finished_at for task in parts if task.finished_at]
    return StageRecord(
        name=step.name,
        stage=step.stage,
        phase=combined([task.phase for task in parts]),
        attempts=max(task.attempt for task in parts),
        started_at=min(started, default=None),
        finished_at=max(finished, default=None),
        message=next((task.message for task in parts if task.message), ""),
        result=added_up(task.result for task in parts),
        outputs={output: artifact for task in parts for output, artifact in task.outputs.items()},
    )


def _track_record(snapshot: Snapshot, configuration: ConfigurationStatus, track: Track) -> TrackRecord:
    status = configuration.track(track)
    decision, champion = status.decision, status.champion
    if decision is None:
        raise ValueError(f"{configuration.name}: {track} is undecided, and its iteration over")
    recipe, rating = snapshot.recipes.tracks.get(track), rating_of(configuration, status)
    if recipe is None:
        return TrackRecord(track=track, decision=decision, champion=champion, rating=rating)
    return TrackRecord(
        track=track,
        decision=decision,
        candidate=_output(configuration, recipe.maker(configuration)),
        verdict=_verdict(configuration, steps.evaluate(track)),
        regression=_verdict(configuration, steps.regression(track)),
        champion=champion,
        rating=rating,
    )


def _output(configuration: ConfigurationStatus, step: Step | None) -> Artifact | None:
    if step is None:
        return None
    made = (task.outputs.get(step.handling.facts.output) for task in configuration.tasks if task.name == step.name)
    return next(made, None)


def _verdict(configuration: ConfigurationStatus, step: str) -> Verdict | None:
    return next((task.verdict for task in configuration.tasks if task.name == step), None)


def _summary(track: TrackRecord) -> str:
    rate = "" if track.verdict is None else f" {track.verdict.win_rate:.3f} over {track.verdict.games} games"
    return f"{track.track} {track.decision}{rate}"


def _moves(
    snapshot: Snapshot, configuration: ConfigurationStatus, *called: Callable[[Track], str]
) -> tuple[PointerMove, ...]:
    """Pointer moves of this iteration, from the tasks that made them."""
    moves = []
    for task in configuration.tasks:
        track = snapshot.recipes.steps[task.name].track
        moved = task.found(PointerResult) if task.phase == StagePhase.SUCCEEDED else None
        if track is None or moved is None or task.name not in {name(track) for name in called}:
            continue
        verdict = _verdict(configuration, steps.evaluate(track)) if task.name == steps.promote(track) else None
        moves.append(
            PointerMove(
                configuration=configuration.name,
                track=track,
                iteration=iteration_under_way(configuration),
                version=str(moved.version),
                win_rate=verdict.win_rate if verdict else None,
                reason=(verdict.reason if verdict else task.request)[:512],
                time=task.finished_at or snapshot.now,
            )
        )
    return tuple(moves)

"""Why a pipeline, or a part of it, cannot move until someone changes something; each reason is a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ringrift_core.contract import ExitCode
from ringrift_operator.api.pipeline import Artifacts
from ringrift_operator.api.pipeline_status import ConfigurationStatus, StagePhase, TaskStatus
from ringrift_operator.api.resolve import resolve
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.api.scalars import format_duration
from ringrift_operator.domain.configuration import tracks_with_champion
from ringrift_operator.domain.recipe import Step
from ringrift_operator.domain.retries import LONGEST_PAUSE
from ringrift_operator.domain.slots import demand_of, is_selected, pools_for
from ringrift_operator.domain.snapshot import OtherPipeline, Snapshot
from ringrift_operator.domain.steps import ADOPT, MERGE, SELFPLAY

TAKE_OVER_ANNOTATION = "ringrift.ai/take-over-requested-at"
"""Asks for the claim of the pipeline's store, whoever has it."""

STALLED_AFTER_REPEATS = 3
"""Times in a row that all attempts of a step failed which the whole iteration needs."""


def stalled_as_a_whole(snapshot: Snapshot) -> tuple[str, ...]:
    """Reasons for which nothing of the pipeline may start."""
    return (*_unusable_store(snapshot), *_same_store(snapshot), *_not_yet(snapshot))


def stalled_in_part(snapshot: Snapshot, configurations: tuple[ConfigurationStatus, ...]) -> tuple[str, ...]:
    """Reasons for which some configuration or stage stands still while others go on."""
    blocked = (_blocked(snapshot, configuration) for configuration in configurations)
    failing = (_failing(snapshot, configuration) for configuration in configurations)
    held = (_held(snapshot, configuration) for configuration in configurations)
    said = tuple(sentence for sentence in (*blocked, *failing, *held) if sentence)
    return (*said, *without_jobsets(snapshot), *_without_pool(snapshot))


def held_task(configuration: ConfigurationStatus) -> TaskStatus | None:
    """A step that waits since the store's claim is another pipeline's."""
    return next((each for each in configuration.tasks if each.exit_code == ExitCode.HELD and not each.has_ended), None)


def blocking_task(configuration: ConfigurationStatus) -> TaskStatus | None:
    """A given-up adopt, or a shared stage that found its input wrong: someone has to look.

    Self-play finds it wrong when the store cannot be used, or holds this iteration of a pipeline that asked for
    something else; to go on would be to train and promote on that.
    """
    for task in configuration.tasks:
        is_shared = task.name in (SELFPLAY, MERGE)
        if task.phase == StagePhase.FAILED and (
            task.name == ADOPT or (is_shared and task.exit_code == ExitCode.WRONG_INPUT)
        ):
            return task
    return None


def failing_task(configuration: ConfigurationStatus) -> TaskStatus | None:
    """A step that the whole iteration needs, and that has failed so often that someone has to look.

    It is repeated all the same: what ails a cluster often passes without a word to the operator.
    """
    return next(
        (task for task in configuration.tasks if task.repeats >= STALLED_AFTER_REPEATS and not task.has_ended), None
    )


def _failing(snapshot: Snapshot, configuration: ConfigurationStatus) -> str:
    task = failing_task(configuration)
    if task is None:
        return ""
    tries = f"{configuration.name}: {task.name} failed in all attempts, {task.repeats} times in a row ({task.message})"
    if snapshot.local_store is not None:
        return f"{tries}: mend that, then run the same command again"
    return (
        f"{tries}: mend that; it is repeated every {format_duration(LONGEST_PAUSE)}, "
        "or now if you annotate the pipeline with ringrift.ai/reconcile-requested-at"
    )


def _held(snapshot: Snapshot, configuration: ConfigurationStatus) -> str:
    task = held_task(configuration)
    if task is None:
        return ""
    by_itself = "; a claim that is an hour old is taken over by itself" if task.name == ADOPT else ""
    annotate = f"annotate this one with {TAKE_OVER_ANNOTATION}=<time>"
    if snapshot.local_store is not None:
        annotate += " in its file and run the same command again"
    return f"{task.message}: delete one of the two pipelines, or, to take the store over, {annotate}{by_itself}"


def _blocked(snapshot: Snapshot, configuration: ConfigurationStatus) -> str:
    task = blocking_task(configuration)
    if task is None:
        return ""
    again = "annotate the pipeline with ringrift.ai/reconcile-requested-at"
    if snapshot.local_store is not None:
        again = "run the same command again"
    return f"{configuration.name}: {task.name} was given up ({task.message}): mend the store or the spec, then {again}"


def _unusable_store(snapshot: Snapshot) -> tuple[str, ...]:
    uri = snapshot.spec.artifacts.uri
    if snapshot.local_store is None and uri is not None and uri.startswith("file://"):
        return (
            f"artifacts.uri {uri} is a folder of one machine, which Pods cannot share: "
            "use s3://bucket/prefix or persistentVolumeClaim; file:// is for `ringrift-operator local`",
        )
    return ()


def _same_store(snapshot: Snapshot) -> tuple[str, ...]:
    """Of two pipelines with the same store and configuration the younger stands still."""
    ours = {resolve(configuration, snapshot.spec).name for configuration in snapshot.spec.configurations}
    return tuple(
        f"pipeline {_called(snapshot, other)} already trains {', '.join(sorted(shared))} in the same store: "
        "use another store, or remove the configuration from one of them"
        for other in snapshot.others
        if _is_older(other, snapshot)
        and _store_key(other.artifacts, other.namespace) == _store_key(snapshot.spec.artifacts, snapshot.namespace)
        and (shared := ours & other.configurations)
    )


def _called(snapshot: Snapshot, other: OtherPipeline) -> str:
    return other.name if snapshot.local_store is not None else f"{other.name} in namespace {other.namespace}"


def _is_older(other: OtherPipeline, snapshot: Snapshot) -> bool:
    return (other.created_at, other.uid) < (snapshot.created_at, snapshot.uid)


def _store_key(artifacts: Artifacts, namespace: str) -> tuple[str, ...]:
    """Equal for equal stores; a claim is one of its namespace."""
    if artifacts.persistent_volume_claim is not None:
        return ("claim", namespace, artifacts.persistent_volume_claim.claim_name)
    return ("uri", (artifacts.uri or "").rstrip("/"))


def _not_yet(snapshot: Snapshot) -> tuple[str, ...]:
    """What the spec asks for and no recipe has yet."""
    recipes = snapshot.recipes
    sentences = []
    for values in _resolved(snapshot):
        if not any(track in recipes.tracks for track in values.tracks):
            wanted, there = " or ".join(values.tracks), " or ".join(recipes.tracks)
            sentences.append(f"{values.name}: the {wanted} track has no stages yet: add {there} to tracks")
    return tuple(sentences)


def without_jobsets(snapshot: Snapshot) -> tuple[str, ...]:
    """What several Pods would do together, where there are no JobSets to be had."""
    return tuple(
        f"{values.name}: {step.name} on {places} nodes needs JobSet, {snapshot.jobset_fault}, "
        "or set network.distributed.nodes to 1"
        for values in _resolved(snapshot)
        for step in _heavy_steps(snapshot, values)
        if (places := demand_of(snapshot, step, values).places) > 1 and snapshot.jobset_fault
    )


def _without_pool(snapshot: Snapshot) -> tuple[str, ...]:
    """Stages that no pool could ever take, whether it is busy, suspended, offline or not; once for all that lack the
    same."""
    lacking: dict[tuple[str, str], dict[str, list[str]]] = {}
    for values in _resolved(snapshot):
        for step in _heavy_steps(snapshot, values):
            if not pools_for(snapshot, step, values):
                by_name = lacking.setdefault(_no_pool(snapshot, values, step), {})
                by_name.setdefault(values.name, []).append(step.stage)
    return tuple(f"{wrong} {_listed(by_name)}{remedy}" for (wrong, remedy), by_name in lacking.items())


def _listed(stages: Mapping[str, Sequence[str]]) -> str:
    """`selfplay, train of square8-2p and selfplay of hex8-2p`."""
    return " and ".join(f"{', '.join(listed)} of {name}" for name, listed in stages.items())


def _no_pool(snapshot: Snapshot, values: ResolvedConfiguration, step: Step) -> tuple[str, str]:
    """What is wrong, to be said before what it is that finds no pool; and what to do, to be said after it."""
    if snapshot.unread_pools:
        names = ", ".join(snapshot.unread_pools)
        return "no WorkerPool takes", f", and {names} cannot be read (kubectl describe workerpool says what to mend)"
    if not snapshot.pools:
        return "there is no WorkerPool to run", ": create one (kubectl get workerpools)"
    if not any(is_selected(snapshot, pool) for pool in snapshot.pools):
        names = ", ".join(pool.name for pool in snapshot.pools)
        return "spec.poolSelector selects no WorkerPool to run", f": change it, or the labels of {names}"
    demand = demand_of(snapshot, step, values)
    needs = f"a slot with stage {step.stage}"
    if demand.cuda:
        needs += f" and device cuda ({demand.cuda})"
    if demand.places > 1:
        needs += f" and a count of at least {demand.places} (it takes so many places at once)"
    if demand.processes > 1:
        needs += f" and {demand.processes} GPUs, or device cpu (so many processes train together in a Pod)"
    if _is_left_out_for_its_batch(snapshot, values, step):
        needs += f" and no minBatch above {demand.batch}"
    if demand.is_distributed:
        needs += ", of type Cluster (several processes train together in Pods alone)"
    elif snapshot.spec.artifacts.persistent_volume_claim is not None:
        needs += ", of type Cluster or with artifactsPath (the store is a claim)"
    return "no WorkerPool takes", f": add {needs} to a pool for {values.board} and {values.players} players"


def _is_left_out_for_its_batch(snapshot: Snapshot, values: ResolvedConfiguration, step: Step) -> bool:
    """Whether some slot lists the stage, and leaves so small a batch to others."""
    demand = demand_of(snapshot, step, values)
    slots = (slot for pool in snapshot.pools for slot in pool.spec.slots if step.listed_as.value in slot.stages)
    return not demand.is_distributed and any(slot.min_batch and 0 < demand.batch < slot.min_batch for slot in slots)


def _heavy_steps(snapshot: Snapshot, values: ResolvedConfiguration) -> tuple[Step, ...]:
    """One step of each stage that needs a slot."""
    known = (each for each in snapshot.status.configurations if each.name == values.name)
    now = next(map(tracks_with_champion, known), frozenset())
    later = now | set(values.tracks)
    wanted = [step for there in (now, later) for step in snapshot.recipes.of_iteration(values.tracks, there, set())]
    by_stage = {step.stage: step for step in wanted if not step.is_light}
    return tuple(by_stage.values())


def _resolved(snapshot: Snapshot) -> tuple[ResolvedConfiguration, ...]:
    return tuple(resolve(configuration, snapshot.spec) for configuration in snapshot.spec.configurations)

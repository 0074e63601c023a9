"""`ringrift-operator local -f FILE`: reads the files, shows the plan or runs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from ringrift_core.contract import STAGE_PROGRAM
from ringrift_core.streams import console as console_here
from ringrift_operator.api.base import Resource
from ringrift_operator.api.conditions import ConditionStatus, ConditionType
from ringrift_operator.api.load import InvalidResources, left_to_kubectl, load, read_all
from ringrift_operator.api.pipeline import TrainingPipeline
from ringrift_operator.api.pool import WorkerPool
from ringrift_operator.domain.planning import plan
from ringrift_operator.domain.recipes import SHIPPED, Recipes
from ringrift_operator.domain.snapshot import PoolObservation
from ringrift_operator.domain.stalls import stalled_as_a_whole
from ringrift_operator.local.folder import LocalError
from ringrift_operator.local.invocation import Invocation
from ringrift_operator.local.machine import this_machine
from ringrift_operator.local.plain import PlainShow
from ringrift_operator.local.reconcile import snapshot_of
from ringrift_operator.local.session import Session, found
from ringrift_operator.local.show import Show
from ringrift_operator.local.view import LiveShow

WRONG_INPUT = 2


def local(
    files: Sequence[Path],
    data: Path,
    *,
    dry_run: bool = False,
    plain: bool = False,
    program: Sequence[str] = STAGE_PROGRAM,
    recipes: Recipes = SHIPPED,
) -> int:
    """Runs the pipelines of files; the exit status: 0 complete, 1 at a standstill, 2 wrong input, 130 stopped."""
    console = console_here()
    try:
        pipelines, pools = _read(files, recipes)
        if dry_run:
            _show_plan(console, pipelines, pools, data, recipes)
            return 0
        invocation = Invocation(tuple(files), data, plain)
        is_live = console.is_terminal and not plain
        show: Show = LiveShow(console, invocation) if is_live else PlainShow(console, invocation)
        return Session(pipelines, pools, data, show, program, recipes).run()
    except InvalidResources as invalid:
        print(invalid, file=sys.stderr)
        return WRONG_INPUT
    except LocalError as error:
        print(f"ringrift-operator local: {error}", file=sys.stderr)
        return WRONG_INPUT
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"ringrift-operator local: {place}{error.strerror}; what was saved is kept", file=sys.stderr)
        return 1


def _read(files: Sequence[Path], recipes: Recipes) -> tuple[list[TrainingPipeline], tuple[PoolObservation, ...]]:
    documents = read_all(files)
    resources: list[Resource] = load(documents)
    pipelines = [resource for resource in resources if isinstance(resource, TrainingPipeline)]
    if not pipelines:
        raise LocalError(f"{Invocation(tuple(files)).quoted_files} holds no TrainingPipeline")
    # A claim has a folder here (docs/api.md).
    others = [name for name in left_to_kubectl(documents) if not name.startswith("PersistentVolumeClaim")]
    if others:
        print(f"ringrift-operator local: left to kubectl: {', '.join(others)}", file=sys.stderr)
    pools = tuple(
        PoolObservation(resource.metadata.name, resource.spec, resource.metadata.labels)
        for resource in resources
        if isinstance(resource, WorkerPool)
    )
    return pipelines, pools or (this_machine(recipes),)


def _show_plan(
    console: Console,
    pipelines: Sequence[TrainingPipeline],
    pools: tuple[PoolObservation, ...],
    data: Path,
    recipes: Recipes,
) -> None:
    """What would run, and what would keep it from running. Nothing is written."""
    now = datetime.now(UTC)
    # Of two that want the same the first in the file is the older one, as in a run.
    locals_ = [
        found(wanted, data, now + place * timedelta.resolution, recipes=recipes)
        for place, wanted in enumerate(pipelines)
    ]
    for local in locals_:
        snapshot = snapshot_of(local, locals_, pools, now)
        dry = replace(snapshot, spec=snapshot.spec.model_copy(update={"dry_run": True}))
        status = plan(dry).status
        for line in status.plan if not stalled_as_a_whole(dry) else ():
            console.print(f"{local.name}: {line}", markup=False, soft_wrap=True)
        for condition in status.conditions:
            if condition.type == ConditionType.STALLED and condition.status == ConditionStatus.TRUE:
                console.print(f"{local.name}: would stand still: {condition.message}", markup=False, soft_wrap=True)

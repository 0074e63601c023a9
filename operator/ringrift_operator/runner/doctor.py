"""`ringrift-runner doctor`: whether this machine can be a pool's runner, and what to do where it cannot."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from ringrift_core.contract import STAGES, Device, first_fault, read
from ringrift_core.memory import available_memory
from ringrift_operator.api.pool import PoolType, WorkerPoolSpec
from ringrift_operator.api.scalars import memory_quantity, quantity_value
from ringrift_operator.builders.lease import RUNNER
from ringrift_operator.kube.client import EXPECTED, ApiError, Client, LoginError, words_of
from ringrift_operator.kube.resource import LEASES, POOLS, REMOTE_TASKS, SERVICE_ACCOUNTS, Resource
from ringrift_operator.processes.devices import fastest_device
from ringrift_operator.processes.locks import TakenError, held
from ringrift_operator.runner.credentials import Access, claims_of, read_kubeconfig
from ringrift_operator.runner.settings import Settings

LEAST_FREE_BYTES = 5 * 2**30
"""Of disk: games and networks of a stage, and objects that are kept."""


@dataclass(frozen=True)
class Examined:
    """One thing that was looked at."""

    what: str
    said: str
    is_well: bool = True

    def __str__(self) -> str:
        return f"{'ok ' if self.is_well else 'BAD'} {self.what}: {self.said}"


def examine(settings: Settings, store: str | None, tell: Callable[[Examined], None]) -> bool:
    """Looks at everything, and tells of each thing as it is found; whether all is well."""
    all_well = True

    def told(examined: Examined) -> None:
        nonlocal all_well
        all_well = all_well and examined.is_well
        tell(examined)

    told(_folder(settings))
    told(_program(settings))
    try:
        access = read_kubeconfig(settings.kubeconfig)
    except LoginError as error:
        told(Examined("kubeconfig", str(error), is_well=False))
        return False
    told(_token(access, settings))
    try:
        cluster = asyncio.run(_cluster(access, settings))
    except (*EXPECTED, LoginError) as error:
        told(Examined("cluster", f"{access.server}: {words_of(error)}", is_well=False))
        return False
    for examined in cluster.examined:
        told(examined)
    if cluster.pool is not None:
        for examined in _machine(cluster.pool):
            told(examined)
        if store is None and cluster.pool.artifacts_path is not None:
            store = Path(cluster.pool.artifacts_path).as_uri()
    if store is None:
        told(Examined("store", "not looked at: name it, --store s3://BUCKET/PREFIX"))
    else:
        told(_store(settings, store))
    return all_well


@dataclass(frozen=True)
class _Cluster:
    """What the API server has told."""

    examined: list[Examined]
    pool: WorkerPoolSpec | None


def _folder(settings: Settings) -> Examined:
    what = "folder"
    try:
        with held(settings.lock):
            free = shutil.disk_usage(settings.folder).free
    except TakenError as process:
        return Examined(what, f"{settings.folder}: a runner (process {process}) works in it")
    except OSError as error:
        return Examined(what, f"{settings.folder}: {error.strerror}: name another by --folder", is_well=False)
    said = f"{settings.folder}, {memory_quantity(free)} free"
    return Examined(what, said, is_well=free >= LEAST_FREE_BYTES)


def _program(settings: Settings) -> Examined:
    done = subprocess.run([*settings.program, "--version"], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return Examined("stages", f"`ringrift` does not start: {last}", is_well=False)
    return Examined("stages", done.stdout.strip())


def _token(access: Access, settings: Settings) -> Examined:
    try:
        claims = claims_of(access.token)
    except ValueError as error:
        return Examined("token", f"{settings.kubeconfig}: {error}", is_well=False)
    if claims.account != RUNNER + settings.pool:
        of = claims.account.removeprefix(RUNNER)
        return Examined("token", f"it is for the runner of pool {of}, not {settings.pool}", is_well=False)
    until = claims.expires_at.strftime("%Y-%m-%d %H:%M UTC")
    if claims.expires_at <= settings.clock():
        return Examined("token", f"it ended at {until}: write another (runner-credentials)", is_well=False)
    return Examined("token", f"until {until}; a running runner renews it")


async def _cluster(access: Access, settings: Settings) -> _Cluster:
    examined: list[Examined] = []
    spec: WorkerPoolSpec | None = None
    async with Client(lambda: access) as client:
        try:
            pool = await client.get(POOLS, (access.namespace, settings.pool))
        except ApiError as error:
            return _Cluster([Examined("pool", str(error), is_well=False)], None)
        if pool is None:
            said = f"there is none of name {settings.pool} in namespace {access.namespace}"
            return _Cluster([Examined("pool", said, is_well=False)], None)
        try:
            spec = read(WorkerPoolSpec, pool["spec"])
            is_runner = spec.type == PoolType.RUNNER
            ready = pool.get("status", {}).get("conditions", [{"message": "the operator has not looked at it yet"}])
            said = ready[0]["message"] if is_runner else "it is of type Cluster: its tasks are Jobs"
            examined.append(Examined("pool", said, is_well=is_runner))
        except ValidationError as error:
            said = f"this runner does not understand it: {first_fault(error)}"
            examined.append(Examined("pool", said, is_well=False))
        missing = [said async for said in _missing_rights(client, access, settings)]
        examined.append(Examined("rights", "; ".join(missing) or "all there", is_well=not missing))
        examined.append(await _lease(client, access, settings))
    return _Cluster(examined, spec)


async def _missing_rights(client: Client, access: Access, settings: Settings) -> AsyncIterator[str]:
    name = RUNNER + settings.pool
    needed: list[tuple[str, Resource, str, str]] = [
        *(((verb, REMOTE_TASKS, "", "")) for verb in ("list", "watch")),
        ("patch", REMOTE_TASKS, "status", ""),
        *(((verb, LEASES, "", "")) for verb in ("get", "update", "patch")),
        ("create", SERVICE_ACCOUNTS, "token", name),
    ]
    for verb, resource, part, of in needed:
        if not await client.may(verb, resource, access.namespace, part, of):
            yield f"may not {verb} {resource.plural}{'/' if part else ''}{part}"


async def _lease(client: Client, access: Access, settings: Settings) -> Examined:
    lease = await client.get(LEASES, (access.namespace, RUNNER + settings.pool))
    if lease is None:
        return Examined("lease", "the operator has made none for this pool: does it run?", is_well=False)
    holder = lease["spec"].get("holderIdentity", "")
    return Examined("lease", f"held by {holder}" if holder else "free")


def _machine(pool: WorkerPoolSpec) -> Iterator[Examined]:
    """Whether it has what the slots promise."""
    wanted = sum((quantity_value(slot.resources["memory"]) * slot.count for slot in pool.slots), Decimal(0))
    there = available_memory().size
    said = f"the slots promise {memory_quantity(int(wanted))}, this machine has {memory_quantity(there)}"
    yield Examined("memory", said, is_well=wanted <= there)
    fastest = fastest_device()
    for slot in pool.slots:
        if slot.device not in (Device.CPU, fastest):
            yield Examined("device", f"slot {slot.name} wants {slot.device}, this machine has {fastest}", is_well=False)
    needing = sorted({stage for slot in pool.slots for stage in slot.stages if STAGES[stage].needs_torch})
    if needing and importlib.util.find_spec("torch") is None:
        said = f"{', '.join(needing)} need PyTorch: {sys.executable} -m pip install 'ringrift[train]'"
        yield Examined("torch", said, is_well=False)


def _store(settings: Settings, store: str) -> Examined:
    """As a stage of this machine would find it."""
    command = [*settings.program, "check-store", "--store", store]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout if not done.returncode else done.stderr or done.stdout).strip().splitlines()
    return Examined("store", (lines or ["no word"])[-1], is_well=not done.returncode)

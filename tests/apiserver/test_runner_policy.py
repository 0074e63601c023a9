"""What the token of one pool's runner is refused, under the chart's policy, and what it is for."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringrift_operator.builders.lease import pool_lease, task_lease
from ringrift_operator.kube.client import ApiError, Client
from ringrift_operator.kube.resource import (
    JOBS,
    LEASES,
    POOLS,
    REMOTE_TASKS,
    SECRETS,
    SERVICE_ACCOUNTS,
    Object,
)
from ringrift_operator.runner.credentials import claims_of, keep_renewed, read_kubeconfig
from ringrift_operator.runner.reports import Reports, claimed
from ringrift_operator.runner_credentials import RefusedError, granted
from tests.apiserver.connecting import login_to
from tests.apiserver.operator_process import eventually
from tests.apiserver.runner_process import access_for
from tests.apiserver.test_watch import job
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl, KubectlError
from tests.cluster.requirement import required_binaries
from tests.unit.charts.test_charts import render

SLOT = {"name": "games", "stages": ["selfplay"], "resources": {"memory": "1Gi"}}
NAMES = ("mac", "mini")


class Outside:
    """Two Runner pools with a task and Leases each, and the runner of the first."""

    def __init__(self, control_plane: ControlPlane, kubectl: Kubectl, namespace: str) -> None:
        self.kubectl, self.namespace = kubectl, namespace
        for name in NAMES:
            kubectl.apply(_object("WorkerPool", name, {"type": "Runner", "slots": [SLOT]}))
            kubectl.apply(_task(name))
            kubectl.apply(pool_lease(kubectl.get("wp", name)["metadata"]))
            kubectl.apply(task_lease(kubectl.get("rt", f"task-of-{name}")["metadata"], name))
        kubectl("create", "secret", "generic", "keys", "--from-literal=a=b")
        self.access = access_for(control_plane, namespace, "mac")

    def tries(self, attempt: Callable[[Client], Awaitable[Any]]) -> str:
        """What the API server says to an attempt with the runner's token; empty when it lets it."""

        async def trying() -> str:
            async with Client(lambda: self.access, manager="ringrift-runner") as client:
                try:
                    await attempt(client)
                except ApiError as error:
                    return f"{error.status}: {error.message}"
            return ""

        return asyncio.run(trying())

    def writes(self, task: str, **status: Any) -> str:
        return self.tries(
            lambda client: client.patch(REMOTE_TASKS, (self.namespace, task), {"status": status}, "status")
        )

    def renews(self, lease: str, **metadata: Any) -> str:
        content = {"metadata": metadata, "spec": {"holderIdentity": "me"}}
        return self.tries(lambda client: client.patch(LEASES, (self.namespace, lease), content))

    def asks_for_a_token(self, account: str, **spec: Any) -> str:
        return self.tries(lambda client: client.token((self.namespace, account), spec))


def _object(kind: str, name: str, spec: Object) -> Object:
    return {"apiVersion": "ringrift.ai/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def _task(pool: str) -> Object:
    spec = {
        "pipeline": "tiny",
        "configuration": "square8-2p",
        "iteration": 1,
        "stage": "selfplay",
        "attempt": 1,
        "pool": pool,
        "slot": "games",
        "parameters": {},
        "output": "s3://a/b",
        "resources": {"memory": "1Gi"},
    }
    return _object("RemoteTask", f"task-of-{pool}", spec)


@pytest.fixture(scope="module")
def outside(control_plane: ControlPlane) -> Iterator[Outside]:
    """Under the policy of a release that looks after the namespace."""
    namespace = "outside"
    control_plane.kubectl("create", "namespace", namespace)
    kubectl = control_plane.kubectl.within(namespace)
    rendered = render(required_binaries("helm") / "helm", f"--set=namespaces={{{namespace}}}")
    policies = [each for each in rendered if each["kind"].startswith("ValidatingAdmissionPolicy")]
    assert len(policies) == 2
    kubectl.apply(yaml.safe_dump_all(policies))
    found = Outside(control_plane, kubectl, namespace)
    # Policies take effect some moments after they are made.
    eventually(lambda: found.writes("task-of-mini", message="mine?") != "")
    yield found
    kubectl("delete", "namespace", namespace, "--wait=false")
    for policy in policies:
        control_plane.kubectl("delete", policy["kind"], policy["metadata"]["name"])


def test_what_it_is_for_is_let(outside: Outside) -> None:
    assert outside.writes("task-of-mac", phase="Running", holder="me", progress=0.5) == ""
    assert outside.renews("ringrift-runner-mac") == ""
    assert outside.renews("task-of-mac") == ""
    assert outside.renews("ringrift-runner-mac", annotations={"ringrift.ai/contract": "1.0"}) == ""
    assert outside.tries(lambda client: client.get(POOLS, (outside.namespace, "mac"))) == ""
    assert outside.tries(lambda client: client.items(REMOTE_TASKS, outside.namespace)) == ""
    assert outside.tries(lambda client: client.may("list", REMOTE_TASKS, outside.namespace)) == ""


def test_of_two_who_claim_what_both_have_read_one_gets_it(outside: Outside) -> None:
    outside.kubectl.apply({**_task("mac"), "metadata": {"name": "claimed"}})
    read = outside.kubectl.get("rt", "claimed")

    async def scenario() -> list[bool]:
        async with Client(lambda: outside.access) as client:
            claims = [claimed(holder, datetime.now(UTC)) for holder in ("one", "two", "three")]
            return list(await asyncio.gather(*(Reports(client, read).claim(claim) for claim in claims)))

    assert sorted(asyncio.run(scenario())) == [False, False, True]


def test_another_pools_task_and_leases_are_refused(outside: Outside) -> None:
    assert "this task is not of pool mac, whose runner this is" in outside.writes("task-of-mini", phase="Failed")
    assert outside.kubectl.get("rt", "task-of-mini").get("status", {}).get("phase", "Pending") == "Pending"
    for lease in ("ringrift-runner-mini", "task-of-mini"):
        assert "this is no Lease of pool mac" in outside.renews(lease)


def test_a_lease_is_not_made_ones_own(outside: Outside) -> None:
    assert "this is no Lease of pool mac" in outside.renews("task-of-mac", labels={"ringrift.ai/pool": "mini"})
    assert "this is no Lease of pool mac" in outside.renews("task-of-mac", ownerReferences=[])
    operators = "ringrift-namespace"
    outside.kubectl.apply({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": operators}})
    assert "this is no Lease of pool mac" in outside.renews(operators, labels={"ringrift.ai/pool": "mac"})


def test_it_does_not_say_that_a_task_is_lost(outside: Outside) -> None:
    assert "the operator alone says that a task is lost" in outside.writes("task-of-mac", phase="Lost")


def test_nothing_else_is_written_or_read(outside: Outside) -> None:
    home = outside.namespace
    task = (home, "task-of-mac")
    uid = outside.kubectl.get("rt", "task-of-mac")["metadata"]["uid"]
    attempts: dict[str, Callable[[Client], Awaitable[Any]]] = {
        "read a secret": lambda client: client.get(SECRETS, (home, "keys")),
        "list secrets": lambda client: client.items(SECRETS, home),
        "change a spec": lambda client: client.patch(REMOTE_TASKS, task, {"spec": {"attempt": 2}}),
        "make a Job": lambda client: client.create(JOBS, job(home, "mine")),
        "make a task": lambda client: client.create(
            REMOTE_TASKS, {**_task("mac"), "metadata": {"name": "mine", "namespace": home}}
        ),
        "delete a task": lambda client: client.delete(REMOTE_TASKS, task, uid),
        "read another pool": lambda client: client.get(POOLS, (home, "mini")),
        "change its pool": lambda client: client.patch(POOLS, (home, "mac"), {"spec": {"suspend": True}}),
        "make an account": lambda client: client.create(
            SERVICE_ACCOUNTS,
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "mine", "namespace": home}},
        ),
        "read elsewhere": lambda client: client.items(REMOTE_TASKS, "default"),
    }
    said = {name: outside.tries(attempt) for name, attempt in attempts.items()}
    print("\n".join(f"{name}: {sentence}" for name, sentence in said.items()))
    assert all(sentence.startswith("403: ") for sentence in said.values()), said


def test_the_policy_holds_whatever_else_somebody_allows_the_account(outside: Outside) -> None:
    account = f"--serviceaccount={outside.namespace}:ringrift-runner-mac"
    outside.kubectl("create", "rolebinding", "careless", "--clusterrole=admin", account)
    try:
        refused = (
            "a runner writes the status of its pool's tasks, its own Leases and a token of its own, and nothing else"
        )
        manifest = job(outside.namespace, "mine")
        eventually(lambda: refused in outside.tries(lambda client: client.create(JOBS, manifest)))
        spec = {"spec": {"suspend": True}}
        said = outside.tries(lambda client: client.patch(POOLS, (outside.namespace, "mac"), spec))
        assert said.startswith("403: ")
    finally:
        outside.kubectl("delete", "rolebinding", "careless")


def test_its_token_is_of_a_day_and_bound_to_the_pools_secret_and_it_gets_no_other(outside: Outside) -> None:
    claims = claims_of(outside.access.token)
    assert (claims.account, claims.secret) == ("ringrift-runner-mac", "ringrift-runner-mac")
    assert claims.expires_at - claims.issued_at == timedelta(days=1)
    assert claims.renew_at - claims.issued_at == timedelta(hours=12)
    (owner,) = outside.kubectl.get("secret", claims.secret)["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("WorkerPool", "mac")
    bound = {"apiVersion": "v1", "kind": "Secret", "name": claims.secret, "uid": claims.secret_uid}
    rule = "a runner's token is of its own account, bound to the Secret of its pool, and lives for a day at most"
    assert rule in outside.asks_for_a_token(claims.account, expirationSeconds=3600)
    assert rule in outside.asks_for_a_token(claims.account, expirationSeconds=86401, boundObjectRef=bound)
    assert "403: " in outside.asks_for_a_token("default", expirationSeconds=3600, boundObjectRef=bound)
    assert outside.asks_for_a_token(claims.account, expirationSeconds=86400, boundObjectRef=bound) == ""


def test_a_token_is_renewed_in_its_file_at_half_of_its_life(outside: Outside, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(outside.access.to_kubeconfig())
    claims = claims_of(outside.access.token)

    async def scenario() -> None:
        async with Client(lambda: read_kubeconfig(path)) as client:
            clock = [claims.renew_at - timedelta(seconds=30)]
            keeping = asyncio.create_task(keep_renewed(client, path, lambda: clock[0]))
            await asyncio.sleep(1)
            assert read_kubeconfig(path).token == outside.access.token
            keeping.cancel()
            clock[0] = claims.renew_at
            keeping = asyncio.create_task(keep_renewed(client, path, lambda: clock[0]))
            async with asyncio.timeout(60):
                while read_kubeconfig(path).token == outside.access.token:
                    await asyncio.sleep(0.05)
            keeping.cancel()

    asyncio.run(scenario())
    fresh = read_kubeconfig(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (fresh.server, fresh.authority, fresh.namespace) == (
        outside.access.server,
        outside.access.authority,
        outside.access.namespace,
    )
    bound = claims_of(fresh.token)
    assert (bound.account, bound.secret_uid) == (claims.account, claims.secret_uid)
    assert bound.expires_at - bound.issued_at == timedelta(days=1)


def test_a_token_ends_with_its_pool(control_plane: ControlPlane, namespace: str, kubectl: Kubectl) -> None:
    kubectl.apply(_object("WorkerPool", "mac", {"type": "Runner", "slots": [SLOT]}))
    access = access_for(control_plane, namespace, "mac")

    async def status() -> int:
        async with Client(lambda: access) as client:
            try:
                await client.get(POOLS, (namespace, "mac"))
            except ApiError as error:
                return error.status
        return 200

    assert asyncio.run(status()) == 200
    kubectl("delete", "wp", "mac")
    eventually(lambda: asyncio.run(status()) == 401)
    for kind in ("serviceaccount", "secret", "role", "rolebinding"):
        eventually(lambda kind=kind: _is_gone(kubectl, kind))  # type: ignore[misc]


def _is_gone(kubectl: Kubectl, kind: str) -> bool:
    try:
        kubectl.get(kind, "ringrift-runner-mac")
    except KubectlError:
        return True
    return False


def test_the_command_writes_a_file_that_is_its_owners_alone_and_says_what_to_do(
    outside: Outside, control_plane: ControlPlane, tmp_path: Path
) -> None:
    path = tmp_path / "mac.kubeconfig"

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        options = [f"--namespace={outside.namespace}", f"--output={path}"]
        return subprocess.run(
            [sys.executable, "-P", "-m", "ringrift_operator", "runner-credentials", *arguments, *options],
            env={**environment, "KUBECONFIG": str(control_plane.kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
        )

    done = command("mac")
    assert done.returncode == 0, done.stderr
    access = read_kubeconfig(path)
    assert (access.server, access.namespace) == (control_plane.server, outside.namespace)
    assert access.authority.strip() == control_plane.authority.certificate.read_text().strip()
    assert claims_of(access.token).account == "ringrift-runner-mac"
    assert path.stat().st_mode & 0o777 == 0o600
    assert f"{path} lets one machine be the runner of pool mac" in done.stdout
    assert access.token not in done.stdout
    assert command("mac", "--server=https://outside:6443").returncode == 0
    assert read_kubeconfig(path).server == "https://outside:6443"
    refused = command("nowhere")
    assert (refused.returncode, "there is no WorkerPool nowhere" in refused.stderr) == (1, True)


def test_credentials_are_for_runner_pools_alone(control_plane: ControlPlane, namespace: str, kubectl: Kubectl) -> None:
    kubectl.apply(_object("WorkerPool", "cluster", {"type": "Cluster", "slots": [SLOT]}))

    async def asked(pool: str) -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            await granted(client, (namespace, pool))

    with pytest.raises(RefusedError, match="pool cluster is of type Cluster: its tasks are Jobs"):
        asyncio.run(asked("cluster"))
    with pytest.raises(RefusedError, match=f"there is no WorkerPool nowhere in namespace {namespace}"):
        asyncio.run(asked("nowhere"))

"""Seconds until a pipeline that something refuses says so, and what a person reads then. See README.md here."""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.operator.measure import CRDS, prepared
from ringrift_core.contract import ExitCode
from tests.apiserver.dead_webhook import apply_dead_webhook
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import POOL, Person, pipeline
from tests.apiserver.worker import Ending, Worker
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl, KubectlError

BAR_SECONDS = 60
LONGEST_SECONDS = 300
LABEL = "refuses"
"""Of a namespace: what the policy of that name refuses there."""
NAME = "tiny"
CONDITIONS = ("Stalled", "Degraded", "Reconciling", "Ready")
"""Where the sentence is looked for, in this order."""


@dataclass(frozen=True)
class Refusal:
    """One way in which a pipeline does not get what it asks for."""

    name: str
    words: str
    """Of the sentence that has to come."""
    objects: tuple[dict[str, Any], ...] = ()
    """Made before the pipeline, beside its pool."""
    pool: dict[str, Any] | None = field(default_factory=dict)
    """Of the pool's spec; None for no pool."""
    spec: dict[str, Any] = field(default_factory=dict)
    """Of the pipeline's."""
    labels: tuple[str, ...] = ()
    """Of the namespace."""
    has_account: bool = True
    """Whether the ServiceAccount of the Pods is there."""
    node: Callable[[Worker], object] | None = None
    """What the node is told; None for no node, so that nothing ends."""
    once: Callable[[Kubectl], object] | None = None
    """What has to be true of the objects before the pipeline comes."""
    transcript: str = ""
    """What it is an example of."""


def _quota(**hard: str) -> dict[str, Any]:
    named = {name.replace("_", "/", 1).replace("_", "."): value for name, value in hard.items()}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "refusing"}, "spec": {"hard": named}}


SMALL = {"type": "Container", "max": {"memory": "1Mi"}}
LIMITS = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "refusing"}, "spec": {"limits": [SMALL]}}
SAME_STORE = {"artifacts": {"uri": "s3://bucket/refused"}}
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"
ACCOUNT = "games"
ONE_PLACE = [{**slot, "count": 1} for slot in POOL["spec"]["slots"]]


def _well(_worker: Worker) -> None:
    """Everything ends well."""


def _plays_for_ever(worker: Worker) -> None:
    worker.holds.add("selfplay")


def _no_image(worker: Worker) -> None:
    worker.cannot_start["adopt"] = ("ImagePullBackOff", 'Back-off pulling image "ringrift-worker:test"')


def _held(worker: Worker) -> None:
    said = "square8-2p in s3://bucket/refused is held by pipeline games/demo of cluster 91aa"
    worker.script["adopt"] = [Ending(ExitCode.HELD, message=said)] * 100


def _fails(worker: Worker) -> None:
    worker.script["merge"] = [Ending(1, message="the store is damaged")] * 100


def _elder_plays(kubectl: Kubectl) -> bool:
    (configuration,) = kubectl.get("tp", "elder").get("status", {}).get("configurations", [{}])
    return bool(configuration.get("stages", {}).get("selfplay") == "Running")


REFUSALS = (
    Refusal("no pool", "there is no WorkerPool", pool=None, transcript="stalled"),
    Refusal(
        "no pool with that label", "selects no WorkerPool", spec={"poolSelector": {"matchLabels": {"site": "moon"}}}
    ),
    Refusal("pool suspended", "WorkerPool pool is suspended", pool={"suspend": True}, node=_well),
    Refusal(
        "no room",
        "waits for a slot",
        (pipeline("refused", "elder"),),
        {"slots": ONE_PLACE},
        node=_plays_for_ever,
        once=_elder_plays,
        transcript="waiting",
    ),
    Refusal(
        "queue without Kueue", "is held: NoWorkload", pool={"queue": {"name": "games"}}, node=_well, transcript="queued"
    ),
    Refusal("quota of Pods", "exceeded quota", (_quota(pods="0"),), transcript="degraded"),
    Refusal("quota of Jobs", "exceeded quota", (_quota(count_jobs_batch="0"),)),
    Refusal("LimitRange", "maximum memory usage", (LIMITS,)),
    Refusal(
        "PriorityClass missing", "no PriorityClass", pool={"podTemplate": {"priorityClassName": "absent"}}, node=_well
    ),
    Refusal(
        "pod security",
        "violates PodSecurity",
        pool={"podTemplate": {"securityContext": {"privileged": True}}},
        labels=(RESTRICTED,),
        node=_well,
    ),
    Refusal("ServiceAccount missing", 'serviceaccount "games" not found', has_account=False),
    Refusal("webhook of Pods", "failed calling webhook", labels=(f"{LABEL}=webhook",)),
    Refusal("admission of Pods", "no pods today", labels=(f"{LABEL}=pods",)),
    Refusal("admission of Jobs", "no jobs today", labels=(f"{LABEL}=jobs",)),
    Refusal("admission of status", "no trainingpipelines today", labels=(f"{LABEL}=trainingpipelines",)),
    Refusal("admission of records", "no trainingiterations today", labels=(f"{LABEL}=trainingiterations",), node=_well),
    Refusal("image that never comes", "ImagePullBackOff", node=_no_image),
    Refusal("pipeline of a later version", "spec.later", spec={"later": "yes"}),
    Refusal("pool of a later version", "pool cannot be read", pool={"later": "yes"}),
    Refusal(
        "store of another pipeline", "already trains", (pipeline("refused", "elder", **SAME_STORE),), spec=SAME_STORE
    ),
    Refusal("store of another cluster", "is held by pipeline games/demo", node=_held),
    Refusal("a shared stage that fails", "the store is damaged", node=_fails),
)


def main(
    trials: Annotated[int, typer.Option(min=1, help="Pipelines for each refusal, all at once.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line and nothing else.")] = False,
    transcripts: Annotated[Path | None, typer.Option(help="File for what kubectl prints of some of them.")] = None,
) -> None:
    with prepared() as (plane, directory), ExitStack() as stack:
        _prepare(plane)
        stack.enter_context(OperatorProcess(plane.kubeconfig, directory, service_account=ACCOUNT))
        report = list(measure(plane, trials, stack))
        if transcripts is not None:
            transcripts.write_text("\n".join(_transcript(plane, each) for each in REFUSALS if each.transcript))
    if as_json:
        typer.echo(json.dumps({"refusals": report}))
    else:
        Console(width=160).print(_table(trials, report))
    if any(row["worst_s"] is None or row["worst_s"] > BAR_SECONDS for row in report):
        raise typer.Exit(1)


def _table(trials: int, report: list[dict[str, Any]]) -> Table:
    table = Table(title=f"Refusals, {trials} pipelines each; bar {BAR_SECONDS} s", box=box.SIMPLE_HEAD)
    for heading in ("refused by", "condition", "median s", "worst s", "what a person reads"):
        table.add_column(heading)
    for row in report:
        table.add_row(row["refusal"], row["condition"], str(row["median_s"]), str(row["worst_s"]), row["sentence"])
    return table


def _prepare(plane: ControlPlane) -> None:
    """Policies that refuse where a label asks for it, and kinds that a later version has added a field to."""
    for plural in ("workerpools", "trainingpipelines"):
        definition = yaml.safe_load((CRDS / f"{plural}.yaml").read_text(encoding="utf-8"))
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        schema["spec"]["properties"]["later"] = {"type": "string"}
        plane.kubectl.apply(definition, "--server-side", "--force-conflicts")
    every = {
        "pods": "",
        "jobs": "batch",
        "trainingpipelines/status": "ringrift.ai",
        "trainingiterations": "ringrift.ai",
    }
    for resource, group in every.items():
        _refuse(plane, resource, group)
    trial = _namespace(plane, "trial-webhook", f"{LABEL}=webhook")
    apply_dead_webhook(trial, "nobody", {LABEL: "webhook"})


def _refuse(plane: ControlPlane, resource: str, group: str) -> None:
    """A policy in force where a namespace asks for it. Of a status it takes the conditions alone."""
    name, api = resource.partition("/")[0], "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}
    probe = {**rule, "apiGroups": [""], "resources": ["configmaps"]}
    scope = {"namespaceSelector": {"matchLabels": {LABEL: name}}}
    expression = "has(object.status) && !has(object.status.phase)" if "/" in resource else "false"
    spec = {
        "matchConstraints": {"resourceRules": [rule, probe], **scope},
        "validations": [{"expression": expression, "message": f"no {name} today"}],
    }
    binding = {"policyName": name, "validationActions": ["Deny"]}
    for kind, content in (("ValidatingAdmissionPolicy", spec), ("ValidatingAdmissionPolicyBinding", binding)):
        plane.kubectl.apply({"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": content})
    trial = _namespace(plane, f"trial-{name}", f"{LABEL}={name}")

    def is_in_force() -> bool:
        try:
            trial("create", "configmap", "probe", "--dry-run=server")
        except KubectlError as refused:
            return f"no {name} today" in str(refused)
        return False

    eventually(is_in_force)


def _namespace(plane: ControlPlane, name: str, *labels: str) -> Kubectl:
    plane.kubectl("create", "namespace", name)
    if labels:
        plane.kubectl("label", "namespace", name, *labels)
    return plane.kubectl.within(name)


def _namespace_of(refusal: Refusal, trial: int) -> str:
    return f"{refusal.name.lower().replace(' ', '-')}-{trial}"


def measure(plane: ControlPlane, trials: int, stack: ExitStack) -> Iterator[dict[str, Any]]:
    """Begins one after the other, and looks all the while, until each has said it; a line for each refusal."""
    watch = _Watch(plane)
    with ThreadPoolExecutor(1) as watcher:
        looking = watcher.submit(watch.look)
        try:
            for refusal in REFUSALS:
                for trial in range(trials):
                    _begin(plane, refusal, _namespace_of(refusal, trial), stack, watch)
        finally:
            watch.are_all_begun.set()
        found = looking.result()
    for refusal in REFUSALS:
        names = [_namespace_of(refusal, trial) for trial in range(trials)]
        told = [found[name] for name in names if name in found]
        seconds = [each[0] for each in told]
        yield {
            "refusal": refusal.name,
            "told": len(told),
            "condition": told[0][1] if told else "none",
            "median_s": round(statistics.median(seconds), 1) if told else None,
            "worst_s": round(max(seconds), 1) if len(told) == trials else None,
            "sentence": told[0][2] if told else "",
        }


def _begin(plane: ControlPlane, refusal: Refusal, name: str, stack: ExitStack, watch: _Watch) -> None:
    """Makes all that refuses the pipeline, and then the pipeline, in a namespace of its own."""
    kubectl = _namespace(plane, name, *refusal.labels)
    if refusal.has_account:
        kubectl("create", "serviceaccount", ACCOUNT)
    if refusal.node is not None:
        worker = Worker(plane.kubeconfig, name)
        refusal.node(worker)
        stack.enter_context(worker)
    if refusal.pool is not None:
        kubectl.apply({**POOL, "spec": {**POOL["spec"], **refusal.pool}})
    for each in refusal.objects:
        kubectl.apply(_of_trial(each, name))
    if refusal.objects:
        time.sleep(1.1)  # objects are dated to the second
    once = refusal.once
    if once is not None:
        eventually(lambda: once(kubectl), lambda: kubectl("get", "tp,wp,jobs,pods", "-o", "wide"))
    watch.begins(name, refusal.words)
    kubectl.apply(_of_trial(pipeline(name, NAME, **refusal.spec), name))


def _of_trial(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    """With a store of the trial's own, where it names that of all."""
    found: dict[str, Any] = json.loads(json.dumps(manifest).replace("s3://bucket/refused", f"s3://bucket/{name}"))
    return found


class _Watch:
    """Looks for what pipelines are to say, from when each began."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._waits: dict[str, tuple[float, str]] = {}
        self.are_all_begun = threading.Event()

    def begins(self, name: str, words: str) -> None:
        """From now on the pipeline of this namespace is to say these words."""
        self._waits[name] = time.monotonic(), words

    def look(self) -> dict[str, tuple[float, str, str]]:
        """Namespace -> seconds, condition and its sentence; without those that say nothing in LONGEST_SECONDS."""
        found: dict[str, tuple[float, str, str]] = {}
        while not self.are_all_begun.is_set() or self._is_worth_waiting(found):
            for each in self._plane.kubectl.get("tp", "--all-namespaces")["items"]:
                name = each["metadata"]["namespace"]
                if each["metadata"]["name"] == NAME and name in self._waits and name not in found:
                    began, words = self._waits[name]
                    told = _told(each.get("status", {}), words)
                    if told is not None:
                        found[name] = (time.monotonic() - began, *told)
            print(f"\r{len(found)} of {len(self._waits)}", end="", file=sys.stderr)
            time.sleep(0.5)
        return found

    def _is_worth_waiting(self, found: dict[str, tuple[float, str, str]]) -> bool:
        latest = max((began for name, (began, _) in self._waits.items() if name not in found), default=None)
        return latest is not None and time.monotonic() < latest + LONGEST_SECONDS


def _told(status: dict[str, Any], words: str) -> tuple[str, str] | None:
    """The condition that has these words, and its sentence."""
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    for kind in CONDITIONS:
        condition = conditions.get(kind, {})
        if words in condition.get("message", "") and (condition["status"] == "True" or kind == "Ready"):
            return kind, condition["message"]
    return None


def _transcript(plane: ControlPlane, refusal: Refusal) -> str:
    """What a person reads of the first of them; of what is described, conditions and events."""
    kubectl = plane.kubectl.within(_namespace_of(refusal, 0))
    shown = {
        ("get", "tp", "-o", "wide"): kubectl("get", "tp", "-o", "wide").rstrip(),
        ("describe", "tp", NAME): Person(kubectl, NAME).described(),
    }
    lines = [f"## {refusal.transcript.capitalize()}: {refusal.name}", ""]
    for command, said in shown.items():
        lines += ["```", f"$ kubectl {' '.join(command)}", said, "```", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(main)

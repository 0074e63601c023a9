"""The chart's NetworkPolicies, enforced: who reaches whom, before and after, and a pipeline that ends under them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ringrift_operator.domain.labels import STAGE
from tests.cluster.binaries import NETWORK_POLICIES
from tests.cluster.kubectl import Kubectl, KubectlError
from tests.cluster.network_policies import Agent, enforced
from tests.cluster.object_store import PORT
from tests.cluster.requirement import required_binaries
from tests.cluster.sandbox import LINKS
from tests.e2e.conftest import RELEASE_NAMESPACE
from tests.e2e.recording import wait_for
from tests.e2e.stories.attempts import (
    REACHED,
    TIMED_OUT,
    Attempt,
    Phase,
    job,
    listeners,
    outcomes,
    pod,
    table,
    tried,
)
from tests.e2e.stories.place import BUCKET, MINUTE, SECRET, Place, Reader, pipeline
from tests.e2e.stories.transcript import Transcript

GAMES = 600
PIPELINE = pipeline(
    "guarded",
    games=GAMES,
    selfplay={"engineModes": ["minimax-only"], "shardGames": 300, "cooldown": "1s"},  # a Pod plays for half a minute
)
STORE = f"store.{RELEASE_NAMESPACE}.svc"
METADATA = "169.254.169.254"
"""Where clouds tell a machine its credentials."""
HEALTH, MASTER, OTHER = 8080, 29500, 9999
"""Ports: of the operator's health; of what Pods that train together say; that no policy names."""
OPERATOR = {
    "app.kubernetes.io/name": "ringrift",
    "app.kubernetes.io/instance": "ringrift",
    "app.kubernetes.io/component": "operator",
}
HEADINGS = ("no agent", "policies as they come", "`storeCidrs`: the store alone")
SETTLES = 30.0


def test_policies(place: Place, transcript: Transcript, tmp_path: Path) -> None:
    required_binaries(NETWORK_POLICIES.name)
    kubectl, reader = place.kubectl, Reader(place.kubectl, PIPELINE["metadata"]["name"])
    store_by_name(place)
    place.install()
    with somebody_everywhere(place, tmp_path):
        attempts = attempted(place)
        seen = {Phase.NOTHING: settled(kubectl, attempts, Phase.NOTHING)}
        with enforced(place.cluster, tmp_path / "agent") as agent:
            seen[Phase.DEFAULTS] = settled(kubectl, attempts, Phase.DEFAULTS)
            address = place.cluster.sandbox.address
            trial = f"test.artifacts.uri=s3://{BUCKET}/trial,test.artifacts.secretName={SECRET}"
            place.upgrade(f"--set=networkPolicy.storeCidrs={{{address}/32}},{trial}")
            seen[Phase.STORE_ALONE] = settled(kubectl, attempts, Phase.STORE_ALONE)
            transcript.says(introduction(agent))
            transcript.says("## Who reaches whom")
            transcript.says(table(attempts, seen, HEADINGS))
            transcript.prints("kubectl get networkpolicies", kubectl("get", "networkpolicies"))

            before = agent.verdicts()
            kubectl.apply(PIPELINE)
            whom = {each.whom: each.place for each in attempts}
            tried_by_self_play(
                reader, [f"{STORE}:{PORT}", whom["metadata"], whom["bystander, another port"]], transcript
            )
            counted = agent.verdicts()
            status = reader.completes()
            transcript.shows("A pipeline ends under them", kubectl)
            assert status["games"] == GAMES
            assert status["tasks"].get("failed", 0) == 0
            after = agent.verdicts()
            assert after["drop"] == counted["drop"], "the pipeline was refused something"
            assert after["accept"] > before["accept"]
            transcript.says(
                f"While it ran the agent accepted {after['accept'] - before['accept']} packets that began a "
                "connection or a question. It dropped none once the attempts above were over."
            )
            said = place.helm("test", "ringrift", f"--namespace={RELEASE_NAMESPACE}")
            told = ("TEST SUITE", "Phase", "store", "CRDs", "rights")
            transcript.prints(
                "helm test ringrift", "\n".join(line for line in said.splitlines() if line.startswith(told))
            )
            assert "was written, read, changed and cleared" in said
            assert agent.verdicts()["drop"] == after["drop"]


def introduction(agent: Agent) -> str:
    """What enforces them, and how."""
    version = NETWORK_POLICIES.version
    said = f"kube-network-policies {version} enforces them here: it judges the packet that begins a connection, and "
    said += "what it drops times out."
    if agent.refusal:
        said += f" The kernel refused its own nftables rules (`{agent.refusal}`), and iptables brought it the packets."
    said += " A rule of iptables brings it what Pods say to the node itself, too: the store, DNS, the API server and "
    said += "metadata are there."
    return said


def store_by_name(place: Place) -> None:
    """Stages have to ask DNS for it."""
    place.cluster.kubectl("create", "namespace", RELEASE_NAMESPACE)
    place.cluster.serve(RELEASE_NAMESPACE, "store", PORT)
    environment = place.object_store.environment(f"http://{STORE}:{PORT}")
    values = [f"--from-literal={name}={value}" for name, value in environment.items()]
    place.kubectl("create", "secret", "generic", SECRET, *values)


@contextmanager
def somebody_everywhere(place: Place, directory: Path) -> Iterator[None]:
    """Pods of every kind, and listeners at the node and beyond it: a connection fails by a policy alone."""
    kubectl, sandbox = place.kubectl, place.cluster.sandbox
    kubectl.apply(pod("stage", {STAGE: "selfplay"}, PORT))
    kubectl.apply(pod("bystander", {}, PORT, OTHER))
    kubectl.apply(pod("operator", OPERATOR, HEALTH, OTHER))
    kubectl.apply(pod("other-training", {STAGE: "train"}, MASTER))
    kubectl.apply(job("training", {STAGE: "train"}, MASTER))
    sandbox.run("ip", "address", "add", f"{METADATA}/32", "dev", "lo")
    at_node = {f"{METADATA}:{PORT}": sandbox.enter, f"{sandbox.address}:{OTHER}": sandbox.enter}
    with listeners(directory, {**at_node, f"{beyond(place)}:{PORT}": ()}):
        wait_for(2 * MINUTE, "both Pods of the Job", lambda: len(addresses(kubectl, "app=training")) == 2)
        kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=2m")
        yield


def beyond(place: Place) -> str:
    """The machine at the other end of the node's cable."""
    return LINKS.format(place.cluster.sandbox.number, 1)


def addresses(kubectl: Kubectl, selector: str) -> dict[str, str]:
    """Of Pods, by name."""
    found = kubectl.get("pods", "-l", selector)["items"]
    return {each["metadata"]["name"]: each["status"].get("podIP", "") for each in found}


def attempted(place: Place) -> list[Attempt]:
    """Each kind of Pod towards each kind of place, with the last phase in which it gets there."""
    kubectl, node = place.kubectl, place.cluster.sandbox.address
    at = {
        name: addresses(kubectl, f"app={name}")[name] for name in ("stage", "bystander", "operator", "other-training")
    }
    (first, _), (_, second) = sorted(addresses(kubectl, "app=training").items())
    (real,) = (
        ip for name, ip in addresses(kubectl, "app.kubernetes.io/component=operator").items() if name != "operator"
    )
    never, defaults, always = Phase
    return [
        Attempt("stage", "the store, by name", f"{STORE}:{PORT}", always),
        Attempt("stage", "the store's machine, another port", f"{node}:{OTHER}", never),
        Attempt("stage", "another machine, the store's port", f"{beyond(place)}:{PORT}", defaults),
        Attempt("stage", "metadata", f"{METADATA}:{PORT}", never),
        Attempt("stage", "the API server", "kubernetes.default.svc:443", never),
        Attempt("stage", "bystander, another port", f"{at['bystander']}:{OTHER}", never),
        Attempt("stage", "bystander, the store's port", f"{at['bystander']}:{PORT}", defaults),
        Attempt("stage", "training", f"{second}:{MASTER}", never),
        Attempt("bystander", "stage", f"{at['stage']}:{PORT}", never),
        Attempt("bystander", "training", f"{second}:{MASTER}", never),
        Attempt("bystander", "the operator that runs, health", f"{real}:{HEALTH}", always),
        Attempt("bystander", "operator, another port", f"{at['operator']}:{OTHER}", never),
        Attempt("bystander", "metadata", f"{METADATA}:{PORT}", always),
        Attempt(first, "the other Pod of its Job", f"{second}:{MASTER}", always),
        Attempt(first, "a Pod of another training", f"{at['other-training']}:{MASTER}", always),
        Attempt(first, "stage", f"{at['stage']}:{PORT}", never),
        Attempt("operator", "the API server", "kubernetes.default.svc:443", always),
        Attempt("operator", "the store, by name", f"{STORE}:{PORT}", never),
        Attempt("operator", "stage", f"{at['stage']}:{PORT}", never),
    ]


def settled(kubectl: Kubectl, attempts: list[Attempt], phase: Phase) -> dict[Attempt, str]:
    """What becomes of the attempts, once that is as it has to be: a policy takes a moment to be known."""
    expected = {each: each.expected(phase) for each in attempts}
    deadline = time.monotonic() + SETTLES
    while (seen := outcomes(kubectl, attempts)) != expected and time.monotonic() < deadline:
        time.sleep(1)
    wrong = [(each.pod, each.whom, outcome) for each, outcome in seen.items() if outcome != expected[each]]
    assert not wrong, f"{phase.name}: {wrong}"
    return seen


def tried_by_self_play(reader: Reader, places: list[str], transcript: Transcript) -> None:
    """A Pod that plays reaches the store, and neither metadata nor a Pod of its namespace."""

    def seen() -> list[str]:
        running = reader.kubectl.get(
            "pods",
            "-l",
            f"{STAGE}=selfplay,ringrift.ai/pipeline={reader.name}",
            "--field-selector=status.phase=Running",
        )
        for each in running["items"]:
            with suppress(KubectlError):  # it may end meanwhile
                return tried(reader.kubectl, each["metadata"]["name"], places)
        return []

    found = reader.wait("a Pod that plays", seen, minutes=3)
    assert found == [REACHED, TIMED_OUT, TIMED_OUT]
    transcript.says(
        "A Pod of the pipeline below, in mid self-play, reaches the store; to reach metadata, or bystander, times out."
    )

"""NetworkPolicies enforced on a node, by kube-network-policies as a plain process of it.

Its own nftables rules would bring it each packet that begins a connection. A kernel without nftables' queues
(CONFIG_NFT_QUEUE) refuses them as a whole; two rules of ours bring it the same packets by the NFQUEUE of iptables, and
those to the node itself as well, which the agent leaves alone. What becomes of a packet it alone says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

from tests.cluster.binaries import NETWORK_POLICIES, find
from tests.cluster.node import NODE, POD_NETWORK, Cluster
from tests.cluster.process import Program
from tests.cluster.sandbox import Sandbox

ACCOUNT = "kube-network-policies"
QUEUE = 100
METRICS = "127.0.0.1:9080"
BEGINS = ("--match", "conntrack", "--ctstate", "NEW", "--jump", "NFQUEUE", "--queue-num", str(QUEUE))
NOT_FROM_THE_NODE = ("--match", "owner", "!", "--uid-owner", "0")
"""Probes of the kubelet, which no policy may stop."""
RULES = (("POSTROUTING", *NOT_FROM_THE_NODE, *BEGINS), ("INPUT", "--source", POD_NETWORK, *BEGINS))
"""In the table mangle: after a Service's address was rewritten, before a Pod's is."""


@dataclass(frozen=True)
class Agent:
    """The running agent of a node."""

    program: Program
    sandbox: Sandbox

    @property
    def refusal(self) -> str:
        """What the kernel said to the agent's own rules; empty where it took them."""
        said = (line.strip() for line in self.program.log.read_text().splitlines())
        return next((line for line in said if line.startswith("conn.Receive:")), "")

    def verdicts(self) -> dict[str, int]:
        """How many packets were accepted and dropped so far."""
        counts: Counter[str] = Counter()
        for line in self.sandbox.run("curl", "-sf", f"http://{METRICS}/metrics").splitlines():
            if found := re.match(r'kube_network_policies_packet_count\{.*verdict="(\w+)"\} (\d+)', line):
                counts[found[1]] += int(found[2])
        return dict(counts)


@contextmanager
def enforced(cluster: Cluster, directory: Path) -> Iterator[Agent]:
    """Runs the agent, and sends the packets of all Pods to it; on leaving they pass again."""
    sandbox = cluster.sandbox
    program = find((NETWORK_POLICIES,)) / NETWORK_POLICIES.name
    with ExitStack() as stack:
        agent = Agent(Program(program.name, _command(cluster, program, directory), directory / "log"), sandbox)
        stack.callback(agent.program.stop)
        agent.program.wait_until(lambda: _listens(sandbox))
        # What Pods of one node send each other passes below iptables on the bridge otherwise.
        sandbox.run("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1")
        for rule in RULES:
            sandbox.run("iptables", "--table=mangle", "--append", *rule)
            stack.callback(sandbox.run, "iptables", "--table=mangle", "--delete", *rule)
        yield agent


def _command(cluster: Cluster, program: Path, directory: Path) -> list[str | Path]:
    """It knows no kubeconfig, only what a Pod is given; that lies in a /run of its own."""
    run = directory / "run"
    account = run / "secrets" / "kubernetes.io" / "serviceaccount"
    account.mkdir(parents=True)
    kubectl = cluster.kubectl.within("kube-system")
    kubectl("create", "serviceaccount", ACCOUNT)
    kubectl("create", "clusterrolebinding", ACCOUNT, "--clusterrole=view", f"--serviceaccount=kube-system:{ACCOUNT}")
    (account / "token").write_text(kubectl("create", "token", ACCOUNT, "--duration=4h"))
    copyfile(cluster.plane.authority.certificate, account / "ca.crt")
    host, _, port = cluster.plane.server.removeprefix("https://").rpartition(":")
    return [
        *cluster.sandbox.enter,
        *("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /run && exec "$@"', run),
        *("env", f"KUBERNETES_SERVICE_HOST={host}", f"KUBERNETES_SERVICE_PORT={port}"),
        *(program, f"--hostname-override={NODE}", f"--nfqueue-id={QUEUE}", f"--metrics-bind-address={METRICS}"),
        "--netfilter-bug-1766-fix=false",
    ]


def _listens(sandbox: Sandbox) -> bool:
    """Whether the kernel has somebody for the queue."""
    queues = sandbox.run("cat", "/proc/net/netfilter/nfnetlink_queue").splitlines()
    return any(line.split()[0] == str(QUEUE) for line in queues)

"""One real node: containerd, runc, kubelet, kube-proxy and CoreDNS, in a sandbox of its own."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from images.engine import archive_program
from tests.cluster import packages
from tests.cluster.binaries import build_pause, find
from tests.cluster.control_plane import ControlPlane, Endpoints, running_control_plane
from tests.cluster.kubectl import Kubectl
from tests.cluster.process import Program
from tests.cluster.sandbox import Sandbox, running_sandbox

NODE = "node0"
POD_NETWORK = "10.244.0.0/24"
CLUSTER_DNS = "10.96.0.10"
PAUSE_IMAGE = "localhost/pause:1"
SOCKET_PATH_LIMIT = 104


class NodeImpossibleError(Exception):
    """This machine cannot run a node; the message says why and what to do."""


@dataclass(frozen=True)
class Cluster:
    """A control plane with one node."""

    plane: ControlPlane
    sandbox: Sandbox
    containerd_socket: Path

    @property
    def kubectl(self) -> Kubectl:
        return self.plane.kubectl

    def import_image(self, archive: Path) -> None:
        """Puts the image of a docker-archive into the node's store."""
        self.sandbox.run("ctr", "-a", str(self.containerd_socket), "-n", "k8s.io", "images", "import", str(archive))

    def serve(self, namespace: str, name: str, port: int) -> None:
        """Makes a port of the node reachable for Pods as `<name>.<namespace>:<port>`."""
        _serve(self.kubectl, self.sandbox, namespace, name, {"tcp": port})


@contextmanager
def running_cluster(directory: Path) -> Iterator[Cluster]:
    """Starts everything with its state in `directory`; all of it is gone on leaving."""
    binaries = find()
    check_machine()
    pause = build_pause(binaries)
    pause_archive = archive_program(PAUSE_IMAGE, Path(__file__).parent / "pause" / "Dockerfile", pause)
    logs, socket = directory / "log", directory / "containerd.sock"
    if len(f"{socket}.ttrpc") > SOCKET_PATH_LIMIT:
        raise NodeImpossibleError(
            f"{directory} is too long a path for containerd's sockets: set TMPDIR to a shorter one"
        )
    with running_sandbox(pause, logs) as sandbox:
        endpoints = Endpoints(address=sandbox.address, advertise=sandbox.address)
        with (
            running_control_plane(binaries, directory, endpoints, scheduler=True, inside=sandbox.enter) as plane,
            ExitStack() as stack,
        ):
            cluster = Cluster(plane, sandbox, socket)

            def start(name: str, program: str | Path, *arguments: str) -> Program:
                running = Program(name, [*sandbox.enter, program, *arguments], logs)
                stack.callback(running.stop)
                return running

            configuration = _write_containerd_configuration(directory)
            containerd = start("containerd", "containerd", f"--config={configuration}", "--log-level=warn")
            containerd.wait_until(cluster.containerd_socket.exists)
            cluster.import_image(pause_archive)
            kubelet = start(
                "kubelet",
                binaries / "kubelet",
                f"--config={_write_kubelet_configuration(plane, sandbox, directory)}",
                f"--kubeconfig={_client(plane, 'kubelet', f'/O=system:nodes/CN=system:node:{NODE}')}",
                f"--hostname-override={NODE}",
                f"--node-ip={sandbox.address}",
                f"--root-dir={directory / 'kubelet'}",
                f"--cert-dir={directory / 'kubelet' / 'pki'}",
            )
            start("kube-proxy", binaries / "kube-proxy", f"--config={_write_proxy_configuration(plane)}")
            start("coredns", binaries / "coredns", "-conf", str(_write_dns_configuration(plane, sandbox)))
            _serve(plane.kubectl, sandbox, "kube-system", "kube-dns", {"udp": 53, "tcp": 53}, CLUSTER_DNS)
            kubelet.wait_until(lambda: _node_ready(plane.kubectl))
            yield cluster


def check_machine() -> None:
    """NodeImpossibleError when a node cannot run here."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise NodeImpossibleError("a real node needs Linux and root: namespaces, mounts and cgroups")
    if missing := packages.missing():
        raise NodeImpossibleError(f"not on this machine: {', '.join(missing)}; {packages.HOW_TO_GET_THEM}")


def _node_ready(kubectl: Kubectl) -> bool:
    nodes = kubectl.get("nodes")["items"]
    conditions = [condition for node in nodes for condition in node["status"].get("conditions", [])]
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _client(plane: ControlPlane, name: str, subject: str) -> Path:
    certificate, key = plane.authority.sign(name, subject, [f"DNS:{name}"])
    return plane.authority.kubeconfig(plane.directory / f"{name}.kubeconfig", plane.server, certificate, key)


def _serve(
    kubectl: Kubectl, sandbox: Sandbox, namespace: str, name: str, ports: dict[str, int], address: str | None = None
) -> None:
    """A Service whose one endpoint is the node itself. `ports`: protocol -> port."""
    listed = [{"name": protocol, "port": port, "protocol": protocol.upper()} for protocol, port in ports.items()]
    service = {"ports": listed} | ({"clusterIP": address} if address else {})
    metadata = {"name": name, "namespace": namespace}
    kubectl.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service})
    kubectl.apply(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": metadata | {"labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [sandbox.address]}],
            "ports": listed,
        }
    )


def _write_containerd_configuration(directory: Path) -> Path:
    home = directory / "containerd"
    networks = directory / "cni"
    for folder in (home, networks):
        folder.mkdir()
    address_management = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_NETWORK}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(networks / "addresses"),
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": address_management,
    }
    network = {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}
    (networks / "10-pods.conflist").write_text(json.dumps(network))
    # As root of a container we may not lower oom scores nor load AppArmor profiles.
    (home / "config.toml").write_text(
        textwrap.dedent(f"""\
        version = 2
        root = "{home}/root"
        state = "{home}/state"
        [grpc]
          address = "{directory}/containerd.sock"
        [ttrpc]
          address = "{directory}/containerd.sock.ttrpc"
        [plugins."io.containerd.internal.v1.opt"]
          path = "{home}/opt"
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "{PAUSE_IMAGE}"
          restrict_oom_score_adj = true
          disable_apparmor = true
          disable_tcp_service = true
          [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "overlayfs"
            default_runtime_name = "runc"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
              runtime_type = "io.containerd.runc.v2"
              [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
                SystemdCgroup = false
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "/usr/lib/cni"
            conf_dir = "{networks}"
        """)
    )
    return home / "config.toml"


def _write_kubelet_configuration(plane: ControlPlane, sandbox: Sandbox, directory: Path) -> Path:
    certificate, key = plane.authority.sign("node", f"/CN={NODE}", [f"DNS:{NODE}", f"IP:{sandbox.address}"])
    configuration = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": sandbox.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(plane.authority.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": sandbox.cgroup,
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "maxOpenFiles": 20000,
        "enforceNodeAllocatable": ["pods"],
        "containerRuntimeEndpoint": f"unix://{directory}/containerd.sock",
        "tlsCertFile": str(certificate),
        "tlsPrivateKeyFile": str(key),
        "resolvConf": "",
        "clusterDomain": "cluster.local",
        "clusterDNS": [CLUSTER_DNS],
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "100Mi"},
        "podLogsDir": str(directory / "pod-logs"),
    }
    path = directory / "kubelet.json"
    path.write_text(json.dumps(configuration, indent=2))
    return path


def _write_proxy_configuration(plane: ControlPlane) -> Path:
    configuration = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(_client(plane, "kube-proxy", "/CN=system:kube-proxy"))},
        "mode": "iptables",
        "clusterCIDR": POD_NETWORK,
        "conntrack": {"maxPerCore": 0},
        "hostnameOverride": NODE,
    }
    path = plane.directory / "kube-proxy.json"
    path.write_text(json.dumps(configuration, indent=2))
    return path


def _write_dns_configuration(plane: ControlPlane, sandbox: Sandbox) -> Path:
    path = plane.directory / "Corefile"
    path.write_text(
        textwrap.dedent(f"""\
        .:53 {{
          bind {sandbox.address}
          errors
          kubernetes cluster.local {{
            kubeconfig {plane.kubeconfig}
          }}
        }}
        """)
    )
    return path

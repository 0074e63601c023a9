"""etcd, API server and controller-manager (and the scheduler, when asked for): a cluster without nodes."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.certificates import Authority
from tests.cluster.kubectl import Kubectl
from tests.cluster.process import Program, free_ports

SERVICE_NETWORK = "10.96.0.0/16"
KUBERNETES_SERVICE = "10.96.0.1"


@dataclass(frozen=True)
class Endpoints:
    """Where the programs listen. `advertise` is what Pods reach the API server by; None when there are no Pods."""

    address: str = "127.0.0.1"
    api_server: int = 6443
    etcd: int = 2379
    etcd_peer: int = 2380
    controller_manager: int = 10257
    scheduler: int = 10259
    advertise: str | None = None

    @classmethod
    def on_free_ports(cls) -> Endpoints:
        """A control plane of its own beside any other on this machine."""
        api_server, etcd, etcd_peer, controller_manager, scheduler = free_ports(5)
        return cls(
            api_server=api_server,
            etcd=etcd,
            etcd_peer=etcd_peer,
            controller_manager=controller_manager,
            scheduler=scheduler,
        )


@dataclass(frozen=True)
class ControlPlane:
    """A running control plane."""

    binaries: Path
    directory: Path
    authority: Authority
    server: str
    kubeconfig: Path
    etcd: str
    """Its client address, which serves its metrics, too."""

    @property
    def kubectl(self) -> Kubectl:
        return Kubectl(self.binaries / "kubectl", self.kubeconfig)


@contextmanager
def running_control_plane(
    binaries: Path, directory: Path, endpoints: Endpoints, *, scheduler: bool = False, inside: tuple[str, ...] = ()
) -> Iterator[ControlPlane]:
    """Starts a control plane with its state in `directory`; stops it on leaving.

    `inside` is a command prefix that puts each program somewhere, such as into a network namespace.
    """
    directory.mkdir(parents=True, exist_ok=True)
    authority = Authority(directory / "pki")
    server = f"https://{endpoints.address}:{endpoints.api_server}"
    kubeconfigs = {
        name: authority.kubeconfig(directory / f"{name}.kubeconfig", server, *authority.sign(name, subject, [dns]))
        for name, subject, dns in (
            ("admin", "/O=system:masters/CN=admin", "DNS:admin"),
            ("controller-manager", "/CN=system:kube-controller-manager", "DNS:controller-manager"),
            ("scheduler", "/CN=system:kube-scheduler", "DNS:scheduler"),
        )
    }
    etcd = f"http://127.0.0.1:{endpoints.etcd}"
    plane = ControlPlane(binaries, directory, authority, server, kubeconfigs["admin"], etcd)
    with ExitStack() as stack:

        def start(name: str, *arguments: str) -> Program:
            program = Program(name, [*inside, binaries / name, *arguments], directory / "log")
            stack.callback(program.stop)
            return program

        start("etcd", *_etcd_arguments(directory, endpoints))
        api_server = start("kube-apiserver", *_api_server_arguments(authority, endpoints))
        api_server.wait_until(lambda: _answer(plane, "/readyz") is not None)
        controllers = start("kube-controller-manager", *_controller_manager_arguments(authority, endpoints, directory))
        controllers.wait_until(lambda: _has_roles(plane))
        if scheduler:
            configuration = kubeconfigs["scheduler"]
            start(
                "kube-scheduler",
                f"--kubeconfig={configuration}",
                f"--bind-address={endpoints.address}",
                f"--secure-port={endpoints.scheduler}",
                "--leader-elect=false",
            )
        yield plane


def _etcd_arguments(directory: Path, endpoints: Endpoints) -> list[str]:
    client, peer = f"http://127.0.0.1:{endpoints.etcd}", f"http://127.0.0.1:{endpoints.etcd_peer}"
    return [
        f"--data-dir={directory / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",  # the data dies with the test
        "--log-level=warn",
    ]


def _api_server_arguments(authority: Authority, endpoints: Endpoints) -> list[str]:
    names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    addresses = ["127.0.0.1", KUBERNETES_SERVICE, endpoints.address]
    if endpoints.advertise:
        addresses.append(endpoints.advertise)
        reconciler = [f"--advertise-address={endpoints.advertise}"]
    else:  # a loopback address may not be the endpoint of the `kubernetes` Service, which nobody asks for here
        reconciler = ["--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"]
    certificate, key = authority.sign(
        "apiserver",
        "/CN=kube-apiserver",
        [f"IP:{each}" for each in sorted(set(addresses))]
        + [f"DNS:{each}" for each in [*names, "kubernetes.default.svc.cluster.local"]],
    )
    private, public = authority.service_account_key()
    return [
        f"--etcd-servers=http://127.0.0.1:{endpoints.etcd}",
        f"--bind-address={'0.0.0.0' if endpoints.advertise else endpoints.address}",
        f"--secure-port={endpoints.api_server}",
        *reconciler,
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
        f"--client-ca-file={authority.certificate}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={public}",
        f"--service-account-signing-key-file={private}",
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--kubelet-client-certificate={authority.directory / 'admin.crt'}",
        f"--kubelet-client-key={authority.directory / 'admin.key'}",
        "--kubelet-preferred-address-types=InternalIP",
        "--profiling=false",
    ]


def _controller_manager_arguments(authority: Authority, endpoints: Endpoints, directory: Path) -> list[str]:
    configuration = directory / "controller-manager.kubeconfig"
    return [
        f"--kubeconfig={configuration}",
        f"--authentication-kubeconfig={configuration}",
        f"--authorization-kubeconfig={configuration}",
        f"--service-account-private-key-file={authority.directory / 'sa.key'}",
        f"--root-ca-file={authority.certificate}",
        f"--bind-address={endpoints.address}",
        f"--secure-port={endpoints.controller_manager}",
        "--use-service-account-credentials",
        "--leader-elect=false",
        # The defaults are made for big clusters: 2,000 Jobs would start at less than one a second.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--concurrent-job-syncs=50",
    ]


def _has_roles(plane: ControlPlane) -> bool:
    """Whether `edit` and its like allow anything: a controller gathers their rules from other roles after its start."""
    role = _answer(plane, "/apis/rbac.authorization.k8s.io/v1/clusterroles/edit")
    return role is not None and bool(json.loads(role)["rules"])


def _answer(plane: ControlPlane, path: str) -> bytes | None:
    """What the API server answers the administrator; None unless that is 200."""
    context = ssl.create_default_context(cafile=plane.authority.certificate)
    pki = plane.authority.directory
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(f"{plane.server}{path}", timeout=2) as answer:
            content: bytes = answer.read()
            return content if answer.status == 200 else None
    except (urllib.error.URLError, OSError):
        return None

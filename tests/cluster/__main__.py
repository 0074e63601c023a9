"""`python3 -m tests.cluster`: builds the cluster's programs, or runs a cluster until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.cluster import binaries, packages
from tests.cluster.control_plane import Endpoints, running_control_plane
from tests.cluster.node import NodeImpossibleError, running_cluster
from tests.cluster.object_store import running_object_store


def main() -> int:
    arguments = parser().parse_args()
    try:
        return COMMANDS[arguments.command](arguments)
    except (binaries.BinariesMissingError, binaries.BuildFailedError, NodeImpossibleError) as stop:
        print(stop, file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python3 -m tests.cluster", description=__doc__)
    commands = made.add_subparsers(dest="command", required=True)
    add_build(commands)
    commands.add_parser("packages", help="install the Debian packages that a node needs; needs root")
    commands.add_parser("control-plane", help="run etcd, API server, controller-manager until Ctrl-C; no root needed")
    commands.add_parser("node", help="run a control plane, one real node and an S3 server until Ctrl-C; needs root")
    return made


def add_build(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command `build`, and what each of its options has it build."""
    builder = commands.add_parser("build", help="build the programs that are missing or of another version")
    builder.set_defaults(programs=binaries.PROGRAMS)
    choice = builder.add_mutually_exclusive_group()

    def offer(option: str, programs: tuple[binaries.Program, ...], what: str) -> None:
        choice.add_argument(option, action="store_const", dest="programs", const=programs, help=what)

    offer("--without-node", binaries.WITHOUT_NODE, "only what the tests without a node take")
    for program in binaries.APART:
        offer(program.option, (program,), f"{program.name} alone, which the others do not include")


def build(arguments: argparse.Namespace) -> int:
    directory = binaries.binaries_directory()
    wanted: tuple[binaries.Program, ...] = arguments.programs
    built = binaries.build(directory, wanted)
    print(f"{directory}: {len(wanted)} programs, {len(built)} built now")
    return 0


def install_packages(_: argparse.Namespace) -> int:
    installed = packages.install()
    print(f"{len(packages.PACKAGES)} packages, {len(installed)} installed now")
    return 0


def control_plane(_: argparse.Namespace) -> int:
    found = binaries.find(binaries.CONTROL_PLANE)
    with (
        tempfile.TemporaryDirectory(prefix="ringrift-control-plane-") as directory,
        running_control_plane(found, Path(directory), Endpoints.on_free_ports()) as plane,
    ):
        print(f"export KUBECONFIG={plane.kubeconfig}", flush=True)
        _wait_for_the_end()
    return 0


def node(_: argparse.Namespace) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="ringrift-cluster-") as directory,
        running_cluster(Path(directory)) as cluster,
        running_object_store(
            cluster.plane.binaries,
            Path(directory) / "s3",
            address=cluster.sandbox.address,
            inside=cluster.sandbox.enter,
        ) as store,
    ):
        print(f"export KUBECONFIG={cluster.plane.kubeconfig}")
        for name, value in store.environment().items():
            print(f"export {name}={value}")
        sys.stdout.flush()
        _wait_for_the_end()
    return 0


def _wait_for_the_end() -> None:
    """Sleeps until Ctrl-C or SIGTERM, which ends by SystemExit, so that everything is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        signal.pause()
    except KeyboardInterrupt:
        sys.exit(0)


COMMANDS = {"build": build, "packages": install_packages, "control-plane": control_plane, "node": node}

if __name__ == "__main__":
    sys.exit(main())

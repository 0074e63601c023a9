"""`python3 -m tests.cluster`: builds the cluster's programs, or runs a cluster until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.control_plane import Endpoints, running_control_plane


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tests.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the programs that are missing or of another version")
    commands.add_parser("control-plane", help="run etcd, API server, controller-manager until Ctrl-C; no root needed")
    arguments = parser.parse_args()
    try:
        return {"build": build, "control-plane": control_plane}[arguments.command]()
    except binaries.BinariesMissingError as stop:
        print(stop, file=sys.stderr)
        return 1


def build() -> int:
    directory = binaries.binaries_directory()
    built = binaries.build(directory)
    print(f"{directory}: {len(binaries.PROGRAMS)} programs, {len(built)} built now")
    return 0


def control_plane() -> int:
    found = binaries.find(binaries.CONTROL_PLANE)
    with (
        tempfile.TemporaryDirectory(prefix="ringrift-control-plane-") as directory,
        running_control_plane(found, Path(directory), Endpoints.on_free_ports()) as plane,
    ):
        print(f"export KUBECONFIG={plane.kubeconfig}", flush=True)
        _wait_for_the_end()
    return 0


def _wait_for_the_end() -> None:
    """Sleeps until Ctrl-C or SIGTERM, which ends by SystemExit, so that everything is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        signal.pause()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())

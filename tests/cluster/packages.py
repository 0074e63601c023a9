"""What a node takes from the machine's own distribution."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PLUGINS = Path("/usr/lib/cni")
HOW_TO_GET_THEM = "run `make cluster-packages` (Debian 12, as root)"
PACKAGES = {  # program -> Debian package
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "sysctl": "procps",
    "openssl": "openssl",
    "setpriv": "util-linux",
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "fusermount3": "fuse3",
    str(PLUGINS / "bridge"): "containernetworking-plugins",
}


def missing() -> list[str]:
    """Debian packages of the programs that are not on this machine."""
    return sorted({package for program, package in PACKAGES.items() if not shutil.which(program)})


def install() -> list[str]:
    """Installs what is missing, as root on Debian; the names of what was installed."""
    wanted = missing()
    if wanted:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *wanted]):
            subprocess.run(
                ["apt-get", *command], check=True, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr
            )
    return wanted

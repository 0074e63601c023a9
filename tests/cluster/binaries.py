"""The programs of the cluster, built from their published Go modules at the versions of `modules/*/go.mod`."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

MODULES = Path(__file__).parent / "modules"
HOW_TO_GET_THEM = "run `make cluster-binaries` (needs Go; about 5 to 10 minutes, once)"
HOW_TO_GET_ONE = "run `python3 -m tests.cluster build {}` (needs Go; minutes, once)"


class BinariesMissingError(Exception):
    """The cluster's programs are not there; the message says which and how to get them."""


class BuildFailedError(Exception):
    """A program could not be built; the message is what Go said."""


@dataclass(frozen=True)
class Program:
    """One program: where its go.mod lies, its package, and the module whose version it carries."""

    name: str
    folder: str
    package: str
    module: str
    chart: str = ""
    """Folder of its Helm chart in the module, and likewise beside the programs."""
    option: str = ""
    """Of `python3 -m tests.cluster build`, which builds it alone; none of what `make cluster-binaries` builds."""

    @property
    def version(self) -> str:
        """The version that `modules/<folder>/go.mod` requires, such as `v1.34.4`."""
        for line in (MODULES / self.folder / "go.mod").read_text().splitlines():
            words = line.removeprefix("require").split()
            if len(words) >= 2 and words[0] == self.module and words[1].startswith("v"):
                return words[1]
        raise ValueError(f"{MODULES / self.folder / 'go.mod'}: no version of {self.module}")


def _kubernetes(name: str) -> Program:
    return Program(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes")


CONTROL_PLANE = (
    Program("etcd", "kubernetes", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
    _kubernetes("kube-apiserver"),
    _kubernetes("kube-controller-manager"),
    _kubernetes("kubectl"),
)
WITHOUT_NODE = (
    *CONTROL_PLANE,
    Program("helm", "helm", "helm.sh/helm/v3/cmd/helm", "helm.sh/helm/v3"),
    Program("versitygw", "versitygw", "github.com/versity/versitygw/cmd/versitygw", "github.com/versity/versitygw"),
)
"""What `make test` takes."""
PROGRAMS = (
    *WITHOUT_NODE,
    _kubernetes("kube-scheduler"),
    _kubernetes("kubelet"),
    _kubernetes("kube-proxy"),
    Program("coredns", "coredns", "github.com/coredns/coredns", "github.com/coredns/coredns"),
)
KUEUE = Program("kueue", "kueue", "sigs.k8s.io/kueue/cmd/kueue", "sigs.k8s.io/kueue", "charts/kueue", "--kueue")
"""Not among the others: only `make e2e-kueue` and the story of Kueue take it, and it is built in minutes."""
JOBSET = Program("jobset", "jobset", "sigs.k8s.io/jobset", "sigs.k8s.io/jobset", "charts/jobset", "--jobset")
"""Likewise, for those who run its controller; its CRD alone is laid beside whatever is built."""
NETWORK_POLICIES = Program(
    "kube-network-policies",
    "network-policies",
    "sigs.k8s.io/kube-network-policies/cmd",
    "sigs.k8s.io/kube-network-policies",
    option="--network-policies",
)
"""Likewise, for the story of policies."""
APART = (KUEUE, JOBSET, NETWORK_POLICIES)


def cache_directory() -> Path:
    """Where big builds are kept between checkouts: $RINGRIFT_CACHE, or ~/.cache/ringrift."""
    return Path(os.environ.get("RINGRIFT_CACHE") or Path.home() / ".cache" / "ringrift")


def binaries_directory() -> Path:
    """Where the programs lie: $RINGRIFT_CLUSTER_BIN, or `bin` in the cache."""
    return Path(os.environ.get("RINGRIFT_CLUSTER_BIN") or cache_directory() / "bin")


def find(programs: tuple[Program, ...] = PROGRAMS) -> Path:
    """The folder that holds `programs`; BinariesMissingError when one of them is not there."""
    directory = binaries_directory()
    missing = [program for program in programs if not os.access(directory / program.name, os.X_OK)]
    if missing:
        how = dict.fromkeys(HOW_TO_GET_ONE.format(each.option) if each.option else HOW_TO_GET_THEM for each in missing)
        names = ", ".join(each.name for each in missing)
        raise BinariesMissingError(f"{directory}: no {names}; {', and '.join(how)}")
    return directory


def jobset_definition() -> Path:
    """The file of JobSet's CRD, of the version in its go.mod; BinariesMissingError when it is not there."""
    path = binaries_directory() / f"jobset-{JOBSET.version}.yaml"
    if not path.exists():
        raise BinariesMissingError(f"{path} is not there; {HOW_TO_GET_THEM}")
    return path


def build(directory: Path, programs: tuple[Program, ...] = PROGRAMS) -> list[str]:
    """Builds what is missing or of another version into `directory`; the names of what was built."""
    if not shutil.which("go"):
        raise BuildFailedError("go is not on PATH: install Go 1.25 or newer")
    directory.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(directory / ".lock") as tell:
        if not (definition := directory / f"jobset-{JOBSET.version}.yaml").exists():
            _copy_definition(definition)
        present = _versions(directory)
        stale = [program for program in programs if present.get(program.name) != program.version]
        for program in stale:
            tell(f"{program.name} {program.version}")
            start = time.monotonic()
            print(f"building {program.name} {program.version}", file=sys.stderr)
            _build_one(program, directory)
            print(f"built {program.name} {program.version} in {time.monotonic() - start:.0f} s", file=sys.stderr)
        for program in programs:
            chart = directory / program.chart
            if program.chart and (program in stale or not chart.exists()):
                _copy_chart(program, chart)
    return [program.name for program in stale]


def _build_one(program: Program, directory: Path) -> None:
    flags = "-s -w"
    if program.module == "k8s.io/kubernetes":  # what the programs say of themselves; helm charts ask for it
        major, minor, _ = program.version.removeprefix("v").split(".")
        package = "k8s.io/component-base/version"
        for name, value in {"gitVersion": program.version, "gitMajor": major, "gitMinor": minor}.items():
            flags += f" -X {package}.{name}={value}"
    unfinished = directory / f".{program.name}.new"
    _go_build(MODULES / program.folder, program.package, unfinished, flags)
    unfinished.rename(directory / program.name)


def _go_build(folder: Path, package: str, target: Path, flags: str = "-s -w") -> None:
    command = ["go", "build", "-trimpath", "-ldflags", flags, "-o", str(target), package]
    environment = {**os.environ, "CGO_ENABLED": "0"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildFailedError(f"{' '.join(command)} in {folder} ended with {done.returncode}:\n{done.stderr[-4000:]}")


def _copy_definition(target: Path) -> None:
    """Keeps JobSet's CRD, from its module."""
    command = ["go", "mod", "download", "-json", f"{JOBSET.module}@{JOBSET.version}"]
    folder = MODULES / JOBSET.folder
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildFailedError(f"{' '.join(command)} in {folder} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    module = Path(json.loads(done.stdout)["Dir"])
    unfinished = target.with_suffix(".new")
    unfinished.write_bytes((module / "config/components/crd/bases/jobset.x-k8s.io_jobsets.yaml").read_bytes())
    unfinished.rename(target)


def _copy_chart(program: Program, target: Path) -> None:
    """Keeps the module's own Helm chart."""
    command = ["go", "list", "-m", "-f", "{{.Dir}}", program.module]
    module = subprocess.run(command, cwd=MODULES / program.folder, capture_output=True, text=True, check=True).stdout
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(Path(module.strip()) / program.chart, target)
    for each in (target, *target.rglob("*")):  # Go's module cache is read-only
        each.chmod(each.stat().st_mode | stat.S_IWUSR)


def build_pause(directory: Path) -> Path:
    """Builds the program that holds a Pod's namespaces open, for the pause image."""
    target = directory / "pause"
    if not target.exists():
        _go_build(Path(__file__).parent / "pause", "./main.go", target)
    return target


def _versions(directory: Path) -> dict[str, str]:
    """Program name -> version, read from the build information that Go leaves in each binary."""
    known = (*PROGRAMS, *APART)
    files = [directory / program.name for program in known if (directory / program.name).is_file()]
    if not files:
        return {}
    report = subprocess.run(["go", "version", "-m", *files], capture_output=True, text=True, check=True).stdout
    modules = {program.name: program.module for program in known}
    versions: dict[str, str] = {}
    name = ""
    for line in report.splitlines():
        words = line.split()
        if not line.startswith("\t"):
            name = Path(line.rpartition(":")[0]).name
        elif len(words) >= 3 and words[0] in ("mod", "dep") and words[1] == modules[name]:
            versions[name] = words[2]
    return versions


@contextmanager
def one_at_a_time(lock: Path, *, first_word: float = 5, next_word: float = 60) -> Iterator[Callable[[str], None]]:
    """Excludes other builds; what is yielded tells those who wait what is being built.

    Who waits is told on stderr for whom, after `first_word` seconds, and again every `next_word` seconds.
    """
    with lock.open("a+") as file:
        start = time.monotonic()
        due = start + first_word
        while not _is_taken(file):
            if (now := time.monotonic()) >= due:
                holder = lock.read_text().strip() or "another build"
                print(f"waiting for {holder}, {now - start:.0f} s so far ({lock})", file=sys.stderr, flush=True)
                due += next_word
            time.sleep(0.1)

        def tell(program: str) -> None:
            file.truncate(0)
            file.write(f"process {os.getpid()}, which builds {program}\n")
            file.flush()

        file.truncate(0)
        yield tell


def _is_taken(file: TextIO) -> bool:
    """Whether the lock is ours now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

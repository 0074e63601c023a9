"""A runner needs nothing that is the operator's alone."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
OF_THE_OPERATOR = {"kopf", "kubernetes", "prometheus-client"}


def brought(requirements: list[str]) -> set[str]:
    """Names of all that pip would install for some requirements, as far as it is installed here."""
    found: set[str] = set()
    pending = [Requirement(each) for each in requirements]
    while pending:
        wanted = pending.pop()
        if wanted.name in found and not wanted.extras:
            continue
        found.add(wanted.name)
        try:
            needed = [Requirement(each) for each in requires(wanted.name) or ()]
        except PackageNotFoundError:
            continue
        extras = [{"extra": extra} for extra in ("", *wanted.extras)]
        pending += [
            each for each in needed if each.marker is None or any(each.marker.evaluate(extra) for extra in extras)
        ]
    return {name.lower().replace("_", "-") for name in found}


def test_pip_brings_a_runner_neither_kopf_nor_a_client_of_kubernetes() -> None:
    project = tomllib.loads((ROOT / "operator" / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    runner = brought(project["dependencies"] + extras["runner"])
    assert {"aiohttp", "onnxruntime", "obstore"} <= runner
    assert not OF_THE_OPERATOR & runner
    assert brought(extras["cluster"] + extras["kubeconfig"]) >= OF_THE_OPERATOR


BLOCKED = """
import sys
for name in ("kopf", "kubernetes", "prometheus_client"):
    sys.modules[name] = None
"""


@pytest.mark.parametrize("module", ["cli", "service", "doctor", "install"])
def test_it_begins_where_there_is_no_kopf(module: str) -> None:
    program = f"{BLOCKED}import ringrift_operator.runner.{module}"
    subprocess.run([sys.executable, "-P", "-c", program], check=True)


def test_local_and_the_command_line_begin_without_it_and_what_needs_it_says_so() -> None:
    program = f"{BLOCKED}from ringrift_operator.local import command\nfrom ringrift_operator.cli import main\nmain()"
    for command in ("run", "check", "runner-credentials"):
        arguments = [command, "mac"] if command == "runner-credentials" else [command]
        done = subprocess.run(
            [sys.executable, "-P", "-c", program, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        said = (
            f"ringrift-operator {command}: it talks to a cluster: pip install 'ringrift-operator[cluster,kubeconfig]'\n"
        )
        assert done.stderr == said

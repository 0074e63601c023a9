"""What goes into each image: our wheels, and published packages at the versions and hashes of `locks/`.

`python -m images.contents` renews the locks from the requirements and `constraints.txt`.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = Path(__file__).parent / "locks"
PIP = "pip"
"""Name of the lock of what installs the others; it is in no image."""
PYTHON = "3.11"
"""The oldest Python of a base image: a lock holds from there on."""


@dataclass(frozen=True)
class Image:
    """What goes into one image: `extras` of the core's distribution, and whether the operator is in it."""

    name: str
    extras: tuple[str, ...] = ()
    operator: bool = False

    @property
    def lock(self) -> Path:
        """Every published package with its version and the hashes of its files."""
        return LOCKS / f"{self.name}.txt"

    def requirements(self) -> list[str]:
        """The published packages that our own wheels ask for."""
        core = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        wanted = list(core["dependencies"])
        pending = list(self.extras)
        while pending:
            for requirement in core["optional-dependencies"][pending.pop()]:
                if requirement.startswith("ringrift["):
                    pending += requirement.removeprefix("ringrift[").removesuffix("]").split(",")
                else:
                    wanted.append(requirement)
        if self.operator:
            own = tomllib.loads((ROOT / "operator" / "pyproject.toml").read_text())["project"]
            wanted += [each for each in own["dependencies"] if not each.startswith("ringrift")]
            wanted += own["optional-dependencies"]["cluster"]
        return sorted(set(wanted))


WORKER = Image("worker", extras=("stages", "tracking", "s3"))
TRAINER = Image("trainer", extras=("train", "tracking", "s3"))
OPERATOR = Image("operator", operator=True)
ALL = {image.name: image for image in (WORKER, TRAINER, OPERATOR)}


def compile_lock(requirements: list[str]) -> str:
    """A requirements file with hashes of all that is needed, for every platform, at the versions of constraints.txt."""
    command = [str(Path(sys.executable).parent / "uv"), "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    command += [
        f"--python-version={PYTHON}",
        "--no-header",
        "--no-annotate",
        f"--constraint={ROOT / 'constraints.txt'}",
    ]
    done = subprocess.run([*command, "-"], input="\n".join(requirements), capture_output=True, text=True, check=True)
    return done.stdout


def main() -> int:
    """Renews every lock."""
    LOCKS.mkdir(exist_ok=True)
    for name, requirements in {PIP: ["pip"], **{each.name: each.requirements() for each in ALL.values()}}.items():
        (LOCKS / f"{name}.txt").write_text(compile_lock(requirements), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

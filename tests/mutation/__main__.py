"""`make mutants`: does the suite notice each broken rule? Exit 1 if one survives."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutation.mutants import MUTANTS, Mutant

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINE = REPOSITORY / "ringrift_core" / "engine"


def suite(engine: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """The engine's tests, the recorded games among them."""
    command = ["cargo", "test", "--quiet", "--manifest-path", str(engine / "Cargo.toml")]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def apply(mutant: Mutant, engine: Path) -> None:
    """Breaks the rule in the copy; ValueError when its text is not there exactly once."""
    file = engine / "src" / mutant.file
    text = file.read_text()
    if text.count(mutant.found) != 1:
        raise ValueError(f"{mutant.file}: {mutant.found!r} occurs {text.count(mutant.found)} times, 1 expected")
    file.write_text(text.replace(mutant.found, mutant.replaced))


def verdict(mutant: Mutant, engine: Path, target: Path) -> str:
    """`noticed by <first failing test>`, or `SURVIVED`."""
    original = (engine / "src" / mutant.file).read_text()
    apply(mutant, engine)
    try:
        run = suite(engine, target)
    finally:
        (engine / "src" / mutant.file).write_text(original)
    if run.returncode == 0:
        return "SURVIVED"
    output = run.stdout + run.stderr
    failed = [line.split()[1] for line in output.splitlines() if line.startswith("---- ")]
    if not failed and "test result" not in output:
        raise RuntimeError(f"the mutant does not build:\n{output[-2000:]}")
    return f"noticed by {len(failed)} tests, the first {failed[0]}" if failed else "noticed"


def chosen(only: str) -> tuple[Mutant, ...]:
    """Mutants whose rule or file holds this text; all for an empty one."""
    return tuple(mutant for mutant in MUTANTS if only in mutant.rule or only in mutant.file)


def main() -> int:
    """A line per mutant, then the count."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation",
        description="Breaks one rule of the engine at a time, in a copy, and runs the suite: it must notice each. "
        "All of them take an hour.",
        epilog="example: python -m tests.mutation --only R081",
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose rule or file holds this text")
    mutants = chosen(parser.parse_args().only)
    if not mutants:
        parser.error("--only: no rule and no file of tests/mutation/mutants.py holds this text")
    noticed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "ringrift_core" / "engine"
        shutil.copytree(ENGINE, copy, ignore=shutil.ignore_patterns("target"))
        # The recorded games are found beside the engine, as in the repository.
        (Path(folder) / "tests").symlink_to(REPOSITORY / "tests")
        target = Path(folder) / "target"
        if suite(copy, target).returncode != 0:
            print("the suite fails without any mutation", file=sys.stderr)
            return 2
        for mutant in mutants:
            started = time.monotonic()
            said = verdict(mutant, copy, target)
            noticed += said != "SURVIVED"
            print(f"{mutant.rule}: {said} ({time.monotonic() - started:.0f} s)", flush=True)
    print(f"{noticed} of {len(mutants)} mutants noticed")
    return int(noticed != len(mutants))


if __name__ == "__main__":
    sys.exit(main())

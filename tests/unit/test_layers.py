from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


OF_A_PROCESS = {"control_groups", "cores", "entry", "memory", "streams"}
"""What a process is to its machine: cores, memory, streams, where its modules come from; nothing of the game."""


def test_nothing_of_the_core_but_its_contract_and_what_a_process_is_is_open_to_the_operator() -> None:
    """import-linter takes a list; one that a new module is missing from would let it through."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (forbidden,) = (
        set(contract["forbidden_modules"])
        for contract in linter["contracts"]
        if contract["type"] == "forbidden" and contract["source_modules"] == ["ringrift_operator"]
    )
    core = ROOT / "ringrift_core"
    modules = {path.stem for path in core.glob("*.py")} | {path.parent.name for path in core.glob("*/__init__.py")}
    assert forbidden == {f"ringrift_core.{module}" for module in modules - {"__init__", "contract"} - OF_A_PROCESS}


def test_no_contract_has_exceptions() -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert not any("ignore_imports" in contract for contract in linter["contracts"])

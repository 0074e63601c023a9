"""Prints what each command said of each fault: `python -m tests.faults`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from rich import box
from rich.console import Console
from rich.table import Table


class Listener:
    """Remembers what the tests say with `record_property`."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, int, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.said += [value for name, value in report.user_properties if name == "said"]  # type: ignore[misc]


def main() -> int:
    listener = Listener()
    status = pytest.main(["-q", "--no-header", str(Path(__file__).parent)], plugins=[listener])
    table = Table("fault", "command", "exit", "said", box=box.SIMPLE_HEAD, show_lines=False)
    for fault, command, code, message in listener.said:
        table.add_row(fault, command, str(code), _short(message))
    Console(width=200).print(table)
    return int(status)


def _short(message: str) -> str:
    """Without folders of this run, and digests by their first digits."""
    message = re.sub(r"(file://)?/\S*/pytest-\d+/[^/\s]+/", r"\1/…/", message)
    message = re.sub(r"\b([0-9a-f]{8})[0-9a-f]{56}\b", r"\1…", message)
    return message.partition(": ")[2]


if __name__ == "__main__":
    sys.exit(main())

"""`ringrift` with the toy track: what `local` starts in the tests, where it starts `ringrift` otherwise."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Adds the rows before the command line is made from the tables."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from tests.toy.rows import add

    add()
    from ringrift_core.cli import main as ringrift

    ringrift()


if __name__ == "__main__":
    main()

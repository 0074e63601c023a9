"""How every command begins: before anything else is imported, the working folder leaves the import path, and a stage
can be told to stop.

A user's own file there that is called as a module is no part of the program. `python -m` looks there first, and so
does an empty or relative part of PYTHONPATH (as in `PYTHONPATH=$PYTHONPATH:/more`). This module comes before all
others, so it imports nothing that the interpreter has not loaded for itself. What it cannot see is what ran before it:
the interpreter's own start (`sitecustomize`), what an installer's script imports first (`re`), and with `python -m`
runpy's own modules and the package of this name in the working folder.
"""

# pathlib would be imported from wherever the path leads.
# ruff: noqa: PTH109, PTH117, PTH118, PTH120

import os
import sys

__all__ = ["leave_when_told", "leave_working_folder_out"]

_NOT_NOW = 75
"""ExitCode.NOT_NOW, which cannot be imported yet."""


def leave_when_told() -> None:
    """A command that is told to stop while it is still being loaded ends at once with "not now".

    Loading takes a second, and much longer on a busy machine. A container's first process that handles no SIGTERM is
    not even reached by it: it would work on until it is killed. To be called once the working folder is left out.
    """
    import signal

    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(_NOT_NOW))


def leave_working_folder_out() -> None:
    """Takes the working folder off this process's import path, and off that of every Python that it starts."""
    parts = os.environ["PYTHONPATH"].split(os.pathsep) if os.environ.get("PYTHONPATH") else []
    named = [part for part in parts if os.path.isabs(part)]
    try:
        here = os.getcwd()
    except OSError:  # It is gone, and so is all that was in it.
        here = ""
    relative = {os.path.normpath(os.path.join(here, part)) for part in parts if part not in named}
    unsafe = (relative | {here, ""}) - set(named)
    library = os.path.dirname(os.__file__)
    # Behind the standard library stands what is installed, the working folder too where that is a checkout.
    own = sys.path.index(library) if library in sys.path else len(sys.path)
    sys.path[:own] = [part for part in sys.path[:own] if part not in unsafe]
    os.environ["PYTHONSAFEPATH"] = "1"
    if named:
        os.environ["PYTHONPATH"] = os.pathsep.join(named)
    else:
        os.environ.pop("PYTHONPATH", None)

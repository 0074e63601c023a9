"""`python -m ringrift_core.nn.together ...`: torchrun, with an exit status that says how its processes ended.

torchrun (https://pytorch.org/docs/stable/elastic/run.html) ends with 1 whatever happened, and whoever asks whether to
try again needs to know: the exit status here is that of the process which failed first, and `not now` where torchrun
itself was told to stop. Arguments are torchrun's.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from ringrift_core import nn  # noqa: F401  First: it says how torch is to be loaded.

from torch.distributed import run  # isort: skip
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from ringrift_core.contract import ExitCode
from ringrift_core.stage import TO_SAVE

__all__ = ["first_to_fail", "main"]

FIRST_SIGNAL_STATUS = 128
"""What a signal ended has 128 + its number for its status, as a shell and a container say it."""


def main(arguments: Sequence[str]) -> int:
    """Starts the processes and waits for them; the exit status."""
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", str(int(TO_SAVE)))
    try:
        run.run(run.parse_args(arguments))  # type: ignore[no-untyped-call]
    except ChildFailedError as error:
        return first_to_fail([(failure.timestamp, failure.exitcode) for failure in error.failures.values()])
    except SignalException:
        return int(ExitCode.NOT_NOW)  # They were told as well, and have saved.
    return int(ExitCode.DONE)


def first_to_fail(failures: Sequence[tuple[int, int]]) -> int:
    """Of processes that failed, in the order in which that was seen, by second and exit code, the status of the one
    that began it.

    When one goes the others lose their connection to it, and end with `not now`, or torchrun ends them.
    """
    _, code = min(failures, key=lambda each: (each[0], each[1] == -signal.SIGTERM, each[1] == ExitCode.NOT_NOW))
    return code if code >= 0 else FIRST_SIGNAL_STATUS - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What a process has used of its cores, all its threads together."""

from __future__ import annotations

import os
import resource
from pathlib import Path


def core_seconds() -> float:
    """Of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def core_seconds_of(process: int) -> float:
    """Of a running one so far (proc(5)); 0 when it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

"""How long a test waits for what must come."""

from __future__ import annotations

SECONDS = 120
"""Much longer than it takes on a busy machine: who runs out of it has found a defect, not a slow minute."""

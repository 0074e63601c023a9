"""What to do next, as pure functions: no I/O, and no clock but the one in the snapshot (design.md sections 4 and 5)."""

"""The champion pointer of each track, its earlier champions, and the log of what moved it."""

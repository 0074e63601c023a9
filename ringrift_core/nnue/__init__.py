"""The network that is small enough for any search: its training, and the whole numbers that the engine reads."""

import ringrift_core.nn  # noqa: F401  First: it says how torch is to be loaded.

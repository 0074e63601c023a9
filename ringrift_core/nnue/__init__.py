"""The network that is small enough for any search: its training, and the whole numbers that the engine reads."""

"""From artifacts in the store to players that the engine can seat."""

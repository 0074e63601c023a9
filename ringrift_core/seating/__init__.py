"""From a store and a specification to players that the engine can seat."""

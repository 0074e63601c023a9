"""Self-play: games of an iteration, in shards."""

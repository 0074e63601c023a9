"""Recorded games: shards of self-play, and the segments they are merged into."""

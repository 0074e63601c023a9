"""Matches and what follows from them: seat-rotated groups, sequential tests, gates, verdicts."""

"""`ringrift play`: games in the terminal, for people. Start at `command`."""

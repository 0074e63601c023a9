"""Breaks the rules one at a time and sees whether the suite notices."""

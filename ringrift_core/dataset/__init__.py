"""Datasets for training: positions of recorded games, encoded, in NPZ files with a manifest."""

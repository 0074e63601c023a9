"""Curves of what is trained and judged: one interface, and whoever is to hear of it."""

from ringrift_core.tracking.curve import Curve, open_curve, tracked

__all__ = ["Curve", "open_curve", "tracked"]

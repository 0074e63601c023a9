"""Kubernetes operator that trains RingRift players (design.md section 5)."""

"""Stages as processes of this machine: started, watched, held to their limits, stopped, and never left behind.

Whoever runs stages outside of Kubernetes does it by these: `local`, and a runner. Start at `supervisor`.
"""

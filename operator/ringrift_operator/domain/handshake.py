"""Whether a runner understands what this operator writes: it says which contract it has, in its pool's Lease."""

from __future__ import annotations

from ringrift_core.contract import CONTRACT_VERSION
from ringrift_operator.domain.reasons import PoolReason

CONTRACT_ANNOTATION = "ringrift.ai/contract"
"""On a pool's Lease: the version of the contract that its runner has."""
VERSION_ANNOTATION = "ringrift.ai/runner-version"
"""Beside it: the runner's own."""


def unfit(contract: str, runner: str, own: str = CONTRACT_VERSION) -> tuple[PoolReason, str] | None:
    """Why a runner with this contract can be given nothing; None when it can.

    A task spells out all parameters that the operator knows, so one of an earlier contract would refuse it.
    """
    theirs, ours = _numbers(contract), _numbers(own)
    said = f"the runner is of version {runner or 'unknown'} (contract {contract or 'unknown'}), {own} is needed here"
    if theirs[0] > ours[0]:
        return PoolReason.RUNNER_TOO_NEW, f"{said}: run the operator that came with it, or an earlier runner"
    if theirs < ours:
        return PoolReason.RUNNER_TOO_OLD, f"{said}: pip install --upgrade 'ringrift-operator[runner]' on its machine"
    return None


def _numbers(version: str) -> tuple[int, int]:
    """Major and minor; what is no version counts as older than all."""
    major, _, minor = version.partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)

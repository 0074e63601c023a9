"""Failures that are foreseen: each message is a sentence for the user, each kind knows its exit status.

Whatever else is raised is a defect, and ends in a traceback.
"""

from __future__ import annotations

from ringrift_core.contract import ExitCode, Result

__all__ = [
    "DivergedError",
    "HeldError",
    "MissingJudgeError",
    "NotNowError",
    "RingRiftError",
    "StoreAwayError",
    "StoreError",
    "StoreRefusedError",
    "WrongInputError",
]


class RingRiftError(Exception):
    """Something ends without a result for a known reason. The message is a sentence for the user."""

    exit_code: ExitCode
    found: Result | None = None
    """What the stage found all the same, for whoever reads its result."""


class WrongInputError(RingRiftError):
    """The parameters or what they point to are wrong: trying again does not help."""

    exit_code = ExitCode.WRONG_INPUT


class MissingJudgeError(WrongInputError):
    """Nobody judges for a player here: what it would ask is not at hand, though nothing is wrong with it."""


class DivergedError(RingRiftError):
    """Training diverged: trying again does not help."""

    exit_code = ExitCode.DIVERGED


class HeldError(RingRiftError):
    """The store's claim is another pipeline's, and nothing was moved."""

    exit_code = ExitCode.HELD


class NotNowError(RingRiftError):
    """Not finished for a reason that passes by itself; what was finished is saved."""

    exit_code = ExitCode.NOT_NOW


class StoreError(RingRiftError):
    """The store did not do what was asked."""


class StoreAwayError(StoreError):
    """The store cannot be reached or is full now; the same request may succeed later."""

    exit_code = ExitCode.NOT_NOW


class StoreRefusedError(StoreError):
    """The store answers, but the request cannot succeed as it is: credentials, bucket, path or content are wrong."""

    exit_code = ExitCode.WRONG_INPUT

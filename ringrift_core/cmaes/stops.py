"""What the stops of the `cma` package mean: which of them say that the search has converged.

Names are those that cma 4.5 can return (its `_CMAStopDict`); a test holds the table against the installed version. The
fitness of this search is a share of games won: it has noise, and few different values.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["STOPS", "Meaning", "Stop", "is_converged", "stopped"]


class Meaning(enum.Enum):
    CONVERGED = "converged"
    FLAT = "the function is flat"
    BUDGET = "out of budget"
    STUCK = "numerically stuck"
    DIVERGED = "diverged"
    ASKED = "asked to stop"
    UNKNOWN = "for a reason that is not known here"


@dataclass(frozen=True)
class Stop:
    """One stopping criterion."""

    meaning: Meaning
    why: str


STOPS: dict[str, Stop] = {
    "tolx": Stop(Meaning.CONVERGED, "the distribution has shrunk to a point, in every direction"),
    "tolstagnation": Stop(
        Meaning.CONVERGED,
        "over hundreds of generations neither the best nor the median became better: with noise, the end",
    ),
    "tolflatfitness": Stop(Meaning.FLAT, "most candidates were equally good, generation after generation"),
    "tolfun": Stop(Meaning.FLAT, "candidates of this and earlier generations hardly differ"),
    "tolfunrel": Stop(Meaning.FLAT, "candidates hardly differ, compared with what was gained"),
    "tolfunhist": Stop(Meaning.FLAT, "the best of the last generations hardly differ, as equal shares of few games do"),
    "maxfevals": Stop(Meaning.BUDGET, "as many evaluations as were allowed"),
    "maxiter": Stop(Meaning.BUDGET, "as many generations as were allowed"),
    "timeout": Stop(Meaning.BUDGET, "as much time as was allowed"),
    "noeffectaxis": Stop(Meaning.STUCK, "a step along an axis is lost in the mean's last digit"),
    "noeffectcoord": Stop(Meaning.STUCK, "a step along a coordinate is lost in the mean's last digit"),
    "tolconditioncov": Stop(Meaning.STUCK, "the covariance matrix is too ill-conditioned to be decomposed"),
    "tolxstagnation": Stop(Meaning.STUCK, "the mean does not move, however large the distribution still is"),
    "tolfacupx": Stop(Meaning.DIVERGED, "the step grew a thousandfold: better is far away"),
    "tolupsigma": Stop(Meaning.DIVERGED, "the step grew beyond what the shape explains: it creeps"),
    "ftarget": Stop(Meaning.ASKED, "a fitness was reached that was asked for; this search asks for none"),
    "callback": Stop(Meaning.ASKED, "a function of the caller's said so; this search has none"),
}
"""Every stop by its name, and why it counts as it does."""

_UNKNOWN = Stop(Meaning.UNKNOWN, "a version of the package that this table does not know")


def is_converged(met: Collection[str]) -> bool:
    """Whether the criteria that are met say that the search has found its end.

    All of them have to: a function that is flat stagnates, too. One that nobody knows is no convergence.
    """
    return bool(met) and all(_of(name).meaning is Meaning.CONVERGED for name in met)


def stopped(met: Collection[str]) -> str:
    """`converged (tolx)`, or `stopped, the function is flat (tolflatfitness)`."""
    names = ", ".join(sorted(met))
    if is_converged(met):
        return f"converged ({names})"
    meanings = dict.fromkeys(_of(name).meaning.value for name in sorted(met) if not is_converged([name]))
    return f"stopped, {' and '.join(meanings)} ({names})"


def _of(name: str) -> Stop:
    return STOPS.get(name, _UNKNOWN)

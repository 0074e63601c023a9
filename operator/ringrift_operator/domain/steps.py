"""What the steps of an iteration are called: by status, child names and labels (design.md section 4).

selfplay -> merge -> the makers of each track -> evaluate-<track> -> promote-<track>
sync, numbered, while self-play goes on (domain/syncing.py)
regression-<track>, of the champion against its predecessor, beside all that
roundrobin, once all of that is settled (domain/rating.py)
rollback-<track>, requested-rollback-<track>, when domain/rollback.py and domain/requests.py say so

Which steps there are, and what each of them needs, stands in domain/recipes.
"""

from __future__ import annotations

from ringrift_core.contract import Track

ADOPT = "adopt"
SELFPLAY = "selfplay"
MERGE = "merge"
SYNC = "sync"
ROUNDROBIN = "roundrobin"


def evaluate(track: Track) -> str:
    """The candidate's gate."""
    return f"evaluate-{track}"


def regression(track: Track) -> str:
    """The champion's test against its predecessor."""
    return f"regression-{track}"


def promote(track: Track) -> str:
    return f"promote-{track}"


def rollback(track: Track) -> str:
    """The operator's own rollback."""
    return f"rollback-{track}"


def requested_rollback(track: Track) -> str:
    """A rollback asked for by annotation."""
    return f"requested-rollback-{track}"

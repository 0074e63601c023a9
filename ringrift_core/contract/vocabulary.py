"""The words and limits that both sides use: boards, tracks, stages, devices, exit codes."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ringrift_core.contract.reading import TOLERANT

HIGHEST_SEED = 2**53
"""Exact in JSON, and what follows from a seed fits the generators' 64 bits. A pipeline's own seed ends at 2^31."""

HIGHEST_COUNT = 2**32 - 1
"""Of games, turns, versions and whatever else is counted: the engine does so in 32 bits or more."""

HIGHEST_TOTAL = 2**53
"""Of what is added up over many games: exact in JSON."""

MOST_WORKERS = 1024
"""Threads of one process: far more than any machine has cores for, and few enough to be started."""

Seed = Annotated[int, Field(ge=0, le=HIGHEST_SEED)]

Count = Annotated[int, Field(ge=0, le=HIGHEST_COUNT)]

PositiveCount = Annotated[int, Field(ge=1, le=HIGHEST_COUNT)]
Total = Annotated[int, Field(ge=0, le=HIGHEST_TOTAL)]
Measure = Annotated[float, Field(allow_inf_nan=False)]
"""Any number that was measured. JSON has no infinities."""
Share = Annotated[float, Field(ge=0, le=1)]
"""A part of a whole, or a rate: from 0 to 1."""


class ExitCode(enum.IntEnum):
    """What a stage's process says by its exit status (design.md section 3)."""

    DONE = 0
    WRONG_INPUT = 2
    DIVERGED = 3
    HELD = 4
    """The store's claim is another pipeline's: nothing was moved; try again, not an attempt."""
    NOT_NOW = 75
    """Store away, a missing quality-gate model, or SIGTERM after saving: try again, not an attempt."""


class Board(enum.StrEnum):
    SQUARE8 = "square8"
    SQUARE19 = "square19"
    HEX8 = "hex8"
    HEXAGONAL = "hexagonal"


MOVE_LIMITS: dict[Board, tuple[int, int, int]] = {
    Board.SQUARE8: (500, 600, 700),
    Board.HEX8: (500, 600, 700),
    Board.SQUARE19: (800, 800, 800),
    Board.HEXAGONAL: (800, 800, 800),
}
"""Turns of any seat after which a bootstrap game of 2, 3 and 4 players is cut (plan.md, phase 1).

hex8 is not in the plan: it has 61 cells, so it takes square8's.
"""


class Profile(enum.StrEnum):
    """Which reading of the rules: the written ones, or the live game's engines."""

    CANONICAL = "canonical"
    DEPLOYED = "deployed"


class Name(enum.StrEnum):
    """Names to which a later version may add. One that is not listed is read as it stands, for a reader has to get
    through what the later version wrote; what people write is held to the list (`Known`)."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str) or not re.fullmatch(_NAME_PATTERN, value):
            return None
        name = str.__new__(cls, value)
        name._name_, name._value_ = value, value
        return name


_NAME_PATTERN = r"[a-z][a-z0-9-]{0,31}"


@dataclass(frozen=True)
class Known:
    """Annotation of a Name that has to be one of a table's, as the table is when the name is read.

    A tolerant reader lets others pass: they are a later version's.
    """

    names: Callable[[], Iterable[Name]]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "enum": [name.value for name in self.names()]}

    def _checked(self, value: object, info: ValidationInfo) -> object:
        if info.context != TOLERANT and value not in (names := tuple(self.names())):
            listed = [repr(name.value) for name in names]
            # pydantic's own words for a closed enumeration.
            expected = " or ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
            raise PydanticCustomError("enum", "Input should be {expected}", {"expected": expected})
        return value


class Track(Name):
    """One line of players that is trained, gated and promoted on its own."""

    WEIGHTS = "weights"
    NNUE = "nnue"
    NETWORK = "network"


MOST_TRACKS = 8
"""Room in whatever has an entry for each track."""

MOST_STAGES = 32
"""Room in whatever has an entry for each stage."""


class EngineMode(enum.StrEnum):
    """Who sits at the boards in self-play (training.md)."""

    RANDOM_ONLY = "random-only"
    HEURISTIC_ONLY = "heuristic-only"
    MINIMAX_ONLY = "minimax-only"
    DESCENT_ONLY = "descent-only"
    MIXED = "mixed"
    NETWORK = "network"
    NETWORK_AND_MINIMAX = "network-and-minimax"


class Stage(Name):
    ADOPT = "adopt"
    SELFPLAY = "selfplay"
    MERGE = "merge"
    EXPORT = "export"
    TRAIN = "train"
    NNUE = "nnue"
    DISTILL = "distill"
    CMAES = "cmaes"
    EVALUATE = "evaluate"
    ROUNDROBIN = "roundrobin"
    PROMOTE = "promote"
    ROLLBACK = "rollback"


class Device(enum.StrEnum):
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class NetworkSize(enum.StrEnum):
    """How large a network is: blocks and channels, by ringrift_core/nn/network.py."""

    TINY = "tiny"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class InitialWeights(enum.StrEnum):
    """Where CMA-ES starts, and whom the first weights candidate must beat."""

    BASELINE = "baseline"
    """The hand-set heuristic weights."""
    MATERIAL = "material"
    """Only material counts: a documented weak setting that leaves room to learn."""


class Evaluator(enum.StrEnum):
    """What scores the games of candidates in CMA-ES."""

    AUTO = "auto"
    """The network once it has passed its quality gate, the games until then."""
    GAMES = "games"
    """Their outcomes alone."""
    NEURAL = "neural"
    """They stop early, and the champion network says who is ahead."""


class GateKind(enum.StrEnum):
    SPRT = "SPRT"
    FIXED = "Fixed"


class Decision(enum.StrEnum):
    PROMOTE = "Promote"
    REJECT = "Reject"
    REGRESSED = "Regressed"
    KEEP = "Keep"
    """A regression test that found nothing (yet)."""


def configuration_name(board: Board, players: int) -> str:
    """`square8-2p`: the name of a configuration everywhere."""
    return f"{board.value}-{players}p"

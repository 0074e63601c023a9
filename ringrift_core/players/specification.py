"""Who plays, as text, parsed once into a value: `judge[@version|=FILE]:search[:budget]`, or `random`.

    weights:one-ply             network@3:gumbel:64
    weights:minimax-2:12000     weights=mine.json:descent:4000
    weights:minimax:6ms         network:policy
    nnue:minimax:25000          nnue=mine.safetensors:descent:4000

The judge says what a position is worth, the search what to do about it, the budget how much it may look at: a count of
nodes (of simulations for puct and gumbel), or, for play with people, a time. A judge without a version is the newest
champion (`ringrift_core.seating` says which); version 0 of the weights is the setting that a run starts from.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeAlias

from ringrift_core.contract import HIGHEST_COUNT
from ringrift_core.errors import WrongInputError

__all__ = ["Algorithm", "Budget", "Count", "Judge", "JudgeKind", "Search", "Specification", "Time"]

LONGEST_MILLISECONDS = 3_600_000
MOST_PLIES = 99


class JudgeKind(enum.StrEnum):
    """What evaluates positions."""

    WEIGHTS = "weights"
    """The linear heuristic."""
    MLP = "mlp"
    """A small network over the heuristic's features, which answers at once. No track trains it: a file is named."""
    NNUE = "nnue"
    """A network that answers at once, and is told what differs from position to position."""
    NETWORK = "network"
    """Has to be asked: positions of many games go out in one batch."""


class Algorithm(enum.StrEnum):
    """How a player decides (docs/players.md)."""

    RANDOM = "random"
    ONE_PLY = "one-ply"
    POLICY = "policy"
    """The judge's policy alone, without a search."""
    MINIMAX = "minimax"
    DESCENT = "descent"
    PUCT = "puct"
    GUMBEL = "gumbel"


_SEARCHES = tuple(algorithm for algorithm in Algorithm if algorithm is not Algorithm.RANDOM)
_UNBOUNDED = frozenset({Algorithm.RANDOM, Algorithm.ONE_PLY, Algorithm.POLICY})
_ASK_NOBODY = frozenset({Algorithm.MINIMAX, Algorithm.DESCENT})
"""They evaluate one position after the other, and cannot wait for an answer."""


@dataclass(frozen=True)
class Count:
    """So many nodes a decision; for puct and gumbel, simulations. Repeats on any machine."""

    amount: int

    def __post_init__(self) -> None:
        _expect(1 <= self.amount <= HIGHEST_COUNT, f"a budget of {self.amount}: expected 1 to {HIGHEST_COUNT}")

    def __str__(self) -> str:
        return str(self.amount)


@dataclass(frozen=True)
class Time:
    """Wall time a decision, for play with people: a game by time does not repeat."""

    milliseconds: int

    def __post_init__(self) -> None:
        found = f"a budget of {self.milliseconds}ms: expected 1ms to {LONGEST_MILLISECONDS // 1000}s"
        _expect(1 <= self.milliseconds <= LONGEST_MILLISECONDS, found)

    def __str__(self) -> str:
        seconds, rest = divmod(self.milliseconds, 1000)
        return f"{self.milliseconds}ms" if rest else f"{seconds}s"

    @property
    def seconds(self) -> float:
        return self.milliseconds / 1000


Budget: TypeAlias = Count | Time


@dataclass(frozen=True)
class Judge:
    """Whose judgement: a version of a track's champion, a file, or neither: the newest there is."""

    kind: JudgeKind
    version: int | None = None
    file: Path | None = None

    def __post_init__(self) -> None:
        _expect(self.version is None or self.file is None, f"{self.kind}: a version or a file, not both")
        _expect(self.file is None or self.file.name != "", f"{self.kind}={self.file}: no file is named")
        if self.version is not None:
            _expect(
                self.kind is not JudgeKind.MLP,
                f"{self.kind}@{self.version}: no track has versions of it: {self.kind}=FILE",
            )
            least = 0 if self.kind is JudgeKind.WEIGHTS else 1
            expected = f"{self.kind}@{self.version}: versions are {least} to {HIGHEST_COUNT}"
            _expect(least <= self.version <= HIGHEST_COUNT, expected)

    def __str__(self) -> str:
        if self.version is not None:
            return f"{self.kind}@{self.version}"
        return str(self.kind) if self.file is None else f"{self.kind}={self.file}"


@dataclass(frozen=True)
class Search:
    """An algorithm and its bounds; minimax may have a depth in plies beside, or instead of, a budget."""

    algorithm: Algorithm
    budget: Budget | None = None
    depth: int | None = None

    def __post_init__(self) -> None:
        if self.depth is not None:
            _expect(self.algorithm is Algorithm.MINIMAX, f"{self.algorithm}: minimax alone has a depth")
            _expect(1 <= self.depth <= MOST_PLIES, f"minimax-{self.depth}: expected 1 to {MOST_PLIES} plies")
        if self.algorithm in _UNBOUNDED:
            _expect(self.budget is None, f"{self.algorithm}: takes no budget, found {self.budget}")
        else:
            bounded = self.budget is not None or self.depth is not None
            _expect(bounded, f"{self.algorithm}: needs a budget, such as {self.algorithm}:64")

    def __str__(self) -> str:
        name = self.algorithm if self.depth is None else f"{self.algorithm}-{self.depth}"
        return name if self.budget is None else f"{name}:{self.budget}"


@dataclass(frozen=True)
class Specification:
    """A player that can be seated; WrongInputError for one that cannot be, whatever there is in a store."""

    search: Search
    judge: Judge | None = None

    def __post_init__(self) -> None:
        algorithm = self.search.algorithm
        if self.judge is None:
            _expect(algorithm is Algorithm.RANDOM, f"{self.search}: needs a judge, such as weights:{self.search}")
            return
        _expect(algorithm is not Algorithm.RANDOM, f"random needs no judge, found {self.judge}")
        if self.judge.kind is JudgeKind.NETWORK:
            others = "choose one-ply, policy, puct or gumbel"
            _expect(algorithm not in _ASK_NOBODY, f"a network has to be asked, and {algorithm} asks nobody: {others}")
        else:
            _expect(algorithm is not Algorithm.POLICY, f"{self.judge} has no policy of its own: network:policy has")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The value of a text; WrongInputError says what was found in it, and what there is."""
        try:
            return cls._parse(text)
        except WrongInputError as fault:
            raise WrongInputError(f"player {text!r}: {fault}") from None

    @classmethod
    def _parse(cls, text: str) -> Self:
        if text == Algorithm.RANDOM:
            return cls(Search(Algorithm.RANDOM))
        parts = text.split(":")
        # From the end: a file's name may hold anything, and no budget is called as a search is.
        at = next((place for place in (len(parts) - 1, len(parts) - 2) if place > 0 and _names_search(parts[place])), 0)
        if at == 0:
            found = repr(parts[1]) if len(parts) > 1 else "none"
            raise WrongInputError(f"expected JUDGE:SEARCH[:BUDGET], and found for the search {found}; {_THERE_IS}")
        budget = _budget(parts[at + 1]) if at + 1 < len(parts) else None
        return cls(_search(parts[at], budget), _judge(":".join(parts[:at])))

    def __str__(self) -> str:
        return str(self.search) if self.judge is None else f"{self.judge}:{self.search}"

    def at(self, version: int) -> Specification:
        """The same player with one version of its judge; itself where it names a version or a file, or its judge, if it
        has one, comes in no versions."""
        judge = self.judge
        if judge is None or judge.version is not None or judge.file is not None or judge.kind is JudgeKind.MLP:
            return self
        return replace(self, judge=replace(judge, version=version))


_THERE_IS = f"there are {', '.join(_SEARCHES)}, and minimax-DEPTH"
_DEEP = re.compile(r"minimax-([1-9][0-9]{0,5})")
_NUMBER = r"0|[1-9][0-9]{0,11}"
_BUDGET = re.compile(rf"({_NUMBER})(ms|s|)")


def _expect(holds: bool, sentence: str) -> None:
    if not holds:
        raise WrongInputError(sentence)


def _names_search(text: str) -> bool:
    return text in _SEARCHES or _DEEP.fullmatch(text) is not None


def _search(text: str, budget: Budget | None) -> Search:
    deep = _DEEP.fullmatch(text)
    return Search(Algorithm.MINIMAX, budget, int(deep[1])) if deep else Search(Algorithm(text), budget)


def _budget(text: str) -> Budget:
    found = _BUDGET.fullmatch(text)
    if found is None:
        raise WrongInputError(f"{text!r} is no budget: expected a count such as 25000, or a time such as 6ms or 1s")
    amount = int(found[1])
    return Count(amount) if not found[2] else Time(amount * (1000 if found[2] == "s" else 1))


def _judge(text: str) -> Judge:
    head = re.match(r"[^@=]*", text)
    name = "" if head is None else head[0]
    if name not in tuple(JudgeKind):
        raise WrongInputError(f"{name!r} is no judge: there are {', '.join(JudgeKind)}")
    kind, rest = JudgeKind(name), text[len(name) :]
    if rest.startswith("="):
        return Judge(kind, file=Path(rest[1:]))
    if not rest:
        return Judge(kind)
    if re.fullmatch(_NUMBER, rest[1:]) is None:
        raise WrongInputError(f"{kind}{rest}: {rest[1:]!r} is no version: expected a number")
    return Judge(kind, version=int(rest[1:]))

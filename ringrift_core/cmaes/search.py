"""The search: CMA-ES (N. Hansen, "The CMA Evolution Strategy: A Tutorial", 2016; the `cma` package) over weights.

Only the ratios of weights decide which move is best, so one weight is fixed and the others are searched in its unit.
The state is what was told so far: the same seed asks the same candidates again, so a killed search goes on from its
recorded fitness values alone, to the same result.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from ringrift_core.contract import Contract

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # It asks for matplotlib, which it needs for plots alone.
    import cma

__all__ = ["INITIAL_STEP", "Search", "SearchState"]

INITIAL_STEP = 0.4
"""Initial standard deviation, in units of the fixed weight."""

TESTS_IN_A_ROW = 2
"""That find the mean no better end a search: one may be wrong, and the search may only have paused."""


class SearchState(Contract):
    """Everything a search has learnt: the fitness of each candidate, by generation; lower is better."""

    fitness: tuple[tuple[float, ...], ...] = Field(default=(), description="Nothing of a generation that was refused.")
    cut_games: int = Field(default=0, description="Games of all generations that the move limit cut.")
    no_better: int = Field(default=0, description="Tests in a row, up to the last, that found the mean no better.")


class Search:
    """Asks for candidates and is told their fitness, a generation at a time.

    Vectors hold all weights in the engine's order; the one at index `fixed` never changes.
    """

    def __init__(self, start: Sequence[float], fixed: int, population: int, seed: int) -> None:
        if start[fixed] == 0:
            raise ValueError("the fixed weight is 0, and sets no scale")
        self._start = np.array(start, dtype=np.float64)
        self._free = np.array([index for index in range(len(start)) if index != fixed])
        self._unit = abs(start[fixed])
        generator = np.random.default_rng(seed)
        self._strategy = cma.CMAEvolutionStrategy(
            self._start[self._free] / self._unit,
            INITIAL_STEP,
            {
                "popsize": population,
                # A generator of our own: the package's default is numpy's global one.
                "randn": lambda *shape: generator.standard_normal(shape),
                "seed": float("nan"),
                # Says nothing, writes no files, and reads none: at -9 it takes options from `cma_signals.in`.
                "verbose": -10,
                # Fitness is a win rate with noise: equal values and small differences mean nothing.
                "tolfun": 0,
                "tolfunhist": 0,
                "tolflatfitness": 50,
            },
        )
        self._asked: list[Any] = []
        self._means = [self.mean]
        self.state = SearchState()

    @property
    def generation(self) -> int:
        """Generations so far, refused ones among them."""
        return len(self.state.fitness)

    @property
    def is_no_better(self) -> bool:
        """Whether TESTS_IN_A_ROW tests found the mean no better than it was."""
        return self.state.no_better >= TESTS_IN_A_ROW

    @property
    def refused(self) -> int:
        """Generations of which nothing was learnt."""
        return sum(not fitness for fitness in self.state.fitness)

    @property
    def last_fitness(self) -> tuple[float, ...]:
        """Of the last generation that was learnt from; empty when there was none."""
        return next((fitness for fitness in reversed(self.state.fitness) if fitness), ())

    def resume(self, state: SearchState) -> None:
        """Goes through the generations of an earlier run of the same search."""
        for fitness in state.fitness:
            self.ask()
            if fitness:
                self.tell(fitness)
            else:
                self.refuse()
        self.state = state

    def ask(self) -> list[list[float]]:
        """The next generation's candidates."""
        self._asked = self._strategy.ask()
        return [self._whole(free) for free in self._asked]

    def tell(self, fitness: Sequence[float], cut_games: int = 0) -> None:
        """The fitness of the candidates last asked for; lower is better."""
        self._strategy.tell(self._asked, list(fitness))
        self._note(tuple(fitness), cut_games)

    def refuse(self, cut_games: int = 0) -> None:
        """The games of the candidates last asked for are no evidence: the distribution stays as it is."""
        self._note((), cut_games)

    def tested(self, is_no_better: bool) -> None:
        """What a test of the mean after the last generation found."""
        in_a_row = self.state.no_better + 1 if is_no_better else 0
        self.state = self.state.model_copy(update={"no_better": in_a_row})

    def _note(self, fitness: tuple[float, ...], cut_games: int) -> None:
        self._means.append(self.mean)
        self.state = self.state.model_copy(
            update={"fitness": (*self.state.fitness, fitness), "cut_games": self.state.cut_games + cut_games}
        )

    def mean_after(self, generation: int) -> list[float]:
        """The mean as so many generations left it; 0 is where the search began."""
        return self._means[generation]

    @property
    def mean(self) -> list[float]:
        """The distribution's mean: with noisy fitness a far better estimate than the best candidate seen."""
        return self._whole(self._strategy.mean)

    @property
    def step(self) -> float:
        """The current step size, in units of the fixed weight."""
        return float(self._strategy.sigma)

    @property
    def stopped_by(self) -> list[str]:
        """The package's stopping criteria that are met; empty while the search goes on."""
        return sorted(self._strategy.stop())

    def _whole(self, free: Any) -> list[float]:
        whole = self._start.copy()
        whole[self._free] = np.asarray(free, dtype=np.float64) * self._unit
        return [float(weight) for weight in whole]

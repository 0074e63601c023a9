"""What a pipeline would do next, in sentences: spec.dryRun and `ringrift-operator local --dry-run`."""

from __future__ import annotations

from ringrift_core.contract import GateKind, Track
from ringrift_operator.api.pipeline_status import ConfigurationStatus
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.api.sections import Distributed
from ringrift_operator.domain.configuration import is_in_iteration, iteration_under_way, tracks_with_champion
from ringrift_operator.domain.recipe import run_seed
from ringrift_operator.domain.recipes import Recipes
from ringrift_operator.domain.recipes.shared import engine_modes, shard_count
from ringrift_operator.domain.snapshot import Snapshot
from ringrift_operator.domain.starting import has_all_iterations, resolved

MOST_LINES = 64
"""As many as status.plan takes."""


def described(snapshot: Snapshot, configurations: tuple[ConfigurationStatus, ...]) -> tuple[str, ...]:
    """A line per step that would run next, for every configuration."""
    lines = [line for configuration in configurations for line in _lines(snapshot, configuration)]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"and {len(lines) - MOST_LINES + 1} steps more"]
    return tuple(line[:512] for line in lines)


def _lines(snapshot: Snapshot, configuration: ConfigurationStatus) -> list[str]:
    if is_in_iteration(configuration):
        under_way = [task.name for task in configuration.tasks if not task.has_ended]
        number = iteration_under_way(configuration)
        return [f"{configuration.name}: iteration {number} goes on with {', '.join(under_way)}"]
    if configuration.adopted and has_all_iterations(snapshot, configuration):
        return [f"{configuration.name}: complete after {configuration.iteration} iterations"]
    values = resolved(snapshot, configuration.name)
    if snapshot.local_store is not None:
        values = values.with_distributed(Distributed())
    lines = [] if configuration.adopted else ["adopt what the store already holds"]
    lines += _iteration(snapshot.recipes, values, configuration)
    return [f"{configuration.name}: {line}" for line in lines]


def _iteration(recipes: Recipes, values: ResolvedConfiguration, configuration: ConfigurationStatus) -> list[str]:
    number = iteration_under_way(configuration)
    network = configuration.track(Track.NETWORK).champion_version
    champions = tracks_with_champion(configuration)
    modes = ", ".join(mode.value for mode in engine_modes(values, number, network))
    lines = [
        f"selfplay of {values.games(number)} games in {shard_count(values, values.games(number))} shards "
        f"({modes}; seed {run_seed(values, number)}; cut after {values.move_limit(number)} turns), then merge"
    ]
    lines += [
        f"{recipe.describe(values, number, champions)}, then {_gate(values)}"
        for recipe in recipes.makers_first
        if recipe.track in values.tracks
    ]
    lines += [f"{track} is skipped, it has no stages yet" for track in values.tracks if track not in recipes.tracks]
    if games := values.evaluation.round_robin.games:
        lines.append(f"a round robin of champions, predecessors and baselines, {games} games a pair")
    return [f"iteration {number}: {line}" for line in lines]


def _gate(values: ResolvedConfiguration) -> str:
    if values.evaluation.gate == GateKind.FIXED:
        return f"a gate of {values.evaluation.games} games (above {values.evaluation.promotion_threshold})"
    return f"a gate of at most {values.evaluation.max_games} games (SPRT)"

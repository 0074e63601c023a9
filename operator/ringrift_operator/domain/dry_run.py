"""What a pipeline would do next, in sentences: spec.dryRun and `ringrift-operator local --dry-run`."""

from __future__ import annotations

from ringrift_core.contract import GateKind, Track
from ringrift_operator.api.pipeline_status import ConfigurationStatus
from ringrift_operator.api.resolved import ResolvedConfiguration
from ringrift_operator.domain.configuration import is_in_iteration, iteration_under_way
from ringrift_operator.domain.parameters import engine_modes, run_seed, shard_count
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
    lines = [] if configuration.adopted else ["adopt what the store already holds"]
    network = configuration.track(Track.NETWORK).champion_version
    lines += _iteration(values, iteration_under_way(configuration), network)
    return [f"{configuration.name}: {line}" for line in lines]


def _iteration(values: ResolvedConfiguration, number: int, network: int) -> list[str]:
    modes = ", ".join(mode.value for mode in engine_modes(values, number, network))
    lines = [
        f"iteration {number}: selfplay of {values.games(number)} games in {shard_count(values, number)} shards "
        f"({modes}; seed {run_seed(values, number)}; cut after {values.move_limit(number)} turns), then merge"
    ]
    if Track.NETWORK in values.tracks:
        epochs = values.network.bootstrap_epochs if number == 1 else values.network.epochs
        lines.append(
            f"iteration {number}: export, then train the network for at most {epochs} epochs "
            f"of batch {values.network.batch_size}, then {_gate(values)}"
        )
    if Track.WEIGHTS in values.tracks:
        lines.append(
            f"iteration {number}: cmaes of at most {values.cmaes.generations} generations of "
            f"{values.cmaes.population_size} candidates, {values.cmaes.games_per_evaluation} games each, "
            f"then {_gate(values)}"
        )
    if Track.NNUE in values.tracks:
        lines.append(f"iteration {number}: nnue is skipped, it has no stages yet")
    return lines


def _gate(values: ResolvedConfiguration) -> str:
    if values.evaluation.gate == GateKind.FIXED:
        return f"a gate of {values.evaluation.games} games (above {values.evaluation.promotion_threshold})"
    return f"a gate of at most {values.evaluation.max_games} games (SPRT)"

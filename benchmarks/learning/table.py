"""What a run of learning has come to, a row a generation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table

from benchmarks.learning.settings import Settings


def table_of(settings: Settings, done: Sequence[dict[str, Any]]) -> Table:
    table = Table(title=f"{settings.board}-{settings.players}p, {settings.size}", box=box.SIMPLE_HEAD)
    names = [f"{candidate} : {opponent.removeprefix('weights@0:')}" for candidate, opponent in settings.matches]
    for heading in (
        "gen.",
        "wall s",
        "core-h",
        "games",
        "value",
        "policy",
        "winner",
        "move",
        *names,
        "by",
        "regression",
    ):
        table.add_column(heading, justify="right", overflow="fold")
    for line in done:
        learnt, regression = line["training"], line["regression"]
        rates = [f"{one['rate']:.2f} ({one['low']:.2f}-{one['high']:.2f})" for one in line["matches"]]
        by = "teacher" if line["self_played_by"] is None else str(line["self_played_by"])
        table.add_row(
            str(line["generation"]),
            f"{line['wall']:.0f}",
            f"{line['core_hours']:.2f}",
            f"{line['games']:,}",
            f"{learnt['held_out_value_loss']:.4f}",
            f"{learnt['held_out_policy_loss']:.3f}",
            f"{learnt['held_out_accuracy']:.3f}",
            f"{learnt['held_out_policy_accuracy']:.3f}",
            *rates,
            by,
            "" if regression is None else f"{regression['decision']} ({regression['games']})",
        )
    return table

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from ringrift_core.bench import CONFIGURATIONS, PUBLIC_MOVES_PER_SECOND, PUBLIC_NODES_PER_SECOND
from ringrift_core.cli import app
from ringrift_core.selfplay.speed import GAMES

NAMES = [f"{board}-{players}p" for board, players in CONFIGURATIONS]


@pytest.mark.parametrize(("subject", "unit"), [("rules", "moves_per_second"), ("search", "nodes_per_second")])
def test_json_is_one_line_of_rates(subject: str, unit: str) -> None:
    result = CliRunner().invoke(app, ["bench", subject, "--json", "--seconds", "0.01"])
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    rates = json.loads(result.stdout)[unit]
    assert list(rates) == NAMES
    assert all(isinstance(rate, int) and rate > 0 for rate in rates.values())


def test_the_table_stands_beside_the_public_engines() -> None:
    result = CliRunner().invoke(app, ["bench", "rules", "--seconds", "0.01"], env={"COLUMNS": "80"})
    assert result.exit_code == 0
    assert all(result.stdout.count(name) == 2 for name in NAMES)
    for rates in PUBLIC_MOVES_PER_SECOND.values():
        assert all(f" {rate:,} " in result.stdout for rate in rates)
    assert "…" not in result.stdout


def test_search_stands_beside_the_public_engine() -> None:
    result = CliRunner().invoke(app, ["bench", "search", "--seconds", "0.01"], env={"COLUMNS": "80"})
    assert result.exit_code == 0
    assert all(name in result.stdout for name in NAMES)
    assert f"{PUBLIC_NODES_PER_SECOND} nodes/s" in result.stdout
    assert "25,000" in result.stdout
    assert "…" not in result.stdout


@pytest.mark.parametrize("subject", ["rules", "search"])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--seconds", "0"),
        ("--seconds", "inf"),
        ("--seconds", "nan"),
        ("--seconds", "3601"),
        ("--seed", "-1"),
        ("--seed", str(2**64)),
    ],
)
def test_numbers_out_of_range_are_refused(subject: str, option: str, value: str) -> None:
    result = CliRunner().invoke(app, ["bench", subject, "--json", option, value])
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert option in result.stderr


def test_self_play_is_measured_through_its_stage() -> None:
    little = ["--share", "0.001", "--cores", "1", "--rounds", "1"]
    result = CliRunner().invoke(app, ["bench", "selfplay", "--json", *little])
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    report = json.loads(result.stdout)
    assert set(report) == {"games_per_second", "one_core", "cores", "scaling", "turns", "cut_share"}
    assert list(report["games_per_second"]) == [f"{board}-{players}p" for board, players in GAMES]
    assert all(rate > 0 for rate in report["games_per_second"].values())


def test_more_cores_than_there_are_are_refused() -> None:
    result = CliRunner().invoke(app, ["bench", "selfplay", "--cores", "1000"])
    assert result.exit_code == 2
    assert "1000, and this process may use" in result.output


def test_a_network_is_measured_alone_and_inside_self_play() -> None:
    result = CliRunner().invoke(
        app, ["bench", "network", "--json", "--seconds", "0.3", "--size", "tiny", "--board", "hex8", "--players", "3"]
    )
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["configuration"] == "hex8-3p"
    assert set(report["evaluations_per_second"]) == {"1", "8", "128"}
    assert all(rate > 0 for rate in report["evaluations_per_second"].values())
    assert report["inside_selfplay"] > 0
    assert report["mean_batch"] > 16
    assert 0 < report["in_network"] < 1
    assert set(report["core_shares"]) == {"network", "search", "encoding and the rest"}
    assert all(share > 0 for share in report["core_shares"].values())
    assert sum(report["core_shares"].values()) == pytest.approx(1, abs=0.002)
    refused = CliRunner().invoke(app, ["bench", "network", "--network", "none.onnx"])
    assert refused.exit_code == 2
    assert "no network that ONNX Runtime reads" in " ".join(refused.output.split())

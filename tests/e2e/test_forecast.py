"""`python -m bot forecast` with AWS credentials and nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.models import Verdict
from tests.e2e.scene import Scene

PROD = "482915067331"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """No bot runs here."""
    with Scene(tmp_path_factory.mktemp("forecast")) as made:
        yield made


def test_without_an_audit_one_is_taken_and_every_function_is_forecast(scene: Scene) -> None:
    ended = scene.run_cli("forecast", "--json")

    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    traceable = {one.arn for one in scene.fleet.functions if one.verdict is not Verdict.NOT_APPLICABLE}
    assert {one["arn"] for one in told["functions"]} == traceable
    assert told["unknown"] == []
    for one in told["functions"]:
        recorded, usd = one["recorded"], one["usd"]
        assert 0 < recorded["low"] <= recorded["expected"] <= recorded["high"], one
        assert usd["expected"] == pytest.approx(recorded["expected"] * 0.000005), one
        assert one["price"].startswith("$5.00 per million traces recorded in "), one
    total = sum(one["usd"]["expected"] for one in told["functions"])
    assert told["usd_before_free_tier"]["expected"] == pytest.approx(total)
    metrics = {3600: 1, 300: 2, 60: 3}
    assert told["look_up"]["metrics_requested"] == sum(metrics[one["period"]] for one in told["functions"])
    assert told["look_up"]["usd"] == pytest.approx(told["look_up"]["metrics_requested"] * 0.00001)


@pytest.mark.parametrize("columns", ["180", "100"])
def test_the_table_shows_ranges_and_ends_with_what_the_look_up_cost(scene: Scene, columns: str) -> None:
    ended = scene.run_cli("forecast", "--team", "payments", COLUMNS=columns)

    assert ended.returncode == 0, ended.stderr
    told = " ".join(ended.stdout.split())
    assert "refund-worker" in ended.stdout
    assert "catalog-indexer" not in ended.stdout
    assert re.search(
        r"a month, before AWS's free tier traffic from .{16} to .{16} UTC; "
        r"the look-up asked CloudWatch for \d+ metrics and cost \$0\.000\d+; "
        r"\d+ metrics asked for today \(UTC\), \$0\.0\d+ of at most \$1\.00$",
        told,
    )


def test_the_free_tier_is_taken_off_the_whole_once(scene: Scene) -> None:
    assert "after the free tier of 100,000 traces, which all accounts share: $" in scene.run_cli("forecast").stdout


def test_what_is_refused_is_named_and_the_rest_is_told(scene: Scene) -> None:
    scene.aws.deny(account=PROD, action="GetMetricData")
    table, machine = scene.run_cli("forecast", COLUMNS="200"), scene.run_cli("forecast", "--json")
    scene.aws.forgive()

    assert table.returncode == machine.returncode == 1
    assert f"cloudwatch:GetMetricData in account {PROD}" in " ".join(table.stdout.split())
    told = json.loads(machine.stdout)
    assert {one["account"] for one in told["functions"]}.isdisjoint({PROD})
    assert all(f":{PROD}:" in one["arn"] for one in told["unknown"])


def test_a_team_that_there_is_not_is_one_line(scene: Scene) -> None:
    ended = scene.run_cli("forecast", "--team", "nobody")

    assert ended.returncode == 2
    assert ended.stderr.startswith("lamplighter: no function belongs to team nobody. Teams: ")


def test_without_credentials_it_is_one_line(scene: Scene, tmp_path: Path) -> None:
    own = {"LAMPLIGHTER_DATABASE": str(tmp_path / "own.db"), "LAMPLIGHTER_CONFIG": ""}
    ended = scene.run_cli("forecast", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", **own)

    assert ended.returncode == 2
    assert ended.stderr.startswith("lamplighter: No AWS credentials")

"""The demo's organisation is the same each time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.demo.aws import AwsStandIn
from bot.demo.fleet import Fleet, seed


def test_two_runs_seed_the_same_organisation() -> None:
    first, second = _seeded(), _seeded()

    assert first == second


def _seeded() -> tuple[Fleet, list[dict[str, Any]]]:
    with AwsStandIn(clock=lambda: datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) as aws:
        fleet = seed(aws)
        functions = [aws.function(function.arn) for function in fleet.functions]
    return fleet, [{key: value for key, value in found.items() if key != "RevisionId"} for found in functions]

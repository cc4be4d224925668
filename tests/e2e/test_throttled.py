"""AWS throttles for ever what costs and KPIs are made of: digests come all the same, and what is not known says why."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bot.demo.people import ANA
from tests.e2e.scene import Scene, wait_for, words

FOR_EVER = 1_000_000
PATIENCE = 30  # seconds, for one page of CloudWatch's answer


@pytest.mark.timeout(240)
def test_digests_are_posted_though_cloudwatch_and_cost_explorer_throttle_for_ever(quiet_scene: Scene) -> None:
    scene = quiet_scene
    for action in ("GetMetricData", "GetCostAndUsage", "DescribeAlarmHistory"):
        scene.aws.throttle(FOR_EVER, action=action)
    began = time.monotonic()
    scene.start_bot()
    scene.until_posted(seconds=150)
    took = time.monotonic() - began

    assert PATIENCE <= took < 3 * PATIENCE  # all places wait side by side, and none of them twice
    with scene.memory() as store:
        teams = {one.team for one in store.functions.untraced()}
        assert store.forecasts.kept() == 0
        today = datetime.now(UTC).date()
        asked = store.metrics_asked.between(today - timedelta(days=1), today)
    assert Decimal(asked) / 100_000 < Decimal("0.20")
    here = [one for channel in scene.workspace.channels() for one in scene.workspace.messages(channel.id)]
    digests = [words(one) for one in here if "without active tracing" in words(one)]
    assert len(digests) == len(teams)
    assert all("not known" in said for said in digests)
    log = scene.logged()
    assert "forecasts: 0 made, " in log
    assert "cloudwatch:GetMetricData in account" in log
    assert "Rate exceeded" in log

    def looked() -> bool:
        with scene.memory() as store:
            last = store.spend.last_asked()
            return last is not None and bool(last.problem)

    wait_for(looked, 60, "a look at the bill")
    wait_for(lambda: "could not be seen, the first: cloudwatch:" in scene.logged(), 120, "a look at the alarms")
    said = scene.answer(ANA, "finops", "/trace-budget", "What X-Ray costs in")
    assert "is not known" in words(said)
    assert "Rate exceeded" in words(said)

"""Twelve hours with Slack and AWS failing at random: no lost decision, no duplicate post, no leak."""

from pathlib import Path

import pytest

from tests.e2e.soak_checks import problems
from tests.e2e.soaking import Plan, Soak


@pytest.mark.timeout(300)
def test_twelve_hours_of_faults_lose_nothing_double_nothing_and_leak_nothing(tmp_path: Path) -> None:
    with Soak(tmp_path, Plan(seed=20, step_minutes=8, ends=2)) as soak:
        soak.run()
        assert problems(soak) == []
        # What was asked of the bot was no small thing, or none of this says anything.
        with soak.memory() as store:
            kinds = {str(row.kind) for row in store.decisions.all()}
        assert {"approved", "applied", "failed", "requested"} <= kinds
        assert soak.hours >= 12
        assert soak.kills + soak.stops == 2
        assert soak.amid >= 1
        assert len(soak.faults.ordered) >= 5
        assert sum(not call.ok for call in soak.slack.calls) >= 10

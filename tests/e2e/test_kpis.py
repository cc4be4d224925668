"""The KPIs of the demo's organization: audited, its alarms and use read over the wire, and shared out."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.demo.aws import AwsStandIn
from bot.demo.fleet import Fleet, seed
from bot.demo.fleet_access import AUDIT_ROLE
from commands import COMMANDS
from commands._audits import take_audit
from commands._figures import figures
from commands._teams import TeamSettings
from commands._types import Clock, Context, Progress, Request
from commands.aws.accounts import AwsSettings, Cloud
from commands.incidents import INCIDENTS
from commands.usage import USAGE
from storage.kpis import Window
from storage.models import THE_CLOCK, Coverage, Source
from storage.spend import Bill, Billed
from storage.store import open_store
from tests.commands.conftest import NamedPeople


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    with AwsStandIn(calls_per_second=None) as aws:
        seeded = seed(aws)
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in seeded.environment(aws).items():
            monkeypatch.setenv(name, value)
        yield seeded


@pytest.fixture
def context(fleet: Fleet, tmp_path: Path) -> Iterator[Context]:
    settings = AwsSettings(
        accounts=fleet.accounts, regions=fleet.regions, role=AUDIT_ROLE, external_id=fleet.external_id
    )
    with open_store(tmp_path / "memory.db") as store:
        yield Context(store, Cloud(settings), TeamSettings(), NamedPeople(), lambda: datetime.now(UTC), ZoneInfo("UTC"))


def test_the_demos_kpis_add_up_and_its_incidents_are_seen(fleet: Fleet, context: Context) -> None:
    take_audit(context, source=Source.CLOCK)
    jobs = {entry.job_id: entry for entry in COMMANDS if isinstance(entry, Clock)}
    said = []
    for job in (INCIDENTS, USAGE):
        request = Request(user=THE_CLOCK, now=context.clock(), source=Source.CLOCK)
        said += [reply.text for reply in jobs[job].run(request, context) if isinstance(reply, Progress)]
    month = context.clock().date().replace(day=1)
    bills = [Bill(month, account, Billed.LAMBDA, Decimal("123.45")) for account in fleet.accounts]
    context.store.spend.save(bills, context.clock(), {month: True})

    now = context.clock()
    found = figures(context, Window(now - timedelta(days=30), now), None)

    number = f"{len(fleet.functions)} metrics"
    assert said[0] == "alarms looked at in 6 accounts' regions"
    assert said[1].startswith(f"GB-seconds asked for with {number}, $0.00")
    assert f"; {number} asked for today (UTC), $0.00" in said[1]
    assert found.mttr_traced
    assert found.mttr_untraced
    assert found.mttr_traced.n >= 10
    assert found.mttr_untraced.n >= 10
    assert found.attribution
    assert 0.5 < found.attribution.known < 1
    assert found.whole.lambda_usd == Decimal("123.45") * len(fleet.accounts)
    assert sum(one.lambda_usd or 0 for one in found.by_team.values()) == found.whole.lambda_usd
    assert Coverage.sum(one.coverage for one in found.by_team.values()) == found.whole.coverage
    assert found.whole.coverage.traced == sum(one.verdict == "traced" for one in fleet.functions)

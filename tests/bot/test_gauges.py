"""/metrics as Prometheus reads it: from memory, within bounds, by its conventions."""

import re
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from bot import VERSION
from bot.config import ConfigProblem
from bot.gauges import CACHE_SECONDS, Gauges, MetricsDoor
from commands._budget_rules import BudgetRules
from commands._dashboards import MOST_ACCOUNTS, MOST_PAIRS, MOST_TEAMS, Shown
from commands._event_rules import EventRules
from commands._production import Production
from commands._teams import TeamSettings
from commands._types import Context, FixPolicy
from commands.aws.accounts import AwsSettings, Cloud
from storage.dashboards import Counted
from storage.forecasts import Forecast, Range
from storage.models import (
    Decision,
    DecisionKind,
    Function,
    Inventory,
    NotScanned,
    PostKind,
    Source,
    TracingMode,
    Verdict,
)
from storage.spend import Bill, Billed
from tests.commands.conftest import HandClock, NamedPeople
from tests.memory import new_store
from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def made(name: str, verdict: Verdict, team: str | None, account: str = "111122223333", **more: bool) -> Function:
    arn = f"arn:aws:lambda:eu-central-1:{account}:function:{name}"
    return Function(arn, account, "eu-central-1", name, TracingMode.ACTIVE, team=team, verdict=verdict, **more)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def context(tmp_path: Path, clock: HandClock) -> Iterator[Context]:
    store = new_store(tmp_path / "memory.db")
    yield Context(
        store=store,
        cloud=Cloud(AwsSettings()),
        teams=TeamSettings(),
        people=NamedPeople(),
        clock=clock,
        zone=ZoneInfo("UTC"),
        policy=FixPolicy(production=Production(tags=("env=prod",))),
    )
    store.close()


@pytest.fixture
def full(context: Context, clock: HandClock) -> Context:
    """An audit of three functions, a fix, a post, a bill and forecasts."""
    store = context.store
    seen = (
        made("refund", Verdict.UNTRACED, "payments"),
        made("charge", Verdict.TRACED, "payments"),
        made("try-out", Verdict.TRACED, "payments", production=False),
        made("export", Verdict.EXEMPT, None, "222222222222"),
    )
    store.functions.save(seen, NOON)
    unseen = (NotScanned("333333333333", "", "AccessDenied"),)
    inventory = Inventory(seen, unseen, ("111122223333", "222222222222", "333333333333"), ("eu-central-1",), 44)
    for _ in range(2):
        store.audits.record(
            inventory, {}, source=Source.CLOCK, started_at=NOON, finished_at=NOON + timedelta(seconds=2.5)
        )
    kinds = (DecisionKind.APPLIED, DecisionKind.APPLIED, DecisionKind.FAILED, DecisionKind.DENIED)
    for number, kind in enumerate(kinds):
        store.decisions.record(Decision(kind, NOON, "U0ANA", seen[0].arn, request_id=f"{number}"))
    store.posts.create("digest:1", PostKind.DIGEST, "#team-payments", NOON, team="payments")
    month = date(2026, 11, 1)
    bills = [
        Bill(month, "111122223333", Billed.XRAY, Decimal("12.50")),
        Bill(month, "111122223333", Billed.LAMBDA, Decimal(400)),
    ]
    store.spend.save(bills, NOON, {month: True})
    store.spend.save_days({month + timedelta(days=day): Decimal("0.5") for day in range(22)})
    foreseen = Forecast(seen[0].arn, NOON, NOON, NOON, 3600, 9, Range(1, 2000, 3), usd=Range(0, 0.01, 1))
    store.forecasts.save([foreseen, replace(foreseen, function_arn=seen[1].arn, usd=None)])
    clock.forward(hours=1)
    return replace(context, budget=BudgetRules(monthly_usd=Decimal(200)))


def text_of(context: Context) -> str:
    registry = CollectorRegistry()
    registry.register(Gauges(context))
    return generate_latest(registry).decode()


def parsed(context: Context) -> list[Metric]:
    return list(text_string_to_metric_families(text_of(context)))


def samples(context: Context) -> Samples:
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value for family in parsed(context) for one in family.samples
    }


def test_what_memory_knows_is_what_is_shown(full: Context) -> None:
    found = samples(full)

    def value(name: str, **labels: str) -> float | None:
        return found.get((f"lamplighter_{name}", tuple(sorted(labels.items()))))

    ours = {"team": "payments", "account": "111122223333"}
    assert [value("functions", verdict=str(verdict), **ours) for verdict in Verdict] == [2, 1, 0, 0, 0]
    assert value("functions", verdict="exempt", team="(none)", account="222222222222") == 1
    assert value("production_functions", verdict="traced", team="payments") == 1
    assert value("team_coverage_ratio", team="payments") == 0.5
    assert value("coverage_ratio") == pytest.approx(1 / 3)
    assert value("last_audit_duration_seconds") == 2.5
    assert value("last_audit_age_seconds") == 3597.5
    assert value("last_audit_timestamp_seconds") == NOON.timestamp() + 2.5
    assert (value("last_audit_aws_calls"), value("last_audit_not_scanned")) == (44, 1)
    assert (value("audits_total"), value("audit_aws_calls_total")) == (2, 88)
    outcomes = ["applied", "failed", "undone", "undo_failed"]
    assert [value("fixes_total", outcome=outcome) for outcome in outcomes] == [2, 1, 0, 0]
    assert value("posts_waiting") == 1
    assert (value("xray_spend_dollars"), value("lambda_spend_dollars")) == (12.5, 400)
    low, expected, high = (value("xray_month_end_dollars", bound=bound) or 0 for bound in ("low", "expected", "high"))
    assert 12.5 <= low <= expected <= high < 20
    assert value("budget_dollars") == 200
    assert value("forecast_recorded", verdict="untraced", unit="traces") == 2000
    assert value("forecast_dollars", verdict="untraced", unit="traces") == 0.01
    assert value("forecast_dollars", verdict="traced", unit="traces") is None  # its price is not known
    assert value("build_info", version=VERSION) == 1


def test_what_is_not_known_is_left_out(context: Context) -> None:
    names = {name for name, _ in samples(context)}

    assert "lamplighter_audits_total" in names
    assert not {name for name in names if re.search("coverage|last_audit|spend|forecast", name)}


def test_a_bill_of_last_month_is_not_this_month_s(full: Context, clock: HandClock) -> None:
    clock.forward(days=10)

    assert "lamplighter_xray_spend_dollars" not in {name for name, _ in samples(full)}


def test_names_and_help_keep_to_the_conventions(full: Context) -> None:
    for family in parsed(full):
        name = family.name
        assert re.fullmatch(r"lamplighter(_[a-z0-9]+)+", name)
        assert re.fullmatch(r"[A-Z].*\.", family.documentation), f"{name} has no sentence"
        assert not re.search(r"_(gauge|counter|milliseconds|minutes|hours|percent|kilobytes)\b", name)
        for sample in family.samples:
            assert sample.name.endswith("_total") is (family.type == "counter")
            if family.type == "gauge" and not name.endswith("_info"):
                assert not re.search(r"_(count|sum|bucket|total|info)$", sample.name)
            assert not set(sample.labels) & {"le", "quantile", "job", "instance", "__name__"}
            unit = next((unit for unit in ("seconds", "ratio", "dollars") if name.endswith(unit)), "number")
            words = {"seconds": "seconds", "ratio": "0 to 1", "dollars": "US dollars", "number": "number|runs|record"}
            assert re.search(words[unit], family.documentation), f"{name} does not say its unit"


def test_team_and_account_are_told_apart_and_nobody_by_an_address(full: Context) -> None:
    full.store.functions.save(
        [made("mine", Verdict.TRACED, "ana@example.com"), made("odd", Verdict.TRACED, 'a"\\\nb')], NOON
    )

    told = text_of(full)

    assert "@" not in told
    assert 'team="(other)"' in told
    assert 'a"\\\nb' in {dict(labels).get("team") for _, labels in samples(full)}


@pytest.mark.parametrize(("teams", "accounts"), [(3, 2), (1000, 1), (1, 1000), (900, 700)])
def test_however_many_teams_there_are_the_series_are_few_and_the_sums_whole(teams: int, accounts: int) -> None:
    counted = [
        Counted(f"team-{number % teams}", f"{number % accounts:012}", Verdict.TRACED, number % 2 == 0, 1 + number % 7)
        for number in range(20_000)
    ]

    shown = Shown.of(counted)

    assert sum(sum(counts.values()) for counts in shown.pairs.values()) == sum(one.number for one in counted)
    assert sum(sum(counts.values()) for counts in shown.production.values()) == sum(
        one.number for one in counted if one.in_production
    )
    assert len(shown.pairs) <= MOST_PAIRS + MOST_TEAMS + 1
    assert len(shown.teams) <= MOST_TEAMS + 1
    assert len({account for _, account in shown.pairs}) <= MOST_ACCOUNTS + 1
    if teams <= MOST_TEAMS:
        sizes = {team: sum(counts.values()) for team, counts in shown.teams.items()}
        assert sizes == {
            f"team-{team}": sum(one.number for one in counted if one.team == f"team-{team}") for team in range(teams)
        }
    assert Shown.of(reversed(counted)) == shown


def test_memory_is_asked_once_in_a_while(full: Context) -> None:
    now = [0.0]
    registry = CollectorRegistry()
    registry.register(Gauges(full, lambda: now[0]))
    first = generate_latest(registry)
    full.store.functions.save([made("new", Verdict.TRACED, "orders")], NOON + timedelta(hours=1))

    assert generate_latest(registry) == first
    now[0] += CACHE_SECONDS
    assert b'team="orders"' in generate_latest(registry)


# ---- the address

Get = Callable[[str], tuple[int, str]]


@pytest.fixture
def port(full: Context) -> Iterator[int]:
    number = free_port()
    door = MetricsDoor(full, f"127.0.0.1:{number}")
    door.open()
    yield number
    door.close()


def get(port: int, path: str, accept: str = "*/*") -> str:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Accept": accept})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return str(answer.read().decode())


def test_prometheus_reads_both_of_its_formats(port: int) -> None:
    plain = get(port, "/metrics")
    modern = get(port, "/metrics", "application/openmetrics-text; version=1.0.0")

    assert {family.name for family in text_string_to_metric_families(plain)} >= {"lamplighter_functions"}
    assert modern.endswith("# EOF\n")
    assert {family.name for family in openmetrics(modern)} >= {"lamplighter_functions", "lamplighter_fixes"}


def test_nothing_else_is_there(port: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(port, "/slack/events")
    refused.value.close()

    assert refused.value.code == 404


def test_an_address_that_cannot_be_used_is_said_in_one_line(full: Context, port: int) -> None:
    for taken in (f"127.0.0.1:{port}", "192.0.2.1:9464", "no.such.host.invalid:9464"):
        with pytest.raises(ConfigProblem, match=r"\[metrics\] listen: .* cannot be used \(.+\)\. Choose another port"):
            MetricsDoor(full, taken)


# ---- what is written of it


def test_the_version_is_the_project_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["project"]["version"] == VERSION


def test_the_readme_asks_for_metrics_that_there_are(full: Context) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Dashboards")[2].partition("\n## ")[0]
    names = {name for name, _ in samples(replace(full, custom_metrics=True))}
    full.store.daily_runs.begin("custom-metrics:2", NOON.date(), NOON)
    full.store.daily_runs.end("custom-metrics:2", NOON.date(), NOON)
    full.store.events.reached(NOON, 0, 0)
    listening = EventRules("https://sqs.eu-central-1.amazonaws.com/111122223333/events")
    names |= {name for name, _ in samples(replace(full, custom_metrics=True, events=listening))}

    asked = set(re.findall(r"\blamplighter_\w+", section))
    assert len(asked) >= 3
    assert asked <= names
    for name, labels in re.findall(r"(lamplighter_\w+)\{([^}]*)\}", section):
        known = {label for sample, pairs in samples(full) if sample == name for label, _ in pairs}
        assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", labels)) <= known
    for name in names:
        assert name in section, f"{name} is not in the README"
